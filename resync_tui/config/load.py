"""Where resync.toml is found, and its TOML with paths made absolute and placeholders filled in."""

import os
import tomllib
from pathlib import Path
from typing import Any

from platformdirs import site_config_path, user_config_path

from resync_tui import config_url
from resync_tui.errors import ConfigError

FILE_NAME = "resync.toml"
VARIABLE = "RESYNC_TUI_CONFIG"


def find() -> Path:
    """Return the first resync.toml that is found, or the one that the environment names. Raises ConfigError."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    places = [folder / FILE_NAME for folder in (Path(), user_config_path("resync-tui"), site_config_path("resync-tui"))]
    for place in places:
        if place.exists():
            return place
    raise ConfigError(
        f"There is no {FILE_NAME} here, nor {' nor '.join(map(str, places[1:]))}",
        "Name one with --config, write one (see the README), or try: resync-tui demo",
    )


def read(path: Path) -> dict[str, Any]:
    """Return a file's TOML with its relative paths made absolute and placeholders outside URLs filled in."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}", "Check that file and who may read it.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", "Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", "Mend that line.") from None
    resolved: dict[str, Any] = _resolved(document, str(path), path.parent)
    own = resolved.get("catalog")
    if isinstance(own, dict) and isinstance(own.get("file"), str):
        own["file"] = str(path.parent / own["file"])
    return resolved


def _resolved(value: Any, key: str, folder: Path) -> Any:
    """Fill in what a TOML value holds; URLs and the command to notify wait until they are needed."""
    if isinstance(value, dict):
        return {name: _resolved(each, f"{key}: {name}", folder) for name, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, key, folder) for each in value]
    if not isinstance(value, str):
        return value
    text = config_url.anchored(value, folder)
    return text if key.endswith((": url", ": command")) else config_url.expanded(text, key)
