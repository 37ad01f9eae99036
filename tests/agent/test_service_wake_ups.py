"""An agent that polls nothing for an hour hears of what is sent, and tells at once what becomes of it."""

from dataclasses import replace

import anyio
import pytest

from resync_tui.agent import opening
from resync_tui.agent.service import run_agent
from resync_tui.outcome import Status
from tests.support.site.fake import QUICK, FakeSite
from tests.support.waiting import DEADLINE, until

HOUR = 3600.0
SLOW = replace(QUICK, flush_seconds=HOUR)
"""Progress is written once an hour; what is written before are the objects' statuses."""


@pytest.fixture(autouse=True)
def no_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "POLL_SECONDS", HOUR)


async def test_agent_that_never_polls_carries_out_what_is_sent(site: FakeSite) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: run_agent(site.settings, once=False, idle_seconds=None, work_of=site.work))
        await until(site.store.agents)
        for _ in range(2):
            (number,) = await site.send("01")
            await site.reached(number, Status.COMPLETED)
        tasks.cancel_scope.cancel()


async def test_consoles_are_woken_by_each_objects_begin_and_end(site: FakeSite) -> None:
    """The statuses that a console finds each time it is woken; it never polls either."""
    site.work.play("01", "block")
    found = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            lambda: run_agent(site.settings, once=False, idle_seconds=None, work_of=site.work, timing=SLOW)
        )
        await until(site.store.agents)
        (number,) = await site.send("01")
        while (batch := await site.store.batch(number)).objects[0].status is not Status.RUNNING:
            assert await site.store.wait(DEADLINE)
        site.work.go("01")
        while not batch.status.ended:
            assert await site.store.wait(DEADLINE)
            batch = await site.store.batch(number)
            found.append([each.status for each in batch.objects])
        tasks.cancel_scope.cancel()
    assert found[-1] == [Status.COMPLETED, Status.COMPLETED]
