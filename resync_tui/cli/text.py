"""Plain-text output of the commands: tables of at most 80 columns, local times with the year."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from resync_tui.catalog import Catalog
from resync_tui.cli.options import hint
from resync_tui.config.settings import ScheduleSettings
from resync_tui.errors import ResyncError
from resync_tui.formatting import error_rate, folded, plural, school_year, when
from resync_tui.outcome import Color, Counts, Finding, Purpose, Status
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.previous_run import PreviousErrors, change_since, error_key
from resync_tui.results import (
    Agent,
    Alert,
    Batch,
    DistrictStanding,
    ErrorGroup,
    ErrorRecord,
    FindingGroup,
    FindingRecord,
    LastResync,
    ObjectResult,
    Standing,
)


def status(status: Status, color: Color | None, counts: Counts) -> str:
    """Return a status with its colour in words, for terminals without colour too."""
    if status is not Status.COMPLETED or color is None:
        return status.value
    return f"{color} {error_rate(counts)}" if counts.errors else color.value


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
        yield f"{_pad(name, 34)} {when(result.started):16} {counts.processed:9} {counts.errors:7} {word}"


def plan(plan: Plan) -> Iterator[str]:
    """Return a plan: what would be sent, in order, and why."""
    yield f"{len(plan.objects)} objects for {school_year(plan.year)}, in this order:"
    for each in plan.objects:
        yield f"{each.sequence:3}. {_pad(each.object, 30)} {_why(each)}".rstrip()


def _why(planned: PlannedObject) -> str:
    """Return the objects that need this one, as many as fit."""
    if planned.marked is Marked.SELECTED:
        return ""
    first, *others = planned.required_by
    return f"required by {first}" + (f" and {len(others)} more" if others else "")


def batches(found: Iterable[Batch]) -> Iterator[str]:
    """Return one line per batch."""
    yield f"{'Batch':>6} {'District':8} {'Year':7} {'Requested':16} {'By':10} {'Processed':>9} {'Errors':>6} Status"
    for each in found:
        word = each.status.value
        if each.purpose is Purpose.RESYNC:
            word = status(each.status, each.color, each.counts)
        yield (
            f"{each.batch:6} {_cut(each.district, 8)} {school_year(each.year):7} {when(each.requested):16} "
            f"{_cut(each.requested_by, 10)} {each.counts.processed:9} {each.counts.errors:6} {word}"
        )
        yield from _aside(each)


def batch(
    batch: Batch,
    before: Mapping[str, LastResync] | None = None,
    receiver: str = "state",
    groups: Sequence[FindingGroup] = (),
) -> Iterator[str]:
    """Return one batch with one line per object, its failure if any, and what is new since the previous runs.

    `groups` are the findings of a comparison; `receiver` is the state's own name: state or region.
    """
    again = f", attempt {batch.attempts}" if batch.attempts > 1 else ""
    yield (
        f"Batch {batch.batch} (request {batch.request}), district {batch.district}, {school_year(batch.year)}: "
        f"{batch.status}{again}"
    )
    yield f"Requested {when(batch.requested)} by {batch.requested_by} ({batch.initiator})"
    yield from _aside(batch)
    counts = batch.counts
    if counts.errors and batch.purpose is Purpose.RESYNC:
        failures = f"{counts.rejected} rejected, {counts.blocked} blocked"
        yield f"{plural(counts.errors, 'error')}: {counts.excluded} excluded, {failures}"
    if batch.purpose is Purpose.RESYNC and (change := change_since(batch, before or {})) is not None:
        yield f"Against the run before: failures {change[0]:+}, excluded {change[1]:+}"
    if batch.message:
        yield batch.message
    if batch.purpose is Purpose.VERIFY:
        yield from verification(batch, groups, (), receiver)
        return
    if batch.purpose is Purpose.REMOVE_EXTRA:
        yield from removal(batch)
        return
    yield f"{'DIS Objects':28} {'Processed':>9} {'Inserted':>8} {'Updated':>7} {'Errors':>6} {'Extra':>5} Status"
    for each in batch.objects:
        yield _result(each)
        if each.message:
            yield f"    {each.message}"


def _aside(batch: Batch) -> Iterator[str]:
    """Return the rare facts of a batch: another purpose, a reason, a time."""
    if batch.purpose is not Purpose.RESYNC:
        shown = f" of what comparison {batch.preview} showed" if batch.preview is not None else ""
        yield f"       for: {batch.purpose}{shown}"
    if batch.reason:
        yield f"       reason: {batch.reason}"
    if batch.put_off and batch.status is Status.QUEUED:
        yield f"       could not be reached {batch.put_off}x, next try {when(batch.not_before)}"
    elif batch.not_before and batch.status is Status.QUEUED:
        yield f"       not before {when(batch.not_before)}"


def _result(each: ObjectResult) -> str:
    counts = each.counts
    word = status(each.status, each.color, counts)
    return (
        f"{_cut(each.object, 28)} {counts.processed:9} {counts.inserted:8} {counts.updated:7} {counts.errors:6} "
        f"{counts.extra:5} {word}"
    )


_AFTER_CANCEL = {
    Purpose.RESYNC: "What had gone in stays; send it again when you like.",
    Purpose.VERIFY: "Nothing was changed; compare again when you like.",
    Purpose.REMOVE_EXTRA: "What was removed stays so; remove the rest when you like.",
}


def troubles(batch: Batch) -> Iterator[str]:
    """Return two lines, what and do, for a batch that did not complete."""
    where = f"Batch {batch.batch} of district {batch.district}"
    if batch.status is Status.CANCELLED:
        yield f"{where} was cancelled" + (f" by {batch.cancelled_by}" if batch.cancelled_by else "")
        yield _AFTER_CANCEL[batch.purpose]
    elif batch.status is Status.FAILED:
        reasons = (f"{each.object}: {each.message}" for each in batch.objects if each.status is Status.FAILED)
        yield hint(f"{where} failed: {batch.message or next(reasons, 'no reason given')}")
        yield hint(f"Mend that, then do it again; all of it: resync-tui history --batch {batch.batch}")


def errors(groups: Iterable[ErrorGroup], records: Iterable[ErrorRecord], before: PreviousErrors) -> Iterator[str]:
    """Return the refused records under the exact count of each reason; new ones are marked."""
    kept = {key: list(found) for key, found in groupby(sorted(records, key=_group_of), key=_group_of)}
    for group in groups:
        change = _change(group, before)
        yield f"{group.object}, {group.table}: {plural(group.count, 'record')} {group.kind}: {group.reason}{change}"
        found = kept.get((group.object, group.table, group.kind, group.reason), [])
        for record in found:
            fresh = group.object in before.batches and error_key(record) not in before.keys
            text = ", ".join(f"{column} {value}" for column, value in record.key.items())
            yield f"    {text}{'  new' * fresh}"
        if len(found) < group.count:
            yield f"    and {group.count - len(found)} more, whose keys were not kept"


def _change(group: ErrorGroup, before: PreviousErrors) -> str:
    """Return a reason's growth since the object's previous run."""
    number = before.batches.get(group.object)
    if number is None:
        return ""
    was = before.counts.get((group.object, group.table, group.kind, group.reason), 0)
    if not was:
        return f" (new since batch {number})"
    return f" ({group.count - was:+} since batch {number})" if group.count != was else f" (as in batch {number})"


def _group_of(record: ErrorRecord) -> tuple[str, str, str, str]:
    return record.object, record.table, record.kind, record.reason


def doctor(agents: Iterable[Agent], problems: Iterable[ResyncError]) -> Iterator[str]:
    """Return the report of `doctor`: agents, then problems, each with what to do."""
    for each in agents:
        heard = "alive" if each.alive else f"not heard of since {when(each.seen)}"
        yield f"Agent {each.host}:{each.pid}: {heard}"
    found = list(problems)
    for problem in found:
        yield problem.what
        yield f"  {hint(problem.do)}"
    yield plural(len(found), "problem") if found else "Nothing is wrong."


def verification(
    batch: Batch, groups: Sequence[FindingGroup], records: Sequence[FindingRecord], receiver: str = "state"
) -> Iterator[str]:
    """Return one line per object, the keys if they were requested, and whether a resync is needed.

    `receiver` is the state's own name: state or region.
    """
    yield f"{'DIS Objects':28} {'Matched':>9} {'Different':>9} {'Missing':>8} {'Extra':>6} {'Expected':>8}"
    for each in batch.objects:
        counts = each.counts
        word = "" if each.status is Status.COMPLETED else f" {each.status}"
        yield (
            f"{_cut(each.object, 28)} {counts.unchanged:9} {counts.updated:9} {counts.inserted:8} {counts.extra:6} "
            f"{counts.errors:8}{word}"
        )
        if each.message:
            yield f"    {each.message}"
    for record in records:
        yield f"{record.finding}: {_key(record)}"
    counts = batch.counts
    if batch.status is not Status.COMPLETED:
        return
    if counts.errors:
        look = hint(f"resync-tui errors {batch.batch}")
        yield f"{plural(counts.errors, 'record')} may not or cannot sync, as expected ({look})"
    if counts.inserted + counts.updated:
        yield f"A resync is needed: it would send {plural(counts.inserted + counts.updated, 'record')}."
    elif not (moved := sum(each.count for each in groups if each.finding is Finding.MOVED)):
        yield f"No resync is needed: the {receiver} has all that may sync."
    else:
        yield f"{plural(moved, 'record')} of the {receiver} moved to another school year: send that year."
    if counts.extra:
        ask = hint("resync-tui remove-extra")
        yield f"{plural(counts.extra, 'record')} of the {receiver} the district does not have: {ask}"


def extra_records(
    groups: Iterable[FindingGroup], records: Sequence[FindingRecord], held: Mapping[str, str], receiver: str
) -> Iterator[str]:
    """Return the extra records, by table; `held` gives the reason for each object that is held back."""
    found = [group for group in groups if group.finding is Finding.EXTRA]
    for group in found:
        yield f"{group.object}, {group.table}: {plural(group.count, 'extra record')}"
        kept = [each for each in records if each.finding is Finding.EXTRA and each.table == group.table]
        yield from (f"    {_key(each)}" for each in kept)
        if len(kept) < group.count:
            yield f"    the keys of {group.count - len(kept)} are not known"
    yield from (f"{name}: too many to remove: {why}" for name, why in held.items())
    if not found:
        yield f"No extra records: the district has all that the {receiver} has."


def removal(batch: Batch) -> Iterator[str]:
    """Return the result of a removal, one line per object with extra records.

    An object that did not complete still has the counts of the comparison.
    """
    for each in batch.objects:
        counts = each.counts
        if counts.extra and each.status is Status.COMPLETED:
            left = f", {counts.errors} stay ({hint(f'resync-tui errors {batch.batch}')})" if counts.errors else ""
            yield f"{_cut(each.object, 28)} {counts.removed} of {plural(counts.extra, 'extra record')} removed{left}"


def _key(record: FindingRecord) -> str:
    columns = ", ".join(f"{column} {value}" for column, value in record.key.items())
    return f"{record.table} {columns}"


def schedules(found: Iterable[tuple[ScheduleSettings, datetime, datetime]]) -> Iterator[str]:
    """Return one line per schedule: its next firing, and the earliest start of that firing's batches."""
    lines = [
        f"{_cut(each.name, 16)} {each.cron:14} {_cut(each.timezone, 20)} {when(fires):16}"
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
    yield f"{'Alert':>6}   {'Process':25} {'Name':33} Posted Date"
    for each in found:
        star = " " if each.read else "*"
        yield f"{each.alert:6} {star} {_cut(each.process, 25)} {_cut(each.name, 33)} {when(each.posted)[:10]}"
        due = f" Due {when(each.due)}." if each.due else ""
        yield from (f"         {line}" for line in folded(each.message + due, 71))


def board(
    found: Sequence[tuple[str, DistrictStanding]], year: int, days: Mapping[str, Any], lacking: Mapping[str, list[str]]
) -> Iterator[str]:
    """Return one line per district, then those without a full resync since the given days, by event."""
    yield f"{'District':8} {'Name':18} {'Standing':8} {'Last full':16} {'Processed':>9} {'Errors':>6}"
    for name, each in found:
        yield (
            f"{_cut(each.district, 8)} {_cut(name, 18)} {each.standing:8} {when(each.last_full):16} {each.processed:9} "
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


def _pad(text: str, width: int) -> str:
    """Return a text filled up to a width in terminal cells; wide characters take two, combining ones none."""
    from rich.cells import cell_len

    return text + " " * (width - cell_len(text))


def _cut(text: str, width: int) -> str:
    """Return a text of exactly a width in terminal cells, cut or filled up."""
    from rich.cells import set_cell_size

    return set_cell_size(text, width)
