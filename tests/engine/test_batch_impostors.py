"""Connections named as an agent's would be, of a login that is none: no batch ends by them, nor waits for them."""

import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from resync_tui.engine.backends.base import End
from resync_tui.engine.backends.postgres.session import application_name
from resync_tui.outcome import Status
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import ROWS, SMALL, Database, Pair, pair


async def impostors(here: Pair, role: str) -> list[asyncpg.Connection]:
    """Connect to both ends by names with an older token, and with none."""
    made = []
    for url, side in ((here.district, "s"), (here.state, "t")):
        parts = urlsplit(url)
        login = urlunsplit(parts._replace(netloc=f"{role}:geheim@{parts.hostname}:{parts.port}"))
        name = application_name(End(url, "", "01", 1), side)
        names = (name, f"{name}x", f"{name.rpartition('/')[0]}/x", f"{name}{'9' * 20}")
        made += [await asyncpg.connect(login, server_settings={"application_name": each}) for each in names]
    return made


async def test_a_batch_heeds_no_connection_of_a_stranger(database: Database) -> None:
    here, role = await pair(database, ("postgresql", "postgresql"), ROWS), f"impostor_{secrets.token_hex(4)}"
    await run_script(here.state, f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'")
    connections = await impostors(here, role)
    try:
        for token in (1, 2):  # the fence is made by the first
            assert (await run(make_job(here.district, here.state, SMALL, "01", token=token))).status is Status.COMPLETED
        assert [await each.fetchval("SELECT 1") for each in connections] == [1] * 8
    finally:
        for each in connections:
            await each.close()
        await run_script(here.state, f"DROP ROLE {role}")
