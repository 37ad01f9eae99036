"""What a retry asks again: of one batch or of a whole request, what failed, was refused, cancelled or skipped."""

from dataclasses import replace

import pytest

from resync_tui.control.alerts import REQUESTED
from resync_tui.control.progress import Progress, Reason
from resync_tui.errors import UsageError
from resync_tui.outcome import Counts, Kind, Status
from resync_tui.plan import Marked, Plan, Request
from resync_tui.results import Batch, ObjectResult
from tests.support.control import Office
from tests.support.plans import make_plan

CLEAN = Counts(processed=2, unchanged=2)
REFUSED = {
    "rejected": Counts(processed=2, unchanged=1, rejected=1),
    "blocked": Counts(processed=2, unchanged=1, blocked=1),
}


async def ended(office: Office, status: Status = Status.COMPLETED, **objects: tuple[Status, Counts]) -> Batch:
    """Carry out the next batch; objects that are not named complete without an error."""
    lease = await office.claimed()
    results = tuple(
        ObjectResult(each.object, each.sequence, *objects.get(each.object, (Status.COMPLETED, CLEAN)))
        for each in lease.plan.objects
    )
    await office.queue.finish(lease, status, "", Progress(objects=results))
    return await office.store.batch(lease.batch)


def named(batch: Batch) -> list[str]:
    """Return the objects of a batch."""
    return [each.object for each in batch.objects]


async def down(office: Office) -> Batch:
    """Let the next batch fail before anything of it has begun."""
    skipped = Status.SKIPPED, Counts()
    return await ended(office, Status.FAILED, District=skipped, School=skipped, Calendar=skipped)


@pytest.mark.parametrize("kind", sorted(REFUSED))
async def test_a_retry_asks_for_the_objects_of_refused_records(office: Office, kind: str) -> None:
    await office.request(make_plan("District", "School", "Calendar"), "001")
    batch = await ended(office, School=(Status.COMPLETED, REFUSED[kind]))
    (again,) = await office.store.retry(batch.batch, "asmith")
    assert (named(again), again.full, again.requested_by) == (["School"], False, "asmith")
    lease = await office.claimed()
    assert [(each.object, each.sequence, each.wave, each.marked) for each in lease.plan.objects] == [
        ("School", 1, 1, Marked.SELECTED)
    ]


async def test_a_retry_asks_for_what_failed_and_was_skipped(office: Office) -> None:
    await office.request(make_plan("District", "School", "Calendar"), "001")
    fails = {"School": (Status.FAILED, Counts()), "Calendar": (Status.SKIPPED, Counts())}
    batch = await ended(office, Status.FAILED, **fails)
    (again,) = await office.store.retry(batch.batch, "asmith")
    assert named(again) == ["School", "Calendar"]
    (of_one,) = await office.store.retry(batch.batch, "asmith", "Calendar")
    assert of_one.batch == again.batch


async def test_a_retry_asks_for_what_was_cancelled(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001")
    (batch,) = await office.store.request(number)
    await office.store.cancel(batch.batch, "jdoe")
    (again,) = await office.store.retry(batch.batch, "asmith")
    assert (named(again), again.full) == (list(plan.names), True)


async def test_excluded_records_are_no_reason_for_a_retry(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001")
    excluded = Status.COMPLETED, Counts(processed=2, unchanged=1, excluded=1)
    batch = await ended(office, District=excluded, School=excluded)
    with pytest.raises(UsageError, match=f"Nothing of batch #{batch.batch} is to be retried"):
        await office.store.retry(batch.batch, "asmith")
    with pytest.raises(UsageError, match=f"Nothing of request {number} is to be retried"):
        await office.store.retry_request(number, "asmith")
    assert await office.request(plan, "001") == number + 1


async def test_what_is_behind_an_exclusion_is_no_reason_either(office: Office) -> None:
    await office.request(make_plan("School", "Calendar", "Section"), "001")
    lease = await office.claimed()
    counts = Counts(processed=9, unchanged=4, blocked=5)
    results = [ObjectResult(name, place, Status.COMPLETED, counts) for place, name in enumerate(lease.plan.names, 1)]
    reasons = {
        Reason("School", "School", Kind.BLOCKED, "a rule", behind_exclusion=True): 5,
        Reason("Calendar", "Calendar", Kind.BLOCKED, "a rule", behind_exclusion=True): 4,
        Reason("Calendar", "Calendar", Kind.BLOCKED, "no parent"): 1,
        Reason("Section", "Section", Kind.BLOCKED, "no parent"): 5,
    }
    await office.queue.finish(lease, Status.COMPLETED, "", Progress(objects=tuple(results), refused=reasons))
    batch = await office.store.batch(lease.batch)
    assert [each.counts.behind_exclusion for each in batch.objects] == [5, 4, 0]
    (listed,) = await office.store.batches(objects=False)
    assert (listed.objects, listed.counts.behind_exclusion, listed.counts.failures) == ((), 9, 6)
    groups = await office.store.error_groups(lease.batch)
    assert [(each.object, each.count, each.is_failure) for each in groups] == [
        ("School", 5, False),
        ("Calendar", 4, False),
        ("Calendar", 1, True),
        ("Section", 5, True),
    ]
    (again,) = await office.store.retry(lease.batch, "asmith")
    assert named(again) == ["Calendar", "Section"]


async def test_a_request_is_retried_as_one_with_its_failed_parts(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001", "002", "003")
    await ended(office)
    await down(office)
    await ended(office, School=(Status.COMPLETED, REFUSED["rejected"]))
    retried = await office.store.retry_request(number, "asmith")
    assert [(each.request, each.district, named(each), each.full) for each in retried] == [
        (number + 1, "002", ["District", "School"], True),
        (number + 1, "003", ["School"], False),
    ]
    told = [each for each in await office.store.alerts.posted() if each.name == REQUESTED and each.district is None]
    assert [each.request for each in told] == [number + 1, number]


async def test_a_retry_of_a_retry_asks_each_district_for_its_own(office: Office) -> None:
    await office.request(make_plan("District", "School", "Calendar"), "001", "002")
    rejected = Status.COMPLETED, REFUSED["rejected"]
    await ended(office, Calendar=rejected)
    await ended(office, School=rejected, Calendar=rejected)
    first = (await office.store.retry_request(1, "asmith"))[0].request
    await ended(office, Calendar=rejected)
    await ended(office, School=rejected, Calendar=rejected)
    again = await office.store.retry_request(first, "asmith")
    assert [(each.district, named(each)) for each in again] == [("001", ["Calendar"]), ("002", ["School", "Calendar"])]


async def test_districts_of_a_request_are_retried_alone(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001", "002")
    await down(office)
    await down(office)
    (again,) = await office.store.retry_request(number, "asmith", ["002"])
    assert again.district == "002"


async def test_a_retry_asked_twice_leads_to_the_one_there(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001", "002")
    first = await down(office)
    await down(office)
    retried = await office.store.retry_request(number, "asmith")
    twice = await office.store.retry_request(number, "jdoe")
    assert [each.batch for each in twice] == [each.batch for each in retried]
    assert twice[0].objects
    (led,) = await office.store.retry(first.batch, "jdoe")
    await office.claimed()
    (running,) = await office.store.retry(first.batch, "jdoe")
    assert led.batch == running.batch == retried[0].batch
    assert len(await office.store.batches()) == 4


async def test_what_failed_again_is_asked_for_again(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001")
    first = await down(office)
    await office.store.retry(first.batch, "asmith")
    await down(office)
    (again,) = await office.store.retry(first.batch, "asmith")
    assert (again.district, again.request) == ("001", number + 2)


async def test_what_has_completed_since_is_not_asked_for_again(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001", "002")
    first = await down(office)
    await down(office)
    await office.request(make_plan("District"), "001")
    await office.request(plan, "002")
    await ended(office)
    await ended(office)
    (again,) = await office.store.retry_request(number, "asmith")
    assert (again.district, named(again)) == ("001", ["School"])
    await ended(office)
    with pytest.raises(UsageError, match=f"All that failed of request {number} has completed since"):
        await office.store.retry_request(number, "asmith")
    with pytest.raises(UsageError, match=f"All that failed of batch #{first.batch} has completed since"):
        await office.store.retry(first.batch, "asmith")


@pytest.mark.parametrize("other", ["objects", "cancelled", "year"])
async def test_another_batch_is_no_retry(office: Office, plan: Plan, other: str) -> None:
    await office.request(plan, "001")
    failed = await down(office)
    objects = {"objects": make_plan("District"), "cancelled": plan, "year": replace(plan, year=2025)}[other]
    (meanwhile,) = await office.store.submit(Request(["001"], objects, initiator="state", requested_by="x"))
    if other == "cancelled":
        await office.store.cancel(meanwhile.batch, "x")
    (again,) = await office.store.retry(failed.batch, "asmith")
    assert again.request == meanwhile.request + 1


async def test_a_batch_that_has_not_ended_is_not_retried(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001")
    (batch,) = await office.store.request(number)
    with pytest.raises(UsageError, match="has not ended yet") as refused:
        await office.store.retry(batch.batch, "asmith")
    assert refused.value.do == f"Follow it: resync-tui attach {batch.batch}"


@pytest.mark.parametrize("command", ["retry", "cancel"])
async def test_a_request_is_told_where_no_batch_can_be_meant(office: Office, plan: Plan, command: str) -> None:
    await office.request(plan, "001", "002")
    number = await office.request(plan, "003")
    await ended(office)
    await ended(office)
    with pytest.raises(UsageError, match=f"batch #{number}|Batch #{number}") as refused:
        await getattr(office.store, command)(number, "x")
    assert refused.value.do.endswith(f"; request {number} is another: --request {number}")
    with pytest.raises(UsageError, match="There is no batch #9") as unknown:
        await getattr(office.store, command)(9, "x")
    assert unknown.value.do == "See: resync-tui history"
