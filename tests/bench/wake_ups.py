"""How soon screens and commands show what an agent does: `python -m tests.bench.wake_ups` prints a table.

The real screens in a pseudo-terminal, a real agent, a control database of each kind; run it on a machine that does
nothing else. Words choose its parts: `dots`, `run`; the kinds: `sqlite`, `postgresql`.
"""

import asyncio
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

from resync_tui.config.load import load_settings
from resync_tui.control.store import Store
from resync_tui.demo.build import build
from resync_tui.results import Agent
from tests.support.databases import create_database, own_postgres
from tests.support.forks import ROOT
from tests.support.screens import live
from tests.support.screens.pseudo_terminal import Terminal, terminal
from tests.support.waiting import wait_until

TIMES = 50
STARTS = 9
BUDGET = 0.3
"""Seconds from a key, or from the last record, to its dot."""
RECORDS = 150_000
"""Records of the one object: enough for its dot to be gray for a while."""
RUN = ("run", "Calendar", "-d", "01", "--no-check-dependencies", "--yes")


def row(what: str, found: str, wanted: str) -> None:
    """Print a line of the table."""
    print(f"| {what} | {found} | {wanted} |", flush=True)


@contextmanager
def agent(config: Path) -> Iterator[None]:
    """Run an agent, and wait until it serves."""
    command = [sys.executable, "-m", "resync_tui", "--config", str(config), "agent"]
    log = config.parent / "agent.out"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until(lambda: asyncio.run(agents(config)))
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait()


async def agents(config: Path) -> list[Agent]:
    """Return the agents that serve, or did."""
    store = await Store.open(load_settings(config).control_url())
    try:
        return await store.agents()
    finally:
        await store.close()


def site(folder: Path, control: str | None) -> Path:
    """Write a site of one object whose batch takes a moment; return its resync.toml."""
    live.build(folder)
    file = folder / "resync.toml"
    text = file.read_text().replace("= 6000", "= 0")
    file.write_text(text if control is None else text.replace("sqlite:///control.db", control))
    file.chmod(0o600)
    with closing(sqlite3.connect(folder / "abbott.db")) as database, database:
        database.execute('DELETE FROM "Enrollment"')
        database.executemany('INSERT INTO "Enrollment" VALUES (?, ?)', ((n, f"{n % 13:02}") for n in range(RECORDS)))
    return file


def paints(shown: Terminal, dot: str) -> Callable[[], bool]:
    """Return whether the dot of the object stands on the screen since the last key."""
    begun = len(shown.output)
    painted = re.compile(dot.encode() + rb"(?:\x1b\[[\d;]*m| )*Enrollment")
    return lambda: painted.search(shown.output, begun) is not None


def dots(folder: Path, control: str | None, kind: str) -> None:
    """Measure from `y` to the gray dot, and from the last record to the green one."""
    config = site(folder, control)
    begins, ends = [], []
    with (
        agent(config),
        terminal("resync_tui", "--config", str(config), size=(120, 40)) as shown,
        closing(sqlite3.connect(folder / "state.db")) as state,
    ):
        shown.reads_until(b"DIS Objects")
        shown.settles()
        for number in range(TIMES):
            with state:
                state.execute('DELETE FROM "Enrollment"')
            shown.press(" s")
            shown.reads_until(b"any other key goes back")
            shown.settles()
            time.sleep(0.013 * (number % 17))
            shown.press("y")
            begins.append(_until(shown, paints(shown, "○")))
            green = paints(shown, "●")
            while not _has_all(state):
                shown.read(0.002)
            ends.append(_until(shown, green))
            shown.settles()
            shown.press("\x1b[27u")
            shown.reads_until(b"DIS Objects")
            shown.settles()
    _tell(f"`y` to the first gray dot, {kind}", begins)
    _tell(f"last record to the coloured dot, {kind}", ends)


def _has_all(state: sqlite3.Connection) -> bool:
    return bool(state.execute('SELECT count(*) >= ? FROM "Enrollment"', (RECORDS,)).fetchone()[0])


def _until(shown: Terminal, condition: Callable[[], bool]) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < 30, shown.text[-4000:]
        shown.read(0.01)
    return time.monotonic() - begun


def _tell(what: str, took: list[float]) -> None:
    took.sort()
    p50, p95 = statistics.median(took), took[int(len(took) * 0.95)]
    row(what, f"p50 {p50:.2f} s, p95 {p95:.2f} s = {p95 / BUDGET:.2f} of {BUDGET} s", "p95 at most 1 of it")


def seconds(command: list[str]) -> float:
    """Return the seconds of a command, the median of several."""
    took = []
    for _ in range(STARTS):
        begun = time.monotonic()
        done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=False)
        took.append(time.monotonic() - begun)
        assert done.returncode in (0, 1), done.stderr.decode()
    return statistics.median(took)


def run(folder: Path, admin: str | None, kind: str) -> None:
    """Measure `run` of one object of the demo, from its start to its end, with an agent there and without."""
    config = asyncio.run(build(folder / "demo", students=200, admin_url=admin))
    command = ["-m", "resync_tui", *RUN, "--config", str(config)]
    bare = seconds(["-c", "import sqlmodel"])
    with agent(config):
        seconds(command)
        there = seconds(command)
    row(f"`run` of one object, {kind}", f"{there:.2f} s / {bare:.2f} s = {there / bare:.2f}", "at most 1.6")
    alone = []
    for _ in range(STARTS):
        begun = time.monotonic()
        subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=False)
        alone.append(time.monotonic() - begun)
        _end_agents(config)
    lone = statistics.median(alone)
    row(f"the same without an agent, {kind}", f"{lone:.2f} s / {bare:.2f} s = {lone / bare:.2f}", "at most 3")


def _end_agents(config: Path) -> None:
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "agent" in words and str(config) in words:
            process.terminate()
            process.wait()


def measure(folder: Path, admin: str | None, kind: str, parts: Sequence[str]) -> None:
    """Measure the chosen parts with a control database of one kind."""
    folder.mkdir()
    if "dots" in parts:
        dots(folder, create_database(admin, "dots") if admin else None, kind)
    if "run" in parts:
        run(folder, admin, kind)


def main() -> None:
    """Print the table."""
    chosen = sys.argv[1:]
    parts = [part for part in ("dots", "run") if part in chosen] or ["dots", "run"]
    kinds = [kind for kind in ("sqlite", "postgresql") if kind in chosen] or ["sqlite", "postgresql"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = name
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # What is measured is a start with compiled files.
        print("| what | measured | wanted |\n| --- | --- | --- |")
        for kind in kinds:
            with own_postgres() if kind == "postgresql" else nullcontext() as server:
                measure(folder / kind, server.admin_url if server else None, kind, parts)


if __name__ == "__main__":
    main()
