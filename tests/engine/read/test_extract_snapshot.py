"""The district is held only while it is read: seen from outside, nothing of the snapshot is left at the first merge."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from resync_tui.databases.sqlite import sqlite_path
from resync_tui.engine.events import Event, ObjectProgress
from resync_tui.engine.job import Limits
from resync_tui.outcome import Counts
from tests.support.databases import rows
from tests.support.interruption import MANY, MANY_ROWS, reading
from tests.support.running import make_job, run
from tests.support.small import SMALL, Database, pair
from tests.support.waiting import DEADLINE

HOLDING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'resync-tui/%'"
    " AND (backend_xmin IS NOT NULL OR state <> 'idle')"
)


def held_by_a_server(url: str) -> bool:
    """Whether a connection of the engine holds back what the district's server may forget."""
    with ThreadPoolExecutor(1) as thread:
        return bool(thread.submit(asyncio.run, rows(url, HOLDING)).result())


def held_in_the_journal(url: str) -> bool:
    """Whether a reader keeps the journal of a SQLite file from being emptied."""
    with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as connection:
        connection.execute("INSERT INTO d (b) VALUES (1)")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return bool(busy)


def locked(url: str) -> bool:
    """Whether nobody else may write to a SQLite file."""
    with closing(sqlite3.connect(sqlite_path(url), isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return True
    return False


def merged(event: Event) -> bool:
    """Whether the state has been written to, if only to say that nothing is to be."""
    return isinstance(event, ObjectProgress) and event.phase == "merging"


@pytest.mark.parametrize(
    ("ends", "journal", "held", "while_reading"),
    [
        (("postgresql", "postgresql"), "", held_by_a_server, True),
        (("sqlite", "postgresql"), "PRAGMA journal_mode = WAL;", held_in_the_journal, True),
        (("sqlite", "postgresql"), "", locked, False),
    ],
    ids=["postgresql", "sqlite-wal", "sqlite-copied"],
)
async def test_the_snapshot_is_let_go_before_the_first_merge(
    database: Database, ends: tuple[str, str], journal: str, held: Callable[[str], bool], while_reading: bool
) -> None:
    here = await pair(database, ends, journal + MANY_ROWS)
    seen: dict[str, bool] = {}

    def watch(event: Event) -> None:
        """Look from outside while the engine stands still; a server needs a moment to see that a connection is gone."""
        if reading(event) and "reading" not in seen:
            seen["reading"] = held(here.district)
        if merged(event) and "merging" not in seen:
            until = time.monotonic() + DEADLINE
            while held(here.district) and time.monotonic() < until:
                pass
            seen["merging"] = held(here.district)

    job = make_job(here.district, here.state, SMALL, "01", ["A"], limits=Limits(max_records_per_second=8_000))
    heard = await run(job, watch)
    assert seen == {"reading": while_reading, "merging": False}
    assert heard.counts["A"] == Counts(processed=MANY, inserted=MANY)
