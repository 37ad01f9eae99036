"""What is new since the run before: by records, not by how a reason is worded."""

from resync_tui.outcome import Counts, Kind, Status
from resync_tui.plan import Request
from resync_tui.previous_run import counts_before, refused_before, runs_before
from resync_tui.results import ErrorGroup, ErrorRecord
from tests.support.plans import make_plan
from tests.support.screens.fake_store import Clock, MemoryStore

REFUSED = Counts(processed=9, unchanged=6, rejected=3)


def refuse(store: MemoryStore, batch: int, reason: str, *keys: int, kind: Kind = Kind.REJECTED) -> None:
    """Let records of School be refused for a reason."""
    records = [ErrorRecord("School", "School", {"schoolID": key}, kind, reason) for key in keys]
    store.refuses(batch, ErrorGroup("School", "School", kind, reason, len(keys)), records)


async def run(store: MemoryStore, status: Status = Status.COMPLETED) -> int:
    """Run a batch of School to its end."""
    (batch,) = await store.submit(Request(["01"], make_plan("School"), initiator="state", requested_by="x"))
    store.claim(batch.batch)
    store.ends(batch.batch, "School", REFUSED, status)
    store.finishes(batch.batch, status)
    return batch.batch


async def test_a_reworded_reason_makes_no_failure_new() -> None:
    store = MemoryStore(Clock())
    first, second = await run(store), await run(store)
    refuse(store, first, "name is too long", 1, 2)
    refuse(store, second, "name is longer than 20", 1, 2, 3)
    assert await counts_before(store, second, None, {"School": first}) == {
        ("School", "School", Kind.REJECTED, "name is too long"): 2,
        ("School", "School", Kind.REJECTED, "name is longer than 20"): 2,
    }
    before = await refused_before(store, await store.batch(second))
    assert before.keys == {("School", "School", Kind.REJECTED, ("schoolID", key)) for key in (1, 2)}


async def test_another_record_or_kind_is_new() -> None:
    store = MemoryStore(Clock())
    first, second = await run(store), await run(store)
    refuse(store, first, "name is too long", 1, 2)
    refuse(store, first, "Hidden", 3, kind=Kind.EXCLUDED)
    refuse(store, second, "zip is too long", 4, 5)
    refuse(store, second, "name is missing", 3)
    counts = await counts_before(store, second, None, {"School": first})
    assert counts["School", "School", Kind.REJECTED, "zip is too long"] == 0
    assert counts["School", "School", Kind.REJECTED, "name is missing"] == 0


async def test_a_run_that_did_not_complete_is_no_run_before() -> None:
    store = MemoryStore(Clock())
    first = await run(store)
    await run(store, Status.CANCELLED)
    await run(store, Status.FAILED)
    last = await run(store)
    before = await runs_before(store, await store.batch(last))
    assert {name: each.batch for name, each in before.items()} == {"School": first}
