"""The checklist, plans, the board, alerts and schedules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from resync_tui.catalog import Catalog
from resync_tui.cli.text.batches import status
from resync_tui.cli.text.cells import cut, pad
from resync_tui.formatting import NOBODY_FIRES, day_of, folded, last_firing, plural, school_year, when
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.results import (
    Alert,
    Batch,
    DistrictStanding,
    LastResync,
    Standing,
)

if TYPE_CHECKING:
    from resync_tui.schedule import Upcoming


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


NO_SCHEDULES = "There are no schedules: add a [[schedule]] to resync.toml."


def schedules(found: Iterable[tuple["Upcoming", Batch | None]], *, served: bool) -> Iterator[str]:
    """Return one line per schedule: its next and its last firing, and the earliest start of the next one's batches.

    `served`: whether an agent is alive that stays to fire them.
    """
    yield f"{'Schedule':16} {'Cron':14} {'Time zone':20} Next run"
    for each, last in found:
        schedule = each.schedule
        waits = "" if each.starts == each.fires else f", begins {when(each.starts)} with the window"
        yield f"{cut(schedule.name, 16)} {schedule.cron:14} {cut(schedule.timezone, 20)} {when(each.fires):16}{waits}"
        yield f"{'':16} last run: {last_firing(last)}"
    if not served:
        yield NOBODY_FIRES


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
