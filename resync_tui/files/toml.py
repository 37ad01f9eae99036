"""Parse TOML into frozen dataclasses; an error names the key that does not fit, with the nearest known one."""

import tomllib
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from resync_tui.errors import ConfigError, nearest

CLOSED = ConfigDict(extra="forbid")
"""Configuration for `__pydantic_config__` of a dataclass: unknown keys are errors."""

T = TypeVar("T")


def parse(model: type[T], text: str, origin: str) -> T:
    """Return `text` as a `model`; `origin` names the file in messages. Raises ConfigError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin} is not valid TOML: {error}", "Mend that line.") from None
    return validate(model, document, origin)


def validate(model: type[T], document: dict[str, Any], origin: str) -> T:
    """Return a parsed TOML document as a `model`. Raises ConfigError without any value, which may be a secret."""
    adapter = TypeAdapter(model)
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        first = min(found, key=lambda each: each["type"] != "unexpected_keyword_argument")
        where = _path(first["loc"])
        if first["type"] == "unexpected_keyword_argument":
            *table, key = first["loc"]
            known = _known_keys(adapter.json_schema(), table)
            raise ConfigError(
                f"{origin}: unknown key {where}{nearest(str(key), known)}", "Mend or remove that key."
            ) from None
        if first["type"] in ("missing", "missing_argument"):
            raise ConfigError(f"{origin}: {where} is missing", f"Add {where}.") from None
        raise ConfigError(f"{origin}: {where}: {first['msg'].lower()}", "Mend that value.") from None


def _path(location: tuple[int | str, ...]) -> str:
    """Format a location as `district[2].url` for ("district", 1, "url"): indexes count from one."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part + 1}]"
        else:
            path += f".{part}" if path else part
    return path


def _known_keys(schema: dict[str, Any], table: Iterable[int | str]) -> set[str]:
    """Return the keys that a table of a document may have, by its location."""
    found = _forms(schema, schema)
    for part in table:
        within = [form["items"] if isinstance(part, int) else form["properties"][part] for form in found]
        found = [form for each in within for form in _forms(each, schema)]
    return {key for form in found for key in form.get("properties", ())}


def _forms(node: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the forms that a part of a JSON schema describes as tables or lists."""
    if "$ref" in node:
        return _forms(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    if "anyOf" in node:
        return [form for each in node["anyOf"] for form in _forms(each, schema)]
    return [node] if "properties" in node or "items" in node else []
