"""Object run: one object of a batch, its progress, and its failure apart from the others."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

from resync_tui.catalog import DisObject
from resync_tui.databases.registry import driver_errors, explained, trouble
from resync_tui.engine.accounts import TableCounts, TableStats
from resync_tui.engine.backends.base import HeldRows
from resync_tui.engine.events import ObjectEnded, ObjectProgress, Report
from resync_tui.engine.guards import Guard
from resync_tui.engine.job import Job
from resync_tui.engine.mapping import TableMapping
from resync_tui.errors import ConnectionLost, LeaseLost, ResyncError, Unreachable
from resync_tui.formatting import plural, school_year
from resync_tui.outcome import Counts, Status


def database_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what a database may raise in an object run, explained or not."""
    return (ResyncError, *driver_errors(), *others)


"""Errors of databases and their drivers."""


@dataclass(eq=False)
class ObjectRun:
    """Object run: state, counts and tables of one object in a batch."""

    dis_object: DisObject
    job: Job
    report: Report
    mappings: tuple[TableMapping, ...] = ()
    staged: list[TableMapping] = field(default_factory=list)
    """Tables that may differ, in the order of `mappings`."""
    held: dict[TableMapping, HeldRows] = field(default_factory=dict)
    """Rows that wait in memory instead of in a stage; of all its tables, or of none."""
    stats_by_table: dict[TableMapping, TableStats] = field(default_factory=dict)
    read: int = 0
    phase: str = "reading"
    accounts: dict[TableMapping, TableCounts] = field(default_factory=dict)
    guards: dict[TableMapping, Guard] = field(default_factory=dict)
    """Removal guards by table; empty for a resync."""
    remarks: list[str] = field(default_factory=list)
    """What is told when it completes."""
    set_by_trigger: list[str] = field(default_factory=list)
    """Columns that a trigger of the state sets."""
    disturbed: bool = False
    """Whether a trigger of the state changed or removed records that were not sent."""
    removed_by_trigger: list[tuple[str, int]] = field(default_factory=list)
    """Tables, and how many records that were not sent a trigger of the state removed."""
    status: Status = Status.RUNNING

    @property
    def total(self) -> int:
        """Number of records in scope, those included that have moved to another school year."""
        moved = (each.count for account in self.accounts.values() for each in account.moved)
        return sum(stats.rows for stats in self.stats_by_table.values()) + sum(moved)

    @property
    def counts(self) -> Counts:
        """Sum of the tables' counts so far."""
        counts = sum((account.counts for account in self.accounts.values()), Counts())
        return replace(counts, processed=counts.accounted)

    @property
    def notes(self) -> list[str]:
        """Lines on what of the state is not the district's: columns that it lacks, and what a trigger does."""
        unfed = [f"{mapping.name}.{column}" for mapping in self.mappings for column in mapping.unfed]
        lines = [f"no longer fed: {', '.join(unfed)}"] if unfed else []
        if self.set_by_trigger:
            names = ", ".join(self.set_by_trigger)
            lines.append(
                f"a trigger of the state sets {names}: list it in state_owned of {self.dis_object.name}, "
                "or it is sent in each run"
            )
        lines += [
            f"a trigger of the state removed {plural(count, 'record')} of {name} that had not been sent"
            for name, count in self.removed_by_trigger
        ]
        return lines

    @property
    def moved(self) -> list[str]:
        """One line for each table and school year to which records have moved."""
        return [
            f"{plural(each.count, 'record')} of {mapping.name} moved to {school_year(each.year)}"
            for mapping, account in self.accounts.items()
            for each in account.moved
        ]

    def progress(self) -> None:
        """Report the progress."""
        self.report(ObjectProgress(self.dis_object.name, self.phase, self.read, self.total, self.counts))

    def complete(self, processed: int, message: str = "") -> None:
        """Report completion; a record unaccounted for makes it a failure, and so does a trigger that changed others.

        Then its records have reached the state all the same, and what depends on it goes on.
        """
        counts = replace(self.counts, processed=processed)
        message = "; ".join([*self.remarks, *filter(None, (message,))])
        self.status = Status.COMPLETED
        if counts.accounted != counts.processed:
            self.status = Status.FAILED
            message = (
                f"{counts.processed} records read but {counts.accounted} accounted for: something else wrote there "
                "meanwhile; compare them: resync-tui verify"
            )
        told = Status.FAILED if self.disturbed else self.status
        self.report(ObjectEnded(self.dis_object.name, told, counts, message))

    def skip(self, parent: str) -> None:
        """Report that it is skipped because its parent failed."""
        self.status = Status.SKIPPED
        message = f"Skipped: its parent {parent} failed"
        self.report(ObjectEnded(self.dis_object.name, Status.SKIPPED, Counts(), message))

    def fail(self, error: ResyncError) -> None:
        """Report the failure and its reason."""
        self.status = Status.FAILED
        message = f"{error.what}. {error.do}"
        self.report(ObjectEnded(self.dis_object.name, Status.FAILED, self.counts, message))

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[None]:
        """Fail this object run alone on an error; only a lost connection, database or lease ends the batch."""
        try:
            with explained(self.job.target_name, self.job.target_url), first_error():
                yield
        except (ConnectionLost, Unreachable, LeaseLost):
            raise
        except ResyncError as error:
            self.fail(error)
        except driver_errors() as error:
            self.fail(trouble(error, f"{self.job.target_name} or {self.job.source_name}"))


@contextmanager
def first_error() -> Iterator[None]:
    """Raise the first error of nested exception groups: the one that cancelled the others."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
