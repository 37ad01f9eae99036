"""Batches are numbered without a gap: after a refused request, after a crash of the server, after an upgrade."""

from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from resync_tui.control.migrate import migrate
from resync_tui.control.store import Store
from resync_tui.databases.registry import dialect_of, open_engine
from resync_tui.demo.private_postgres import PrivatePostgres
from resync_tui.errors import ResyncError, UsageError
from resync_tui.plan import Plan, Request
from tests.support.databases import create_database, own_postgres
from tests.support.plans import send
from tests.support.processes import ended
from tests.support.revisions import ROWS
from tests.support.roles import ABBOTT, STATE, Roles


def refuse(*_: object, **__: object) -> None:
    """Refuse a request once its batches are queued."""
    raise UsageError("No", "No.")


async def test_a_refused_request_takes_no_number(store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await send(store, plan, "01", "02") == [1, 2]
    with monkeypatch.context() as patched:
        patched.setattr("resync_tui.control.requests.announce", refuse)
        with pytest.raises(UsageError):
            await send(store, plan, "01", "02", "03")
    assert await send(store, plan, "01") == [3]


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    """A PostgreSQL that the test may kill."""
    with own_postgres() as server:
        yield server


async def test_a_killed_server_takes_no_number(server: PrivatePostgres, plan: Plan) -> None:
    url = create_database(server.start(), "control")
    store = await Store.open(url)
    assert await send(store, plan, "01", "02") == [1, 2]
    pid_file = server.folder / "data" / "postmaster.pid"
    process = psutil.Process(int(pid_file.read_text().split()[0]))
    every = [process, *process.children(recursive=True)]
    for each in every:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    for each in every:
        ended(each.pid)
    pid_file.unlink()  # a zombie that nobody has buried yet would pass for the server
    with suppress(ResyncError):
        await store.close()
    server.start()
    store = await Store.open(url)
    assert await send(store, plan, "03") == [3]
    await store.close()


async def test_users_are_given_numbers_and_choose_none(roles: Roles, plan: Plan) -> None:
    for role, edition, expected in (("jdoe", ABBOTT, 1), ("governor", STATE, 2), ("agent", STATE, 3)):
        store = await roles.store(role, edition)
        (batch,) = await store.submit(Request(["01"], plan, edition.kind, ""))
        assert batch.batch == expected


async def test_an_upgrade_counts_on_from_the_last_number(empty_url: str, plan: Plan) -> None:
    """Also past batches that have been pruned since."""
    engine = open_engine(empty_url)
    await migrate(engine, empty_url, to="0004")
    async with engine.begin() as connection:
        for statement in ROWS["0004"]:
            await connection.exec_driver_sql(statement)
        if dialect_of(empty_url) == "postgresql":
            await connection.exec_driver_sql("""SELECT setval('"DISBatch_batchID_seq"', 9)""")
        else:
            await connection.exec_driver_sql("""UPDATE sqlite_sequence SET seq = 9 WHERE name = 'DISBatch'""")
    await engine.dispose()
    store = await Store.open(empty_url)
    assert await send(store, plan, "01", "02") == [10, 11]
    await store.close()
