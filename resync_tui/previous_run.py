"""The previous run of each object of a batch: its result, and the errors it had."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from resync_tui.control.protocol import Store
from resync_tui.outcome import Kind, Status
from resync_tui.results import Batch, ErrorGroup, ErrorRecord, LastResync

RecordKey: TypeAlias = tuple[object, ...]
Which: TypeAlias = tuple[str, str, Kind, str]
"""Identity of a reason: object, table, kind and reason."""

LISTED = 1000
"""Newest batches of a district that are searched for previous runs."""
OPENED = 8
"""Batches opened at most; an object that none of them has counts as never run before."""


async def runs_before(store: Store, batch: Batch) -> dict[str, LastResync]:
    """Return, per object of a batch, its newest completed run before that batch, of the same year and purpose."""
    wanted = {each.object for each in batch.objects}
    listed = await store.batches(district=batch.district, limit=LISTED, objects=False)
    earlier = [each.batch for each in listed if _before(each, batch)]
    found: dict[str, LastResync] = {}
    for number in earlier[:OPENED]:
        for result in (await store.batch(number)).objects:
            if result.object in wanted and result.status is Status.COMPLETED:
                found.setdefault(result.object, LastResync(number, result))
        if found.keys() == wanted:
            break
    return found


def _before(each: Batch, batch: Batch) -> bool:
    same = each.year == batch.year and each.purpose is batch.purpose
    return same and each.batch < batch.batch and each.status in (Status.COMPLETED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class PreviousErrors:
    """The records refused in the previous run of each object of a batch."""

    batches: Mapping[str, int] = field(default_factory=dict)
    """Previous batch by object; an object without one is left out."""
    counts: Mapping[Which, int] = field(default_factory=dict)
    """Number of refused records by object, table, kind and reason."""
    keys: frozenset[RecordKey] = frozenset()
    """Refused records whose keys were kept, as `error_key` gives them."""


def error_key(record: ErrorRecord) -> RecordKey:
    """Return the identity of a refused record, to look it up in another batch, whatever its reason was called there."""
    return (record.object, record.table, record.kind, *record.key.items())


def which(group: ErrorGroup) -> Which:
    """Return a reason's identity."""
    return (group.object, group.table, group.kind, group.reason)


async def counts_before(store: Store, batch: int, object: str | None, runs: Mapping[str, int]) -> dict[Which, int]:
    """Return, per reason, its number of records in the previous run of its object, of which `runs` has the batches.

    Of a reason that was unknown there it is the number of records refused there for others of the same kind: a changed
    wording makes no failure new.
    """
    counts: dict[Which, int] = {}
    for number in set(runs.values()):
        for group in await store.error_groups(number, object):
            if runs.get(group.object) == number:
                counts[which(group)] = group.count
    now = await store.error_groups(batch, object)
    gone = {key[:3] for key in counts.keys() - {which(group) for group in now}}
    for group in now:
        if which(group) not in counts and which(group)[:3] in gone:
            before = await store.errors(runs[group.object], object=group.object, kind=group.kind)
            known = {error_key(each) for each in before}
            kept = await store.errors(batch, object=group.object, kind=group.kind, reason=group.reason)
            counts[which(group)] = sum(error_key(each) in known for each in kept)
    return counts


async def refused_before(store: Store, batch: Batch, object: str | None = None) -> PreviousErrors:
    """Return the records refused in the previous run of each object of a batch, or of one object."""
    runs = {name: run.batch for name, run in (await runs_before(store, batch)).items() if object in (None, name)}
    counts = await counts_before(store, batch.batch, object, runs)
    keys: set[RecordKey] = set()
    for number in set(runs.values()):
        kept = await store.errors(number, object=object)
        keys.update(error_key(each) for each in kept if runs.get(each.object) == number)
    return PreviousErrors(runs, counts, frozenset(keys))


def change_since(batch: Batch, before: Mapping[str, LastResync]) -> tuple[int, int] | None:
    """Return the growth of failures and excluded records since the previous runs; None without any.

    Only objects that completed both times count.
    """
    both = [
        (each.counts, before[each.object].result.counts)
        for each in batch.objects
        if each.object in before and each.status is Status.COMPLETED
    ]
    if not both:
        return None
    failures = sum(is_.failures - was.failures for is_, was in both)
    return failures, sum(is_.excluded - was.excluded for is_, was in both)
