"""Retention waits for nobody, and nobody waits for it."""

from pathlib import Path

import pytest

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.retention import prune
from resync_tui.plan import Plan, Request
from tests.support.fake_work import run_faked
from tests.support.forged import ask
from tests.support.roles import CAMPUS, STATE, Roles, write_settings

MARK = """INSERT INTO "ProcessAlertUser" SELECT min("alertID"), $1, true, true FROM "ProcessAlert" """
NUMBERS = 'SELECT "alertID" FROM "ProcessAlert" ORDER BY 1'


@pytest.mark.parametrize("is_committed", [False, True])
async def test_a_readers_open_transaction_stops_nobody(roles: Roles, plan: Plan, is_committed: bool) -> None:
    """Neither the alert that a new mark locks, nor a mark that is being changed."""
    governor = await roles.store("governor", STATE)
    await governor.submit(Request(["01", "02"], plan, initiator="state", requested_by="x"))
    await roles.run("""UPDATE "ProcessAlert" SET "postedAt" = now() - interval '30 days'""")
    admin, reader = await roles.administrator(), await roles.connect("reader")
    if is_committed:
        await reader.execute(MARK, roles.name("reader"))
    (locked,) = [row[0] for row in await reader.fetch(NUMBERS)]
    database = await ControlDatabase.open(roles.login("agent"))
    async with reader.transaction():
        if is_committed:
            await reader.execute('UPDATE "ProcessAlertUser" SET "isRead" = false')
        else:
            await reader.execute(MARK, roles.name("reader"))
        assert await prune(database, errors_days=0, history_days=1) == 2
        assert [row[0] for row in await admin.fetch(NUMBERS)] == [locked]
    assert await prune(database, errors_days=0, history_days=1) == 1
    assert await admin.fetch(NUMBERS) == []
    await database.close()


async def test_what_a_writer_has_locked_of_old_batches_stays(roles: Roles, plan: Plan, tmp_path: Path) -> None:
    own = await ask(await roles.connect("jdoe"))
    kim = await roles.store("kim", CAMPUS)
    await kim.submit(Request(["02"], plan, initiator="district", requested_by="x"))
    await run_faked(write_settings(tmp_path, roles.login("agent"), STATE))
    await roles.run(
        """UPDATE "DISBatchHistory" SET status = 'failed', "startedAt" = NULL""",
        """UPDATE "DISBatch" SET "finishedAt" = now() - interval '30 days', "isFull" = false, status = 'failed'""",
    )
    jdoe, database = await roles.connect("jdoe"), await ControlDatabase.open(roles.login("agent"))
    for table in ("DISBatch", "DISBatchHistory"):
        async with jdoe.transaction():
            await jdoe.execute(f'SELECT * FROM "{table}" FOR UPDATE')
            await prune(database, errors_days=1, history_days=1)
            left = await (await roles.administrator()).fetch('SELECT DISTINCT "batchID" FROM "DISBatchHistory"')
            assert [row[0] for row in left] == [own]
    await prune(database, errors_days=1, history_days=1)
    assert await (await roles.administrator()).fetch('SELECT * FROM "DISBatch"') == []
    await database.close()


async def test_sessions_have_lock_and_statement_timeouts(roles: Roles) -> None:
    database = await ControlDatabase.open(roles.login("agent"), patience=20)
    async with database.read() as connection:
        for name, limit in (("lock_timeout", "10s"), ("statement_timeout", "20s")):
            assert (await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() == limit
    await database.close()
