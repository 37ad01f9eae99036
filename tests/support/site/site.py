"""A site: districts, a state and a control database, all real, and agents as processes of their own."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import anyio

from resync_tui.config.load import load_catalog
from resync_tui.control.store import Store
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.outcome import Status
from resync_tui.paths import log_path
from resync_tui.plan import Plan, Request, make_plan
from resync_tui.results import Batch, ObjectResult
from tests.support.databases import run_script
from tests.support.forks import ROOT, Popen
from tests.support.site.records import Records
from tests.support.waiting import until


@dataclass
class Site(Records):
    """Everything of one test: its databases, and whoever works on them."""

    store: Store
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    lease_seconds: float = 45
    initiator: str = "district"

    def __post_init__(self) -> None:
        (self.folder / "tmp").mkdir(exist_ok=True)

    # --- agents and batches ---

    def agent(self, *options: str) -> tuple[str, ...]:
        """Return the module of an agent, with its options."""
        return "resync_tui", "--config", str(self.settings.path), "agent", *options

    def plan(self, objects: Sequence[str]) -> Plan:
        """Return the plan of some objects of the site's catalog, and what they need."""
        return make_plan(load_catalog(self.settings), objects, 2026)

    def start(self, *options: str, lease_seconds: float | None = None) -> subprocess.Popen[bytes]:
        """Start an agent."""
        return self.start_module(*self.agent(*options), lease_seconds=lease_seconds or self.lease_seconds)

    def start_module(self, *command: str, lease_seconds: float) -> subprocess.Popen[bytes]:
        """Start an agent by another module."""
        environ = os.environ | {
            "RESYNC_TUI_LEASE_SECONDS": str(lease_seconds),
            "TMPDIR": str(self.folder / "tmp"),
            "SQLITE_TMPDIR": str(self.folder / "tmp"),
        }
        with (self.folder / "agent.out").open("ab") as output:
            run = [sys.executable, "-m", *command]
            process = Popen[bytes](run, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True)
        self.processes.append(process)
        return process

    def hurry(self) -> None:
        """Lift the limit of records a second for agents that start from here on."""
        text = self.settings.path.read_text()
        lifted = re.sub(r"^max_records_per_second = \d+$", "max_records_per_second = 0", text, flags=re.MULTILINE)
        self.settings.path.write_text(lifted)

    def end(self) -> None:
        """End every agent that is left."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    async def send(self, *districts: str, objects: Sequence[str] = ("Enrollment", "Health")) -> list[int]:
        """Queue a request; return the batches' numbers."""
        user = self.store.rights.user
        sent = await self.store.submit(
            Request(districts, self.plan(objects), initiator=self.initiator, requested_by=user)
        )
        return [each.batch for each in sent]

    async def result(self, number: int, name: str) -> ObjectResult:
        """Return a row of DISBatchHistory."""
        return next(each for each in (await self.store.batch(number)).objects if each.object == name)

    async def reached(self, number: int, *statuses: Status) -> Batch:
        """Wait until a batch stands so."""

        async def stands() -> bool:
            return (await self.store.batch(number)).status in statuses

        await until(stands)
        return await self.store.batch(number)

    async def in_the_middle(self, number: int, name: str = "Enrollment") -> ObjectResult:
        """Wait until some records of an object are accounted for, but not all."""
        found: list[ObjectResult] = []

        async def moving() -> bool:
            result = await self.result(number, name)
            found.append(result)
            assert result.status in (Status.QUEUED, Status.RUNNING), result
            return 0 < result.counts.processed < (result.total or 0)

        await until(moving)
        return found[-1]

    async def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a process to end; return its exit code."""

        async def gone() -> bool:
            return process.poll() is not None

        await until(gone)
        return int(process.returncode)

    async def lapse(self) -> None:
        """Let every lease end at once, and let no agent have been heard of for as long."""
        url = self.settings.control_url()
        long_ago = "2001-01-01 00:00:00.000000" + ("" if url.startswith("sqlite") else "+00")
        await run_script(
            url,
            f"""UPDATE "DISRunning" SET "expires" = '{long_ago}'; UPDATE "DISAgent" SET "seenAt" = '{long_ago}';""",
        )

    async def stop(self, process: subprocess.Popen[bytes]) -> None:
        """SIGSTOP an agent, but in no transaction on a SQLite control database, whose lock it would keep."""
        url = self.settings.control_url()
        while True:
            process.send_signal(signal.SIGSTOP)
            if not url.startswith("sqlite"):
                return
            with closing(sqlite3.connect(sqlite_path(url), timeout=0)) as probe:
                try:
                    probe.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    process.send_signal(signal.SIGCONT)
                    await anyio.sleep(0.01)
                else:
                    return

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL an agent."""
        assert process.poll() is None
        process.kill()
        process.wait()

    def must_live(self, process: subprocess.Popen[bytes]) -> None:
        """Fail, with what it wrote, where an agent has ended that nobody ended."""
        assert process.poll() is None, (process.returncode, (self.folder / "agent.out").read_text()[-5_000:])

    def log(self) -> str:
        """Return what the agents have logged."""
        file = log_path(self.settings.control_url())
        return file.read_text() if file.exists() else ""
