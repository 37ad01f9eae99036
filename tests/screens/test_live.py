"""The whole program in a terminal: one object of 200,000 records, held back by the rate limit."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import anyio
import pytest

from resync_tui.config import Settings, load
from resync_tui.control.store import Store
from resync_tui.outcome import Counts, Status
from tests.screens.pseudo_terminal import DEADLINE, ROOT, Terminal, terminal

RECORDS = 200_000
CONFIG = """
edition = "district"
[control]
url = "sqlite:///control.db"
[state]
name = "NV"
url = "sqlite:///state.db"
[[district]]
id = "01"
name = "Abbott"
url = "sqlite:///abbott.db"
[years]
current = 2026
[engine]
max_records_per_second = 60000
[catalog]
file = "objects.toml"
"""
CATALOG = """
name = "One object"
[[object]]
name = "Enrollment"
tables = ["Enrollment"]
"""
COUNT = re.compile(r"(?<!reading )(?<![\d,])([\d,]+)/200,000 ")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A district whose one table is not yet in the state."""
    (tmp_path / "resync.toml").write_text(CONFIG)
    (tmp_path / "objects.toml").write_text(CATALOG)
    for name, rows in (("abbott", RECORDS), ("state", 0)):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database, database:
            database.execute('CREATE TABLE "Enrollment" ("enrollmentID" INTEGER PRIMARY KEY, "grade" TEXT NOT NULL)')
            database.executemany('INSERT INTO "Enrollment" VALUES (?, ?)', ((n, f"{n % 13:02}") for n in range(rows)))
    return load(tmp_path / "resync.toml")


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """The control database; agents that were started on it end with the test."""
    opened = await Store.open(settings.control_url())
    try:
        yield opened
    finally:
        for agent in await opened.agents():
            with suppress(ProcessLookupError):
                os.kill(agent.pid, signal.SIGKILL)
        await opened.close()


@pytest.fixture
def agent_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """An agent with a short lease, as a process."""
    command = [sys.executable, "-m", "resync_tui", "--config", str(settings.path), "agent"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"RESYNC_TUI_LEASE_SECONDS": "2"})
    yield process
    process.kill()
    process.wait()


@pytest.fixture
async def agent(agent_process: subprocess.Popen[bytes], store: Store) -> subprocess.Popen[bytes]:
    """An agent that the screens will find alive, so that they start no other."""

    async def alive() -> bool:
        return any(each.pid == agent_process.pid and each.alive for each in await store.agents())

    await until(alive)
    return agent_process


def screens(settings: Settings) -> tuple[str, ...]:
    """Return the command line of the screens."""
    return "resync_tui", "--config", str(settings.path)


async def until(condition: Callable[[], Awaitable[bool]], shown: Terminal | None = None) -> None:
    """Wait for something while the terminal goes on reading."""
    with anyio.fail_after(DEADLINE):
        while not await condition():
            if shown is not None:
                shown.read()
            await anyio.sleep(0.02)


async def test_counts_grow_and_agree_with_history_and_the_batch_outlives_the_terminal(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    seen: list[int] = []

    async def grown() -> bool:
        batches = await store.batches()
        counts = [int(text.replace(",", "")) for text in COUNT.findall(shown.text)]
        between = [count for count in counts if 0 < count < RECORDS]
        if between and between[-1:] != seen[-1:]:
            seen.append(between[-1])
            assert batches[0].status is Status.RUNNING
            assert between[-1] <= (await store.batch(1)).counts.processed
        return len(seen) >= 5

    with terminal(*screens(settings), XDG_STATE_HOME=str(tmp_path)) as shown:
        shown.reads_until(b"DIS Objects")
        shown.press(" s")
        shown.reads_until(b"any other key goes back")
        shown.press("y")
        await until(grown, shown)
        assert seen == sorted(seen)
        assert "○ Enrollment" in shown.text.replace("\n", "")
        shown.close()
        await until(lambda: _ended(store))
    batch = await store.batch(1)
    assert batch.status is Status.COMPLETED
    assert batch.counts == Counts(processed=RECORDS, inserted=RECORDS)


async def test_a_stopped_agent_has_not_been_heard_of_since_its_last_sign(
    settings: Settings, agent: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with terminal(*screens(settings), XDG_STATE_HOME=str(tmp_path)) as shown:
        shown.reads_until(b"DIS Objects")
        shown.press(" s")
        shown.reads_until(b"any other key goes back")
        shown.press("y")
        shown.reads_until(b"Agent alive")
        agent.send_signal(signal.SIGSTOP)
        shown.reads_until(b"has not been heard of since")
        assert re.search(r"since \d\d:\d\d:\d\d", shown.text)
        assert "resync-tui agent --config" in shown.text


async def _ended(store: Store) -> bool:
    return (await store.batch(1)).status.ended
