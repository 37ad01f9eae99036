"""A batch that is cancelled in mid-chunk ends within that chunk; what went in stays, and all is told exactly."""

from resync_tui.outcome import Status
from tests.support.site.records import accounts_hold
from tests.support.site.site import Site


async def test_cancelled_in_mid_object(site: Site) -> None:
    (number,) = await site.send("01")
    agent = site.start()
    before = (await site.in_the_middle(number)).counts.processed
    await site.store.cancel(number, "jdoe")
    batch = await site.reached(number, Status.CANCELLED)
    assert (batch.attempts, batch.cancelled_by) == (1, "jdoe")
    accounts_hold(batch)
    enrollment = await site.result(number, "Enrollment")
    assert before <= enrollment.counts.processed < 1_200
    assert (enrollment.status, enrollment.color) == (Status.CANCELLED, None)
    held = await site.held("01")
    assert {each.object: each.counts.inserted for each in batch.objects} == {
        table: len(found) for table, found in held.items()
    }
    assert await site.leftovers() == []
    site.hurry()
    (following,) = await site.send("01")
    batch = await site.reached(following, Status.COMPLETED)
    accounts_hold(batch)
    assert batch.counts.unchanged == sum(len(found) for found in held.values())
    await site.all_is_right("01")
    assert agent.poll() is None
