"""What a resync costs, in ratios against its peers in the same run: `python -m tests.bench`.

Both databases are on one PostgreSQL: a private one, or that of --postgres URL (a superuser's). dlt and reladiff are
left out where they are not installed: `pip install -e '.[bench]'`.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Awaitable
from importlib.util import find_spec
from pathlib import Path

from resync_tui.outcome import Purpose
from resync_tui.private_postgres import PrivatePostgres
from tests.bench import peers
from tests.bench.enrollments import SCATTERED_CHANGES, SPOIL, Databases, create, drop, empty, run, value
from tests.bench.ours import Ran, resync

SETTINGS = {"max_connections": "100", "autovacuum": "off", "max_wal_size": "4GB"}
"""Autovacuum would start in the middle of whatever comes next; the benchmark vacuums by itself."""


class Seconds:
    """What each work took, a list a work."""

    def __init__(self, verbose: bool) -> None:
        self._taken: dict[str, list[float]] = defaultdict(list)
        self._verbose = verbose

    async def ours(self, work: str, running: Awaitable[Ran]) -> Ran:
        """Note what a batch took, and return what became of its records."""
        ran = await running
        self._note(work, ran.seconds)
        if self._verbose:
            for at, text in ran.notes:
                print(f"    {at:7.2f} {text}")
            print(f"    {ran.counts}")
        return ran

    async def peer(self, work: str, running: Awaitable[float]) -> None:
        """Note what a peer took."""
        self._note(work, await running)

    def _note(self, work: str, seconds: float) -> None:
        self._taken[work].append(seconds)
        print(f"{seconds:8.2f} s  {work}", flush=True)

    def median(self, work: str) -> float | None:
        """Return the median of a work; None where it did not run."""
        return statistics.median(self._taken[work]) if work in self._taken else None


FLOOR, REAL, ROWS, DLT, DLT_AGAIN = "psql pipe, bare table", "psql pipe, real table", "executemany", "dlt", "dlt again"
ROWS_AGAIN, RELADIFF = "executemany again", "reladiff"
FIRST, SAME, FEW, BAD, COMPARED = "first load", "nothing differs", "1 % differ", "first load, 5 % bad", "compare"

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
)
"""Ours, theirs, and how many times theirs ours may take."""


async def one_round(databases: Databases, seconds: Seconds, number: int) -> None:
    """Measure the engine beside the pipes."""
    await empty(databases)
    await seconds.peer(REAL, peers.real_pipe(databases))
    await empty(databases)
    ran = await seconds.ours(FIRST, resync(databases, "Enrollment"))
    assert ran.counts.inserted == databases.rows
    await run(databases.state, "VACUUM ANALYZE", "CHECKPOINT")
    await seconds.peer(FLOOR, peers.floor_pipe(databases))
    ran = await seconds.ours(SAME, resync(databases, "Enrollment"))
    assert ran.counts.unchanged == databases.rows
    await seconds.ours(COMPARED, resync(databases, "Enrollment", purpose=Purpose.VERIFY))
    if find_spec("reladiff"):
        await seconds.peer(RELADIFF, peers.reladiff(databases))
    await run(databases.district, SCATTERED_CHANGES.replace("$1", str(number + 10)), "VACUUM ANALYZE", "CHECKPOINT")
    ran = await seconds.ours(FEW, resync(databases, "Enrollment"))
    assert ran.counts.updated == databases.rows // 100


async def slow_peers(databases: Databases, seconds: Seconds) -> None:
    """Measure what takes minutes: once."""
    await empty(databases)
    await seconds.peer(ROWS, peers.executemany(databases))
    await run(databases.state, "VACUUM ANALYZE")
    await seconds.peer(ROWS_AGAIN, peers.executemany(databases))
    if find_spec("dlt"):
        with tempfile.TemporaryDirectory() as folder:
            await seconds.peer(DLT, peers.dlt_merge(databases, Path(folder)))
            await seconds.peer(DLT_AGAIN, peers.dlt_merge(databases, Path(folder)))
            await run(
                databases.state, "DROP SCHEMA dlt_bench CASCADE", "DROP SCHEMA IF EXISTS dlt_bench_staging CASCADE"
            )


async def bad_rows(databases: Databases, seconds: Seconds) -> None:
    """Measure a first load of which five rows in a hundred are refused."""
    await run(databases.district, SPOIL, "VACUUM ANALYZE")
    await empty(databases)
    ran = await seconds.ours(BAD, resync(databases, "Enrollment"))
    assert ran.counts.rejected == databases.rows * 5 // 100


async def measure(admin: str, told: argparse.Namespace) -> None:
    """Run everything, then print the table of ratios."""
    seconds = Seconds(told.verbose)
    databases = await create(admin, told.rows)
    try:
        print(await value(admin, "SELECT version()"))
        await resync(databases, "Calendar", "Person")
        for number in range(told.rounds):
            await one_round(databases, seconds, number)
        if told.slow:
            await slow_peers(databases, seconds)
        await bad_rows(databases, seconds)
    finally:
        await drop(admin, databases)
    print(f"\n{told.rows:,} rows, medians of {told.rounds}\n")
    print(f"{'work':<22}{'seconds':>8}   {'against':<24}{'seconds':>8}{'ratio':>9}{'at most':>9}")
    for ours, theirs, most in RATIOS:
        mine, other = seconds.median(ours), seconds.median(theirs)
        if mine is not None and other is not None:
            print(f"{ours:<22}{mine:>8.2f}   {theirs:<24}{other:>8.2f}{mine / other:>9.3f}{most:>9.3f}")


def main() -> None:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the Enrollment table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", metavar="URL", help="a superuser's, instead of a private server")
    parser.add_argument("--no-slow", dest="slow", action="store_false", help="leave executemany and dlt out")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what the engine is at")
    told = parser.parse_args()
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
