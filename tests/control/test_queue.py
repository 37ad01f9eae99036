"""Claims, leases and tokens: what two agents may never do at once."""

import asyncio
from datetime import UTC, datetime

import pytest

from resync_tui.control.progress import Progress, Reason
from resync_tui.control.store import Store
from resync_tui.errors import LeaseLost
from resync_tui.outcome import Counts, Kind, Status
from resync_tui.plan import Plan
from resync_tui.results import ErrorGroup, ErrorRecord, ObjectResult
from tests.support.control import ALL, Agents, claimed
from tests.support.plans import send


async def test_oldest_batch_is_claimed_with_its_submitted_plan(store: Store, agents: Agents, plan: Plan) -> None:
    first, _ = await send(store, plan, "01", "02")
    lease = await claimed(await agents.start())
    assert (lease.batch, lease.district, lease.attempt, lease.plan) == (first, "01", 1, plan)
    batch = await store.batch(first)
    assert (batch.status, batch.attempts, batch.agent) == (Status.RUNNING, 1, "here:4711")
    assert batch.started is not None
    assert batch.agent_seen is not None


async def test_one_district_never_runs_twice(store: Store, agents: Agents, plan: Plan) -> None:
    first, second = (await send(store, plan, "01"))[0], (await send(store, plan, "01"))[0]
    one, two = await agents.start(), await agents.start()
    lease = await claimed(one)
    assert lease.batch == first
    assert await two.claim(ALL, 4) is None
    await one.finish(lease, Status.COMPLETED, "", Progress())
    assert (await claimed(two)).batch == second


async def test_the_limit_holds_over_all_agents(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, *ALL)
    one, two = await agents.start(), await agents.start()
    lease = await claimed(one, 2)
    await claimed(two, 2)
    assert await one.claim(ALL, 2) is None
    assert not await one.peek(ALL, 2)
    await one.finish(lease, Status.COMPLETED, "", Progress())
    assert await one.peek(ALL, 2)
    await claimed(one, 2)


async def test_claims_at_the_same_moment_never_overlap(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, *ALL)
    await send(store, plan, *ALL)
    queues = [await agents.start() for _ in range(4)]
    found = await asyncio.gather(*(queue.claim(ALL, 3) for queue in queues for _ in range(3)))
    districts = [lease.district for lease in found if lease is not None]
    assert len(districts) == len(set(districts)) == 3


async def test_an_agent_claims_only_districts_it_knows(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, "01")
    queue = await agents.start()
    assert not await queue.peek(("02",), 4)
    assert await queue.claim(("02",), 4) is None


async def test_tokens_grow_and_begin_at_the_milliseconds_since_1970(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, *ALL)
    before = int(datetime.now(UTC).timestamp() * 1000) - 60_000
    queue = await agents.start()
    tokens = [(await claimed(queue)).token for _ in ALL]
    assert tokens == sorted(set(tokens))
    assert tokens[0] > before


async def test_lapsed_lease_is_requeued_and_its_writes_are_refused(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    one, two = await agents.start(), await agents.start()
    old = await claimed(one)
    await one.write(old, _some_progress())
    assert not await two.peek(ALL, 4)
    await agents.lapse()
    assert await two.peek(ALL, 4)
    new = await claimed(two)
    assert (new.batch, new.attempt) == (number, 2)
    assert new.token > old.token
    before = await store.batch(number)
    for attempt in (
        one.write(old, _some_progress()),
        one.retry(old, "x"),
        one.exceed(old, 9_000_000_000_000),
        one.release(old, Progress()),
        one.finish(old, Status.FAILED, "x", _some_progress()),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    assert await one.renew([old]) == {}
    assert await store.batch(number) == before
    assert {each.counts for each in before.objects} == {Counts()}
    assert await store.errors(number) == []
    assert await store.error_groups(number) == []


async def test_tokens_go_on_above_the_states(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, "01", "02")
    queue = await agents.start()
    first = await claimed(queue)
    await queue.exceed(first, first.token + 5)
    await queue.exceed(first, first.token + 2)
    assert (await claimed(queue)).token >= first.token + 6


async def test_a_renewed_lease_does_not_lapse(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    one, two = await agents.start(), await agents.start()
    lease = await claimed(one)
    await agents.lapse()
    assert await one.renew([lease]) == {number: False}
    assert await two.claim(ALL, 4) is None


async def test_progress_is_seen_live_and_grows_the_changes(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    queue = await agents.start()
    lease = await claimed(queue)
    seen = [await store.changes()]
    await queue.write(lease, _some_progress())
    seen.append(await store.changes())
    school = (await store.batch(number)).objects[1]
    assert (school.status, school.phase, school.read, school.total) == (Status.RUNNING, "merging", 9, 10)
    assert school.counts == Counts(processed=7, inserted=4, rejected=3)
    assert school.started is not None
    assert school.finished is None
    assert (await store.last_resyncs("01", 2026)).keys() == {"School"}
    assert await store.last_resyncs("01", 2025) == {}
    await queue.finish(lease, Status.COMPLETED, "", Progress())
    seen.append(await store.changes())
    assert seen == sorted(set(seen))


async def test_a_write_that_is_tried_again_counts_nothing_twice(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    queue = await agents.start()
    lease = await claimed(queue)
    for _ in range(2):
        await queue.write(lease, _some_progress())
    assert await store.error_groups(number) == [ErrorGroup("School", "School", Kind.REJECTED, "name is too long", 3)]
    assert await store.errors(number) == [
        ErrorRecord("School", "School", {"schoolID": 5, "code": "a"}, Kind.REJECTED, "name is too long")
    ]
    assert await store.errors(number, kind=Kind.BLOCKED) == []
    assert await store.errors(number, object="School", reason="name is too long", limit=5, offset=1) == []


async def test_another_attempt_begins_from_nothing(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    queue = await agents.start()
    lease = await claimed(queue)
    await queue.write(lease, _some_progress())
    await queue.retry(lease, "The connection\nbroke")
    batch = await store.batch(number)
    assert (batch.status, batch.attempts, batch.message) == (Status.RUNNING, 2, "The connection broke")
    assert {each.counts for each in batch.objects} == {Counts()}
    assert await store.errors(number) == []


async def test_an_ended_batch_keeps_when_and_how(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    queue = await agents.start()
    lease = await claimed(queue)
    done = ObjectResult("District", 1, Status.COMPLETED, Counts(processed=1, unchanged=1), total=1)
    skipped = ObjectResult("School", 2, Status.SKIPPED, Counts(), message="its parent failed")
    await queue.finish(lease, Status.FAILED, "no such table", Progress(objects=(done, skipped)))
    batch = await store.batch(number)
    assert (batch.status, batch.message, batch.agent_seen) == (Status.FAILED, "no such table", None)
    assert batch.finished is not None
    first, second = batch.objects
    assert (first.status, first.finished) == (Status.COMPLETED, batch.finished)
    assert (second.status, second.started, second.finished) == (Status.SKIPPED, None, None)


async def test_released_batch_is_requeued_without_its_attempts_results(
    store: Store, agents: Agents, plan: Plan
) -> None:
    (number,) = await send(store, plan, "01")
    one, two = await agents.start(), await agents.start()
    lease = await claimed(one)
    await one.write(lease, _some_progress())
    await one.release(lease, Progress())
    batch = await store.batch(number)
    assert batch.status is Status.QUEUED
    assert {(each.status, each.counts) for each in batch.objects} == {(Status.QUEUED, Counts())}
    assert (await claimed(two)).attempt == 2


async def test_cancelled_running_batch_holds_its_district_till_cleanup(
    store: Store, agents: Agents, plan: Plan
) -> None:
    (number,), (following,) = await send(store, plan, "01"), await send(store, plan, "01")
    one, two = await agents.start(), await agents.start()
    lease = await claimed(one)
    await store.cancel(number, "jdoe")
    assert (await store.batch(number)).status is Status.RUNNING
    assert (await store.batch(number)).cancel_requested
    assert await one.renew([lease]) == {number: True}
    assert await one.write(lease, Progress())
    assert await two.claim(ALL, 4) is None
    await one.finish(lease, Status.CANCELLED, "", Progress())
    assert (await claimed(two)).batch == following


async def test_dead_agents_cancelled_batch_is_cleaned_up_by_the_next(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    one, two = await agents.start(), await agents.start()
    await claimed(one)
    await agents.lapse()
    assert (await claimed(two)).attempt == 2
    await store.cancel(number, "jdoe")
    await agents.lapse()
    lease = await claimed(one)
    assert (lease.batch, lease.cancel_requested) == (number, True)


async def test_requeued_batch_with_a_stage_is_not_cancelled_at_once(store: Store, agents: Agents, plan: Plan) -> None:
    number, other = await send(store, plan, "01", "02")
    one, two = await agents.start(), await agents.start()
    await claimed(one)
    await agents.lapse()
    assert (await two.claim(("02",), 4)) is not None
    assert (await store.batch(number)).status is Status.QUEUED
    await store.cancel(number, "jdoe")
    assert (await store.batch(number)).status is Status.QUEUED
    assert (await two.claim(("01",), 4)) is not None
    assert (await store.batch(other)).status is Status.RUNNING


async def test_batch_cancelled_while_its_agent_stops_is_not_requeued(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    queue = await agents.start()
    lease = await claimed(queue)
    await store.cancel(number, "jdoe")
    ends = tuple(ObjectResult(each.object, each.sequence, Status.CANCELLED, Counts()) for each in plan.objects)
    await queue.release(lease, Progress(objects=ends))
    batch = await store.batch(number)
    assert batch.status is Status.CANCELLED
    assert {each.status for each in batch.objects} == {Status.CANCELLED}


async def test_agents_are_listed_with_what_they_hold(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    one, two = await agents.start(), await agents.start(lease_seconds=0)
    await claimed(one)
    listed = await store.agents()
    assert [(each.alive, each.running) for each in listed] == [(True, (number,)), (False, ())]
    await two.unregister()
    assert len(await store.agents()) == 1


async def test_idle_agent_stays_while_a_batch_it_can_run_is_queued(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, "01")
    queue = await agents.start()
    assert not await queue.retire(ALL)
    assert len(await store.agents()) == 1
    assert await queue.retire(("02",))
    assert await store.agents() == []


async def test_a_reason_of_any_length_or_shape_is_kept_as_one_line(store: Store, agents: Agents, plan: Plan) -> None:
    (number,) = await send(store, plan, "01")
    queue = await agents.start()
    lease = await claimed(queue)
    reason = "a\0b\n" + "x" * 5000
    await queue.write(
        lease,
        Progress(
            refused={Reason("School", "School", Kind.REJECTED, reason): 1},
            records=((1, ErrorRecord("School", "School", {"schoolID": None}, Kind.REJECTED, reason)),),
        ),
    )
    (group,), (kept,) = await store.error_groups(number), await store.errors(number)
    assert group.reason == kept.reason
    assert group.reason.startswith("a b xxx")
    assert len(group.reason) == 500


def _some_progress() -> Progress:
    counts = Counts(processed=7, inserted=4, rejected=3)
    return Progress(
        objects=(ObjectResult("School", 2, Status.RUNNING, counts, total=10, read=9, phase="merging"),),
        refused={Reason("School", "School", Kind.REJECTED, "name is too long"): 3},
        records=(
            (1, ErrorRecord("School", "School", {"schoolID": 5, "code": "a"}, Kind.REJECTED, "name is too long")),
        ),
    )
