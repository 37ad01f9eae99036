"""Extraction: read the rows that may differ, under one snapshot of the district, and stage them in the state."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import anyio
import sqlalchemy as sa

from resync_tui.databases.registry import explained
from resync_tui.engine.accounts import Difference, TableStats
from resync_tui.engine.backends.base import Meter, Source, Target
from resync_tui.engine.events import Note, ObjectStarted, Report
from resync_tui.engine.hashing import Hashing
from resync_tui.engine.job import Job
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.objects import ObjectRun, database_errors, first_error
from resync_tui.engine.proof.exclusions import Exclusions
from resync_tui.engine.proof.written_years import written_years
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.read.difference import Comparer
from resync_tui.engine.read.extra import find_extra, note_extra
from resync_tui.engine.read.fingerprints import hashing_of_key, prove
from resync_tui.engine.read.held import Holder
from resync_tui.engine.read.moved import MovedRecords
from resync_tui.engine.reflection import tables_beside
from resync_tui.engine.scope import Scope, judge
from resync_tui.errors import ResyncError
from resync_tui.formatting import plural, school_year
from resync_tui.outcome import Purpose, Status

_log = logging.getLogger(__name__)

SPLIT_ROWS = 200_000
"""Number of rows from which a table is read over two connections at each end."""
MOST_TOGETHER = 100
"""Maximum number of tables in one statement."""


@dataclass(frozen=True)
class _Read:
    """Meter of an object run: applies the rate limit and counts the records read."""

    run: ObjectRun
    rate_limit: RateLimiter

    def chunk(self, wanted: int) -> int:
        return self.rate_limit.chunk(wanted)

    async def __call__(self, records: int) -> None:
        await self.rate_limit.spend(records)
        self.run.read += records
        self.run.progress()


class Reading:
    """Read phase of a batch; the district's snapshot is closed at its end."""

    def __init__(
        self,
        job: Job,
        source: Source,
        target: Target,
        runs: Sequence[ObjectRun],
        scope: Scope,
        limiter: anyio.CapacityLimiter,
        report: Report,
    ) -> None:
        self.job = job
        self.source = source
        self.target = target
        self.runs = runs
        self.scope = scope
        self.limiter = limiter
        self.report = report
        self.rate_limit = RateLimiter(job.limits.max_records_per_second)
        self.comparer = Comparer(source, target, scope, job.hashing or Hashing.OFF)
        current_year = job.current_year or job.plan.year
        self.moved = MovedRecords(source, target, scope, current_year, self.rate_limit)
        self.years: set[int] = set()
        """School years of the district; empty until they were looked at, and without objects of a school year."""

    async def run(self) -> None:
        """Stage the rows of every object that may differ; an unreadable object fails alone."""
        with explained(self.job.source_name, self.job.source_url), first_error():
            async with self.source.snapshot():
                self.report(Note("snapshot of the district taken"))
                if self.job.hashing is None:
                    self.comparer = replace(self.comparer, hashing=await prove(self.source, self.target))
                await self._look()
                known = await self._compare_small_tables()
                whole = {
                    mapping.target
                    for each in self._running()
                    for mapping in each.mappings
                    if each.stats_by_table[mapping].whole
                }
                holder = Holder(self.source, self.target, self.scope, self.rate_limit)
                may_hold = self.job.direct and self.job.purpose is Purpose.RESYNC
                to_hold = await holder.choose(self._running(), whole) if may_hold else []
                async with anyio.create_task_group() as tasks:
                    for run in self._running():
                        tasks.start_soon(self._read, run, whole, known, holder if run in to_hold else None)
        self.report(Note("everything read; snapshot let go"))
        for run in self._running():
            async with run.failing():
                for mapping in filter(self._shows_extra, run.staged):
                    await note_extra(
                        mapping, self.target, self.scope, run.accounts[mapping], run.stats_by_table[mapping]
                    )

    def _running(self) -> list[ObjectRun]:
        return [run for run in self.runs if run.status is Status.RUNNING]

    # --- stats and differences ---

    async def _look(self) -> None:
        for run in self.runs:
            self.report(ObjectStarted(run.dis_object.name))
            async with run.failing():
                for mapping in run.mappings:
                    await self.scope.require_valid_rules(mapping, self.source.check)
        await self._look_above()
        await self._look_at_years()
        try:
            await self._measure(self._running())
        except database_errors():  # caused by one table: find it by measuring each alone
            for run in self._running():
                async with run.failing():
                    for mapping in run.mappings:
                        run.stats_by_table |= await self.comparer.measure([mapping])
                    run.progress()
        for run in self._running():
            run.remarks += self._without_year(run)

    async def _look_above(self) -> None:
        """Find the valid rules of the objects above those of the batch, which may keep parents out of the state."""
        mapping = next((mapping for run in self._running() for mapping in run.mappings), None)
        if mapping is not None:
            catalog, scope = self.job.catalog, self.scope
            above = [catalog[name] for name in catalog.ancestors(self.job.plan.names)]
            tables = tables_beside(mapping.source)
            judged = judge(above, tables, scope.dialect, scope.year, scope.today, self.source.check)
            found: dict[str, list[sa.ColumnElement[bool]]] = {}
            async for rule, condition in judged:
                if not isinstance(condition, ResyncError):
                    found.setdefault(rule.table, []).append(condition)
            self.scope = replace(scope, exclusions=Exclusions(found))
            self.moved = replace(self.moved, scope=self.scope)

    def _without_year(self, run: ObjectRun) -> list[str]:
        """Return remarks on records that lead to no school year."""
        so = "go with the current one" if self.scope.current else "are not sent with it"
        return [
            f"{plural(stats.without_year, 'record')} of {mapping.name} without {self.job.catalog.year}: "
            f"they belong to no year and {so}"
            for mapping, stats in run.stats_by_table.items()
            if stats.without_year
        ]

    async def _look_at_years(self) -> None:
        """Fail the objects of a school year if years are written in no known form; remark if none is the batch's."""
        tied = [run for run in self._running() if run.mappings[0].year is not None]
        if not tied:
            return
        try:
            self.years = await self._written_years(tied[0].mappings[0])
        except database_errors():
            for run in tied:
                async with run.failing():
                    raise
            return
        if self.years and self.job.plan.year not in self.years:
            for run in tied:
                run.remarks.append(f"{self.job.catalog.year} of the district has no {school_year(self.job.plan.year)}")

    async def _written_years(self, mapping: TableMapping) -> set[int]:
        """Return the district's school years. Raises IncompatibleTable for unknown forms at an end.

        Those of the state are none of a resync's business: it writes them as the district has them.
        """
        year, start = mapping.year, self.job.year_start
        assert year is not None
        if self.job.purpose is not Purpose.RESYNC:
            column = year.target_column
            own = mapping.of_tenant(column.table) if (mapping.tenant_column or "") in column.table.c else sa.true()
            await written_years(self.target.fetch, column, start, self.job.target_name, own)
        return await written_years(self.source.fetch, year.source_column, start, self.job.source_name)

    async def _measure(self, runs: Sequence[ObjectRun]) -> None:
        stats_by_table: dict[TableMapping, TableStats] = {}

        async def measure(mappings: Sequence[TableMapping]) -> None:
            stats_by_table.update(await self.comparer.measure(mappings))

        await self._in_few_statements([mapping for run in runs for mapping in run.mappings], measure)
        for run in runs:
            run.stats_by_table = {mapping: stats_by_table[mapping] for mapping in run.mappings}
            run.progress()

    async def _compare_small_tables(self) -> dict[TableMapping, Difference]:
        stats_by_table = {mapping: stats for run in self._running() for mapping, stats in run.stats_by_table.items()}
        known: dict[TableMapping, Difference] = {}

        async def find(mappings: Sequence[TableMapping]) -> None:
            known.update(await self.comparer.find_at_once({mapping: stats_by_table[mapping] for mapping in mappings}))

        try:
            await self._in_few_statements(
                [mapping for mapping, stats in stats_by_table.items() if stats.is_small], find
            )
        except database_errors():  # caused by one table: each is compared alone later, and its object fails alone
            known.clear()
        return known

    async def _in_few_statements(
        self, mappings: Sequence[TableMapping], ask: Callable[[Sequence[TableMapping]], Awaitable[None]]
    ) -> None:
        """Query many tables per statement, in as many parallel statements as object runs are allowed."""

        async def ask_in_turn(chunk: Sequence[TableMapping]) -> None:
            async with self.limiter:
                await ask(chunk)

        statements = max(int(self.limiter.total_tokens), -(-len(mappings) // MOST_TOGETHER))
        with first_error():
            async with anyio.create_task_group() as tasks:
                for number in range(min(statements, len(mappings))):
                    tasks.start_soon(ask_in_turn, mappings[number::statements])

    # --- staging ---

    async def _read(
        self,
        run: ObjectRun,
        whole: Collection[sa.Table],
        known: Mapping[TableMapping, Difference],
        holder: Holder | None,
    ) -> None:
        async with self.limiter, run.failing():
            if holder is None or not await holder.hold(run):
                for mapping in run.mappings:
                    found = known.get(mapping) or await self.comparer.find(mapping, run.stats_by_table[mapping])
                    await self._stage(run, mapping, whole, found)
            run.phase = "waiting"
            run.progress()

    async def _stage(
        self, run: ObjectRun, mapping: TableMapping, whole: Collection[sa.Table], found: Difference
    ) -> None:
        stats, account = run.stats_by_table[mapping], run.accounts[mapping]
        account.difference = found
        _log.debug("%s: the comparison tells %d of %d rows unchanged", mapping.name, found.unchanged, stats.rows)
        account.add(unchanged=found.unchanged)
        if found.unchanged == stats.rows and found.has_no_extra and not found.moves:
            run.read += found.unchanged
            return
        wanted, forbidden = found.candidates(mapping.row), self.scope.forbidden(mapping)
        query = self.scope.reading(mapping, whole).where(wanted if forbidden is None else sa.or_(wanted, forbidden))
        run.staged.append(mapping)
        await self.target.create_stages([mapping], self.source)

        await self._load(mapping, stats, stats.rows - found.unchanged, query, _Read(run, self.rate_limit))
        await self.target.index_stage(mapping, self.source, by_key=not stats.fresh or self._is_parent(mapping))
        if not stats.fresh and self._shows_extra(mapping):
            known = await find_extra(mapping, self.source, self.target, self.scope, account, stats, self.rate_limit)
            if (known or found.moves) and self.job.purpose is not Purpose.REMOVE_EXTRA:
                run.read += await self.moved.stage(mapping, whole, account, self.years)

    def _shows_extra(self, mapping: TableMapping) -> bool:
        """Whether the login sees all district rows of a table: hidden rows are not extra."""
        return mapping.name not in self.source.policed

    def _is_parent(self, mapping: TableMapping) -> bool:
        keys = (key for run in self.runs for each in run.mappings for key in each.foreign_keys)
        return any(key.parent is mapping.target for key in keys)

    async def _load(
        self, mapping: TableMapping, stats: TableStats, rows: int, query: sa.Select[Any], meter: Meter
    ) -> None:
        """Load a stage; a large one in two halves by key, if the slot of another object run is free."""
        load, turn = partial(self.target.load, mapping, self.source), object()
        can_split = stats.low is not None or (self.comparer.hashing is not Hashing.OFF and mapping.key)
        if self.source.readers < 2 or rows < SPLIT_ROWS or not can_split:
            return await load(query, meter)
        try:
            self.limiter.acquire_on_behalf_of_nowait(turn)
        except anyio.WouldBlock:
            return await load(query, meter)
        key = hashing_of_key(mapping, self.source, self.comparer.hashing)
        try:
            async with anyio.create_task_group() as tasks:
                for half in key.halves(mapping.row, stats.low, stats.high):
                    tasks.start_soon(load, query.where(half), meter)
        finally:
            self.limiter.release_on_behalf_of(turn)
