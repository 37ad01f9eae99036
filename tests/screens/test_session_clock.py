"""Times are told by the control database's clock, however far off the console's is."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from resync_tui import formatting
from resync_tui.clock import utc_now
from resync_tui.control.store import Store
from resync_tui.outcome import Status
from resync_tui.screens.session import Session
from tests.support.control import Agents, claimed
from tests.support.plans import make_plan, send
from tests.support.screens import fake_store
from tests.support.waiting import DEADLINE


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, control_database: Callable[[str], str]) -> AsyncIterator[Store]:
    store = await Store.open(control_database(request.param))
    yield store
    await store.close()


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_batch_that_just_began_has_run_for_no_hours(store: Store, hours: int) -> None:
    async def open_store() -> Store:
        return store

    session = Session(
        fake_store.settings(),
        fake_store.catalog(),
        open_store=open_store,
        start_agent=lambda: None,
        user="jdoe",
        clock=lambda: utc_now() + timedelta(hours=hours),
    )
    agents = Agents(store._database.url)
    await send(store, make_plan("School"), "01")
    await claimed(await agents.start())
    await session.poll()
    (batch,) = session.active
    assert batch.status is Status.RUNNING
    assert 0 <= formatting.ran_for(batch.started, None, session.now()) < DEADLINE
    for database in agents.databases:
        await database.close()
