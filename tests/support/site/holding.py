"""Hold an agent in the middle of a chunk."""

import fcntl
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import anyio
import asyncpg

from resync_tui.databases.sqlite import sqlite_path
from tests.support.site.site import Site
from tests.support.waiting import DEADLINE, until

LOOKS = 5
"""So often in a row the fence is found held by one who waits in a chunk; else it is only passing by."""
PATIENCE = 40
"""So many looks for an agent that keeps to its pace between two chunks."""


@asynccontextmanager
async def in_a_chunk(site: Site, district: str, enrollment: int) -> AsyncIterator[None]:
    """Hold the agent within a chunk of Enrollment: on PostgreSQL at this record, some of the chunk being written."""
    hold = _at_a_record(site, district, enrollment) if site.postgresql else _at_the_lock(site)
    async with hold:
        yield


@asynccontextmanager
async def _at_the_lock(site: Site) -> AsyncIterator[None]:
    with closing(sqlite3.connect(sqlite_path(site.state), isolation_level=None, timeout=DEADLINE)) as state:

        async def waits_in_a_chunk() -> bool:
            """The agent may also wait where it compares, without the fence: then it is let on."""
            state.execute("BEGIN IMMEDIATE")
            held = 0
            for _ in range(PATIENCE):
                await anyio.sleep(0.05)
                held = held + 1 if _fence_held(site) else 0
                if held == LOOKS:
                    return True
            state.execute("ROLLBACK")
            await anyio.sleep(0.2)
            return False

        await until(waits_in_a_chunk)
        yield


@asynccontextmanager
async def _at_a_record(site: Site, district: str, enrollment: int) -> AsyncIterator[None]:
    state = await asyncpg.connect(site.state)
    held = state.transaction()
    await held.start()
    try:
        person = await state.fetchval('SELECT max("personID") FROM "Person" WHERE "districtNumber" = $1', district)
        await state.execute("INSERT INTO \"Enrollment\" VALUES ($1, $2, $3, '00', 0)", district, enrollment, person)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

        async def blocked() -> bool:
            return await state.fetchval(waiting) is not None

        await until(blocked)
        yield
    finally:
        await held.rollback()
        await state.close()


def _fence_held(site: Site) -> bool:
    with (site.folder / "state.db.resync-fence").open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
