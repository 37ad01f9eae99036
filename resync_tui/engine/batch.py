"""One batch: read everything that may differ under one snapshot, let the district go, then merge wave by wave."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import anyio
import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.catalog import DisObject
from resync_tui.database import dialect_of, explained
from resync_tui.engine import difference
from resync_tui.engine.circles import circular_groups
from resync_tui.engine.difference import Extent
from resync_tui.engine.ends import CLEANUP_SECONDS, Meter, Source, Target
from resync_tui.engine.events import Note, ObjectEnded, ObjectProgress, ObjectStarted, Report
from resync_tui.engine.extra import Removal, find_extra
from resync_tui.engine.fingerprints import Hashing, prove
from resync_tui.engine.job import Job, open_source, open_target, require_identity
from resync_tui.engine.pace import Pace
from resync_tui.engine.refusal import Surroundings
from resync_tui.engine.report import found_records, refused_records
from resync_tui.engine.scope import Scope
from resync_tui.engine.table import Account, Merge
from resync_tui.engine.tables import TableSpec, describe
from resync_tui.errors import CannotRun, ConnectionLost, LeaseLost, ResyncError, Unreachable
from resync_tui.outcome import Counts, Purpose, Status

SPLIT_ROWS = 200_000
"""So many are worth two connections at each end while they are read."""


@dataclass
class _Course:
    """How one object of the batch is doing."""

    dis_object: DisObject
    specs: tuple[TableSpec, ...] = ()
    staged: list[TableSpec] = field(default_factory=list)
    """Those tables that may differ, in the order of `specs`."""
    extents: dict[TableSpec, Extent] = field(default_factory=dict)
    read: int = 0
    phase: str = "reading"
    accounts: dict[TableSpec, Account] = field(default_factory=dict)
    status: Status = Status.RUNNING

    @property
    def total(self) -> int:
        """Records in scope."""
        return sum(extent.rows for extent in self.extents.values())

    @property
    def counts(self) -> Counts:
        """What is accounted for so far."""
        counts = sum((account.counts for account in self.accounts.values()), Counts())
        return replace(counts, processed=counts.accounted)


async def run_batch(job: Job, report: Report) -> Status:
    """Run a batch and return COMPLETED, or FAILED where an object failed.

    Raises CannotRun, ConnectionLost or LeaseLost where the batch as a whole cannot run. Cancelling the scope ends it at
    the next statement; its stages are dropped either way.
    """
    if (dialect_of(job.source_url), dialect_of(job.target_url)) == ("postgresql", "sqlite"):
        raise CannotRun("A PostgreSQL district cannot be pushed into a SQLite state", "Use a PostgreSQL state.")
    source, target = open_source(job.source, job.target_url), open_target(job.target)
    try:
        with _first_error():
            return await _Batch(job, source, target, report).run()
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_SECONDS):
            await source.close()
            await target.close()


async def clear_stage(job: Job) -> None:
    """Drop whatever stages this district's batches up to the job's token have left in the state."""
    target = open_target(job.target)
    try:
        with explained(job.target_name, job.target_url):
            await target.claim()
            await target.drop_stages()
    finally:
        await target.close()


class _Batch:
    def __init__(self, job: Job, source: Source, target: Target, report: Report) -> None:
        self.job = job
        self.source = source
        self.target = target
        self.report = report
        self.courses = {name: _Course(job.catalog[name]) for name in job.plan.names}
        self.limiter = anyio.CapacityLimiter(max(1, job.limits.concurrency))
        self.reading_pace = Pace(job.limits.max_records_per_second)
        self.merging_pace = Pace(job.limits.max_records_per_second)
        self.hashing = job.hashing or Hashing.OFF
        year, current = job.plan.year, job.current_year in (None, job.plan.year)
        self.scope = Scope(year, current, job.today, dialect_of(job.source_url))

    async def run(self) -> Status:
        with explained(self.job.source_name, self.job.source_url):
            await require_identity(self.job, self.source)
            await self.source.expel_older()
        with explained(self.job.target_name, self.job.target_url), _first_error():
            await self.target.claim()
            try:
                await self._describe()
                await self._read_all()
                await self._merge_all()
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_SECONDS):
                    await self._drop_stages()
        failed = any(course.status is not Status.COMPLETED for course in self.courses.values())
        return Status.FAILED if failed else Status.COMPLETED

    async def _drop_stages(self) -> None:
        """Leave them to the next claim of this district where the state cannot be reached or is another's."""
        try:
            await self.target.drop_stages()
        except (DBAPIError, LeaseLost, OSError):
            self.report(Note("stage left behind; the next batch of this district drops it"))

    # --- what there is to move ---

    async def _describe(self) -> None:
        """Look at both ends; an object whose tables do not fit fails alone."""
        names = [table for course in self.courses.values() for table in course.dis_object.tables]
        targets = await self.target.reflect(names)
        with explained(self.job.source_name, self.job.source_url):
            sources = await self.source.reflect([*names, *(name for name in targets if name not in names)])
        for course in self.courses.values():
            try:
                course.specs = tuple(
                    describe(
                        course.dis_object,
                        table,
                        self.target.stage_name(names.index(table)),
                        self.job.catalog,
                        self.job.tenant,
                        (sources, targets),
                    )
                    for table in course.dis_object.tables
                )
            except CannotRun as error:
                self._fail(course, error)
                continue
            for spec in course.specs:
                course.accounts[spec] = Account(lambda course=course: self._progress(course))  # type: ignore[misc]

    def _running(self) -> Iterator[_Course]:
        return (course for course in self.courses.values() if course.status is Status.RUNNING)

    # --- reading ---

    async def _read_all(self) -> None:
        with explained(self.job.source_name, self.job.source_url), _first_error():
            async with self.source.snapshot():
                self.report(Note("snapshot of the district taken"))
                if self.job.hashing is None:
                    self.hashing = await prove(self.source, self.target)
                async with anyio.create_task_group() as tasks:
                    for course in list(self._running()):
                        tasks.start_soon(self._measure, course)
                whole = {spec.target for each in self._running() for spec in each.specs if each.extents[spec].whole}
                async with anyio.create_task_group() as tasks:
                    for course in list(self._running()):
                        tasks.start_soon(self._read, course, whole)
        self.report(Note("everything read; snapshot let go"))

    async def _measure(self, course: _Course) -> None:
        async with self.limiter, self._failing(course):
            self.report(ObjectStarted(course.dis_object.name))
            for spec in course.specs:
                await self.scope.require_valid_rules(spec, self.source.fetch)
            for spec in course.specs:
                course.extents[spec] = await difference.measure(spec, self.source, self.target, self.scope)
            self._progress(course)

    async def _read(self, course: _Course, whole: set[sa.Table]) -> None:
        async with self.limiter, self._failing(course):
            for spec in course.specs:
                await self._stage(course, spec, whole)
            course.phase = "waiting"
            self._progress(course)

    async def _stage(self, course: _Course, spec: TableSpec, whole: set[sa.Table]) -> None:
        extent, account = course.extents[spec], course.accounts[spec]
        found = await difference.find(spec, extent, self.source, self.target, self.hashing, self.scope)
        account.difference = found
        account.add(unchanged=found.unchanged)
        if found.unchanged == extent.rows and found.nothing_more:
            course.read += found.unchanged
            return
        wanted, forbidden = found.candidates(spec.row), self.scope.forbidden(spec)
        query = self.scope.reading(spec, whole).where(wanted if forbidden is None else sa.or_(wanted, forbidden))
        course.staged.append(spec)
        await self.target.create_stages([spec])

        async def meter(records: int) -> None:
            await self.reading_pace.spend(records)
            course.read += records
            self._progress(course)

        await self._load(spec, extent, extent.rows - found.unchanged, query, meter)
        await self.target.settle(spec)
        if not extent.fresh:
            await find_extra(spec, self.source, self.target, self.scope, account, extent)

    async def _load(self, spec: TableSpec, extent: Extent, rows: int, query: sa.Select[Any], meter: Meter) -> None:
        """Load a stage with so many rows; many in two ranges of their keys where another object's turn is free."""
        load, turn = partial(self.target.load, spec, self.source), object()
        if self.source.readers < 2 or rows < SPLIT_ROWS or extent.low is None or extent.high is None:
            return await load(query, meter)
        try:
            self.limiter.acquire_on_behalf_of_nowait(turn)
        except anyio.WouldBlock:
            return await load(query, meter)
        key, middle = spec.row.c[spec.key[0]], (extent.low + extent.high) // 2
        try:
            async with anyio.create_task_group() as tasks:
                for half in (key <= middle, key > middle):
                    tasks.start_soon(load, query.where(half), meter)
        finally:
            self.limiter.release_on_behalf_of(turn)

    # --- merging ---

    async def _merge_all(self) -> None:
        staged = {spec.target: spec for course in self.courses.values() for spec in course.staged}
        around = Surroundings(
            staged=staged,
            settled={spec.target for course in self.courses.values() for spec in course.specs} - staged.keys(),
            owners={table: each.name for each in self.job.catalog.objects for table in each.tables},
            merging=self.job.purpose is Purpose.RESYNC,
            other_year=not self.scope.current,
        )
        for wave in sorted({planned.wave for planned in self.job.plan.objects}):
            async with anyio.create_task_group() as tasks:
                for planned in self.job.plan.objects:
                    if planned.wave == wave:
                        tasks.start_soon(self._merge, self.courses[planned.object], around)
        if self.job.purpose is Purpose.REMOVE_EXTRA:
            await self._remove_extra()

    async def _merge(self, course: _Course, around: Surroundings) -> None:
        if course.status is Status.FAILED or self._skipped(course):
            return
        purpose = self.job.purpose
        async with self.limiter, self._failing(course):
            course.phase = "merging" if purpose is Purpose.RESYNC else "comparing"
            for group in circular_groups(course.staged):
                accounts = {spec: course.accounts[spec] for spec in group}
                fresh = {spec for spec in group if course.extents[spec].fresh and purpose is Purpose.RESYNC}
                merge = Merge(self.target, accounts, fresh, around, self.merging_pace)
                await merge.compare()
                if purpose is Purpose.RESYNC:
                    await merge.merge()
                elif purpose is Purpose.VERIFY:
                    merge.tell()
            if purpose is not Purpose.REMOVE_EXTRA:
                await self._report_records(course)
                self._complete(course, course.total)

    def _skipped(self, course: _Course) -> bool:
        """Skip an object whose parent in this batch is not in place."""
        name = course.dis_object.name
        above = self.job.catalog.ancestors([name]).intersection(self.courses)
        fallen = [each for each in above if self.courses[each].status in (Status.FAILED, Status.SKIPPED)]
        if fallen:
            first = min(fallen, key=lambda each: (self.courses[each].status is not Status.FAILED, each))
            course.status = Status.SKIPPED
            self.report(ObjectEnded(name, Status.SKIPPED, Counts(), f"Skipped: its parent {first} failed"))
        return bool(fallen)

    async def _report_records(self, course: _Course) -> None:
        kept, purpose = self.job.limits.errors_kept, self.job.purpose
        for spec in course.staged:
            async with self.target.staging() as connection:
                removed = purpose is Purpose.REMOVE_EXTRA
                async for refused in refused_records(connection, spec, kept, of_extra=removed):
                    self.report(refused)
                async for found in found_records(connection, spec, kept, compared=purpose is Purpose.VERIFY):
                    self.report(found)

    def _complete(self, course: _Course, processed: int) -> None:
        course.status = Status.COMPLETED
        counts = replace(course.counts, processed=processed)
        message = ""
        if counts.accounted != counts.processed:
            message = f"{counts.processed} records read but {counts.accounted} accounted for: please report this"
        self.report(ObjectEnded(course.dis_object.name, Status.COMPLETED, counts, message))

    async def _remove_extra(self) -> None:
        """Check every object before anything is removed; then remove, children first."""
        if any(course.status in (Status.FAILED, Status.SKIPPED) for course in self.courses.values()):
            raise CannotRun(
                "An object could not be compared, so nothing was removed", "See its message; mend that first."
            )
        removals = {
            spec: Removal(self.target, spec, self.scope, course.accounts[spec], course.extents[spec])
            for course in self.courses.values()
            for spec in course.staged
        }
        for removal in removals.values():
            await removal.check(self.job.limits.extra_share)
        for planned in reversed(self.job.plan.objects):
            course = self.courses[planned.object]
            async with self._failing(course):
                course.phase = "removing"
                for account in course.accounts.values():
                    account.counts = Counts(extra=account.counts.extra)
                for spec in reversed(course.staged):
                    await removals[spec].carry_out(self.merging_pace)
                await self._report_records(course)
                self._complete(course, course.counts.extra)

    # --- how it goes ---

    def _progress(self, course: _Course) -> None:
        self.report(ObjectProgress(course.dis_object.name, course.phase, course.read, course.total, course.counts))

    def _fail(self, course: _Course, error: ResyncError) -> None:
        course.status = Status.FAILED
        self.report(ObjectEnded(course.dis_object.name, Status.FAILED, course.counts, f"{error.what}. {error.do}"))

    @asynccontextmanager
    async def _failing(self, course: _Course) -> AsyncIterator[None]:
        """Let an object fail alone; only a lost connection, database or lease ends the batch."""
        try:
            with explained(self.job.target_name, self.job.target_url), _first_error():
                yield
        except (ConnectionLost, Unreachable, LeaseLost):
            raise
        except ResyncError as error:
            self._fail(course, error)
        except (DBAPIError, asyncpg.PostgresError, sqlite3.Error) as error:
            self._fail(
                course,
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
def _first_error() -> Iterator[None]:
    """Unwrap the first error of task groups: what ended the others."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
