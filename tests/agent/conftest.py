"""A site of districts whose work is faked, on a control database of each kind, with real agent processes."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from resync_tui.config.load import load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.outcome import Status
from resync_tui.paths import log_path
from resync_tui.plan import Request
from resync_tui.results import Batch
from tests.agent.fake_work import FakeWork
from tests.control.conftest import make_plan

ROOT = Path(__file__).parents[2]
DISTRICTS = ("01", "02", "03", "04")


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    """Wait for a condition; fail when it does not come true in time."""
    with anyio.fail_after(seconds):
        while not await condition():  # noqa: ASYNC110 - the event is in another process
            await anyio.sleep(0.02)


@dataclass
class Site:
    """One control database, its districts, and whoever works there."""

    settings: Settings
    store: Store
    work: FakeWork
    lease_seconds: float = 600
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start an agent in a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.agent.fake_work", str(self.settings.path), *options],
            cwd=ROOT,
            env={**os.environ, "RESYNC_TUI_LEASE_SECONDS": str(self.lease_seconds)},
        )
        self.processes.append(process)
        return process

    async def send(self, *districts: str) -> list[int]:
        """Queue a request; return the batches' numbers."""
        sent = await self.store.submit(
            Request(districts, make_plan("District", "School"), initiator="state", requested_by=self.store.rights.user)
        )
        return [each.batch for each in sent]

    async def reached(self, number: int, *statuses: Status) -> Batch:
        """Wait until a batch stands so."""
        await until(lambda: self._stands(number, statuses))
        return await self.store.batch(number)

    async def _stands(self, number: int, statuses: tuple[Status, ...]) -> bool:
        return (await self.store.batch(number)).status in statuses

    async def moving(self, number: int, chunks: int = 1) -> Batch:
        """Wait until some progress of a running batch can be seen."""

        async def seen() -> bool:
            batch = await self.store.batch(number)
            return batch.status is Status.RUNNING and batch.counts.processed >= chunks

        await until(seen)
        return await self.store.batch(number)

    async def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a process to end; return its exit code."""

        async def gone() -> bool:
            return process.poll() is not None

        await until(gone)
        return int(process.returncode)

    def log(self) -> str:
        """Return what the agents have logged."""
        file = log_path(self.settings.control_url())
        return file.read_text() if file.exists() else ""


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of control database."""
    return str(request.param)


@pytest.fixture
def settings(kind: str, database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Four districts, two at a time."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lines = [f'[control]\nurl = "{database(kind)}"', '[state]\nname = "NV"\nurl = "sqlite:///state.db"']
    lines += ["[years]\ncurrent = 2026", "[engine]\ndistricts = 2"]
    lines += [f'[[district]]\nid = "{each}"\nname = "D{each}"\nurl = "sqlite:///{each}.db"' for each in DISTRICTS]
    file = tmp_path / "resync.toml"
    file.write_text("\n".join(lines))
    return load_settings(file)


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    """A site without agents yet; those that are started are ended with it."""
    store = await Store.open(settings.control_url())
    site = Site(settings, store, FakeWork(settings.path.parent))
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
    await store.close()
