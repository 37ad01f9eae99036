"""A district of one object with 40,000 records, held back by the rate limit, and what a test asks of it."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import anyio

from resync_tui.config.load import load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.outcome import Counts, Status
from resync_tui.results import Batch
from tests.support.screens.pseudo_terminal import Terminal
from tests.support.waiting import until

RECORDS = 40_000
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
max_records_per_second = 6000
[catalog]
file = "objects.toml"
"""
CATALOG = """
name = "One object"
[[object]]
name = "Enrollment"
tables = ["Enrollment"]
"""


def build(folder: Path) -> Settings:
    """Make a district whose one table is not yet in the state."""
    (folder / "resync.toml").write_text(CONFIG)
    (folder / "objects.toml").write_text(CATALOG)
    for name, rows in (("abbott", RECORDS), ("state", 0)):
        with closing(sqlite3.connect(folder / f"{name}.db")) as database, database:
            database.execute('CREATE TABLE "Enrollment" ("enrollmentID" INTEGER PRIMARY KEY, "grade" TEXT NOT NULL)')
            database.executemany('INSERT INTO "Enrollment" VALUES (?, ?)', ((n, f"{n % 13:02}") for n in range(rows)))
    return load_settings(folder / "resync.toml")


def screens(settings: Settings) -> tuple[str, ...]:
    """Return the command line of the screens."""
    return "resync_tui", "--config", str(settings.path)


def send(shown: Terminal) -> None:
    """Mark the object, send it, and wait until it is followed."""
    shown.reads_until(b"DIS Objects")
    shown.press(" s")
    shown.reads_until(b"any other key goes back")
    shown.settles()
    shown.press("y")
    shown.reads_until(b"RUNNING")


def reading(shown: Terminal) -> Callable[[], Awaitable[None]]:
    """Return a pause in which a terminal goes on reading."""

    async def pause() -> None:
        shown.read()
        await anyio.sleep(0.02)

    return pause


async def completes(store: Store) -> Batch:
    """Wait until the one batch has ended, and see that it did all of its work at the first attempt."""

    async def ended() -> bool:
        return (await store.batch(1)).status.ended

    await until(ended)
    batch = await store.batch(1)
    assert batch.status is Status.COMPLETED
    assert batch.attempts == 1
    assert batch.counts == Counts(processed=RECORDS, inserted=RECORDS)
    return batch
