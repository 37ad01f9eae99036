"""Consistency checks of resync.toml beyond keys and types: duplicate districts, a shared source, invalid times."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from resync_tui.config import url
from resync_tui.config.window import window
from resync_tui.errors import ConfigError, nearest

if TYPE_CHECKING:
    from resync_tui.catalog import Catalog
    from resync_tui.config.settings import ScheduleSettings, Settings


_CRON_FIELD = re.compile(r"[\dA-Za-z*/,#?-]+\Z")
_CHANCE = re.compile(r"(?<![A-Za-z])[RH](?![A-Za-z])", re.IGNORECASE)
"""Random fields of croniter, drawn anew each time."""
_CRON_DO = 'Write minute, hour, day, month, weekday: "0 2 * * 0" is Sundays at two.'


def check(settings: "Settings") -> None:
    """Raise ConfigError for the first inconsistency."""
    _check_districts(settings)
    _check_sources(settings)
    years = settings.years
    if years.opens and years.closes and years.closes <= years.opens:
        raise ConfigError(f"{settings.path}: [years] closes is not after opens", "Mend one of the dates.")
    ends = window(settings.engine.window)
    if settings.engine.window and (ends is None or ends[0] == ends[1]):
        raise ConfigError(
            f'{settings.path}: [engine] window "{settings.engine.window}" is no span of time',
            'Write it as "22:00-05:00", or leave it out.',
        )
    for schedule in settings.schedule:
        _check_schedule(settings, schedule)


def check_objects(settings: "Settings", whole: "Catalog") -> None:
    """Raise ConfigError for a DIS object that is not in the catalog."""
    for key, names in _named_objects(settings):
        for name in names:
            if name not in whole:
                known = (each.name for each in whole.objects)
                raise ConfigError(
                    f"{settings.path}: {key} names an unknown DIS object {name}{nearest(name, known)}",
                    "Mend that name.",
                )


def check_tenants(settings: "Settings", whole: "Catalog") -> None:
    """Raise ConfigError for several districts in a state without a tenant column."""
    if whole.tenant_column is None and len(settings.district) > 1:
        raise ConfigError(
            f"{settings.path}: without a tenant_column in the catalog a state takes one district, "
            f"but {len(settings.district)} stand there",
            f"Keep one [[district]], or name a tenant_column in {settings.catalog.file}.",
        )


def _check_districts(settings: "Settings") -> None:
    ids = [each.id for each in settings.district]
    if not ids:
        raise ConfigError(f"{settings.path}: there is no [[district]]", "Add one, or include the files that have them.")
    if settings.edition == "district" and len(ids) > 1:
        raise ConfigError(
            f'{settings.path}: edition "district" is one district\'s own console, but {len(ids)} stand there',
            'Keep one [[district]], or set edition = "state".',
        )
    for number, district in enumerate(ids):
        if not district.strip() or not district.isprintable():
            raise ConfigError(f"{settings.path}: a [[district]] has no id", "Give it the id that its database has.")
        if district == "state":
            raise ConfigError(f"{settings.path}: a district's id is state", "Take another id: that one is the state's.")
        if district in ids[:number]:
            raise ConfigError(f"{settings.path}: district {district} stands there twice", "Remove or mend one of them.")


def _check_sources(settings: "Settings") -> None:
    """Require that no two districts share a source, nor a district the state's database, however URLs are spelled."""
    taken = {url.same_place(settings.state.url): "the state"}
    url.check(settings.control.url, f"{settings.path}: [control] url")
    url.check(settings.state.url, f"{settings.path}: [state] url")
    for each in settings.district:
        url.check(each.url, f"{settings.path}: The url of district {each.id}")
        other = taken.setdefault(url.same_place(each.url), f"district {each.id}")
        if other != f"district {each.id}":
            raise ConfigError(
                f"{settings.path}: district {each.id} and {other} have the same database",
                "Give each its own url: records would reach the state under the wrong district.",
            )


def _check_schedule(settings: "Settings", schedule: "ScheduleSettings") -> None:
    where = f"{settings.path}: [[schedule]] {schedule.name}"
    fields = schedule.cron.split()
    if len(fields) != 5 or not all(_CRON_FIELD.match(field) for field in fields):
        raise ConfigError(f'{where}: cron "{schedule.cron}" is not five fields', _CRON_DO)
    if (trouble := _cron_trouble(schedule.cron)) is not None:
        raise ConfigError(f'{where}: cron "{schedule.cron}" {trouble}', _CRON_DO)
    zones = available_timezones() | {"UTC"}
    if len(zones) > 1 and schedule.timezone not in zones:
        raise ConfigError(
            f"{where}: there is no timezone {schedule.timezone}{nearest(schedule.timezone, zones)}",
            "Use a name such as America/Los_Angeles.",
        )
    districts = [] if isinstance(schedule.districts, str) else schedule.districts
    for district in districts:
        if district not in (known := [each.id for each in settings.district]):
            raise ConfigError(f"{where}: there is no district {district}{nearest(district, known)}", "Mend that id.")
    for key, value in (("districts", schedule.districts), ("objects", schedule.objects)):
        if isinstance(value, str) and value != "*":
            raise ConfigError(f'{where}: {key} is neither "*" nor a list', f'Write {key} = ["{value}"] or "*".')
    if [each.name for each in settings.schedule].count(schedule.name) > 1:
        raise ConfigError(f"{where}: the name stands there twice", "Rename one of them.")


def _cron_trouble(cron: str) -> str | None:
    """Return the fault of a cron expression of five fields, or None."""
    # Imported here: only configurations with schedules pay for it.
    from croniter import croniter

    if _CHANCE.search(cron) or not croniter.is_valid(cron):
        return "is no time"
    try:
        croniter(cron, datetime(2026, 1, 1)).get_next(datetime)
    except ValueError:
        return "never comes"
    return None


def _named_objects(settings: "Settings") -> Iterator[tuple[str, Iterable[str]]]:
    yield "[subscription] objects", settings.subscription.objects or ()
    for each in settings.district:
        yield f"previous of district {each.id}", each.previous
        yield f"next of district {each.id}", each.next
    for schedule in settings.schedule:
        yield f"[[schedule]] {schedule.name}", () if isinstance(schedule.objects, str) else schedule.objects
