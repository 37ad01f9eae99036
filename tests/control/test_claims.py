"""Agents that serve the same districts share the work: none takes all that may run while another has nothing to do."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from resync_tui.control.claims import SHARE_PATIENCE
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.progress import Lease, Progress
from resync_tui.control.queue import AgentIdentity, Queue
from resync_tui.control.store import Store
from resync_tui.outcome import Status
from resync_tui.plan import Plan
from tests.support.plans import send

ALL = ("01", "02", "03", "04")
LIMIT = 4


class Office:
    """Agents under one clock that only the test moves."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = datetime(2026, 1, 5, 9, tzinfo=UTC)
        self.databases: list[ControlDatabase] = []

    async def agent(self, *districts: str) -> Queue:
        """Let another agent begin."""
        database = await ControlDatabase.open(self.url, lambda: self.now)
        self.databases.append(database)
        queue = Queue(database, AgentIdentity(uuid4().hex, "elsewhere", 1, districts), 45)
        await queue.register()
        return queue


async def look(queue: Queue) -> Lease | None:
    """Do what an agent does at each look at the queue."""
    return await queue.claim(ALL, LIMIT) if await queue.peek(ALL, LIMIT) else None


@pytest.fixture
async def office(control_url: str, store: Store, plan: Plan) -> AsyncIterator[Office]:
    """Four batches wait."""
    made = Office(control_url)
    await send(store, plan, *ALL)
    yield made
    for database in made.databases:
        await database.close()


async def test_an_agent_alone_takes_all_that_may_run(office: Office) -> None:
    alone = await office.agent(*ALL)
    assert [(await look(alone)) is not None for _ in ALL] == [True] * len(ALL)


async def test_agents_take_turns(office: Office) -> None:
    one, two = await office.agent(*ALL), await office.agent(*ALL)
    first = await look(one)
    assert first is not None
    assert await look(one) is None
    assert await look(two) is not None
    assert await look(one) is not None
    assert await look(one) is None
    assert await look(two) is not None
    await one.finish(first, Status.COMPLETED, "", Progress())


async def test_batch_is_left_to_no_silent_agent_nor_one_not_serving_it(office: Office) -> None:
    await office.agent("99")
    await office.agent(*ALL)
    office.now += timedelta(minutes=2)
    one = await office.agent(*ALL)
    assert [(await look(one)) is not None for _ in ALL] == [True] * len(ALL)


async def test_batch_another_agent_does_not_take_is_left_only_briefly(office: Office) -> None:
    one, _idle = await office.agent(*ALL), await office.agent(*ALL)
    assert await look(one) is not None
    assert await look(one) is None
    office.now += SHARE_PATIENCE
    assert [(await look(one)) is not None for _ in range(3)] == [True] * 3, "it waited for each one anew"
