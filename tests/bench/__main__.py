"""What a resync costs, in ratios against its peers in the same run: `python -m tests.bench`.

Both databases are on one PostgreSQL: a private one, or that of --postgres URL (a superuser's). dlt and reladiff are
left out where they are not installed: `pip install -e '.[bench]'`.
"""

import argparse
import asyncio
import os
import platform
import tempfile
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from resync_tui.agent.garbage import collect_rarely
from resync_tui.demo.private_postgres import PrivatePostgres
from resync_tui.outcome import Purpose
from tests.bench import files, peers, small
from tests.bench.enrollments import SCATTERED_CHANGES, SPOIL, Databases, create, drop, empty, run, value
from tests.bench.ours import peak_memory, resync
from tests.bench.seconds import Seconds

SETTINGS = {"max_connections": "100", "autovacuum": "off", "max_wal_size": "4GB"}
"""Autovacuum would start in the middle of whatever comes next; the benchmark vacuums by itself."""

FLOOR, REAL = "psql pipe, bare table", "psql pipe, real table"
ROWS, ROWS_AGAIN = "executemany", "executemany again"
DLT, DLT_AGAIN, RELADIFF = "dlt merge", "dlt merge again", "reladiff"
FIRST, SAME, FEW, BAD, COMPARED = "first load", "nothing differs", "1 % differ", "first load, 5 % bad", "compare"
SMALL, SMALL_COUNT = "small district", "count its tables"
SMALL_FILES, SMALL_FILES_COUNT = "small district, SQLite", "count its tables, SQLite"
FILES_FIRST, FILES_SAME, FILES_COPY = "first load, SQLite", "nothing differs, SQLite", "INSERT … SELECT, SQLite"

RATIOS = (
    (SAME, FLOOR, 0.5),
    (FEW, FLOOR, 1.0),
    (FIRST, REAL, 0.8),
    (BAD, FIRST, 1.3),
    (FIRST, ROWS, 1 / 3),
    (SAME, ROWS_AGAIN, 1 / 40),
    (FIRST, DLT, 1.0),
    (SAME, DLT_AGAIN, 1 / 15),
    (COMPARED, RELADIFF, 0.25),
    (SMALL, SMALL_COUNT, None),
    (SMALL_FILES, SMALL_FILES_COUNT, None),
    (FILES_FIRST, FILES_COPY, 2.5),
    (FILES_SAME, FILES_COPY, 1.0),
)
"""Ours, theirs, and how many times theirs ours may take."""

Part: TypeAlias = Callable[[str, argparse.Namespace, Seconds], Coroutine[Any, Any, None]]


async def enrollments(admin: str, told: argparse.Namespace, seconds: Seconds) -> None:
    """Measure one large table beside every peer."""
    databases = await create(admin, told.rows)
    try:
        await resync(databases, ["Calendar", "Person"])
        for number in range(told.rounds):
            await _one_round(databases, seconds, number)
        if told.slow:
            await _slow_peers(databases, seconds)
        await _bad_rows(databases, seconds)
    finally:
        await drop(admin, databases)


async def _one_round(databases: Databases, seconds: Seconds, number: int) -> None:
    await empty(databases)
    await seconds.peer(REAL, peers.real_pipe(databases))
    await empty(databases)
    ran = await seconds.ours(FIRST, resync(databases, ["Enrollment"]))
    assert ran.counts.inserted == databases.rows
    await run(databases.state, "VACUUM ANALYZE", "CHECKPOINT")
    await seconds.peer(FLOOR, peers.floor_pipe(databases))
    ran = await seconds.ours(SAME, resync(databases, ["Enrollment"]))
    assert ran.counts.unchanged == databases.rows
    await seconds.ours(COMPARED, resync(databases, ["Enrollment"], Purpose.VERIFY))
    if find_spec("reladiff"):
        await seconds.peer(RELADIFF, peers.reladiff(databases))
    await run(databases.district, SCATTERED_CHANGES.replace("$1", str(number + 10)), "VACUUM ANALYZE", "CHECKPOINT")
    ran = await seconds.ours(FEW, resync(databases, ["Enrollment"]))
    assert ran.counts.updated == databases.rows // 100


async def _slow_peers(databases: Databases, seconds: Seconds) -> None:
    """Measure once what takes long."""
    await empty(databases)
    await seconds.peer(ROWS, peers.executemany(databases))
    await run(databases.state, "VACUUM ANALYZE")
    await seconds.peer(ROWS_AGAIN, peers.executemany(databases))
    if find_spec("dlt"):
        with tempfile.TemporaryDirectory() as folder:
            await seconds.peer(DLT, peers.dlt_merge(databases, Path(folder)))
            await seconds.peer(DLT_AGAIN, peers.dlt_merge(databases, Path(folder)))
        await run(databases.state, "DROP SCHEMA dlt_bench CASCADE", "DROP SCHEMA IF EXISTS dlt_bench_staging CASCADE")


async def _bad_rows(databases: Databases, seconds: Seconds) -> None:
    await run(databases.district, SPOIL, "VACUUM FULL ANALYZE")
    await empty(databases)
    ran = await seconds.ours(BAD, resync(databases, ["Enrollment"]))
    assert ran.counts.rejected == databases.rows * 5 // 100


async def small_districts(admin: str, told: argparse.Namespace, seconds: Seconds) -> None:
    """Measure a full resync of a small district that is in order, on a server and in files."""
    for url, ours, theirs in ((admin, SMALL, SMALL_COUNT), (None, SMALL_FILES, SMALL_FILES_COUNT)):
        with tempfile.TemporaryDirectory() as folder:
            databases = await small.create(Path(folder) / "demo", url)
            for _ in range(told.rounds):
                await seconds.peer(theirs, small.count_tables(databases))
                ran = await seconds.ours(ours, small.everything(databases))
                assert ran.counts.inserted + ran.counts.updated == 0


async def sqlite(_: str, told: argparse.Namespace, seconds: Seconds) -> None:
    """Measure the large table from file to file."""
    with tempfile.TemporaryDirectory() as folder:
        databases = await files.create(Path(folder), told.rows)
        await resync(databases, ["Calendar", "Person"])
        for _round in range(told.rounds):
            files.empty(databases)
            await seconds.peer(FILES_COPY, files.insert_select(databases))
            files.empty(databases)
            ran = await seconds.ours(FILES_FIRST, resync(databases, ["Enrollment"]))
            assert ran.counts.inserted == databases.rows
            ran = await seconds.ours(FILES_SAME, resync(databases, ["Enrollment"]))
            assert ran.counts.unchanged == databases.rows


async def memory(admin: str, told: argparse.Namespace, _: Seconds) -> None:
    """Tell how large an agent becomes, at --rows and at ten times as many."""
    for rows in (told.rows, 10 * told.rows):
        databases = await create(admin, rows)
        try:
            await resync(databases, ["Calendar", "Person"])
            first = peak_memory(databases)
            await run(databases.district, SCATTERED_CHANGES.replace("$1", "10"))
            print(
                f"{rows:,} rows: {first} MB in a first load, {peak_memory(databases)} MB with 1 % different", flush=True
            )
        finally:
            await drop(admin, databases)


PARTS: dict[str, Part] = {
    "enrollments": enrollments,
    "small": small_districts,
    "sqlite": sqlite,
    "memory": memory,
}


async def measure(admin: str, told: argparse.Namespace) -> None:
    """Run the parts, then print the table of ratios."""
    seconds = Seconds(told.verbose)
    print(f"{os.cpu_count()} cores, {platform.machine()}, {await value(admin, 'SHOW server_version')}", flush=True)
    for part in told.parts or ("enrollments", "small", "sqlite"):
        await PARTS[part](admin, told, seconds)
    print(f"\n{told.rows:,} rows, medians of {told.rounds}\n")
    print(seconds.table(RATIOS))


def main() -> None:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all but memory unless named")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the Enrollment table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", metavar="URL", help="a superuser's, instead of a private server")
    parser.add_argument("--no-slow", dest="slow", action="store_false", help="leave executemany and dlt out")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what the engine is at")
    told = parser.parse_args()
    if unknown := set(told.parts) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}")
    collect_rarely()
    if told.postgres:
        asyncio.run(measure(told.postgres, told))
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = PrivatePostgres(Path(folder) / "server")
        try:
            asyncio.run(measure(server.start(SETTINGS), told))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
