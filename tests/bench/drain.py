"""How long 1, 2 and 4 agents take to drain one request: `python -m tests.bench.drain`.

First the real engine, small SQLite districts into a PostgreSQL state, four batches at a time over all agents; then the
queue's own speed, 300 districts with work that moves nothing. The control database is on PostgreSQL throughout.
RESYNC_TUI_TEST_POSTGRES names a server, else a private one is started.
"""

import argparse
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import anyio
import asyncpg

from resync_tui.agent.run import Work
from resync_tui.agent.service import run_agent
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.progress import Lease
from resync_tui.control.store import Store
from resync_tui.demo.private_postgres import PrivatePostgres
from resync_tui.engine.events import ObjectEnded, ObjectStarted, Report
from resync_tui.outcome import Counts, Status
from resync_tui.plan import Request, make_plan
from resync_tui.results import Batch
from tests.support.small_site import CATALOG, DISTRICT, STATE

ROOT = Path(__file__).parents[2]
DISTRICTS = 300
SMALL, ROWS = 60, 2000
"""Districts of the lines with the real engine, and the records of each."""
AT_A_TIME = 4


def work_of(_settings: Settings, lease: Lease) -> Work:
    """Report every object as done."""

    async def run(report: Report) -> Status:
        for name in lease.plan.names:
            report(ObjectStarted(name))
            report(ObjectEnded(name, Status.COMPLETED, Counts(processed=1, unchanged=1)))
        return Status.COMPLETED

    async def clear() -> None:
        """Nothing was left."""

    return Work(run, clear)


def write_config(folder: Path, control: str, state: str, districts: int, at_a_time: int) -> Path:
    """Write a resync.toml with the small catalog and so many districts; return its path."""
    lines = [f'[control]\nurl = "{control}"', f'[state]\nname = "NV"\nurl = "{state}"', "[years]\ncurrent = 2026"]
    lines += [f"[engine]\ndistricts = {at_a_time}", '[catalog]\nfile = "objects.toml"']
    lines += [
        f'[[district]]\nid = "{number:03}"\nname = "D{number}"\nurl = "sqlite:///{number:03}.db"'
        for number in range(1, districts + 1)
    ]
    (folder / "objects.toml").write_text(CATALOG)
    file = folder / "resync.toml"
    file.write_text("\n".join(lines))
    file.chmod(0o600)
    return file


async def submit(settings: Settings) -> int:
    """Ask for everything of every district; return the request's number."""
    catalog = load_catalog(settings)
    plan = make_plan(catalog, [each.name for each in catalog.objects], 2026)
    store = await Store.open(settings.control_url())
    try:
        districts = [each.id for each in settings.district]
        sent = await store.submit(Request(districts, plan, initiator="state", requested_by=store.rights.user))
    finally:
        await store.close()
    return sent[0].request


async def outcome(settings: Settings, request: int) -> list[Batch]:
    """Return the batches of a request."""
    store = await Store.open(settings.control_url())
    try:
        return await store.request(request)
    finally:
        await store.close()


def drain(config: Path, agents: int, *options: str) -> str:
    """Drain one request with so many agents; return a line about it. Raises AssertionError where two overlapped."""
    settings = load_settings(config)
    request = anyio.run(submit, settings)
    begun = time.monotonic()
    command = [sys.executable, "-m", "tests.bench.drain", "--agent", str(config), *options]
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(agents)]
    codes = [each.wait() for each in running]
    seconds = time.monotonic() - begun
    batches = anyio.run(outcome, settings, request)
    assert codes == [0] * agents
    assert {(each.status, each.attempts) for each in batches} == {(Status.COMPLETED, 1)}
    share = "/".join(str(count) for count in sorted(Counter(each.agent for each in batches).values()))
    how = f"{_span(batches):.1f} s ({seconds:.1f} s with start and end of the agents)"
    return f"{agents} agents: {len(batches)} districts in {how}, shared {share}"


def _span(batches: list[Batch]) -> float:
    started: list[datetime] = [each.started for each in batches if each.started]
    finished: list[datetime] = [each.finished for each in batches if each.finished]
    return (max(finished) - min(started)).total_seconds()


async def new_database(admin: str) -> str:
    """Return the URL of a fresh database."""
    name = f"drain_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(admin)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))


def main() -> None:
    """Print a line a number of agents, and one with the real engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", type=Path)
    parser.add_argument("--engine", action="store_true")
    told = parser.parse_args()
    if told.agent:
        work = None if told.engine else work_of
        anyio.run(lambda: run_agent(load_settings(told.agent), once=True, idle_seconds=None, work_of=work))
        return
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as data:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = name
        server = None if "RESYNC_TUI_TEST_POSTGRES" in os.environ else PrivatePostgres(Path(data))
        admin = server.start() if server else os.environ["RESYNC_TUI_TEST_POSTGRES"]
        try:
            engine, queue = folder / "engine", folder / "queue"
            control, state = anyio.run(new_database, admin), anyio.run(new_database, admin)
            make_districts(engine)
            config = write_config(engine, control, state, SMALL, AT_A_TIME)
            for agents in (1, 2, 4):
                anyio.run(empty_state, state)
                print("engine,", drain(config, agents, "--engine"), flush=True)
            queue.mkdir()
            config = write_config(queue, anyio.run(new_database, admin), state, DISTRICTS, DISTRICTS)
            for agents in (1, 2, 4):
                print("queue alone,", drain(config, agents), flush=True)
        finally:
            if server:
                server.stop("immediate")


def make_districts(folder: Path) -> None:
    """Make so many SQLite districts of so many records."""
    folder.mkdir()
    for number in range(1, SMALL + 1):
        with closing(sqlite3.connect(folder / f"{number:03}.db")) as connection, connection:
            connection.executescript(DISTRICT.replace("'01'", f"'{number:03}'"))
            rows = ((school, 1, "East") for school in range(10, 10 + ROWS))
            connection.executemany('INSERT INTO "School" VALUES (?, ?, ?)', rows)


async def empty_state(state: str) -> None:
    """Make the state's tables anew."""
    connection = await asyncpg.connect(state)
    await connection.execute('DROP TABLE IF EXISTS "School", "District"')
    await connection.execute(STATE.partition("INSERT")[0])
    await connection.close()


if __name__ == "__main__":
    main()
