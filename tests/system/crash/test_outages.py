"""A database that drops its connections, or its server that restarts, in mid-batch: the batch goes on by itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio
import asyncpg
import pytest

from resync_tui.databases.sqlite import sqlite_path
from resync_tui.demo.private_postgres import PrivatePostgres
from resync_tui.outcome import Status
from tests.support.databases import create_database, own_postgres
from tests.support.site.build import open_site
from tests.support.site.holding import in_a_chunk
from tests.support.site.records import accounts_hold
from tests.support.site.site import Site
from tests.support.templates import control_file
from tests.support.waiting import until


@pytest.fixture
def kind() -> str:
    """Only a server can end a connection."""
    return "postgresql"


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    """A PostgreSQL that a test may restart."""
    with own_postgres() as server:
        yield server


async def ended_sessions(url: str, name: str = "%") -> int:
    """End the sessions of this name in a database; return how many there were."""
    server = await asyncpg.connect(url)
    try:
        ended = await server.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name LIKE $1",
            name,
        )
    finally:
        await server.close()
    return len(ended)


async def went_on(site: Site, number: int) -> None:
    """The batch ends well, in more than one attempt."""
    batch = await site.reached(number, Status.COMPLETED, Status.FAILED)
    assert (batch.status, batch.message) == (Status.COMPLETED, ""), batch
    assert batch.attempts > 1
    accounts_hold(batch)
    await site.all_is_right("01")


async def test_sessions_of_the_state_end_in_mid_chunk(site: Site) -> None:
    (number,) = await site.send("01")
    site.start()
    await site.in_the_middle(number)
    async with in_a_chunk(site, "01", 1_199):
        assert await ended_sessions(site.state, "resync-tui/t/%")
    await went_on(site, number)


async def test_sessions_of_the_district_end_in_mid_reading(site: Site) -> None:
    (number,) = await site.send("01")
    site.start()

    async def reading() -> bool:
        result = await site.result(number, "Enrollment")
        return result.total is not None and result.phase == "reading"

    await until(reading)
    assert await ended_sessions(site.settings.district_url("01"), "resync-tui/s/%")
    await went_on(site, number)


async def test_the_server_restarts(server: PrivatePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is away until the agent has tried in vain."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    names = iter(("district", "state"))

    def on_it(_kind: str) -> str:
        return create_database(server.admin_url, next(names))

    async with open_site(tmp_path, "postgresql", on_it, control_file(tmp_path / "control.db")) as site:
        (number,) = await site.send("01")
        site.start()
        await site.in_the_middle(number)
        server.stop("immediate")

        async def in_vain() -> bool:
            return "Cannot reach" in site.log()

        await until(in_vain)
        assert not (await site.store.batch(number)).status.ended
        server.start()
        await went_on(site, number)


async def test_sessions_of_the_control_database_end_again_and_again(site: Site) -> None:
    (number,) = await site.send("01")
    agent = site.start()
    await site.reached(number, Status.RUNNING)
    ended = 0

    async def over() -> bool:
        nonlocal ended
        ended += await ended_sessions(site.settings.control_url())
        await anyio.sleep(0.1)
        site.must_live(agent)
        return (await site.store.batch(number)).status.ended

    await until(over)
    batch = await site.reached(number, Status.COMPLETED)
    assert ended > 5
    assert (batch.attempts, batch.agent.rpartition(":")[2]) == (1, str(agent.pid))
    accounts_hold(batch)
    await site.all_is_right("01")


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_agent_survives_a_control_database_locked_for_a_while(site: Site) -> None:
    (number,) = await site.send("01")
    agent = site.start(lease_seconds=30)
    await site.in_the_middle(number)
    with closing(sqlite3.connect(sqlite_path(site.settings.control_url()), isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")

        async def complains() -> bool:
            return "locked" in site.log()

        await until(complains)
        holder.execute("ROLLBACK")
    batch = await site.reached(number, Status.COMPLETED)
    assert (batch.attempts, batch.agent.rpartition(":")[2]) == (1, str(agent.pid))
    accounts_hold(batch)
    await site.all_is_right("01")
