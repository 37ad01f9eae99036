"""The newest run of each object: for the checklist the one that has started, for estimates one that completed."""

import pytest

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
    found = await office.store.last_completed("001", plan.year, Purpose.RESYNC)
    assert set(found) == set(plan.names)
    assert {(each.batch, each.result.counts) for each in found.values()} == {(first.batch, CLEAN)}


async def test_what_never_completed_has_no_estimate(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    await office.finish(Status.FAILED, "down")
    assert await office.store.last_completed("001", plan.year, Purpose.RESYNC) == {}
