"""What is forgotten after some days, and what never is."""

import pytest

from resync_tui.control import retention
from resync_tui.control.progress import Found, Progress, Reason
from resync_tui.control.retention import prune
from resync_tui.errors import UsageError
from resync_tui.outcome import Counts, Finding, Kind, Purpose, Status
from resync_tui.plan import Plan, Request
from resync_tui.results import ErrorRecord, FindingRecord, ObjectResult
from tests.support.control import Office
from tests.support.plans import make_plan

DAY = 24 * 3600
RECORDS = 7


async def run(office: Office, plan: Plan, status: Status = Status.COMPLETED, purpose: Purpose = Purpose.RESYNC) -> int:
    """Carry out a batch of district 001; each object has refused and found records."""
    await office.store.submit(Request(["001"], plan, initiator="district", requested_by="x", purpose=purpose))
    lease = await office.claimed()
    names = lease.plan.names
    results = tuple(ObjectResult(name, place, status, Counts(processed=9)) for place, name in enumerate(names, 1))
    refused = {Reason(name, name, Kind.REJECTED, "too long"): RECORDS for name in names}
    records = [ErrorRecord(name, name, {"id": n}, Kind.REJECTED, "too long") for name in names for n in range(RECORDS)]
    found = {Found(name, name, Finding.EXTRA): 1 for name in names}
    extra = tuple((place, FindingRecord(name, name, Finding.EXTRA, {"id": 1})) for place, name in enumerate(names, 1))
    progress = Progress(results, refused, tuple(enumerate(records, 1)), found, extra)
    await office.queue.finish(lease, status, "", progress)
    return lease.batch


async def kept(office: Office, number: int) -> tuple[list[str], int, int]:
    """Return the objects, errors and findings that are left of a batch."""
    objects = [each.object for each in (await office.store.batch(number)).objects]
    return objects, len(await office.store.errors(number)), len(await office.store.findings(number))


async def test_nothing_is_forgotten_unless_configured(office: Office, plan: Plan) -> None:
    first, second = await run(office, plan), await run(office, plan)
    office.clock.move(9999 * DAY)
    assert await prune(office.database, errors_days=0, history_days=0) == 0
    assert await kept(office, first) == await kept(office, second) == (["District", "School"], 14, 2)


async def test_old_replaced_error_keys_are_pruned_but_not_their_counts(office: Office, plan: Plan) -> None:
    first = await run(office, plan)
    office.clock.move(10 * DAY)
    second = await run(office, make_plan("School"))
    office.clock.move(25 * DAY)
    await prune(office.database, errors_days=30, history_days=0)
    assert await kept(office, first) == (["District", "School"], 7, 1)
    assert [each.object for each in await office.store.errors(first)] == ["District"] * 7
    assert [each.count for each in await office.store.error_groups(first)] == [7, 7]
    assert await kept(office, second) == (["School"], 7, 1)
    office.clock.move(9999 * DAY)
    assert await prune(office.database, errors_days=30, history_days=0) == 0


async def test_old_replaced_history_is_pruned_and_emptied_batches_too(office: Office, plan: Plan) -> None:
    first, second = await run(office, plan), await run(office, make_plan("School"))
    third = await run(office, make_plan("School"))
    office.clock.move(31 * DAY)
    await prune(office.database, errors_days=0, history_days=30)
    assert await kept(office, first) == (["District"], 7, 1)
    with pytest.raises(UsageError):
        await office.store.batch(second)
    assert await kept(office, third) == (["School"], 7, 1)
    assert {name: each.batch for name, each in (await office.store.last_resyncs("001", 2026)).items()} == {
        "District": first,
        "School": third,
    }


async def test_what_is_young_queued_or_running_stays(office: Office, plan: Plan) -> None:
    first, _ = await run(office, plan), await run(office, plan)
    office.clock.move(29 * DAY)
    assert await prune(office.database, errors_days=30, history_days=30) == 0
    assert await kept(office, first) == (["District", "School"], 14, 2)
    await office.store.submit(Request(["002"], plan, initiator="district", requested_by="x"))
    await office.claimed()
    await office.store.submit(Request(["002"], plan, initiator="district", requested_by="x"))
    office.clock.move(99 * DAY)
    await prune(office.database, errors_days=30, history_days=30)
    assert len((await office.store.present()).active) == 2


async def test_last_completed_result_outlives_pruning_after_a_failure(office: Office, plan: Plan) -> None:
    first = await run(office, plan)
    failed = [await run(office, plan, Status.FAILED) for _ in range(2)]
    office.clock.move(31 * DAY)
    await prune(office.database, errors_days=30, history_days=30)
    assert [each.batch for each in await office.store.batches()] == [failed[1], first]


async def test_each_purpose_and_each_year_keeps_its_own(office: Office, plan: Plan) -> None:
    last = await run(office, make_plan("School", year=2025))
    verified = await run(office, plan, purpose=Purpose.VERIFY)
    sent = await run(office, plan)
    office.clock.move(31 * DAY)
    await prune(office.database, errors_days=30, history_days=30)
    assert [each.batch for each in await office.store.batches()] == [sent, verified, last]
    assert await kept(office, verified) == (["District", "School"], 14, 2)


async def test_the_last_full_resync_stays_on_the_board_with_its_sums(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    full = (await office.finish()).batch
    await run(office, plan)
    office.clock.move(31 * DAY)
    await prune(office.database, errors_days=30, history_days=30)
    (standing,) = await office.store.board(2026)
    assert standing.last_full_batch == full
    batch = await office.store.batch(full)
    assert (batch.objects, batch.counts.processed) == ((), 400)


async def test_much_is_forgotten_a_little_at_a_time(
    office: Office, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(retention, "BATCHES_AT_ONCE", 2)
    numbers = [await run(office, plan) for _ in range(4)]
    office.clock.move(31 * DAY)
    assert await prune(office.database, errors_days=30, history_days=0) == 3 * 16
    assert [(await kept(office, each))[1:] for each in numbers] == [(0, 0), (0, 0), (0, 0), (14, 2)]


async def test_forgetting_is_seen_as_a_change(office: Office, plan: Plan) -> None:
    _ = [await run(office, plan) for _ in range(2)]
    office.clock.move(31 * DAY)
    before = await office.store.changes()
    await prune(office.database, errors_days=30, history_days=0)
    assert await office.store.changes() > before
