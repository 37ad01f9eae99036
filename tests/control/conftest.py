"""A control database of each kind, and plans to put into it."""

from collections.abc import AsyncIterator, Callable

import pytest

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.store import Store
from resync_tui.plan import Plan
from tests.support.control import Agents, Office
from tests.support.plans import make_plan
from tests.support.screens.fake_store import Clock


@pytest.fixture(params=["sqlite", "postgresql"])
def control_url(request: pytest.FixtureRequest, control_database: Callable[[str], str]) -> str:
    """A control database of each kind."""
    return control_database(request.param)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, database: Callable[[str], str]) -> str:
    """An empty database of each kind."""
    return database(request.param)


@pytest.fixture
async def store(control_url: str) -> AsyncIterator[Store]:
    """A store on a fresh control database of each kind."""
    store = await Store.open(control_url)
    yield store
    await store.close()


@pytest.fixture
def plan() -> Plan:
    """School, which needs District."""
    return make_plan("District", "School")


@pytest.fixture
async def agents(control_url: str, store: Store) -> AsyncIterator[Agents]:
    """Agents on one control database, none yet."""
    agents = Agents(control_url)
    yield agents
    for database in agents.databases:
        await database.close()


@pytest.fixture
async def office(control_url: str) -> AsyncIterator[Office]:
    """A store and an agent's queue under a clock that stands."""
    clock = Clock()
    database = await ControlDatabase.open(control_url, clock)
    office = Office(database, clock)
    await office.queue.register()
    yield office
    await database.close()
