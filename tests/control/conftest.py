"""A control database of each kind, and plans to put into it."""

from collections.abc import AsyncIterator, Callable

import pytest

from resync_tui.control.store import Store
from resync_tui.plan import Marked, Plan, PlannedObject


@pytest.fixture(params=["sqlite", "postgresql"])
def control_url(request: pytest.FixtureRequest, database: Callable[[str], str]) -> str:
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


def make_plan(*names: str, year: int = 2026) -> Plan:
    """A chain of objects, the last of them chosen."""
    last = len(names)
    return Plan(
        year,
        tuple(
            PlannedObject(name, place, place, Marked.SELECTED, ())
            if place == last
            else PlannedObject(name, place, place, Marked.REQUIRED, (names[place],))
            for place, name in enumerate(names, 1)
        ),
    )
