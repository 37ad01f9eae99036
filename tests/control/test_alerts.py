"""Who is told when a request ends, or when nobody takes it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import Row, select

from resync_tui.control.alerts import REFUSED, REQUESTED, Alerts, alert_unclaimed, post
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.models import METADATA, ProcessAlert
from resync_tui.control.queue import AgentIdentity, Queue
from resync_tui.control.store import Store
from resync_tui.outcome import Status
from resync_tui.plan import Plan, Request
from resync_tui.rights import Edition
from tests.support.control import Office


@pytest.fixture
async def other(control_url: str, office: Office) -> AsyncIterator[Queue]:
    """An agent that serves district 900 alone."""
    database = await ControlDatabase.open(control_url, office.clock)
    queue = Queue(database, AgentIdentity("b", "there", 2, ("900",)), 600)
    await queue.register()
    yield queue
    await database.close()


async def alerts(office: Office, name: str) -> list[Row[tuple[object, ...]]]:
    alert = METADATA.tables["ProcessAlert"]
    async with office.database.read() as connection:
        wanted = select(alert).where(alert.c.name == name).order_by(alert.c.alertID)
        return list((await connection.execute(wanted)).all())


async def test_both_sides_are_told_when_a_request_of_the_state_ends(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001", "002")
    await office.finish()
    (first,) = await alerts(office, "Resync Completed")
    assert (first.audience, first.districtNumber, first.recipient) == ("district", "001", None)
    await office.finish(Status.FAILED, "no such table")
    (second,) = await alerts(office, "Resync Failed")
    (whole,) = await alerts(office, "Resync Ended")
    assert (second.audience, second.districtNumber) == ("district", "002")
    assert (whole.audience, whole.districtNumber, whole.requestID) == ("state", None, number)
    assert whole.message == (
        f"Request {number}: 2 districts have ended: 1 completed, 1 failed. Processed 800, errors 4."
    )


async def test_only_a_request_for_a_time_has_a_due_date(office: Office, plan: Plan) -> None:
    begins = office.clock.now + timedelta(hours=2)
    await office.request(plan, "001")
    await office.request(plan, "002", not_before=begins)
    posted = await alerts(office, REQUESTED)
    sides = ("district", "state")
    assert [(each.audience, each.dueAt) for each in posted] == [(side, due) for due in (None, begins) for side in sides]


async def test_a_district_gets_no_number_of_the_states_request(office: Office, control_url: str, plan: Plan) -> None:
    asked = await office.request(plan, "001")
    user = office.store.rights.user
    own = await office.store.submit(Request(["001"], plan, initiator="district", requested_by=user))
    await office.store.cancel(own[0].batch, user)
    district = await Store.open(control_url, office.clock, edition=Edition("district", "001"))
    seen = {each.name: (each.request, each.batch) for each in await district.alerts.posted()}
    await district.close()
    assert seen == {REQUESTED: (None, None), "Resync Cancelled": (own[0].request, own[0].batch)}
    of_state = {each.name: each.request for each in await office.store.alerts.posted() if each.district is None}
    assert of_state[REQUESTED] == asked


async def test_a_region_asks_as_a_region_and_other_programs_are_quoted(
    control_url: str, office: Office, plan: Plan
) -> None:
    await office.request(plan, "001")
    async with office.database.write() as connection:
        event = ProcessAlert(
            process="Data Certification",
            name="Event",
            message="The state of ME published an event.",
            postedAt=office.clock.now,
            audience="district",
            districtNumber="001",
        )
        await post(connection, event)
    database = await ControlDatabase.open(control_url, office.clock)
    try:
        for regional, word in ((True, "region"), (False, "state")):
            database.edition = Edition("district", "001", regional)
            messages = [each.message for each in await Alerts(database).posted()]
            assert sorted(messages) == [
                f"The {word} has requested a resync of this district. It runs by itself and cannot be stopped here.",
                "The state of ME published an event.",
            ]
    finally:
        await database.close()


async def test_a_district_is_not_told_what_the_state_asked_for(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    await office.finish()
    told = [each for each in await alerts(office, "Resync Completed") if each.audience == "district"]
    assert [each.message for each in told] == ["What the state requested on 2025-11-20 has ended: completed."]
    assert [each.batchID for each in told] == [None]


async def test_the_requester_is_told_when_a_districts_own_ends(office: Office, plan: Plan) -> None:
    (batch,) = await office.store.submit(Request(["001"], plan, initiator="district", requested_by="asmith"))
    await office.finish()
    (told,) = await alerts(office, "Resync Completed")
    assert (told.audience, told.districtNumber, told.recipient) == ("district", "001", batch.requested_by)
    assert told.batchID == batch.batch


async def test_a_request_whose_rest_is_cancelled_has_ended_too(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001", "002")
    await office.finish()
    await office.store.cancel_request(number, "jdoe")
    (whole,) = await alerts(office, "Resync Ended")
    assert "1 cancelled, 1 completed" in whole.message


async def test_a_cancelled_one_is_not_named_completed(office: Office, plan: Plan) -> None:
    (batch,) = await office.store.submit(Request(["001"], plan, initiator="district", requested_by="asmith"))
    await office.store.cancel(batch.batch, "asmith")
    (told,) = await alerts(office, "Resync Cancelled")
    assert told.batchID == batch.batch
    assert await alerts(office, "Resync Completed") == []


@pytest.mark.parametrize("districts", [("001",), ("001", "002")])
async def test_a_refused_batch_is_told_once(office: Office, plan: Plan, districts: tuple[str, ...]) -> None:
    await office.request(plan, *districts)
    for _ in districts:
        await office.queue.refuse(await office.claimed(), "asmith has no right to send for the state")
    of_state = [each.name for each in await office.store.alerts.posted() if each.district is None]
    whole = ["Resync Failed"] if len(districts) > 1 else []
    assert sorted(of_state) == sorted([*whole, *[REFUSED] * len(districts), REQUESTED])


async def test_a_request_that_nobody_serves_is_told_once(office: Office, other: Queue, plan: Plan) -> None:
    await office.queue.unregister()
    number = await office.request(plan, "001", "002", "900")
    assert await alert_unclaimed(office.database) == []
    office.clock.move(9 * 60 + 59)
    assert await alert_unclaimed(office.database) == []
    await other.renew([])
    office.clock.move(1)
    assert await office.store.alert_unclaimed() == [number]
    assert await office.store.alert_unclaimed() == []
    (told,) = await alerts(office, "Resync Not Started")
    assert (told.audience, told.requestID) == ("state", number)
    assert told.message.startswith(f"Request {number}: 2 districts wait: no agent serves districts 001, 002. ")


async def test_waiting_request_is_not_unclaimed(office: Office, plan: Plan) -> None:
    await office.request(plan, "001", "002")
    office.clock.move(3600)
    await office.queue.renew([])
    assert await alert_unclaimed(office.database) == []
    await office.queue.unregister()
    await office.store.cancel_request(1, "jdoe")
    await office.store.submit(
        Request(["001"], plan, initiator="state", requested_by="x", not_before=office.clock.now.replace(year=2027))
    )
    office.clock.move(3600)
    assert await alert_unclaimed(office.database) == []


async def test_an_agent_that_was_not_heard_of_serves_nobody(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001")
    office.clock.move(601)
    assert await alert_unclaimed(office.database) == [number]


async def test_alerts_of_other_processes_stand_in_the_same_list(office: Office, plan: Plan) -> None:
    """Another program posts one; it is listed, narrowed by its process, read and deleted as ours are."""
    alert = METADATA.tables["ProcessAlert"]
    theirs = {"process": "Data Certification", "name": "Review Event", "message": "", "audience": "state"}
    async with office.database.write() as connection:
        await connection.execute(alert.insert().values(**theirs, postedAt=office.clock()))
    await office.request(plan, "001")
    listed = await office.store.alerts.posted()
    assert {each.process for each in listed} == {"Vertical Interoperability", "Data Certification"}
    (one,) = await office.store.alerts.posted(process="Data Certification")
    assert one.name == "Review Event"
    await office.store.alerts.delete([one.alert])
    assert await office.store.alerts.posted(process="Data Certification") == []
