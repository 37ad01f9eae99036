"""Making and upgrading the control database, whoever else starts at the same time."""

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.migrate import NEWEST, VERSION_TABLE, migrate
from resync_tui.control.models import METADATA
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.errors import CannotRun
from resync_tui.outcome import Purpose
from resync_tui.plan import Plan
from tests.support.forks import Popen
from tests.support.plans import send
from tests.support.revisions import ROWS

SCRIPTS = ScriptDirectory(str(files("resync_tui.schema.migrations")))
REVISIONS = [each.revision for each in SCRIPTS.walk_revisions()][::-1]

OPEN = """
import asyncio, sys
from resync_tui.control.store import Store
from resync_tui.plan import Plan, Request
async def main():
    store = await Store.open(sys.argv[1])
    await store.submit(Request(["01"], Plan(2026, ()), initiator="state", requested_by="x"))
    await store.close()
asyncio.run(main())
"""


def said_at_first_start(url: str, times: int) -> list[str]:
    """Open it in so many processes at once, and send through each; return what each says on standard error."""
    command = [sys.executable, "-c", OPEN, url]
    starts = [Popen[bytes](command, stderr=subprocess.PIPE) for _ in range(times)]
    return [process.communicate(timeout=240)[1].decode() for process in starts]


def test_the_newest_revision_is_the_one_that_the_program_expects() -> None:
    assert REVISIONS[-1] == SCRIPTS.get_current_head() == NEWEST


async def test_models_and_migrations_agree(empty_url: str) -> None:
    database = await ControlDatabase.open(empty_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        return list(compare_metadata(context, METADATA))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_every_older_revision_is_upgraded_without_losing_a_row(empty_url: str, revision: str) -> None:
    """Every revision that was ever released is made, filled by plain SQL as it then was, and upgraded."""
    engine = open_engine(empty_url)
    await migrate(engine, empty_url, to=revision)
    async with engine.begin() as connection:
        for statement in ROWS[revision]:
            await connection.exec_driver_sql(statement)
    await engine.dispose()
    store = await Store.open(empty_url)
    (batch,) = await store.batches()
    assert (batch.batch, batch.district, batch.requested_by) == (7, "01", "jdoe")
    assert [(each.object, each.counts.processed) for each in batch.objects] == [("School", 194)]
    assert (batch.purpose, batch.full, batch.not_before) == (Purpose.RESYNC, False, None)
    (listed,) = await store.request(3)
    assert (listed.objects, listed.counts, listed.color) == ((), batch.counts, batch.color)
    assert (await store.last_resyncs("01", 2026))["School"].batch == 7
    assert [(each.reason, each.count) for each in await store.error_groups(7)] == [("name is too long", 11)]
    assert [each.key for each in await store.errors(7)] == [{"schoolID": 5}]
    await store.close()


async def test_newer_control_database_is_refused_and_not_touched(empty_url: str, plan: Plan) -> None:
    store = await Store.open(empty_url)
    await send(store, plan, "01")
    await store.close()
    engine = open_engine(empty_url)
    async with engine.begin() as connection:
        await connection.execute(text(f'UPDATE "{VERSION_TABLE}" SET version_num = :new'), {"new": "9999"})
    with pytest.raises(CannotRun, match="made by a newer resync-tui") as refused:
        await Store.open(empty_url)
    assert refused.value.do == "Upgrade resync-tui here."
    async with engine.connect() as connection:
        assert await connection.scalar(text(f'SELECT version_num FROM "{VERSION_TABLE}"')) == "9999"
        assert await connection.scalar(text('SELECT count(*) FROM "DISBatch"')) == 1
    await engine.dispose()


async def test_four_first_starts_at_once_all_succeed(empty_url: str) -> None:
    assert said_at_first_start(empty_url, 4) == [""] * 4
    store = await Store.open(empty_url)
    assert len(await store.batches()) == 4
    await store.close()


async def test_another_programs_alembic_table_is_left_alone(database: Callable[[str], str]) -> None:
    """On PostgreSQL, where several programs may share a schema; a SQLite file is one program's."""
    url = database("postgresql")
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE alembic_version (version_num varchar(32))")
        await connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
    store = await Store.open(url)
    await store.close()
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "theirs"
    await engine.dispose()


async def test_tables_of_our_names_that_others_made_are_told(database: Callable[[str], str]) -> None:
    url = database("postgresql")
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql('CREATE TABLE "DISBatch" (theirs integer)')
    with pytest.raises(CannotRun, match="holds a table DISBatch that resync-tui has not made"):
        await Store.open(url)
    async with engine.begin() as connection:
        assert await connection.scalar(text(f"""SELECT to_regclass('"{VERSION_TABLE}"')""")) is None
        await connection.exec_driver_sql('ALTER TABLE "DISBatch" RENAME TO theirs')
    await engine.dispose()
    await (await Store.open(url)).close()
