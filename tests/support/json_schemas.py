"""The JSON Schemas of what --json prints and of both TOML files.

`python -m tests.support.json_schemas` writes docs/schema again.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from resync_tui.catalog import Catalog
from resync_tui.config.settings import Settings
from resync_tui.json_output.documents import DOCUMENTS

FOLDER = Path(__file__).parents[2] / "docs" / "schema"
_PRINTED = {
    **dict.fromkeys(("run", "retry", "attach", "notify"), "batch"),
    "verify": "verification",
    "remove-extra": "removal",
}
"""Documents of commands that are not called like them, and of what `[notify]` reads."""
TOML_FILES: dict[str, type] = {"resync.toml": Settings, "objects.toml": Catalog}


def texts() -> dict[str, str]:
    """Return the text of each schema's file, by its name."""
    schemas = {name: _schema(name) for name in DOCUMENTS} | {name: toml_schema(name) for name in TOML_FILES}
    return {f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def _schema(name: str) -> dict[str, Any]:
    of_type: TypeAdapter[Any] = TypeAdapter(DOCUMENTS[name])
    return {"$schema": Draft202012Validator.META_SCHEMA["$id"], **of_type.json_schema(mode="serialization")}


def toml_schema(name: str) -> dict[str, Any]:
    """Return the schema of a TOML file as somebody writes it."""
    of_type: TypeAdapter[Any] = TypeAdapter(TOML_FILES[name])
    schema = of_type.json_schema()
    schema["properties"].pop("path", None)  # where the file was found: not one of its keys
    return {"$schema": Draft202012Validator.META_SCHEMA["$id"], **schema}


def printed(command: str, out: str) -> list[Any]:
    """Return the documents that a command has printed, one a line.

    Raises ValidationError for one that is not as its schema says.
    """
    found = [json.loads(line) for line in out.splitlines()]
    for each in found:
        validator(document_of(command)).validate(each)
    return found


def document_of(command: str) -> str:
    """Return the name of the document that a command prints."""
    return _PRINTED.get(command, command)


@cache
def validator(name: str) -> Draft202012Validator:
    """Return the validator of a document by its file."""
    return Draft202012Validator(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, "utf-8")
