"""An agent that is stopped while another takes over: when it wakes it commits nothing and writes nothing."""

import signal
import subprocess
from contextlib import nullcontext

import psutil
import pytest

from resync_tui.outcome import Status
from tests.support.site.holding import in_a_chunk
from tests.support.site.records import accounts_hold
from tests.support.site.site import Site
from tests.support.waiting import until


async def taken_over(site: Site, number: int) -> None:
    """Change the district, let the lease lapse, and let another agent finish the batch."""
    site.hurry()
    await site.add_person("01", 90_001)
    await site.change("01", 'UPDATE "Person" SET "name" = \'Renamed\' WHERE "personID" = 7')
    await site.lapse()
    successor = site.start()
    batch = await site.reached(number, Status.COMPLETED)
    successor.terminate()
    assert await site.ended(successor) == 0
    assert batch.attempts == 2
    assert batch.agent.endswith(f":{successor.pid}")
    accounts_hold(batch)
    await site.all_is_right("01")


async def sleeps(site: Site) -> tuple[int, subprocess.Popen[bytes]]:
    """Start a batch with an agent; return both in mid-object."""
    (number,) = await site.send("01")
    sleeper = site.start()
    await site.in_the_middle(number)
    return number, sleeper


async def nothing_comes_of_it(site: Site, sleeper: subprocess.Popen[bytes]) -> None:
    """Wake it: both databases stay as they are, it says why, and does the next batch as if nothing had been."""
    state, control = await site.raw_state(), await site.raw_control()
    sleeper.send_signal(signal.SIGCONT)

    async def told() -> bool:
        # Whichever it meets first: its heartbeat's answer, or the end of the time for which it had its lease.
        return any(words in site.log() for words in ("its lease is another agent's", "is no longer this agent's"))

    await until(told)
    assert await site.raw_state() == state
    assert await site.raw_control() == control
    await site.change("01", 'UPDATE "Person" SET "name" = \'Again\' WHERE "personID" = 8')
    (following,) = await site.send("01")
    batch = await site.reached(following, Status.COMPLETED)
    assert batch.agent.endswith(f":{sleeper.pid}")
    assert (batch.counts.updated, batch.counts.inserted) == (1, 0)
    await site.all_is_right("01")


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_the_woken_one_commits_nothing(site: Site) -> None:
    number, sleeper = await sleeps(site)
    async with in_a_chunk(site, "01", 1_199):
        await site.stop(sleeper)
    await taken_over(site, number)
    await nothing_comes_of_it(site, sleeper)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("in_chunk", [True, False])
async def test_on_sqlite_the_stopped_one_is_ended(site: Site, in_chunk: bool) -> None:
    """It may have been stopped in a transaction, and nobody else could make it let go of the file's lock."""
    number, sleeper = await sleeps(site)
    async with in_a_chunk(site, "01", 1_199) if in_chunk else nullcontext():
        await site.stop(sleeper)
    await taken_over(site, number)
    assert await site.ended(sleeper) == -signal.SIGKILL


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_stopped_while_it_holds_the_control_database_it_is_ended(site: Site) -> None:
    (number,) = await site.send("01")
    sleeper = site.start_module("tests.support.site.stops_inside", str(site.settings.path), lease_seconds=2)

    async def stopped() -> bool:
        return bool(psutil.Process(sleeper.pid).status() == psutil.STATUS_STOPPED)

    await until(stopped)
    successor = site.start(lease_seconds=12)
    assert await site.ended(sleeper) == -signal.SIGKILL
    batch = await site.reached(number, Status.COMPLETED)
    assert (batch.attempts, batch.agent.rpartition(":")[2]) == (2, str(successor.pid))
    assert f"agent {sleeper.pid} was stopped" in site.log()
    await site.all_is_right("01")
