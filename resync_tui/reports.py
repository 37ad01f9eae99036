"""The same as text, in tables that fit 80 columns; times are local, with the year."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from resync_tui.catalog import Catalog
from resync_tui.errors import ResyncError
from resync_tui.formatting import error_rate, plural, school_year, when
from resync_tui.outcome import Color, Counts, Purpose, Status
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.previous_run import PreviousErrors, change_since, error_key
from resync_tui.reports_compared import removal, verification
from resync_tui.results import Agent, Batch, ErrorGroup, ErrorRecord, LastResync, ObjectResult


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
        yield f"{name:34} {when(result.started):16} {counts.processed:9} {counts.errors:7} {word}"


def plan(plan: Plan) -> Iterator[str]:
    """Return what would be sent, in order, and why."""
    yield f"{len(plan.objects)} objects for {school_year(plan.year)}, in this order:"
    for each in plan.objects:
        yield f"{each.sequence:3}. {each.object:30} {_why(each)}".rstrip()


def _why(planned: PlannedObject) -> str:
    """Say which objects need this one, as many as fit."""
    if planned.marked is Marked.SELECTED:
        return ""
    first, *others = planned.required_by
    return f"required by {first}" + (f" and {len(others)} more" if others else "")


def batches(found: Iterable[Batch]) -> Iterator[str]:
    """Return one line a batch."""
    yield f"{'Batch':>6} {'District':8} {'Year':7} {'Requested':16} {'By':10} {'Processed':>9} {'Errors':>6} Status"
    for each in found:
        word = each.status.value
        if each.purpose is Purpose.RESYNC:
            word = status(each.status, each.color, each.counts)
        yield (
            f"{each.batch:6} {each.district:8.8} {school_year(each.year):7} {when(each.requested):16} "
            f"{each.requested_by:10.10} {each.counts.processed:9} {each.counts.errors:6} {word}"
        )
        yield from _aside(each)


def batch(batch: Batch, before: Mapping[str, LastResync] | None = None, receiver: str = "state") -> Iterator[str]:
    """Return one batch with a line an object, why it failed where it did, and what is new since the runs before.

    `receiver` is what the state calls itself.
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
        yield from verification(batch, (), receiver)
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
    """Say what most batches do not have: another purpose, a reason, a time."""
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
        f"{each.object:28.28} {counts.processed:9} {counts.inserted:8} {counts.updated:7} {counts.errors:6} "
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
        yield f"{where} failed: {batch.message or next(reasons, 'no reason given')}"
        yield f"Mend that, then do it again; all of it: resync-tui history --batch {batch.batch}"


def errors(groups: Iterable[ErrorGroup], records: Iterable[ErrorRecord], before: PreviousErrors) -> Iterator[str]:
    """Return the records that did not reach the state, under the exact count of each reason; what is new is marked."""
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
    """Say by how much a reason has grown since the object's run before."""
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
    """Return what `doctor` found: agents, then what is wrong and what to do."""
    for each in agents:
        heard = "alive" if each.alive else f"not heard of since {when(each.seen)}"
        yield f"Agent {each.host}:{each.pid}: {heard}"
    found = list(problems)
    for problem in found:
        yield problem.what
        yield f"  {problem.do}"
    yield plural(len(found), "problem") if found else "Nothing is wrong."
