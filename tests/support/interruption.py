"""Batches of the small tables that are interfered with while they read or merge."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from resync_tui.engine.events import Event, ObjectProgress
from resync_tui.engine.job import Job, Limits
from resync_tui.errors import CannotRun, LeaseLost
from tests.support.running import Heard, make_job, run
from tests.support.small import SMALL, Database, Pair, connections, pair
from tests.support.waiting import DEADLINE, until

MANY = 8_000
MANY_ROWS = (
    f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})"
    f" INSERT INTO a SELECT i, 'x' || i || '{' ' * 250}' FROM n;"
)
SLOW = Limits(max_records_per_second=8_000)


async def many(database: Database, ends: tuple[str, str]) -> Pair:
    """Make a district whose object A takes a while under a limit."""
    return await pair(database, ends, MANY_ROWS)


def job_of(here: Pair, *, token: int = 1, limits: Limits = SLOW) -> Job:
    """Return a job for object A."""
    return make_job(here.district, here.state, SMALL, "01", ["A"], token=token, limits=limits)


def reading(event: Event) -> bool:
    """Whether a batch is in the middle of reading A."""
    return isinstance(event, ObjectProgress) and event.phase == "reading" and 0 < event.read < MANY


def merging(event: Event) -> bool:
    """Whether a batch is in the middle of merging A."""
    return isinstance(event, ObjectProgress) and event.phase == "merging" and 0 < event.counts.inserted < MANY


@asynccontextmanager
async def under_way(job: Job, far_enough: Callable[[Event], bool]) -> AsyncIterator[list[BaseException | Heard]]:
    """Start a batch and hand over once it is far enough; its outcome is in the list in the end, within a deadline."""
    there, outcome = anyio.Event(), list[BaseException | Heard]()

    def watch(event: Event) -> None:
        if far_enough(event):
            there.set()

    async def work() -> None:
        try:
            outcome.append(await run(job, watch))
        except (CannotRun, LeaseLost) as error:
            outcome.append(error)
        finally:
            there.set()

    with anyio.fail_after(DEADLINE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            await there.wait()
            assert not outcome
            yield outcome


async def no_connections(url: str) -> None:
    """Wait until the engine has no connection to a PostgreSQL database."""

    async def gone() -> bool:
        return not await connections(url)

    await until(gone)
