"""What one login may use up: alerts, numbers, the server's NOTIFY queue; and what it may ask for by a number."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import asyncpg
import pytest
from sqlalchemy import text

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.migrate import migrate
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.errors import Unreachable
from resync_tui.outcome import Purpose, Status
from resync_tui.plan import Plan, Request
from tests.support.control import Agents, claimed
from tests.support.databases import own_postgres
from tests.support.forged import ALERT, BATCH, ask, insert
from tests.support.plans import send
from tests.support.roles import ABBOTT, STATE, Roles
from tests.support.waiting import DEADLINE

NUMBERS_OF_32_BITS = 2**31 - 1
MOST = 100
PAGES = 64
UNSTARTED = ALERT | {"name": "'Resync Not Started'", "requestID": "1"}


def alerts(times: int, values: Mapping[str, str] = MappingProxyType(UNSTARTED)) -> str:
    """Return the INSERT of so many alerts."""
    one = insert("ProcessAlert", values)
    return one.replace("VALUES (", "SELECT ").removesuffix(")") + f" FROM generate_series(1, {times})"


async def count(roles: Roles, what: str = '"ProcessAlert"') -> int:
    return int(await (await roles.administrator()).fetchval(f"SELECT count(*) FROM {what}"))


async def fill(connection: asyncpg.Connection) -> None:
    """Notify until the server's queue is full."""
    for _ in range(2 * PAGES):
        await connection.execute("SELECT pg_notify('x', repeat('x', 7999))")


async def test_alerts_of_a_district_user_have_a_limit_an_hour(roles: Roles, plan: Plan) -> None:
    jdoe, writer = await roles.connect("jdoe"), await roles.connect("writer")
    store, number = await roles.store("jdoe", ABBOTT), await ask(jdoe)
    await jdoe.execute(alerts(60))
    await jdoe.execute(alerts(200))
    assert await count(roles) == MOST
    # What the alert is about goes through, and others tell what they have to.
    await store.cancel(number, "x")
    assert (await store.batch(number)).status is Status.CANCELLED
    assert await count(roles) == MOST
    await roles.apply_grants(ABBOTT, read=("dis_abbott", "writer"), write=("dis_abbott", "writer"))
    await ask(writer)
    await writer.execute(alerts(1, UNSTARTED | {"requestID": "2"}))
    kim = await roles.connect("kim")
    await ask(kim, {"districtNumber": "'02'"}, {"districtNumber": "'02'"})
    await kim.execute(alerts(1, UNSTARTED | {"districtNumber": "'02'", "requestID": "3"}))
    assert await count(roles) == MOST + 2
    await roles.run("""UPDATE "ProcessAlert" SET "postedAt" = "postedAt" - interval '61 minutes'""")
    await ask(jdoe)
    await jdoe.execute(alerts(1, UNSTARTED | {"requestID": "4"}))
    assert await count(roles) == MOST + 3


async def test_alerts_to_another_user_count_too(roles: Roles) -> None:
    """Whoever posts them sees none of them."""
    jdoe = await roles.connect("jdoe")
    await roles.apply_grants(ABBOTT, read=("dis_abbott", "writer"), write=("dis_abbott", "writer"))
    number = await ask(await roles.connect("writer"))
    await (await roles.store("jdoe", ABBOTT)).cancel(number, "x")
    cancelled = ALERT | {"requestID": "1", "recipient": f"'{roles.name('writer')}'"}
    await jdoe.execute(alerts(300, cancelled))
    assert await count(roles) == MOST


async def test_alerts_of_transactions_side_by_side_are_counted(roles: Roles) -> None:
    one, other = await roles.connect("jdoe"), await roles.connect("jdoe")
    await ask(one)
    for each in (one, other):
        await each.execute('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "ProcessAlert"')
    await one.execute(alerts(MOST))
    await one.execute("COMMIT")
    with pytest.raises(asyncpg.SerializationError):
        await other.execute(alerts(1))


async def test_the_state_posts_as_many_alerts_as_it_likes(roles: Roles) -> None:
    governor = await roles.connect("governor")
    await governor.execute(alerts(2 * MOST, ALERT | {"audience": "'state'", "districtNumber": "NULL"}))
    assert await count(roles) == 2 * MOST


async def test_numbers_that_were_counted_up_stop_nobody(store: Store, plan: Plan) -> None:
    """A login can count up the gate, and the sequence of alerts by INSERTs that are refused."""
    (before,) = await send(store, plan, "01")
    async with store._database.write() as connection:
        await connection.execute(text(f'UPDATE "DISGate" SET "lastRequest" = {NUMBERS_OF_32_BITS}'))
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f"""SELECT setval('"ProcessAlert_alertID_seq"', {NUMBERS_OF_32_BITS})"""))
    (number,) = await send(store, plan, "01")
    request = (await store.batch(number)).request
    assert (number, request) == (before + 1, NUMBERS_OF_32_BITS + 1)
    assert [each.batch for each in await store.request(request)] == [number]
    await store.cancel_request(request, "x")
    assert {each.request for each in await store.retry_request(request, "x")} == {request + 1}
    told = [each.alert for each in await store.alerts.posted() if each.request == request]
    await store.alerts.delete(told)
    assert request not in [each.request for each in await store.alerts.posted()]


async def test_sequences_that_a_user_can_advance_do_not_end(roles: Roles) -> None:
    """Each INSERT takes a number from them, refused or not."""
    for role in ("reader", "jdoe", "kim", "governor", "writer"):
        found = await (await roles.connect(role)).fetch(
            """SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
            AND (a.attidentity <> '' OR a.atthasdef AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) <> '')
            AND a.atttypid <> 'bigint'::regtype AND has_any_column_privilege(c.oid, 'INSERT')"""
        )
        assert found == []


async def test_a_removal_goes_by_no_comparison_that_is_hidden(roles: Roles, plan: Plan) -> None:
    verify = {"purpose": "'verify'"}
    jdoe = await roles.connect("jdoe")
    (states,) = await send(await roles.store("governor", STATE), plan, "01")
    kims = await ask(await roles.connect("kim"), verify | {"districtNumber": "'02'"}, {"districtNumber": "'02'"})
    own, other_year = await ask(jdoe, verify), await ask(jdoe, verify | {"schoolYear": "2025"}, {"schoolYear": "2025"})
    told = set()
    for preview in (states, kims, other_year, 4711, -1, NUMBERS_OF_32_BITS):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await jdoe.execute(insert("DISBatch", BATCH | {"purpose": "'remove-extra'", "preview": str(preview)}))
        told.add(str(refused.value))
    assert told == {"the comparison that it goes by is not there"}
    removal = Request(["01"], plan, "district", "x", Purpose.REMOVE_EXTRA, preview=own)
    (sent,) = await (await roles.store("jdoe", ABBOTT)).submit(removal)
    assert sent.preview == own
    with pytest.raises(asyncpg.CheckViolationError):
        await ask(await roles.connect("kim"), {"districtNumber": "'02'", "preview": str(own)})


async def test_a_full_notify_queue_holds_up_no_request(plan: Plan) -> None:
    """Anybody who may connect to any database of the server can fill it."""
    with own_postgres(max_notify_queue_pages=str(PAGES)) as server:
        url = server.admin_url
        database = await ControlDatabase.open(url, patience=DEADLINE)
        agents, store = Agents(url), Store(database)
        holder, filler = await asyncpg.connect(url), await asyncpg.connect(url)
        await holder.execute("LISTEN x")
        await holder.execute("BEGIN")
        with pytest.raises(asyncpg.ProgramLimitExceededError):
            await fill(filler)
        first, second = await send(store, plan, "01", "02")
        assert (await claimed(await agents.start())).batch == first
        await store.cancel(second, "x")
        assert (await store.batch(second)).status is Status.CANCELLED
        with pytest.raises(Unreachable, match="Out of reach: the control database "):
            async with database.write() as connection:
                await connection.execute(text("NOTIFY dis_wake"))
        await holder.close()
        await filler.close()
        for each in (database, *agents.databases):
            await each.close()


async def test_upgrade_keeps_what_is_over_the_limits(database: Callable[[str], str], plan: Plan) -> None:
    """More alerts than may be posted, and a removal by a comparison of another district: kept, and it takes nothing."""
    url = database("postgresql")
    engine = open_engine(url)
    await migrate(engine, url, to="0012")
    async with engine.begin() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        other = await ask(
            raw, {"purpose": "'verify'", "districtNumber": "'02'", "requestID": "8"}, {"districtNumber": "'02'"}
        )
        removal = await ask(raw, {"purpose": "'remove-extra'", "preview": str(other), "requestID": "9"})
        await raw.execute(alerts(3 * MOST, UNSTARTED | {"postedBy": "'jdoe'"}))
    await engine.dispose()
    agents = Agents(url)
    queue = await agents.start()
    assert {(await claimed(queue)).batch, (await claimed(queue)).batch} == {other, removal}
    store = Store(agents.databases[0])
    assert len(await store.alerts.posted()) == 3 * MOST
    (again,) = await send(store, plan, "03")
    assert (await store.batch(again)).request == 1
    await agents.databases[0].close()
