"""Agents as real processes: killed, stopped, asked to end, racing each other."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from resync_tui.agent.start import start_detached
from resync_tui.control.liveness import HostLock, known_dead, this_kernel
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.outcome import Status
from tests.support.forks import Popen
from tests.support.processes import is_over
from tests.support.site.fake import FakeSite
from tests.support.waiting import until


async def test_killed_agents_batch_is_taken_over_at_once_on_same_host(site: FakeSite) -> None:
    site.work.play("01", "block")
    (number,) = await site.send("01")
    killed = site.start()
    await site.moving(number)
    successor = site.start()
    await until(lambda: _agents(site, 2))
    killed.kill()
    killed.wait()
    # The lease of 600 s cannot have lapsed: the dead agent's lock told.
    await until(lambda: _attempts(site, number, 2))
    site.work.go("01")
    batch = await site.reached(number, Status.COMPLETED)
    assert batch.agent.endswith(f":{successor.pid}")
    first, second = sorted({token for _, token, _ in site.work.journal()})
    assert [act for _, token, act in site.work.journal() if token == second][-1] == "end"
    assert first < second
    assert [each.pid for each in await site.store.agents()] == [successor.pid]


async def test_dead_agent_is_not_alive_though_its_lease_still_runs(site: FakeSite) -> None:
    killed = site.start()
    await until(lambda: _agents(site, 1))
    killed.kill()
    killed.wait()
    (agent,) = await site.store.agents()
    assert not agent.alive


async def test_stopped_agent_writes_nothing_more_after_waking(
    site: FakeSite,
) -> None:
    site.lease_seconds = 45
    site.work.play("01", "block")
    (number,) = await site.send("01")
    sleeper = site.start()
    await site.moving(number)
    await site.stop(sleeper)
    await site.lapse()
    site.start()
    await until(lambda: _attempts(site, number, 2))
    site.work.go("01")
    batch = await site.reached(number, Status.COMPLETED)
    site.work.play("01", "complete")
    sleeper.send_signal(signal.SIGCONT)
    (old, _) = sorted({token for _, token, _ in site.work.journal()})

    async def woken() -> bool:
        # Whichever it meets first: its heartbeat's answer, or that of what it writes.
        told = any(words in site.log() for words in ("its lease is another agent's", "is no longer this agent's"))
        return told and ("01", old, "end") in site.work.journal()

    await until(woken)
    assert await site.store.batch(number) == batch
    sleeper.terminate()
    assert await site.ended(sleeper) == 0
    assert await site.store.batch(number) == batch


async def test_an_agent_that_is_asked_to_end_puts_its_batches_back(site: FakeSite) -> None:
    site.work.play("01", "block")
    (number,) = await site.send("01")
    leaving = site.start()
    await site.moving(number)
    leaving.terminate()
    assert await site.ended(leaving) == 0
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts) == (Status.QUEUED, 1)
    assert {each.status for each in batch.objects} == {Status.QUEUED}
    assert await site.store.agents() == []
    acts = [act for _, _, act in site.work.journal()]
    assert acts[-2:] == ["cleaned up after CancelledError", "end"]
    site.work.go("01")
    assert await site.ended(site.start("--once")) == 0
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts) == (Status.COMPLETED, 2)


async def test_two_agents_share_the_queue_without_ever_overlapping(site: FakeSite) -> None:
    districts = ("01", "02", "03", "04")
    for district in districts:
        site.work.play(district, "block")
    numbers = [each for _ in range(4) for each in await site.send(*districts)]
    agents = [site.start("--once") for _ in range(2)]

    async def as_many_as_may() -> bool:
        begun = {district for district, _, act in site.work.journal() if act == "chunk"}
        return len(begun) == site.settings.engine.districts

    await until(as_many_as_may)
    for district in districts:
        site.work.go(district)
    assert [await site.ended(each) for each in agents] == [0, 0]
    assert {(await site.store.batch(each)).status for each in numbers} == {Status.COMPLETED}
    running: list[str] = []
    most = 0
    for district, _, act in site.work.journal():
        if act == "begin":
            assert district not in running
            running.append(district)
            most = max(most, len(running))
        elif act == "end":
            running.remove(district)
    assert most == site.settings.engine.districts


async def test_the_limit_of_districts_holds_over_two_agents(site: FakeSite) -> None:
    for district in ("01", "02", "03"):
        site.work.play(district, "block")
    first, second, third = await site.send("01", "02", "03")
    site.start()
    site.start()
    await until(lambda: _agents(site, 2))
    await site.moving(first)
    await site.moving(second, chunks=50)
    assert (await site.store.batch(third)).status is Status.QUEUED
    site.work.go("01")
    await site.moving(third)
    assert (await site.store.batch(first)).status is Status.COMPLETED


async def test_detached_agent_has_its_own_session_and_no_terminal(
    site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_PASSWORD", "named")
    monkeypatch.setenv("ANOTHER_PASSWORD", "hunter2")
    pids = [start_detached(site.settings.path, {"STATE_PASSWORD"}) for _ in range(2)]
    try:
        await until(lambda: _agents(site, 2))
        assert {each.pid for each in await site.store.agents()} == set(pids)
        for pid in pids:
            process = psutil.Process(pid)
            assert (os.getsid(pid), process.terminal()) == (pid, None)
            assert process.cmdline()[-2:] == ["--idle-seconds", "300"]
            assert not [word for word in process.cmdline() if word in ("District", "School")]
            assert process.environ()["STATE_PASSWORD"] == "named"
            assert "hunter2" not in process.environ().values()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

    async def none_left() -> bool:
        return all(map(is_over, pids))

    await until(none_left)
    assert (tmp_path / "state/resync-tui/agent.out").read_text() == ""
    assert await site.store.agents() == []


def test_a_lock_tells_of_death_only_where_that_is_certain(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/control.db"
    lock = HostLock(url, "a1")
    assert not known_dead(url, "a1", this_kernel())
    lock.take()
    assert not known_dead(url, "a1", this_kernel())
    holder = "import sys, time; from resync_tui.control.liveness import HostLock; "
    holder += f"lock = HostLock({url!r}, 'b2'); lock.take(); print(flush=True); time.sleep(60)"
    with Popen[bytes]([sys.executable, "-c", holder], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert not known_dead(url, "b2", this_kernel())
        other.send_signal(signal.SIGSTOP)
        assert not known_dead(url, "b2", this_kernel())
        other.kill()
    assert known_dead(url, "b2", this_kernel())
    assert not known_dead(url, "b2", "another machine, or before a reboot")
    lock.release()
    assert not (tmp_path / "agents" / "a1.lock").exists()


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_control_outage_stops_the_work_before_the_lease_lapses(site: FakeSite) -> None:
    site.lease_seconds = 6
    site.work.play("01", "block")
    (number,) = await site.send("01")
    site.start()
    await site.moving(number)
    with closing(sqlite3.connect(sqlite_path(site.settings.control_url()), isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        attempts, stopped = (await site.store.batch(number)).attempts, _stopped(site)
        await until(lambda: _stopped(site) > stopped)
        blocker.execute("ROLLBACK")
    site.work.go("01")
    batch = await site.reached(number, Status.COMPLETED)
    assert batch.attempts == attempts + 1


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_short_control_outage_does_not_interrupt_the_work(site: FakeSite, postgres_server: str) -> None:
    import asyncpg

    site.lease_seconds = 30
    site.work.play("01", "block")
    (number,) = await site.send("01")
    site.start()
    await site.moving(number)
    admin = await asyncpg.connect(postgres_server)
    name = site.settings.control_url().rpartition("/")[2]
    try:
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        before = len(site.work.journal())

        async def told() -> bool:
            return "the control database" in site.log().lower() and len(site.work.journal()) > before + 5

        await until(told)
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    finally:
        await admin.close()
    site.work.go("01")
    batch = await site.reached(number, Status.COMPLETED)
    assert batch.attempts == 1


async def _agents(site: FakeSite, count: int) -> bool:
    return len([each for each in await site.store.agents() if each.alive]) == count


async def _attempts(site: FakeSite, number: int, count: int) -> bool:
    return (await site.store.batch(number)).attempts == count


def _stopped(site: FakeSite) -> int:
    return [act for _, _, act in site.work.journal()].count("cleaned up after CancelledError")
