"""Hold an agent in the middle of a chunk."""

import fcntl
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import anyio
import asyncpg

from resync_tui.database import sqlite_path
from tests.crash.site import DEADLINE, Site, until


@asynccontextmanager
async def in_a_chunk(site: Site, district: str, enrollment: int) -> AsyncIterator[None]:
    """Hold the agent within a chunk of Enrollment: on PostgreSQL at this record, some of the chunk being written."""
    if not site.postgresql:
        with closing(sqlite3.connect(sqlite_path(site.state), isolation_level=None, timeout=DEADLINE)) as state:
            state.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                await until(lambda: _holds_fence(site))
                await anyio.sleep(0.05)
            yield
        return
    state = await asyncpg.connect(site.state)
    try:
        async with state.transaction():
            person = await state.fetchval('SELECT max("personID") FROM "Person" WHERE "districtNumber" = $1', district)
            await state.execute("INSERT INTO \"Enrollment\" VALUES ($1, $2, $3, '00', 0)", district, enrollment, person)
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

            async def blocked() -> bool:
                return await state.fetchval(waiting) is not None

            await until(blocked)
            yield
            raise _Undo
    except _Undo:
        pass
    finally:
        await state.close()


class _Undo(Exception):
    """Rolls back what held the agent."""


def _fence_held(site: Site) -> bool:
    with (site.folder / "state.db.resync-fence").open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


async def _holds_fence(site: Site) -> bool:
    return _fence_held(site)
