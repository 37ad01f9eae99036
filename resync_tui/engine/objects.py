"""One object of a batch: how far it is, and how it fails alone."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

import asyncpg
from sqlalchemy.exc import DBAPIError

from resync_tui.catalog import DisObject
from resync_tui.databases.registry import explained
from resync_tui.engine.accounts import TableCounts, TableStats
from resync_tui.engine.events import ObjectEnded, ObjectProgress, Report
from resync_tui.engine.guards import Guard
from resync_tui.engine.job import Job
from resync_tui.engine.mapping import TableMapping
from resync_tui.errors import CannotRun, ConnectionLost, LeaseLost, ResyncError, Unreachable
from resync_tui.outcome import Counts, Status

TROUBLE = (ResyncError, DBAPIError, asyncpg.PostgresError, sqlite3.Error)
"""What a database can answer instead of what was asked."""


@dataclass
class ObjectRun:
    """How one object of a batch is doing."""

    dis_object: DisObject
    job: Job
    report: Report
    specs: tuple[TableMapping, ...] = ()
    staged: list[TableMapping] = field(default_factory=list)
    """Those tables that may differ, in the order of `specs`."""
    stats_by_table: dict[TableMapping, TableStats] = field(default_factory=dict)
    read: int = 0
    phase: str = "reading"
    accounts: dict[TableMapping, TableCounts] = field(default_factory=dict)
    guards: dict[TableMapping, Guard] = field(default_factory=dict)
    """What keeps extra records from being removed; empty while records are only sent."""
    status: Status = Status.RUNNING

    @property
    def total(self) -> int:
        """Records in scope."""
        return sum(stats.rows for stats in self.stats_by_table.values())

    @property
    def counts(self) -> Counts:
        """What is accounted for so far."""
        counts = sum((account.counts for account in self.accounts.values()), Counts())
        return replace(counts, processed=counts.accounted)

    def progress(self) -> None:
        """Tell how far it is."""
        self.report(ObjectProgress(self.dis_object.name, self.phase, self.read, self.total, self.counts))

    def complete(self, processed: int, message: str = "") -> None:
        """Tell that it is done; every record must be accounted for."""
        counts = replace(self.counts, processed=processed)
        self.status = Status.COMPLETED
        if counts.accounted != counts.processed:
            self.status = Status.FAILED
            message = f"{counts.processed} records read but {counts.accounted} accounted for: please report this"
        self.report(ObjectEnded(self.dis_object.name, self.status, counts, message))

    def skip(self, parent: str) -> None:
        """Tell that it is left out because its parent is not in place."""
        self.status = Status.SKIPPED
        message = f"Skipped: its parent {parent} failed"
        self.report(ObjectEnded(self.dis_object.name, Status.SKIPPED, Counts(), message))

    def fail(self, error: ResyncError) -> None:
        """Tell why it failed."""
        self.status = Status.FAILED
        message = f"{error.what}. {error.do}"
        self.report(ObjectEnded(self.dis_object.name, Status.FAILED, self.counts, message))

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[None]:
        """Let it fail alone; only a lost connection, database or lease ends the batch."""
        try:
            with explained(self.job.target_name, self.job.target_url), first_error():
                yield
        except (ConnectionLost, Unreachable, LeaseLost):
            raise
        except ResyncError as error:
            self.fail(error)
        except (DBAPIError, asyncpg.PostgresError, sqlite3.Error) as error:
            self.fail(
                CannotRun(
                    f"Unexpected trouble: {_without_values(error)}",
                    "What was written is right; send it again, or report this.",
                ),
            )


def _without_values(error: Exception) -> str:
    """Name a driver's error without its text, which may quote a record."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return f"{type(cause).__name__} {state or ''}".strip()


@contextmanager
def first_error() -> Iterator[None]:
    """Unwrap the first error of task groups: what ended the others."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
