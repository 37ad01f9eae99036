"""What comparing and removing found, as text in tables that fit 80 columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from resync_tui.formatting import plural
from resync_tui.outcome import Finding, Status
from resync_tui.results import Batch, FindingGroup, FindingRecord


def verification(batch: Batch, records: Sequence[FindingRecord], receiver: str = "state") -> Iterator[str]:
    """Return a line an object, the keys where they were asked for, and whether a resync is needed.

    `receiver` is what the state calls itself.
    """
    yield f"{'DIS Objects':28} {'Matched':>9} {'Different':>9} {'Missing':>8} {'Extra':>6} {'Expected':>8}"
    for each in batch.objects:
        counts = each.counts
        word = "" if each.status is Status.COMPLETED else f" {each.status}"
        yield (
            f"{each.object:28.28} {counts.unchanged:9} {counts.updated:9} {counts.inserted:8} {counts.extra:6} "
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
        yield f"{plural(counts.errors, 'record')} may not or cannot sync, as expected (resync-tui errors {batch.batch})"
    if counts.inserted + counts.updated:
        yield f"A resync is needed: it would send {plural(counts.inserted + counts.updated, 'record')}."
    else:
        yield f"No resync is needed: the {receiver} has all that may sync."
    if counts.extra:
        yield f"{plural(counts.extra, 'record')} of the {receiver} the district does not have: resync-tui remove-extra"


def extra_records(
    groups: Iterable[FindingGroup], records: Sequence[FindingRecord], held: Mapping[str, str], receiver: str
) -> Iterator[str]:
    """Return the records that only the state has, by table; `held` says of which objects too many would go."""
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
    """Return what became of the extra records, a line an object that had any.

    Of an object that did not complete the counts are still those of the comparison.
    """
    for each in batch.objects:
        counts = each.counts
        if counts.extra and each.status is Status.COMPLETED:
            left = f", {counts.errors} stay (resync-tui errors {batch.batch})" if counts.errors else ""
            yield f"{each.object:28.28} {counts.removed} of {plural(counts.extra, 'extra record')} removed{left}"


def _key(record: FindingRecord) -> str:
    columns = ", ".join(f"{column} {value}" for column, value in record.key.items())
    return f"{record.table} {columns}"
