"""Numbers of requests are given: nobody takes one beforehand, learns of another's by one, or is told another's end."""

from pathlib import Path

import asyncpg
import pytest

from resync_tui.control.alerts import Alerts
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.store import Store
from resync_tui.plan import Plan, Request
from resync_tui.results import Batch
from tests.support.fake_work import run_faked
from tests.support.forged import ALERT, ask, insert
from tests.support.roles import ABBOTT, CAMPUS, STATE, Roles, write_settings


async def send(store: Store, plan: Plan, initiator: str, *districts: str) -> list[Batch]:
    return await store.submit(Request(districts, plan, initiator=initiator, requested_by="x"))


@pytest.mark.parametrize("taken", ["1", "2", "99", "2147483647", "-1"])
async def test_a_number_taken_beforehand_blocks_nobody(roles: Roles, plan: Plan, taken: str) -> None:
    own = await ask(await roles.connect("jdoe"), {"requestID": taken})
    jdoe, governor, kim = (
        await roles.store("jdoe", ABBOTT),
        await roles.store("governor", STATE),
        await roles.store("kim", CAMPUS),
    )
    assert (await jdoe.batch(own)).request == 1
    assert {each.request for each in await send(governor, plan, "state", "01", "02")} == {2}
    assert {each.request for each in await send(kim, plan, "district", "02")} == {3}
    assert {each.request for each in await send(await roles.store("agent", STATE), plan, "state", "01")} == {4}


async def test_another_users_number_is_not_joined(roles: Roles, plan: Plan) -> None:
    """Neither by touching the gate in the same transaction, nor by a later batch of the own request."""
    governor = await roles.store("governor", STATE)
    await send(governor, plan, "state", "01")
    jdoe = await roles.connect("jdoe")
    async with jdoe.transaction():
        await jdoe.execute('UPDATE "DISGate" SET changes = changes + 1')
        own = await ask(jdoe, {"requestID": "1"})
        again = await ask(jdoe, {"requestID": "1"})
    batches = {each.batch: each.request for each in await (await roles.store("jdoe", ABBOTT)).batches()}
    assert batches == {own: 2, again: 2}


async def test_the_end_of_a_request_is_told_to_who_asked(roles: Roles, plan: Plan, tmp_path: Path) -> None:
    """Even where an older release has let a district's batch into the state's request."""
    own = await ask(await roles.connect("jdoe"))
    governor = await roles.store("governor", STATE)
    state = await send(governor, plan, "state", "01", "02")
    await roles.run(f'UPDATE "DISBatch" SET "requestID" = {state[0].request} WHERE "batchID" = {own}')
    await run_faked(write_settings(tmp_path, roles.login("agent"), STATE))
    jdoe = await roles.store("jdoe", ABBOTT)
    told = [each.message for each in await jdoe.alerts.posted() if each.name == "Resync Completed"]
    assert sorted(told)[0].startswith(f"Batch #{own} of district 01 has ended: completed.")
    assert sorted(told)[1].startswith("What the state requested on ")
    assert len(told) == 2
    (whole,) = [each.message for each in await governor.alerts.posted() if each.name == "Resync Completed"]
    assert whole.startswith(f"Request {state[0].request}: 2 districts have ended: 2 completed.")


async def test_no_function_tells_whose_a_number_is(roles: Roles) -> None:
    jdoe = await roles.connect("jdoe")
    functions = await jdoe.fetch(
        """SELECT proname FROM pg_proc WHERE proname LIKE 'dis\\_%'
        AND (pronargs > 0 OR prosecdef AND prorettype <> 'trigger'::regtype)"""
    )
    assert [row[0] for row in functions] == ["dis_served"]


async def test_an_alert_tells_of_no_batch_that_is_hidden(roles: Roles, plan: Plan) -> None:
    (hidden,) = await send(await roles.store("governor", STATE), plan, "state", "01")
    (kims,) = await send(await roles.store("kim", CAMPUS), plan, "district", "02")
    jdoe, told = await roles.connect("jdoe"), set()
    for number in (hidden.batch, kims.batch, 4711):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await jdoe.execute(insert("ProcessAlert", ALERT | {"requestID": "1", "batchID": str(number)}))
        told.add((refused.value.sqlstate, str(refused.value)))
    assert len(told) == 1


ALERTS_OF_OTHERS = (
    {"name": "'State Resync Requested'"},
    {"name": "'State Resync Requested '"},
    {"name": "'Resync Completed'"},
    {"name": "'Resync Failed'"},
    {"name": "'Resync Request Refused'"},
    {"recipient": "'somebody'"},
    {"requestID": "NULL"},
    {"requestID": "2"},
    {"districtNumber": "'02'"},
    {"audience": "'state'", "districtNumber": "NULL"},
)


async def test_a_district_user_posts_what_it_needs_under_its_name(roles: Roles, plan: Plan) -> None:
    store, governor = await roles.store("jdoe", ABBOTT), await roles.store("governor", STATE)
    (own,) = await send(store, plan, "district", "01")
    await send(governor, plan, "state", "01")
    jdoe = await roles.connect("jdoe")
    plain = ALERT | {"requestID": str(own.request), "batchID": str(own.batch)}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jdoe.execute(insert("ProcessAlert", plain))
    await store.cancel(own.batch, "x")
    (told,) = [each for each in await store.alerts.posted() if each.name == "Resync Cancelled"]
    assert told.message.endswith(f" Posted by {roles.name('jdoe')}.")
    for other in ALERTS_OF_OTHERS:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await jdoe.execute(insert("ProcessAlert", plain | other))
    await jdoe.execute(insert("ProcessAlert", plain | {"process": "'The state'", "dueAt": "now()"}))
    (forged,) = [each for each in await store.alerts.posted() if each.message.startswith("x")]
    assert (forged.process, forged.due) == ("Vertical Interoperability", None)
    assert forged.message == f"x Posted by {roles.name('jdoe')}."
    (requested,) = [each for each in await store.alerts.posted() if each.name == "State Resync Requested"]
    assert "Posted by" not in requested.message


async def test_a_console_of_a_district_tells_that_nobody_serves(roles: Roles, plan: Plan) -> None:
    store = await roles.store("jdoe", ABBOTT)
    (own,) = await send(store, plan, "district", "01")
    await roles.run(
        f"""UPDATE "DISBatch" SET "requestedAt" = now() - interval '1 hour' WHERE "batchID" = {own.batch}"""
    )
    assert await store.alert_unclaimed() == [own.request]
    assert "Resync Not Started" in [each.name for each in await store.alerts.posted()]
    database = await ControlDatabase.open(roles.login("reader"), edition=ABBOTT)
    assert "Resync Not Started" in [each.name for each in await Alerts(database).posted()]
    await database.close()
