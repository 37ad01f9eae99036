"""What an agent makes of its batches, within one process."""

from functools import partial

import anyio
import asyncpg
import pytest

from resync_tui.agent.run import Timing
from resync_tui.agent.service import run_agent
from resync_tui.errors import CannotRun, ConfigError
from resync_tui.outcome import Counts, Kind, Status
from resync_tui.results import ErrorGroup
from tests.support.site.fake import QUICK, FakeSite
from tests.support.waiting import until


async def serve(site: FakeSite, timing: Timing = QUICK) -> None:
    """Run an agent until nothing is queued."""
    await run_agent(site.settings, once=True, idle_seconds=None, work_of=site.work, timing=timing)


async def test_a_batch_is_carried_out_and_accounted_for(site: FakeSite) -> None:
    (number,) = await site.send("01")
    await serve(site)
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts, batch.message) == (Status.COMPLETED, 1, "")
    assert {(each.status, each.counts, each.phase) for each in batch.objects} == {
        (Status.COMPLETED, Counts(processed=1000, inserted=997, rejected=3), "")
    }
    assert await site.store.error_groups(number) == [
        ErrorGroup("District", "District", Kind.REJECTED, "name is too long", 6)
    ]
    assert [each.key for each in await site.store.errors(number)] == [{"id": 1}, {"id": 2}] * 2
    assert await site.store.agents() == []


async def test_once_carries_out_all_that_is_queued_two_at_a_time(site: FakeSite) -> None:
    numbers = [*await site.send("01", "02", "03", "04"), *await site.send("01", "02")]
    await serve(site)
    assert {(await site.store.batch(each)).status for each in numbers} == {Status.COMPLETED}


async def test_a_failing_batch_hurts_no_other(site: FakeSite) -> None:
    site.work.play("01", "fail")
    site.work.play("02", "crash")
    failed, crashed, fine = await site.send("01", "02", "03")
    await serve(site)
    batch = await site.store.batch(failed)
    assert (batch.status, batch.attempts) == (Status.FAILED, 1)
    assert batch.message == "Table School is missing in the state. Run: resync-tui state init"
    assert [each.status for each in batch.objects] == [Status.FAILED, Status.SKIPPED]
    assert (await site.store.batch(crashed)).message.startswith(
        "The program failed by ValueError in tests.support.fake_work"
    )
    assert (await site.store.batch(fine)).status is Status.COMPLETED


async def test_no_text_of_an_unforeseen_error_is_kept_anywhere(site: FakeSite) -> None:
    site.work.play("01", "crash")
    (number,) = await site.send("01")
    await serve(site)
    assert "Marker" not in repr(await site.store.batch(number)) + site.log()


async def test_a_broken_connection_begins_the_batch_anew(site: FakeSite) -> None:
    site.work.play("01", "break 2")
    (number,) = await site.send("01")
    await serve(site)
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts, batch.message) == (Status.COMPLETED, 3, "")
    assert [each.count for each in await site.store.error_groups(number)] == [6]
    assert len({token for _, token, act in site.work.journal() if act == "begin"}) == 1


async def test_always_breaking_connection_fails_the_batch_at_the_fifth(site: FakeSite) -> None:
    site.work.play("01", "break 9")
    (number,) = await site.send("01")
    await serve(site)
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts) == (Status.FAILED, 5)
    assert batch.message.startswith("The connection broke")


async def test_a_lease_lost_to_the_engine_writes_nothing_more(site: FakeSite) -> None:
    site.work.play("01", "lose")
    (number,) = await site.send("01")
    await serve(site)
    batch = await site.store.batch(number)
    assert (batch.status, batch.finished) == (Status.RUNNING, None)
    assert "nothing more is written" in site.log()


async def test_a_fence_ahead_fails_once_and_the_next_token_exceeds_it(site: FakeSite) -> None:
    ahead = 9_000_000_000_000
    site.work.play("01", f"outrun {ahead}")
    (number,) = await site.send("01")
    await serve(site)
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts) == (Status.FAILED, 1)
    assert batch.message == f"The fence is ahead (token {ahead}). Send it again."
    (again,) = await site.send("01")
    await serve(site)
    assert (await site.store.batch(again)).status is Status.COMPLETED
    assert [token for _, token, act in site.work.journal() if act == "begin"][1] == ahead + 1


async def test_cancelled_batch_is_cleaned_up_and_frees_its_district(site: FakeSite) -> None:
    site.work.play("01", "block")
    first, second = (await site.send("01"))[0], (await site.send("01"))[0]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, site)
        await site.moving(first)
        await site.store.cancel(first, "asmith")
        batch = await site.reached(first, Status.CANCELLED)
        assert {each.status for each in batch.objects} == {Status.CANCELLED}
        assert ("cleaned up after CancelledError") in [act for _, _, act in site.work.journal()]
        site.work.go("01")
    assert (await site.store.batch(second)).status is Status.COMPLETED


async def test_batch_cancelled_after_its_agent_died_is_only_cleaned_up(site: FakeSite) -> None:
    site.work.play("01", "block")
    (number,) = await site.send("01")
    dead = site.start()
    await site.moving(number)
    dead.kill()
    dead.wait()
    await site.store.cancel(number, "asmith")
    await serve(site)
    batch = await site.store.batch(number)
    assert (batch.status, batch.cancelled_by) == (Status.CANCELLED, "asmith")
    assert site.work.journal()[-1][2] == "clear"


async def test_an_idle_agent_ends_by_itself(site: FakeSite) -> None:
    (number,) = await site.send("01")
    await run_agent(site.settings, once=False, idle_seconds=0.1, work_of=site.work, timing=QUICK)
    assert (await site.store.batch(number)).status is Status.COMPLETED
    assert await site.store.agents() == []


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_an_idle_agent_ends_though_its_control_database_is_gone(site: FakeSite, postgres_server: str) -> None:
    admin = await asyncpg.connect(postgres_server)

    async def drop() -> None:
        await until(lambda: _agents(site))
        await admin.execute(f"DROP DATABASE {site.settings.control_url().rpartition('/')[2]} WITH (FORCE)")
        await admin.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drop)
        with pytest.raises(CannotRun, match="no such database"):
            await run_agent(site.settings, once=False, idle_seconds=1, work_of=site.work, timing=QUICK)


async def _agents(site: FakeSite) -> bool:
    return len(await site.store.agents()) == 1


async def test_progress_is_written_several_times_while_work_goes_on(site: FakeSite) -> None:
    site.work.play("01", "block")
    (number,) = await site.send("01")
    counts: set[int] = set()

    async def five_counts() -> bool:
        batch = await site.store.batch(number)
        counts.update(each.counts.processed for each in batch.objects if 0 < each.counts.processed < 1000)
        return len(counts) >= 5

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, site)
        await until(five_counts)
        site.work.go("01")


async def test_the_log_tells_a_person_what_happened(site: FakeSite) -> None:
    (number,) = await site.send("01")
    await serve(site)
    lines = site.log().splitlines()
    begun = f"batch {number}  district 01  School  started"
    done = f"batch {number}  district 01  School  completed  processed 1000, errors 3"
    assert any(begun in line for line in lines)
    assert any(done in line for line in lines)
    assert all(line[:2] == "20" and line[19:21] in (" +", " -") for line in lines)


@pytest.mark.parametrize("written", ["soon", "0", "nan", "-1"])
async def test_a_lease_that_is_no_time_is_refused(
    site: FakeSite, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESYNC_TUI_LEASE_SECONDS", written)
    with pytest.raises(ConfigError, match="RESYNC_TUI_LEASE_SECONDS"):
        await partial(run_agent, site.settings, once=True, idle_seconds=None)()
