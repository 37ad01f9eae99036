"""Sessions on the data: timeouts that a role or a database has for transactions do not end a batch."""

import asyncpg

from resync_tui.databases.postgres import connect_postgres
from resync_tui.engine.backends.base import End
from resync_tui.engine.backends.postgres.session import NO_TIMEOUTS, session_settings
from tests.support.small import Database

KNOWN = "SELECT name, setting FROM pg_settings WHERE name = ANY ($1)"


async def test_timeouts_of_transactions_are_lifted(database: Database) -> None:
    url = database("postgresql")
    owner = await asyncpg.connect(url)
    named = await owner.fetchval("SELECT quote_ident(current_database())")
    # A server before 17 has one of them only.
    known = [row["name"] for row in await owner.fetch(KNOWN, list(NO_TIMEOUTS))]
    for name in known:
        await owner.execute(f"ALTER DATABASE {named} SET {name} = '1h'")
    await owner.close()
    session = await connect_postgres(url, session_settings(End(url, "the state", "", 0)))
    try:
        assert {tuple(row) for row in await session.fetch(KNOWN, known)} == {(name, "0") for name in known}
    finally:
        await session.close()
