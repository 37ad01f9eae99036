"""The newest run of each object: for the checklist the one that has started, for estimates one that completed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from resync_tui.control.models import Tables
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.plan import Plan, Request
from tests.support.control import Office

CLEAN = Counts(processed=4, unchanged=4)


@pytest.mark.parametrize("other", ["cancelled", "compared", "of another year", "running"])
async def test_estimates_go_by_completed_runs_of_the_same_kind(office: Office, plan: Plan, other: str) -> None:
    await office.request(plan, "001")
    first = await office.finish(counts=CLEAN)
    year = 2025 if other == "of another year" else plan.year
    purpose = Purpose.VERIFY if other == "compared" else Purpose.RESYNC
    asked = Request(["001"], Plan(year, plan.objects), "state", "x", purpose)
    await office.store.submit(asked)
    if other == "running":
        await office.claimed()
    else:
        status = Status.CANCELLED if other == "cancelled" else Status.COMPLETED
        await office.finish(status, counts=Counts(processed=1, unchanged=1))
    found = (await office.store.last_completed("001", plan.year)).of(Purpose.RESYNC)
    assert set(found) == set(plan.names)
    assert {(each.batch, each.result.counts) for each in found.values()} == {(first.batch, CLEAN)}


async def test_newest_results_are_told_by_district(office: Office, plan: Plan) -> None:
    for district in ("001", "002", "001"):
        await office.request(plan, district)
        await office.finish(counts=CLEAN)
    found = await office.store.last_resyncs_of(["001", "002", "003"], plan.year)
    assert {district: {each.batch for each in of.values()} for district, of in found.items()} == {
        "001": {3},
        "002": {2},
    }
    assert found["001"] == await office.store.last_resyncs("001", plan.year)


async def test_what_never_completed_has_no_estimate(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    await office.finish(Status.FAILED, "down")
    assert (await office.store.last_completed("001", plan.year)).runs == {}


async def test_full_and_partial_runs_are_told_apart(office: Office, plan: Plan) -> None:
    full = [Request(["001"], plan, "state", "x", full=each) for each in (True, False, True)]
    ended = []
    for request in full:
        await office.store.submit(request)
        ended.append(await office.finish(counts=CLEAN))
    found = await office.store.last_completed("001", plan.year)
    for is_full, batch in ((True, ended[2]), (False, ended[1])):
        assert {each.batch for each in found.of_kind(Purpose.RESYNC, is_full).values()} == {batch.batch}
    assert {name: each.batch for name, each in found.of(Purpose.RESYNC).items()} == dict.fromkeys(
        plan.names, ended[2].batch
    )
    assert found.of_kind(Purpose.VERIFY, True) == {}


async def test_an_estimate_has_the_duration_of_the_whole_batch(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    ended = await office.finish(counts=CLEAN)
    started = datetime(2026, 3, 1, tzinfo=UTC)
    async with office.store._database.write() as connection:
        span = {"startedAt": started, "finishedAt": started + timedelta(minutes=8)}
        await connection.execute(update(Tables.batch).where(Tables.batch.c.batchID == ended.batch).values(span))
    assert (await office.store.last_completed("001", plan.year)).seconds == {ended.batch: 480.0}
