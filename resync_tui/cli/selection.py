"""Selection: the districts, objects and time of a command, from its arguments and resync.toml."""

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from resync_tui.errors import UsageError

if TYPE_CHECKING:
    from resync_tui.catalog import Catalog
    from resync_tui.config.settings import Settings
    from resync_tui.plan import Plan

_WALL = re.compile(r"\d\d:\d\d\Z")


LONGEST = 1_000_000
"""Characters that are read of a list of districts."""


def one_district(settings: "Settings", district: str | None) -> str:
    """Return a configured district, by default the first. Raises UsageError."""
    return settings.district_by_id(district or settings.district[0].id).id


def the_district(settings: "Settings", district: str | None) -> str:
    """Return a configured district; required if there are several. Raises UsageError."""
    return some_districts(settings, [district] if district else [])[0]


def some_districts(settings: "Settings", named: Sequence[str]) -> list[str]:
    """Return configured districts, each once; required if there are several. Raises UsageError."""
    if not named and len(settings.district) > 1:
        raise UsageError(f"{len(settings.district)} districts are configured", "Say which: -d ID, once for each.")
    return list(dict.fromkeys(one_district(settings, each) for each in named or [settings.district[0].id]))


def listed_districts(file: Path) -> list[str]:
    """Return the district ids in a file, one per line; `#` begins a comment. Raises UsageError."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            text = opened.read(LONGEST + 1)
    except OSError as error:
        raise UsageError(f"Cannot read {file}: {error.strerror}", "Name a file with one district id a line.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8", "Save it as UTF-8.") from None
    if len(text) > LONGEST:
        raise UsageError(f"{file} is longer than {LONGEST:,} characters", "Name a file with one district id a line.")
    found = [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]
    if not found:
        raise UsageError(f"{file} names no district", "Write one district id a line; # begins a comment.")
    return found


def planned(catalog: "Catalog", objects: Sequence[str], everything: bool, year: int, *, alone: bool = False) -> "Plan":
    """Return the plan for the named objects, or for all; `alone`: without their dependencies. Raises UsageError."""
    from resync_tui.plan import make_plan

    if everything == bool(objects):
        raise UsageError("Name objects, or say --all", "See the names: resync-tui objects")
    names = [each.name for each in catalog.objects] if everything else objects
    return make_plan(catalog, names, year, check_dependencies=not alone)


def plan_of(
    settings: "Settings",
    district: str,
    objects: Sequence[str],
    everything: bool,
    year: int | None,
    *,
    alone: bool = False,
) -> "Plan":
    """Return a district's plan for a school year, by default the current one.

    Raises UsageError, also for an object or a year that the district is not configured for.
    """
    from resync_tui.config.load import catalog_of_year, load_catalog
    from resync_tui.config.school_years import require_year

    of_year, known = year or settings.years.current, load_catalog(settings)
    catalog = catalog_of_year(settings, district, of_year)
    require_year(settings, [district], of_year, [known[name].name for name in objects])
    return planned(catalog, objects, everything, of_year, alone=alone)


def moment(text: str, now: datetime) -> datetime:
    """Return the time of `--at`: HH:MM, the next such time of this host, or a future ISO 8601 date and time.

    `now` is aware; a time without an offset is this host's. Raises UsageError.
    """
    do = "Write 22:30, or 2026-07-01T02:00, with an offset where it is not this host's time."
    try:
        if _WALL.match(text):
            today = datetime.combine(now.astimezone().date(), time.fromisoformat(text))
            found = today.astimezone()
            return found if found > now else (today + timedelta(days=1)).astimezone()
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text} is no time", do) from None
    if found.tzinfo is None:
        found = found.astimezone()
    if found <= now:
        raise UsageError(f"--at {text} is over", do)
    return found
