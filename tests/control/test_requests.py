"""Submitting, listing and cancelling requests."""

import pytest

from resync_tui.control.store import Store
from resync_tui.errors import UsageError
from resync_tui.outcome import Counts, Status
from resync_tui.plan import Plan, Request
from tests.support.plans import send


async def test_a_request_queues_a_batch_a_district_in_the_given_order(store: Store, plan: Plan) -> None:
    first, second = await store.submit(
        Request(["02", "01"], plan, initiator="state", requested_by="jdoe", reason="year end")
    )
    assert (first.district, second.district) == ("02", "01")
    assert first.request == second.request
    assert first.batch < second.batch
    assert (first.year, first.initiator, first.requested_by, first.status) == (2026, "state", "jdoe", Status.QUEUED)
    assert first.requested.utcoffset() is not None
    assert [(each.object, each.sequence, each.status, each.counts) for each in first.objects] == [
        ("District", 1, Status.QUEUED, Counts()),
        ("School", 2, Status.QUEUED, Counts()),
    ]


async def test_each_request_has_a_number_of_its_own(store: Store, plan: Plan) -> None:
    one, two = [
        (await store.submit(Request(["01"], plan, initiator="district", requested_by="x")))[0] for _ in range(2)
    ]
    assert two.request == one.request + 1


async def test_batches_come_newest_first_and_narrowed_down(store: Store, plan: Plan) -> None:
    a, b = await send(store, plan, "01", "02")
    (c,) = await send(store, plan, "01")
    assert [each.batch for each in await store.batches()] == [c, b, a]
    assert [each.batch for each in await store.batches(limit=2)] == [c, b]
    assert [each.batch for each in await store.batches(district="01")] == [c, a]
    request = (await store.batch(a)).request
    assert [each.batch for each in await store.batches(request=request)] == [b, a]
    await store.cancel(b, "jdoe")
    assert [each.batch for each in (await store.present()).active] == [c, a]
    assert all(len(each.objects) == 2 for each in await store.batches())


async def test_an_unknown_batch_is_a_usage_error(store: Store) -> None:
    with pytest.raises(UsageError, match="no batch #41"):
        await store.batch(41)
    with pytest.raises(UsageError, match="no batch #41"):
        await store.cancel(41, "jdoe")
    with pytest.raises(UsageError, match="no request 41"):
        await store.cancel_request(41, "jdoe")


async def test_a_queued_batch_is_cancelled_at_once_and_only_once(store: Store, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    await store.cancel(number, "asmith")
    batch = await store.batch(number)
    assert (batch.status, batch.cancelled_by, batch.color) == (Status.CANCELLED, "asmith", None)
    assert batch.finished is not None
    assert {each.status for each in batch.objects} == {Status.CANCELLED}
    with pytest.raises(UsageError, match="ended already: cancelled"):
        await store.cancel(number, "asmith")


async def test_cancelling_a_request_leaves_other_requests_alone(store: Store, plan: Plan) -> None:
    first = await send(store, plan, "01", "02")
    (other,) = await send(store, plan, "03")
    await store.cancel_request((await store.batch(first[0])).request, "jdoe")
    assert [(await store.batch(each)).status for each in first] == [Status.CANCELLED] * 2
    assert (await store.batch(other)).status is Status.QUEUED


async def test_changes_grow_with_every_change(store: Store, plan: Plan) -> None:
    seen = [await store.changes()]
    (number,) = await send(store, plan, "01")
    seen.append(await store.changes())
    await store.cancel(number, "jdoe")
    seen.append(await store.changes())
    assert seen == sorted(set(seen))
    assert await store.changes() == seen[-1]
