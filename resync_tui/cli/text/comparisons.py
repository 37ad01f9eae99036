"""Comparisons of a district with the state, and removals of extra records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from resync_tui.cli.options import hint
from resync_tui.cli.text.cells import cut
from resync_tui.formatting import NAMED, plural
from resync_tui.outcome import Finding, Status
from resync_tui.results import (
    Batch,
    ErrorGroup,
    FindingGroup,
    FindingRecord,
)


def verification(
    batch: Batch,
    groups: Sequence[FindingGroup],
    records: Sequence[FindingRecord],
    receiver: str = "state",
    errors: Sequence[ErrorGroup] = (),
) -> Iterator[str]:
    """Return one line per object, the keys if they were requested, and whether a resync is needed.

    `receiver` is the state's own name: state or region. `errors` tell why records cannot be sent.
    """
    titles = f"{'DIS Objects':28} {'Matched':>9} {'Different':>9} {'Missing':>8}"
    yield f"{titles} {'Extra':>6} {'By rule':>7} {'Refused':>7}"
    for each in batch.objects:
        counts = each.counts
        word = "" if each.status is Status.COMPLETED else f" {each.status}"
        yield (
            f"{cut(each.object, 28)} {counts.unchanged:9} {counts.updated:9} {counts.inserted:8} {counts.extra:6} "
            f"{counts.errors - counts.failures:7} {counts.failures:7}{word}"
        )
        if each.message:
            yield f"    {each.message}"
    for record in records:
        yield f"{record.finding}: {_key(record)}"
    counts = batch.counts
    if batch.status is not Status.COMPLETED:
        return
    look = hint(f"resync-tui errors {batch.batch}")
    if by_rules := counts.errors - counts.failures:
        yield f"{plural(by_rules, 'record')} may not sync by the catalog's rules, as expected ({look})"
    if counts.failures:
        yield f"{plural(counts.failures, 'record')} cannot be sent ({look}):"
        failed = sorted((each for each in errors if each.is_failure), key=lambda each: -each.count)
        yield from (f"    {each.count:,} of {each.table}: {each.reason}" for each in failed[:NAMED])
        if len(failed) > NAMED:
            yield f"    and {len(failed) - NAMED} reasons more"
    if counts.inserted + counts.updated:
        yield f"A resync is needed: it would send {plural(counts.inserted + counts.updated, 'record')}."
    elif moved := sum(each.count for each in groups if each.finding is Finding.MOVED):
        yield f"{plural(moved, 'record')} of the {receiver} moved to another school year: send that year."
    elif counts.failures:
        yield f"A resync does not help these: mend them, or the {receiver}, then compare again."
    else:
        yield f"No resync is needed: the {receiver} has all that may sync."
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
            yield f"{cut(each.object, 28)} {counts.removed} of {plural(counts.extra, 'extra record')} removed{left}"


def _key(record: FindingRecord) -> str:
    columns = ", ".join(f"{column} {value}" for column, value in record.key.items())
    return f"{record.table} {columns}"
