"""The whole program in a terminal: one object, held back by the rate limit."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from tests.support.forks import ROOT, Popen
from tests.support.screens.live import RECORDS, completes, reading, screens, send
from tests.support.screens.pseudo_terminal import terminal
from tests.support.waiting import until

COUNT = re.compile(rf"(?<!reading )(?<![\d,])([\d,]+)/{RECORDS:,} ")


@pytest.fixture
def agent_process(settings: Settings) -> Iterator[Popen[bytes]]:
    """An agent with a short lease, as a process."""
    command = [sys.executable, "-m", "resync_tui", "--config", str(settings.path), "agent"]
    process = Popen[bytes](command, cwd=ROOT, env=os.environ | {"RESYNC_TUI_LEASE_SECONDS": "2"})
    yield process
    process.kill()
    process.wait()


@pytest.fixture
async def agent(agent_process: Popen[bytes], store: Store) -> Popen[bytes]:
    """An agent that the screens will find alive, so that they start no other."""

    async def alive() -> bool:
        return any(each.pid == agent_process.pid and each.alive for each in await store.agents())

    await until(alive)
    return agent_process


async def test_counts_grow_and_the_batch_outlives_the_terminal(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    def visible_batches() -> list[int]:
        counts = [int(text.replace(",", "")) for text in COUNT.findall(shown.text)]
        return [count for count in counts if 0 < count < RECORDS]

    async def grown() -> bool:
        if counts := visible_batches():
            assert counts[-1] <= (await store.batch(1)).counts.processed
        return len(set(counts)) >= 5

    with terminal(*screens(settings), XDG_STATE_HOME=str(tmp_path)) as shown:
        shown.reads_until(b"DIS Objects")
        shown.press(" s")
        shown.reads_until(b"any other key goes back")
        shown.settles()
        shown.press("y")
        await until(grown, reading(shown))
        assert visible_batches() == sorted(visible_batches())
        assert "○ Enrollment" in shown.text.replace("\n", "")
        shown.close()
        await completes(store)


async def test_stopped_agent_is_shown_as_not_heard_of_since(
    settings: Settings, agent: Popen[bytes], tmp_path: Path
) -> None:
    with terminal(*screens(settings), XDG_STATE_HOME=str(tmp_path)) as shown:
        send(shown)
        shown.reads_until(b"Agent alive")
        agent.send_signal(signal.SIGSTOP)
        shown.reads_until(b"has not been heard of since")
        shown.reads_while(lambda: not re.search(r"not been heard of since \d\d:\d\d:\d\d", shown.text))
        shown.reads_until(b" is silent: restart it there.")
