"""What a batch is for: comparisons and removals never count as a resync, and keep what they have found."""

from dataclasses import replace

import pytest

from resync_tui.control.progress import Found, Progress
from resync_tui.control.store import Store
from resync_tui.outcome import Counts, Finding, Purpose, Status, key_text
from resync_tui.plan import Plan, Request
from resync_tui.results import FindingGroup, FindingRecord, ObjectResult
from tests.support.control import ALL, Agents, claimed

EXTRA = Found("School", "School", Finding.EXTRA)
MISSING = Found("School", "School", Finding.MISSING)


def found() -> Progress:
    """School compared: two records missing, one extra of which one key is kept."""
    counts = Counts(processed=9, inserted=2, unchanged=7, extra=1)
    return Progress(
        objects=(ObjectResult("School", 2, Status.COMPLETED, counts, total=9),),
        found={EXTRA: 1, MISSING: 2},
        found_records=(
            (1, FindingRecord("School", "School", Finding.EXTRA, {"schoolID": 4})),
            (2, FindingRecord("School", "School", Finding.MISSING, {"schoolID": 8})),
        ),
    )


async def send(store: Store, plan: Plan, purpose: Purpose) -> int:
    (batch,) = await store.submit(Request(["01"], plan, initiator="state", requested_by="jdoe", purpose=purpose))
    return batch.batch


async def test_findings_written_twice_are_counted_once(store: Store, agents: Agents, plan: Plan) -> None:
    number = await send(store, plan, Purpose.VERIFY)
    queue = await agents.start()
    lease = await claimed(queue)
    assert lease.purpose is Purpose.VERIFY
    for _ in range(2):
        await queue.write(lease, found())
    assert await store.finding_groups(number) == [
        FindingGroup("School", "School", Finding.MISSING, 2),
        FindingGroup("School", "School", Finding.EXTRA, 1),
    ]
    extra = FindingRecord("School", "School", Finding.EXTRA, {"schoolID": 4})
    assert await store.findings(number, finding=Finding.EXTRA) == [extra]
    assert [each.finding for each in await store.findings(number, object="School", limit=1, offset=1)] == ["missing"]
    assert await store.findings(number, object="District") == []
    await queue.retry(lease, "The connection broke")
    assert await store.findings(number) == []
    assert await store.finding_groups(number) == []


async def test_only_a_resync_is_a_last_resync(store: Store, agents: Agents, plan: Plan) -> None:
    queue = await agents.start()
    numbers = {}
    for purpose in Purpose:
        numbers[purpose] = await send(store, plan, purpose)
        lease = await claimed(queue)
        await queue.finish(lease, Status.COMPLETED, "", found())
    last = await store.last_resyncs("01", 2026)
    assert {name: each.batch for name, each in last.items()} == {"School": numbers[Purpose.RESYNC]}
    verified = await store.last_verified("01", 2026)
    assert {name: each.batch for name, each in verified.items()} == {"School": numbers[Purpose.VERIFY]}
    (standing,) = await store.board(2026)
    assert standing.batch == numbers[Purpose.RESYNC]


async def test_any_purpose_holds_the_district(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, Purpose.VERIFY)
    await send(store, plan, Purpose.RESYNC)
    queue = await agents.start()
    await claimed(queue)
    assert await queue.claim(ALL, 4) is None


async def test_what_was_removed_is_counted(store: Store, agents: Agents, plan: Plan) -> None:
    number = await send(store, plan, Purpose.REMOVE_EXTRA)
    queue = await agents.start()
    lease = await claimed(queue)
    counts = Counts(processed=3, removed=3)
    await queue.write(lease, Progress(objects=(ObjectResult("School", 2, Status.COMPLETED, counts),)))
    assert (await store.batch(number)).objects[1].counts == counts


@pytest.mark.parametrize("reason", ["End of school year", "someone edited the database\nby hand"])
async def test_a_request_says_why(store: Store, plan: Plan, reason: str) -> None:
    (batch,) = await store.submit(Request(["01"], plan, initiator="state", requested_by="x", reason=reason, full=True))
    assert (batch.reason, batch.full, batch.purpose) == (reason.replace("\n", " "), True, Purpose.RESYNC)
    assert await store.batch(batch.batch) == batch


@pytest.mark.parametrize(
    ("district", "year", "initiator", "consented"),
    [("01", 2026, "state", True), ("02", 2026, "state", False), ("01", 2025, "state", False)],
)
async def test_removal_may_take_only_the_extra_records_of_its_preview(
    store: Store, agents: Agents, plan: Plan, district: str, year: int, initiator: str, consented: bool
) -> None:
    preview = await send(store, plan, Purpose.VERIFY)
    queue = await agents.start()
    await queue.finish(await claimed(queue), Status.COMPLETED, "", found())
    await store.submit(
        Request(
            [district],
            replace(plan, year=year),
            initiator=initiator,
            requested_by="jdoe",
            purpose=Purpose.REMOVE_EXTRA,
            preview=preview,
        )
    )
    lease = await claimed(queue)
    assert lease.consent == ({"School": frozenset({key_text({"schoolID": 4})})} if consented else {})


async def test_removal_needs_a_preview_which_its_retry_keeps(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, Purpose.REMOVE_EXTRA)
    queue = await agents.start()
    lease = await claimed(queue)
    assert lease.consent == {}
    await queue.finish(lease, Status.COMPLETED, "", Progress())
    (batch,) = await store.submit(
        Request(["01"], plan, initiator="state", requested_by="jdoe", purpose=Purpose.REMOVE_EXTRA, preview=1)
    )
    await queue.finish(await claimed(queue), Status.FAILED, "", Progress())
    (again,) = await store.retry(batch.batch, "jdoe")
    assert again.preview == 1
