"""Rows of DISBatchHistory tell purpose and requester to whoever queries that table alone, past the program."""

import asyncpg
import pytest
from sqlalchemy import text

from resync_tui.control.migrate import migrate
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.outcome import Purpose
from resync_tui.plan import Plan, Request
from tests.support.forged import ask
from tests.support.revisions import ROWS
from tests.support.roles import ABBOTT, STATE, Roles

ASKED = 'SELECT DISTINCT "batchID", purpose, initiator, "requestedBy" FROM "DISBatchHistory" ORDER BY 1'


async def test_a_comparison_is_told_from_a_resync(store: Store, plan: Plan) -> None:
    await store.submit(Request(["01"], plan, "district", "jdoe"))
    await store.submit(Request(["01", "02"], plan, "state", "governor", Purpose.VERIFY))
    async with store._database.read() as connection:
        rows = [tuple(each) for each in await connection.execute(text(ASKED))]
    assert rows == [
        (1, "resync", "district", "jdoe"),
        (2, "verify", "state", "governor"),
        (3, "verify", "state", "governor"),
    ]


@pytest.mark.parametrize("revision", ["0001", "0003", "0013"])
async def test_rows_of_older_releases_get_what_their_batch_has(empty_url: str, revision: str) -> None:
    engine = open_engine(empty_url)
    await migrate(engine, empty_url, to=revision)
    async with engine.begin() as connection:
        for statement in ROWS[revision]:
            await connection.exec_driver_sql(statement)
    await migrate(engine, empty_url)
    async with engine.connect() as connection:
        assert [tuple(each) for each in await connection.execute(text(ASKED))] == [(7, "resync", "district", "jdoe")]
    await engine.dispose()


async def test_no_login_chooses_who_asked(roles: Roles) -> None:
    """Whoever asks by plain SQL is named by the server, and may not write these columns."""
    jdoe = await roles.connect("jdoe")
    number = await ask(jdoe, {"requestedBy": "'governor'", "purpose": "'verify'"})
    assert [tuple(each) for each in await jdoe.fetch(ASKED)] == [(number, "verify", "district", roles.name("jdoe"))]
    for column in ("purpose", "initiator", "requestedBy"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(jdoe, {}, {column: "'governor'"})
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await jdoe.execute(f'UPDATE "DISBatchHistory" SET "{column}" = \'governor\'')


async def test_a_district_reads_no_requester_of_the_state(roles: Roles, plan: Plan) -> None:
    governor = await roles.store("governor", STATE)
    await governor.submit(Request(["01"], plan, "state", "x"))
    (own,) = await (await roles.store("jdoe", ABBOTT)).submit(Request(["01"], plan, "district", "x"))
    seen = [tuple(each) for each in await (await roles.connect("jdoe")).fetch(ASKED)]
    everything = await (await roles.connect("governor")).fetch(ASKED)
    assert [(number, initiator) for number, _, initiator, _ in seen] == [(own.batch, "district")]
    assert [each["initiator"] for each in everything] == ["state", "district"]
