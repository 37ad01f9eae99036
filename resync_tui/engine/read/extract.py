"""Read what may differ of a batch's tables, all under one snapshot of the district, and stage it in the state."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import anyio
import sqlalchemy as sa

from resync_tui.database import explained
from resync_tui.engine.buckets import halves
from resync_tui.engine.course import TROUBLE, Course, first_error
from resync_tui.engine.difference import Comparer, Difference, Extent
from resync_tui.engine.ends import Meter, Source, Target
from resync_tui.engine.events import Note, ObjectStarted, Report
from resync_tui.engine.extra import find_extra, note_extra
from resync_tui.engine.fingerprints import Hashing, key_forms, prove
from resync_tui.engine.job import Job
from resync_tui.engine.pace import Pace
from resync_tui.engine.scope import Scope
from resync_tui.engine.tables import TableSpec
from resync_tui.outcome import Status

SPLIT_ROWS = 200_000
"""So many are worth two connections at each end while they are read."""
MOST_TOGETHER = 100
"""Tables that one statement asks about."""


@dataclass(frozen=True)
class _Read:
    """Counts what has been read of an object, at a pace."""

    course: Course
    pace: Pace

    def portion(self, wanted: int) -> int:
        return self.pace.portion(wanted)

    async def __call__(self, records: int) -> None:
        await self.pace.spend(records)
        self.course.read += records
        self.course.progress()


class Reading:
    """The first half of a batch; the district is let go at its end."""

    def __init__(
        self,
        job: Job,
        source: Source,
        target: Target,
        courses: Sequence[Course],
        scope: Scope,
        limiter: anyio.CapacityLimiter,
        report: Report,
    ) -> None:
        self.job = job
        self.source = source
        self.target = target
        self.courses = courses
        self.scope = scope
        self.limiter = limiter
        self.report = report
        self.pace = Pace(job.limits.max_records_per_second)
        self.comparer = Comparer(source, target, scope, job.hashing or Hashing.OFF)

    async def run(self) -> None:
        """Stage every object that may differ; one that cannot be read fails alone."""
        with explained(self.job.source_name, self.job.source_url), first_error():
            async with self.source.snapshot():
                self.report(Note("snapshot of the district taken"))
                if self.job.hashing is None:
                    self.comparer = replace(self.comparer, hashing=await prove(self.source, self.target))
                await self._look()
                known = await self._compare_small_tables()
                whole = {spec.target for each in self._running() for spec in each.specs if each.extents[spec].whole}
                async with anyio.create_task_group() as tasks:
                    for course in self._running():
                        tasks.start_soon(self._read, course, whole, known)
        self.report(Note("everything read; snapshot let go"))
        for course in self._running():
            async with course.failing():
                for spec in filter(self._shows_extra, course.staged):
                    await note_extra(spec, self.target, self.scope, course.accounts[spec], course.extents[spec])

    def _running(self) -> list[Course]:
        return [course for course in self.courses if course.status is Status.RUNNING]

    # --- how much there is, and what is the same ---

    async def _look(self) -> None:
        for course in self.courses:
            self.report(ObjectStarted(course.dis_object.name))
            async with course.failing():
                for spec in course.specs:
                    await self.scope.require_valid_rules(spec, self.source.fetch)
        try:
            await self._measure(self._running())
        except TROUBLE:  # with one of them: find out with which
            for course in self._running():
                async with course.failing():
                    for spec in course.specs:
                        course.extents |= await self.comparer.measure([spec])
                    course.progress()

    async def _measure(self, courses: Sequence[Course]) -> None:
        extents: dict[TableSpec, Extent] = {}

        async def measure(specs: Sequence[TableSpec]) -> None:
            extents.update(await self.comparer.measure(specs))

        await self._in_few_statements([spec for course in courses for spec in course.specs], measure)
        for course in courses:
            course.extents = {spec: extents[spec] for spec in course.specs}
            course.progress()

    async def _compare_small_tables(self) -> dict[TableSpec, Difference]:
        extents = {spec: extent for course in self._running() for spec, extent in course.extents.items()}
        known: dict[TableSpec, Difference] = {}

        async def find(specs: Sequence[TableSpec]) -> None:
            known.update(await self.comparer.find_at_once({spec: extents[spec] for spec in specs}))

        try:
            await self._in_few_statements([spec for spec, extent in extents.items() if extent.is_small], find)
        except TROUBLE:  # with one of them: each is asked alone, and its object fails alone
            known.clear()
        return known

    async def _in_few_statements(
        self, specs: Sequence[TableSpec], ask: Callable[[Sequence[TableSpec]], Awaitable[None]]
    ) -> None:
        """Ask about many tables together, as many statements side by side as objects may be."""

        async def ask_in_turn(portion: Sequence[TableSpec]) -> None:
            async with self.limiter:
                await ask(portion)

        statements = max(int(self.limiter.total_tokens), -(-len(specs) // MOST_TOGETHER))
        with first_error():
            async with anyio.create_task_group() as tasks:
                for number in range(min(statements, len(specs))):
                    tasks.start_soon(ask_in_turn, specs[number::statements])

    # --- staging ---

    async def _read(self, course: Course, whole: Collection[sa.Table], known: Mapping[TableSpec, Difference]) -> None:
        async with self.limiter, course.failing():
            for spec in course.specs:
                extent = course.extents[spec]
                await self._stage(course, spec, whole, known.get(spec) or await self.comparer.find(spec, extent))
            course.phase = "waiting"
            course.progress()

    async def _stage(self, course: Course, spec: TableSpec, whole: Collection[sa.Table], found: Difference) -> None:
        extent, account = course.extents[spec], course.accounts[spec]
        account.difference = found
        account.add(unchanged=found.unchanged)
        if found.unchanged == extent.rows and found.nothing_more:
            course.read += found.unchanged
            return
        wanted, forbidden = found.candidates(spec.row), self.scope.forbidden(spec)
        query = self.scope.reading(spec, whole).where(wanted if forbidden is None else sa.or_(wanted, forbidden))
        course.staged.append(spec)
        await self.target.create_stages([spec], self.source)

        await self._load(spec, extent, extent.rows - found.unchanged, query, _Read(course, self.pace))
        await self.target.settle(spec, self.source, by_key=not extent.fresh or self._is_parent(spec))
        if not extent.fresh and self._shows_extra(spec):
            await find_extra(spec, self.source, self.target, self.scope, account, extent, self.pace)

    def _shows_extra(self, spec: TableSpec) -> bool:
        """Whether the district shows all that it has: what it hides is not extra."""
        return spec.name not in self.source.policed

    def _is_parent(self, spec: TableSpec) -> bool:
        keys = (key for course in self.courses for each in course.specs for key in each.foreign_keys)
        return any(key.parent is spec.target for key in keys)

    async def _load(self, spec: TableSpec, extent: Extent, rows: int, query: sa.Select[Any], meter: Meter) -> None:
        """Load a stage with so many rows; many in two halves by their keys where another object's turn is free."""
        load, turn = partial(self.target.load, spec, self.source), object()
        can_split = extent.low is not None or (self.comparer.hashing is not Hashing.OFF and spec.key)
        if self.source.readers < 2 or rows < SPLIT_ROWS or not can_split:
            return await load(query, meter)
        try:
            self.limiter.acquire_on_behalf_of_nowait(turn)
        except anyio.WouldBlock:
            return await load(query, meter)
        key = key_forms(spec, self.comparer.hashing)
        try:
            async with anyio.create_task_group() as tasks:
                for half in halves(key, spec.row, extent.low, extent.high):
                    tasks.start_soon(load, query.where(half), meter)
        finally:
            self.limiter.release_on_behalf_of(turn)
