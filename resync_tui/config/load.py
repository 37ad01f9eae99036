"""Load resync.toml: find, parse and check it with its included files; load the catalog that it names."""

import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platformdirs import site_config_path, user_config_path

from resync_tui import catalog
from resync_tui.catalog import Catalog
from resync_tui.config import check, url
from resync_tui.config.settings import DistrictSettings, Settings, included_files
from resync_tui.errors import ConfigError, UsageError
from resync_tui.files.own import read_text
from resync_tui.files.toml import CLOSED, validate

FILE_NAME = "resync.toml"
VARIABLE = "RESYNC_TUI_CONFIG"


def find() -> Path:
    """Return the path of resync.toml: the one that the environment names, else the first found. Raises ConfigError."""
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
    """Return a file's TOML with relative paths made absolute and placeholders outside URLs expanded."""
    try:
        document = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", "Mend that line.") from None
    resolved: dict[str, Any] = _resolved(document, str(path), path.parent)
    own = resolved.get("catalog")
    if isinstance(own, dict) and isinstance(own.get("file"), str):
        own["file"] = str(path.parent / own["file"])
    return resolved


def _resolved(value: Any, key: str, folder: Path) -> Any:
    """Expand the placeholders of a TOML value; those of URLs and of the notify command wait until they are needed."""
    if isinstance(value, dict):
        return {name: _resolved(each, f"{key}: {name}", folder) for name, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, key, folder) for each in value]
    if not isinstance(value, str):
        return value
    text = url.anchored(value, folder)
    return text if key.endswith((": url", ": command")) else url.expanded(text, key)


@dataclass(frozen=True)
class _Included:
    """A file named by `include`."""

    __pydantic_config__ = CLOSED

    district: tuple[DistrictSettings, ...] = ()


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of a file, by default of the first resync.toml found. Raises ConfigError."""
    found = (path or find()).absolute()
    document = read(found)
    if "path" in document:
        raise ConfigError(f"{found}: unknown key path", "Remove that key.")
    settings = validate(Settings, document | {"path": found}, str(found))
    for file in included_files(settings):
        more = validate(_Included, read(file), str(file))
        settings = replace(settings, district=settings.district + more.district)
    check.check(settings)
    _check_tenants(settings)
    return settings


def variables(settings: Settings) -> set[str]:
    """Return the environment variables that the files of the configuration name. Raises ConfigError."""
    return {name for file in settings.files for name in url.variables(read_text(file))}


def _check_tenants(settings: Settings) -> None:
    """Check the user's own catalog for a tenant column; an unreadable one is reported when it is needed."""
    if settings.catalog.file is not None and len(settings.district) > 1:
        try:
            whole = catalog.load(settings.catalog.file)
        except ConfigError:
            return
        check.check_tenants(settings, whole)


def load_catalog(settings: Settings) -> Catalog:
    """Return the catalog of the objects that exist for this state. Raises ConfigError."""
    whole = catalog.load(settings.catalog.file)
    check.check_objects(settings, whole)
    check.check_tenants(settings, whole)
    return whole.for_state(settings.state.name, settings.subscription.objects)


def catalog_of_year(settings: Settings, district: str, year: int) -> Catalog:
    """Return the catalog of the objects that a district may send in a school year.

    Raises UsageError for a year for which the district is not configured.
    """
    found = settings.of_year(load_catalog(settings), settings.district_by_id(district), year)
    if found is None:
        current = settings.years.current
        raise UsageError(
            f"District {district} is not configured for the school year {year - 1}-{year % 100:02}",
            f"Leave out --year for {current}, or name objects under previous or next in {settings.path}.",
        )
    return found
