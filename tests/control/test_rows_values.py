"""Values that a login writes past the program: what no reader can take is refused, failed or told, and stops nobody."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.migrate import migrate
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.errors import UsageError
from resync_tui.outcome import Status
from resync_tui.plan import Plan, Request
from tests.support.control import Agents, claimed
from tests.support.fake_work import run_faked
from tests.support.forged import ask
from tests.support.plans import make_plan, send
from tests.support.roles import ABBOTT, STATE, Roles, write_settings
from tests.support.waiting import DEADLINE

REFUSED = (asyncpg.CheckViolationError, asyncpg.InsufficientPrivilegeError, asyncpg.DataError)

NO_BATCHES = {
    "purpose": "'bogus'",
    "schoolYear": "2147483647",
    "preview": "-1",
    "initiator": "'nobody'",
}
NO_TIMES = ("'0044-03-15 BC'", "'200000-01-01'", "'infinity'", "'-infinity'")
NO_OBJECTS = (
    {"marked": "'zzz'"},
    {"requiredBy": "'null'"},
    {"requiredBy": "'7'"},
    {"requiredBy": "'{}'"},
    {"requiredBy": "'[1, {}]'"},
    {"requiredBy": r"""'["\ud800"]'"""},
    {"requiredBy": "(repeat('[', 9000) || repeat(']', 9000))::json"},
    {"requiredBy": "to_json(array_fill('x'::text, ARRAY[100000]))"},
    {"objectName": "repeat('x', 1000)"},
    {"objectName": "''"},
    {"sequence": "1000000"},
    {"wave": "-3"},
)


@pytest.mark.parametrize(
    ("batch", "dis_object"),
    [
        *(({column: value}, {}) for column, value in NO_BATCHES.items()),
        *(({"notBefore": value}, {}) for value in NO_TIMES),
        *(({}, each) for each in NO_OBJECTS),
    ],
)
async def test_a_value_that_no_reader_can_take_is_refused(
    roles: Roles, batch: Mapping[str, str], dis_object: Mapping[str, str]
) -> None:
    jdoe = await roles.connect("jdoe")
    with pytest.raises(REFUSED):
        await ask(jdoe, batch, dis_object)
    assert await jdoe.fetch('SELECT * FROM "DISBatch"') == []
    await ask(jdoe)


async def test_texts_are_cut_and_alerts_have_sane_due_dates(roles: Roles) -> None:
    jdoe, governor = await roles.connect("jdoe"), await roles.connect("governor")
    number = await ask(jdoe, {"reason": "repeat('x', 20000000)"})
    store = await roles.store("governor", STATE)
    assert len((await store.batch(number)).reason) == 500
    with pytest.raises(asyncpg.CheckViolationError):
        await governor.execute(
            """INSERT INTO "ProcessAlert" (process, name, message, "postedAt", "dueAt", audience)
            VALUES ('x', 'x', 'x', now(), '200000-01-01', 'state')"""
        )


FORGED = {
    "a purpose": """UPDATE "DISBatch" SET purpose = 'bogus' WHERE "batchID" = 1""",
    "a mark": """UPDATE "DISBatchHistory" SET marked = 'zzz' WHERE "batchID" = 1""",
    "null": """UPDATE "DISBatchHistory" SET "requiredBy" = 'null' WHERE "batchID" = 1""",
    "a number": """UPDATE "DISBatchHistory" SET "requiredBy" = '[7]' WHERE "batchID" = 1""",
    "a double": """UPDATE "DISBatchHistory" SET "objectName" = 'School' WHERE "batchID" = 1""",
}


async def forge(url: str, statement: str) -> None:
    """Write what the checks would refuse, as an owner may."""
    engine = open_engine(url)
    async with engine.begin() as connection:
        if url.startswith("postgresql"):
            for check in ("DISBatch_purpose", "DISBatchHistory_marked", "DISBatchHistory_requiredBy"):
                table = check.partition("_")[0]
                await connection.exec_driver_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{check}_known"')
        await connection.exec_driver_sql(statement)
    await engine.dispose()


@pytest.mark.parametrize("statement", FORGED.values(), ids=FORGED)
async def test_an_unreadable_batch_fails_and_the_next_one_runs(
    control_url: str, store: Store, agents: Agents, plan: Plan, statement: str
) -> None:
    bad, good = await send(store, plan, "01", "02")
    await forge(control_url, statement)
    queue = await agents.start()
    assert await queue.claim(("01", "02"), 4) is None
    assert (await claimed(queue)).batch == good
    failed = await store.batch(bad)
    assert failed.status is Status.FAILED
    assert failed.message.startswith("It cannot be carried out: ")
    assert {each.status for each in failed.objects} == {Status.SKIPPED}
    assert [each.batch for each in await store.batches()] == [good, bad]


@pytest.mark.parametrize("column", ["purpose", "status", "color"])
async def test_lists_show_the_rest_of_a_row_with_an_unknown_word(
    control_url: str, store: Store, plan: Plan, column: str
) -> None:
    (number,) = await send(store, plan, "01")
    engine = open_engine(control_url)
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.exec_driver_sql('ALTER TABLE "DISBatch" DROP CONSTRAINT "DISBatch_purpose_known"')
        await connection.execute(text(f"""UPDATE "DISBatch" SET {column} = 'bogus'"""))
    await engine.dispose()
    assert (await store.batch(number)).district == "01"
    assert [each.batch for each in await store.batches()] == [number]
    await store.board(2026)


async def test_upgrade_keeps_bad_rows_fails_and_tells_them(
    database: Callable[[str], str], tmp_path: Path, plan: Plan
) -> None:
    url = database("postgresql")
    engine = open_engine(url)
    await migrate(engine, url, to="0009")
    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        bad = [
            await ask(raw, {"purpose": "'bogus'"}),
            await ask(raw, {"notBefore": "'0044-03-15 BC'"}),
            await ask(raw, {"notBefore": "'200000-01-01'"}),
            await ask(raw, {}, {"marked": "'zzz'"}),
            await ask(raw, {}, {"requiredBy": "'7'"}),
        ]
        good = await ask(raw, {"requestedBy": "'agent'"})
    await engine.dispose()
    store = await Store.open(url)
    batches = {each.batch: each for each in await store.batches()}
    assert sorted(batches) == sorted([*bad, good])
    told = [batches[number].message.removeprefix("It was not run: ") for number in bad]
    assert told[0] == "its purpose was bogus"
    assert told[1].startswith("its earliest start was 0044-03-15 ")
    assert told[2].startswith("its earliest start was 200000-01-01 ")
    assert told[3] == "School was marked zzz, required by []"
    assert told[4] == "School was marked selected, required by 7"
    assert {batches[number].status for number in bad} == {Status.FAILED}
    assert {each.status for number in bad for each in batches[number].objects} == {Status.SKIPPED}
    assert batches[good].status is Status.QUEUED
    # The numbers of new requests are above all that there are.
    assert await send(store, plan, "02") == [max(batches) + 1]
    assert (await store.batch(max(batches) + 1)).request == 2
    await store.close()


async def test_a_district_user_may_have_a_hundred_open_batches(roles: Roles) -> None:
    jdoe, kim = await roles.connect("jdoe"), await roles.connect("kim")
    for _ in range(100):
        await ask(jdoe)
    with pytest.raises(asyncpg.ProgramLimitExceededError):
        await ask(jdoe)
    store = await roles.store("jdoe", ABBOTT)
    with pytest.raises(UsageError, match="100 batches of this login are open"):
        await store.submit(Request(["01"], make_plan("School"), initiator="district", requested_by="x"))
    await ask(kim, {"districtNumber": "'02'"}, {"districtNumber": "'02'"})
    await (await roles.store("governor", STATE)).cancel_request(1, "x")
    await ask(jdoe)


async def test_one_statement_of_a_district_user_is_held_to_it_too(roles: Roles) -> None:
    jdoe = await roles.connect("jdoe")
    with pytest.raises(asyncpg.ProgramLimitExceededError):
        await jdoe.execute(
            """INSERT INTO "DISBatch" ("requestID", "districtNumber", "schoolYear", initiator, "requestedBy", reason,
                status, attempts, "requestedAt", "cancelRequested", "cancelledBy", message, agent, "stageLeft")
            SELECT 1, '01', 2026, 'district', '', '', 'queued', 0, now(), false, '', '', '', false
            FROM generate_series(1, 50000)"""
        )


async def test_the_states_request_does_not_wait_behind_a_district(control_url: str, agents: Agents, plan: Plan) -> None:
    store = await Store.open(control_url)
    (own,) = await store.submit(Request(["01"], plan, initiator="district", requested_by="x"))
    (state,) = await send(store, plan, "01")
    queue = await agents.start()
    lease = await claimed(queue)
    assert lease.batch == state != own.batch
    await store.close()


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
async def test_a_request_of_many_batches_is_cancelled(control_database: Callable[[str], str], kind: str) -> None:
    """More than a statement has parameters, on either kind of database."""
    url, many = control_database(kind), 33_000
    rows = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many})"
    engine = open_engine(url)
    async with engine.begin() as connection:
        if kind == "postgresql":
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # without triggers
        await connection.exec_driver_sql(
            f"""{rows} INSERT INTO "DISBatch" ("batchID", "requestID", "districtNumber", "schoolYear", initiator,
                "requestedBy", reason, status, attempts, "requestedAt", "cancelRequested", "cancelledBy", message,
                agent, "stageLeft")
            SELECT n, 1, '01', 2026, 'district', 'x', '', 'queued', 0, '2026-01-01 00:00:00.000000', false, '',
                '', '', false FROM n"""
        )
    await engine.dispose()
    database = await ControlDatabase.open(url, patience=DEADLINE)
    await Store(database).cancel_request(1, "jdoe")
    async with database.read() as connection:
        left = await connection.scalar(text("""SELECT count(*) FROM "DISBatch" WHERE status <> 'cancelled'"""))
    assert left == 0
    await database.close()


async def test_an_agent_outlives_what_a_district_user_may_write(roles: Roles, tmp_path: Path) -> None:
    jdoe = await roles.connect("jdoe")
    odd = [
        await ask(jdoe, {"purpose": "'remove-extra'"}),
        await ask(jdoe, {}, {"objectName": r"E'no such\n\x1b]0;object\x07'"}),
        await ask(jdoe, {"schoolYear": "1900"}, {"schoolYear": "1900"}),
        await ask(jdoe, {}, {"requiredBy": """'["nobody"]'""", "wave": "7", "sequence": "9"}),
    ]
    work = await run_faked(write_settings(tmp_path, roles.login("agent"), STATE))
    assert len([act for *_, act in work.journal() if act == "begin"]) == len(odd)
    governor = await roles.store("governor", STATE)
    assert all(each.status.ended for each in await governor.batches())
