"""The checklist, plans, the board, alerts and schedules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from resync_tui.catalog import Catalog
from resync_tui.cli.text.batches import status
from resync_tui.cli.text.cells import cut, pad
from resync_tui.config.settings import ScheduleSettings
from resync_tui.formatting import day_of, folded, plural, school_year, when
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.results import (
    Alert,
    DistrictStanding,
    LastResync,
    Standing,
)


def objects(catalog: Catalog, last: Mapping[str, LastResync]) -> Iterator[str]:
    """Return the checklist."""
    yield f"{'DIS Objects':34} {'Last Resync':16} {'Processed':>9} {'Errors':>7} Status"
    for each in catalog.objects:
        name = "  " * catalog.depth(each.name) + each.name
        found = last.get(each.name)
        if found is None:
            yield name
            continue
        result = found.result
        counts = result.counts
        word = status(result.status, result.color, counts)
        yield f"{pad(name, 34)} {when(result.started):16} {counts.processed:9} {counts.errors:7} {word}"


def plan(plan: Plan, hints_of: Mapping[str, str]) -> Iterator[str]:
    """Return a plan: what would be sent, in order, and why; then the catalog's hints."""
    yield f"{len(plan.objects)} objects for {school_year(plan.year)}, in this order:"
    for each in plan.objects:
        yield f"{each.sequence:3}. {pad(each.object, 30)} {_why(each)}".rstrip()
    yield from hints(hints_of)


def hints(of_objects: Mapping[str, str]) -> Iterator[str]:
    """Return the catalog's hints, a line an object."""
    for name, words in of_objects.items():
        yield from folded(f"{name}: {words}", 80)


def _why(planned: PlannedObject) -> str:
    """Return the objects that need this one, as many as fit."""
    if planned.marked is Marked.SELECTED:
        return ""
    first, *others = planned.required_by
    return f"required by {first}" + (f" and {len(others)} more" if others else "")


def schedules(found: Iterable[tuple[ScheduleSettings, datetime, datetime]]) -> Iterator[str]:
    """Return one line per schedule: its next firing, and the earliest start of that firing's batches."""
    lines = [
        f"{cut(each.name, 16)} {each.cron:14} {cut(each.timezone, 20)} {when(fires):16}"
        + ("" if starts == fires else f", begins {when(starts)} with the window")
        for each, fires, starts in found
    ]
    if not lines:
        yield "There are no schedules: add a [[schedule]] to resync.toml."
        return
    yield f"{'Schedule':16} {'Cron':14} {'Time zone':20} Next run"
    yield from lines


def alerts(found: Sequence[Alert]) -> Iterator[str]:
    """Return Process Alerts, newest first; unread ones have a star."""
    if not found:
        yield "No alerts."
        return
    yield f"{'Alert':>5}   {'Process':25} {'Name':22} Posted Date Due Date"
    for each in found:
        star = " " if each.read else "*"
        process, name = cut(each.process, 25), cut(each.name, 22)
        yield f"{each.alert:5} {star} {process} {name} {day_of(each.posted):11} {day_of(each.due)}".rstrip()
        due = f" Due {when(each.due)}." if each.due else ""
        longer = f"{each.name}. " if name.strip() != each.name else ""
        yield from (f"        {line}" for line in folded(longer + each.message + due, 71))


def board(
    found: Sequence[tuple[str, DistrictStanding]], year: int, days: Mapping[str, Any], lacking: Mapping[str, list[str]]
) -> Iterator[str]:
    """Return one line per district, then those without a full resync since the given days, by event."""
    yield f"{'District':8} {'Name':18} {'Standing':8} {'Last full':16} {'Processed':>9} {'Errors':>6}"
    for name, each in found:
        yield (
            f"{cut(each.district, 8)} {cut(name, 18)} {each.standing:8} {when(each.last_full):16} {each.processed:9} "
            f"{each.errors:6} {each.color or ''}"
        ).rstrip()
        if each.message and each.standing in (Standing.FAILING, Standing.WAITING):
            yield from (f"         {line}" for line in folded(each.message, 71))
    for what, day in days.items():
        lack = lacking[what]
        ids = ", ".join(lack[:20]) + (" …" if len(lack) > 20 else "")
        who = f"{plural(len(lack), 'district')} of {len(found)} lack" if lack else "No district lacks"
        yield f"{who} a full resync of {school_year(year)} since it {what} ({day})" + ":" * bool(lack)
        yield from (f"    {line}" for line in folded(ids, 76) if line)
