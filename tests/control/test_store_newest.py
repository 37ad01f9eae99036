"""The newest batch of several districts, for the key that opens it."""

from resync_tui.outcome import Status
from resync_tui.plan import Plan
from tests.support.control import Office


async def test_the_newest_batch_is_that_of_the_named_districts(office: Office, plan: Plan) -> None:
    assert await office.store.newest_batch(["001", "002"]) is None
    await office.request(plan, "001")
    first = await office.finish(Status.FAILED, "down")
    await office.request(plan, "002")
    second = await office.claimed()
    await office.request(plan, "003")
    for districts, batch in ((["001"], first.batch), (["001", "002"], second.batch), (["002", "001"], second.batch)):
        found = await office.store.newest_batch(districts)
        assert found is not None
        assert found.batch == batch
    assert await office.store.newest_batch([]) is None
