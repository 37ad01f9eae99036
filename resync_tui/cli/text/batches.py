"""Batches, their objects and refused records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from resync_tui.analysis.causes import Causes, ancestor_text, holder_text, key_words, query_of
from resync_tui.cli.options import hint
from resync_tui.cli.text.cells import cut
from resync_tui.cli.text.comparisons import removal, verification
from resync_tui.formatting import by_rule, error_rate, named_request, plural, school_year, when
from resync_tui.outcome import Color, Counts, Purpose, Status
from resync_tui.outcome import color as color_of
from resync_tui.previous_run import PreviousErrors, change_since, error_key
from resync_tui.printable import clipped
from resync_tui.results import (
    Batch,
    ErrorGroup,
    ErrorRecord,
    FindingGroup,
    LastResync,
    ObjectResult,
)


def status(status: Status, color: Color | None, counts: Counts) -> str:
    """Return a status with its colour in words, for terminals without colour too; a batch's is its worst object's."""
    if status is not Status.COMPLETED or color is None:
        return status.value
    if not counts.errors:
        return color.value
    if color is not color_of(status, counts):
        return f"{color} (worst object), {error_rate(counts)} of all records"
    return f"{color} {error_rate(counts)}"


def batches(found: Iterable[Batch], limit: int | None = None) -> Iterator[str]:
    """Return one line per batch, under one for a request over several districts; `limit` is how many were asked for.

    What is rare about a batch stands behind its status.
    """
    listed = list(found)
    yield f"{'Batch':>6} {'District':8} {'Year':7} {'Requested':16} {'By':10} {'Processed':>9} {'Errors':>6} Status"
    for request, group in groupby(listed, lambda each: each.request):
        of_request = list(group)
        if len(of_request) > 1:
            named = named_request(request, [each.batch for each in of_request]).capitalize()
            partly = len(listed) == limit and of_request[-1] is listed[-1]
            yield f"{named}{' listed' * partly}"
        yield from map(_line, of_request)


def _line(batch: Batch) -> str:
    word = batch.status.value
    if batch.purpose is Purpose.RESYNC:
        word = status(batch.status, batch.color, batch.counts)
    line = (
        f"{batch.batch:6} {cut(batch.district, 8)} {school_year(batch.year):7} {when(batch.requested):16} "
        f"{cut(batch.requested_by, 10)} {batch.counts.processed:9} {batch.counts.errors:6} {word}"
    )
    return ", ".join([line, *_rare(batch)])


def batch(
    batch: Batch,
    before: Mapping[str, LastResync] | None = None,
    receiver: str = "state",
    groups: Sequence[FindingGroup] = (),
    errors: Sequence[ErrorGroup] = (),
) -> Iterator[str]:
    """Return one batch with one line per object, its failure if any, and what is new since the previous runs.

    `groups` are the findings of a comparison, `errors` why records cannot be sent; `receiver` is the state's own name:
    state or region.
    """
    again = f", attempt {batch.attempts}" if batch.attempts > 1 else ""
    yield (
        f"Batch #{batch.batch} (request {batch.request}), district {batch.district}, {school_year(batch.year)}: "
        f"{batch.status}{again}"
    )
    yield f"Requested {when(batch.requested)} by {batch.requested_by} ({batch.initiator})"
    yield from (f"       {fact}" for fact in _rare(batch))
    counts = batch.counts
    if counts.errors and batch.purpose is Purpose.RESYNC:
        failures = f"{counts.rejected} rejected, {counts.blocked} blocked"
        yield f"{plural(counts.errors, 'error')}: {counts.excluded} excluded, {failures}"
        if told := by_rule(counts):
            yield told
    if batch.purpose is Purpose.RESYNC and (change := change_since(batch, before or {})) is not None:
        yield f"Against the run before: failures {change[0]:+}, excluded {change[1]:+}"
    if batch.message:
        yield batch.message
    if batch.purpose is Purpose.VERIFY:
        yield from verification(batch, groups, (), receiver, errors)
        return
    if batch.purpose is Purpose.REMOVE_EXTRA:
        yield from removal(batch)
        return
    yield f"{'DIS Objects':28} {'Processed':>9} {'Inserted':>8} {'Updated':>7} {'Errors':>6} {'Extra':>5} Status"
    for each in batch.objects:
        yield _result(each)
        if each.message:
            yield f"    {each.message}"


def _rare(batch: Batch) -> Iterator[str]:
    """Return the rare facts of a batch: another purpose, a reason, a time."""
    if batch.purpose is not Purpose.RESYNC:
        shown = f" of what batch #{batch.preview} showed" if batch.preview is not None else ""
        yield f"for: {batch.purpose}{shown}"
    if batch.reason:
        yield f"reason: {clipped(batch.reason)}"
    if batch.put_off and batch.status is Status.QUEUED:
        yield f"could not be reached {batch.put_off}x, next try {when(batch.not_before)}"
    elif batch.not_before and batch.status is Status.QUEUED:
        yield f"not before {when(batch.not_before)}"


def _result(each: ObjectResult) -> str:
    counts = each.counts
    word = status(each.status, each.color, counts)
    return (
        f"{cut(each.object, 28)} {counts.processed:9} {counts.inserted:8} {counts.updated:7} {counts.errors:6} "
        f"{counts.extra:5} {word}"
    )


_AFTER_CANCEL = {
    Purpose.RESYNC: "What had gone in stays; the rest was not sent.",
    Purpose.VERIFY: "Nothing was changed.",
    Purpose.REMOVE_EXTRA: "What was removed stays so; the rest was left alone.",
}


def troubles(batch: Batch) -> Iterator[str]:
    """Return two lines, what and do, for a batch that did not complete."""
    where = f"Batch #{batch.batch} of district {batch.district}"
    if batch.status is Status.CANCELLED:
        yield f"{where} was cancelled" + (f" by {batch.cancelled_by}" if batch.cancelled_by else "")
        yield _AFTER_CANCEL[batch.purpose]
    elif batch.status is Status.FAILED:
        reasons = (f"{each.object}: {each.message}" for each in batch.objects if each.status is Status.FAILED)
        yield hint(f"{where} failed: {batch.message or next(reasons, 'no reason given')}")
        yield hint(f"Mend that, then do it again; all of it: resync-tui history --batch {batch.batch}")


def errors(
    groups: Iterable[ErrorGroup],
    records: Iterable[ErrorRecord],
    before: PreviousErrors,
    causes: Causes,
    *,
    narrowed: bool = False,
    with_sql: bool = False,
) -> Iterator[str]:
    """Return the refused records under the exact count of each reason; new ones are marked.

    `narrowed`: `records` are only some of those that were kept; `with_sql`: each with the query that finds it.
    """
    kept = {key: list(found) for key, found in groupby(sorted(records, key=_group_of), key=_group_of)}
    for group in groups:
        change = _change(group, before)
        yield f"{group.object}, {group.table}: {plural(group.count, 'record')} {group.kind}: {group.reason}{change}"
        found = kept.get((group.object, group.table, group.kind, group.reason), [])
        for record in found:
            fresh = group.object in before.batches and error_key(record) not in before.keys
            yield f"    {_key_and_size(record)}{'  new' * fresh}"
            yield from _how_to_mend(record, causes, with_sql=with_sql)
        if len(found) < group.count:
            why = "that are not asked for" if narrowed else "whose keys were not kept"
            yield f"    and {group.count - len(found)} more, {why}"


def _key_and_size(record: ErrorRecord) -> str:
    size, key = record.detail.size, key_words(record.key)
    return key if size is None else f"{key}  of {plural(size, 'character')}"


def _how_to_mend(record: ErrorRecord, causes: Causes, *, with_sql: bool) -> Iterator[str]:
    """Return who holds its value, the parents that a record lacks, up to the root cause, and the SQL that finds all."""
    chain, holder = causes.chain(record), holder_text(record)
    if holder:
        yield f"        {holder}"
    yield from (f"        lacks {ancestor_text(each)}" for each in chain)
    if with_sql:
        keys = [record.key, *([record.detail.holder_key] if holder else [])]
        found = [*(query_of(record.table, key) for key in keys), *(query_of(each.table, each.key) for each in chain)]
        yield from (f"        {query}" for query in found if query)


def _change(group: ErrorGroup, before: PreviousErrors) -> str:
    """Return a reason's growth since the object's previous run."""
    number = before.batches.get(group.object)
    if number is None:
        return ""
    was = before.counts.get((group.object, group.table, group.kind, group.reason), 0)
    if not was:
        return f" (new since batch #{number})"
    return f" ({group.count - was:+} since batch #{number})" if group.count != was else f" (as in batch #{number})"


def _group_of(record: ErrorRecord) -> tuple[str, str, str, str]:
    return record.object, record.table, record.kind, record.reason
