"""A district that cannot be reached, the window, notifications and schedules, as the agent makes of them."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from resync_tui.agent import service
from resync_tui.agent.run import PAUSES
from resync_tui.agent.service import run_agent
from resync_tui.config.settings import NotifySettings, Settings
from resync_tui.control.connection import ControlDatabase
from resync_tui.outcome import Status
from resync_tui.plan import Request
from tests.support.comparison import one_kind
from tests.support.json_schemas import printed
from tests.support.plans import make_plan
from tests.support.site.fake import QUICK, FakeSite

pytestmark = one_kind
TELL = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"


async def serve(site: FakeSite, settings: Settings | None = None) -> None:
    """Run an agent until nothing is queued that may start."""
    await run_agent(settings or site.settings, once=True, idle_seconds=None, work_of=site.work, timing=QUICK)


async def let_it_be_time(site: FakeSite) -> None:
    """End every pause."""
    database = await ControlDatabase.open(site.settings.control_url())
    async with database.write() as connection:
        await connection.exec_driver_sql('UPDATE "DISBatch" SET "notBefore" = NULL')
    await database.close()


async def test_campaign_retries_an_unreachable_district_with_backoff(site: FakeSite) -> None:
    site.work.play("01", "unreachable")
    first, second = await site.send("01", "02")
    pauses = []
    for _ in range(7):
        before = datetime.now(UTC)
        await serve(site)
        batch = await site.store.batch(first)
        assert batch.status is Status.QUEUED
        assert batch.not_before is not None
        assert batch.message.startswith("Cannot reach district 01: no answer.")
        pauses.append(round((batch.not_before - before) / timedelta(minutes=1)))
        await let_it_be_time(site)
    assert pauses == [*PAUSES, 60, 60]
    assert (await site.store.batch(second)).status is Status.COMPLETED
    site.work.play("01", "complete")
    await serve(site)
    batch = await site.store.batch(first)
    assert (batch.status, batch.message, batch.attempts, batch.put_off) == (Status.COMPLETED, "", 8, 7)


async def test_campaign_gives_up_after_the_configured_retries(site: FakeSite) -> None:
    settings = replace(site.settings, engine=replace(site.settings.engine, reach_again=2))
    site.work.play("01", "unreachable")
    first, _ = await site.send("01", "02")
    for _ in range(3):
        await serve(site, settings)
        await let_it_be_time(site)
    batch = await site.store.batch(first)
    assert (batch.status, batch.attempts) == (Status.FAILED, 3)
    assert batch.message.startswith("Cannot reach district 01")


async def test_broken_connection_in_a_campaign_is_put_off_after_tries(site: FakeSite) -> None:
    site.work.play("01", "break 9")
    first, _ = await site.send("01", "02")
    await serve(site)
    batch = await site.store.batch(first)
    assert (batch.status, batch.attempts, batch.put_off) == (Status.QUEUED, 5, 1)
    assert await site.store.errors(first) == []


async def test_whatever_else_fails_is_not_tried_again(site: FakeSite) -> None:
    site.work.play("01", "fail")
    first, _ = await site.send("01", "02")
    await serve(site)
    assert (await site.store.batch(first)).status is Status.FAILED


async def test_a_single_district_that_cannot_be_reached_fails_at_once(site: FakeSite) -> None:
    site.work.play("01", "unreachable")
    (number,) = await site.send("01")
    await serve(site)
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts) == (Status.FAILED, 1)


@pytest.mark.parametrize("is_open", [True, False])
async def test_scheduled_batches_start_within_the_window_only(
    site: FakeSite, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "window_open", lambda _window, _now: is_open)
    (scheduled,) = await site.store.submit(
        Request(
            ["01"],
            make_plan("School"),
            initiator="state",
            requested_by=site.store.rights.user,
            not_before=datetime(2025, 1, 1, tzinfo=UTC),
        )
    )
    (at_once,) = await site.send("02")
    await serve(site)
    assert (await site.store.batch(at_once)).status is Status.COMPLETED
    expected = Status.COMPLETED if is_open else Status.QUEUED
    assert (await site.store.batch(scheduled.batch)).status is expected


async def test_command_hears_of_each_batch_and_its_failure_is_logged(site: FakeSite) -> None:
    told = site.settings.path.parent / "told"
    command = (sys.executable, "-c", TELL, str(told))
    site.work.play("02", "fail")
    numbers = await site.send("01", "02")
    await serve(site, replace(site.settings, notify=NotifySettings(command)))
    documents = printed("notify", told.read_text())
    assert {(each["batch"], each["status"]) for each in documents} == {
        (numbers[0], "completed"),
        (numbers[1], "failed"),
    }
    (number,) = await site.send("03")
    await serve(site, replace(site.settings, notify=NotifySettings(("/no/such",))))
    assert (await site.store.batch(number)).status is Status.COMPLETED
    assert "cannot run /no/such" in site.log()


async def test_a_batch_that_goes_back_into_the_queue_tells_nobody(site: FakeSite) -> None:
    told = site.settings.path.parent / "told"
    site.work.play("01", "unreachable")
    site.work.play("02", "unreachable")
    await site.send("01", "02")
    await serve(site, replace(site.settings, notify=NotifySettings((sys.executable, "-c", TELL, str(told)))))
    assert not told.exists()
