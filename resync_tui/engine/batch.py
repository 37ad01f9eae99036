"""One batch: read everything that may differ under one snapshot, let the district go, then merge wave by wave."""

from collections.abc import Iterable, Mapping

import anyio

from resync_tui.database import dialect_of, explained
from resync_tui.engine.circles import circular_groups
from resync_tui.engine.course import TROUBLE, Course, first_error
from resync_tui.engine.ends import CLEANUP_SECONDS, Source, Target, require_all_seen
from resync_tui.engine.events import Note, Report
from resync_tui.engine.extra import Removal
from resync_tui.engine.guards import guards_of
from resync_tui.engine.job import (
    Job,
    open_source,
    open_target,
    own_copy,
    require_identity,
    require_known_copy,
    require_own_copy,
)
from resync_tui.engine.pace import Pace
from resync_tui.engine.reading import Reading
from resync_tui.engine.refusal import Surroundings
from resync_tui.engine.report import found_records, refused_records
from resync_tui.engine.scope import Scope
from resync_tui.engine.table import Account, Merge
from resync_tui.engine.tables import TableSpec, describe
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Purpose, Status


async def run_batch(job: Job, report: Report) -> Status:
    """Run a batch and return COMPLETED, or FAILED where an object failed.

    Raises CannotRun, ConnectionLost or LeaseLost where the batch as a whole cannot run. Cancelling the scope ends it at
    the next statement; its stages are dropped either way.
    """
    if (dialect_of(job.source_url), dialect_of(job.target_url)) == ("postgresql", "sqlite"):
        raise CannotRun("A PostgreSQL district cannot be pushed into a SQLite state", "Use a PostgreSQL state.")
    source, target = open_source(job.source, job.target), open_target(job.target)
    try:
        with first_error():
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
            await require_own_copy(job, target)
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
        self.courses = {name: Course(job.catalog[name], job, report) for name in job.plan.names}
        self.limiter = anyio.CapacityLimiter(max(1, job.limits.concurrency))
        self.pace = Pace(job.limits.max_records_per_second)
        year, current = job.plan.year, job.current_year in (None, job.plan.year)
        self.scope = Scope(year, current, job.today, dialect_of(job.source_url))

    async def run(self) -> Status:
        with explained(self.job.source_name, self.job.source_url):
            await require_identity(self.job, self.source)
            await self.source.expel_older()
        with explained(self.job.target_name, self.job.target_url), first_error():
            # Before the claim, which all districts of such a state share.
            await require_own_copy(self.job, self.target)
            await self.target.claim()
            try:
                await self._describe()
                await self._read()
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
        except (*TROUBLE, OSError):
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
                for end in (self.source, self.target):
                    require_all_seen(end, course.specs, removing=self.job.purpose is Purpose.REMOVE_EXTRA)
            except CannotRun as error:
                course.fail(error)
                continue
            for spec in course.specs:
                course.accounts[spec] = Account(course.progress)
        for told in self._untold(names):
            self.report(Note(told))
        if self.job.purpose is not Purpose.RESYNC:
            await self._guard()

    async def _guard(self) -> None:
        """Ask both ends what keeps extra records from being removed."""
        specs = {spec: course for course in self.courses.values() for spec in course.accounts}
        with explained(self.job.source_name, self.job.source_url):
            at_district = await self.source.doubts({spec.name: spec.source for spec in specs})
        targets = {spec.name: spec.target for spec in specs}
        doubts = (at_district, await self.target.doubts(targets))
        for spec, guard in guards_of(specs, doubts, await self.target.delete_actions(targets)):
            specs[spec].guards[spec] = guard

    def _untold(self, tables: Iterable[str]) -> list[str]:
        """Return what nothing tells of tables whose policies are trusted at an end."""
        ends = ((self.source, "these are not called extra"), (self.target, "of the missing, some may be there"))
        return [
            f"Policies may hide records of {', '.join(hidden)} at {end.end.name}: {so}"
            for end, so in ends
            if end.end.trusts_policies and (hidden := [name for name in tables if name in end.policed])
        ]

    async def _read(self) -> None:
        """Stage what may differ, under a snapshot that is not held too long: it keeps the district from vacuuming."""
        running = [course for course in self.courses.values() if course.status is Status.RUNNING]
        reading = Reading(self.job, self.source, self.target, running, self.scope, self.limiter, self.report)
        minutes = self.job.limits.snapshot_minutes
        with anyio.move_on_after(minutes * 60 or None) as scope:
            await reading.run()
        if scope.cancelled_caught:
            raise CannotRun(
                f"Reading {self.job.source_name} took more than the {minutes:g} minutes that its snapshot may be held",
                "Send fewer objects at a time, or raise [engine] snapshot_minutes or max_records_per_second.",
            )

    # --- merging ---

    async def _merge_all(self) -> None:
        if self.job.purpose is Purpose.RESYNC and any(course.staged for course in self.courses.values()):
            await own_copy(self.job, self.target)
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

    async def _merge(self, course: Course, around: Surroundings) -> None:
        if course.status is Status.FAILED or self._skipped(course):
            return
        purpose = self.job.purpose
        async with self.limiter, course.failing():
            course.phase = "merging" if purpose is Purpose.RESYNC else "comparing"
            for group in circular_groups(course.staged):
                accounts = {spec: course.accounts[spec] for spec in group}
                fresh = {spec for spec in group if course.extents[spec].fresh and purpose is Purpose.RESYNC}
                merge = Merge(self.target, accounts, fresh, around, self.pace)
                await merge.compare()
                if purpose is Purpose.RESYNC:
                    await merge.merge()
                elif purpose is Purpose.VERIFY:
                    merge.tell()
            if purpose is not Purpose.REMOVE_EXTRA:
                await self._report_records(course)
                untold = self._untold(course.dis_object.tables) if purpose is Purpose.VERIFY else []
                course.complete(course.total, "; ".join([*untold, *await self._what_stays(course)]))

    async def _what_stays(self, course: Course) -> list[str]:
        """Say what keeps extra records of an object in the state, as far as a comparison tells."""
        lines: list[str] = []
        for spec, guard in course.guards.items():
            if course.accounts[spec].counts.extra or spec.lacks_year_path:
                lines += await guard.told(self.target.fetch, spec)
        return lines

    def _skipped(self, course: Course) -> bool:
        """Skip an object whose parent in this batch is not in place."""
        name = course.dis_object.name
        above = self.job.catalog.ancestors([name]).intersection(self.courses)
        fallen = [each for each in above if self.courses[each].status in (Status.FAILED, Status.SKIPPED)]
        if fallen:
            course.skip(min(fallen, key=lambda each: (self.courses[each].status is not Status.FAILED, each)))
        return bool(fallen)

    async def _report_records(self, course: Course) -> None:
        kept, purpose = self.job.limits.errors_kept, self.job.purpose
        removed, compared = purpose is Purpose.REMOVE_EXTRA, purpose is Purpose.VERIFY
        for spec in course.staged:
            counts = course.accounts[spec].counts
            if not counts.errors and not counts.extra and not compared:
                continue
            async with self.target.staging() as connection:
                async for refused in refused_records(connection, spec, kept, of_extra=removed):
                    self.report(refused)
                async for found in found_records(connection, spec, kept, counts.extra, compared=compared):
                    self.report(found)

    async def _require_consent(self, removals: Mapping[TableSpec, Removal]) -> None:
        """Show what is extra by now, and raise CannotRun, where that is more than was consented to."""
        consent = self.job.consent
        if consent is None:
            return
        more = {spec: await each.exceeds(consent.get(spec.name, ())) for spec, each in removals.items()}
        if not any(more.values()):
            return
        for spec, removal in removals.items():
            async with self.target.staging() as connection:
                extra, kept = removal.account.counts.extra, self.job.limits.errors_kept
                async for found in found_records(connection, spec, kept, extra, compared=False):
                    self.report(found)
        names = ", ".join(f"{count} of {spec.name}" for spec, count in more.items() if count)
        raise CannotRun(
            f"Nothing was removed: by now records are extra that the preview did not show ({names})",
            "Look at what is extra, then ask again: resync-tui remove-extra",
        )

    async def _remove_extra(self) -> None:
        """Check every object before anything is removed; then remove, children first."""
        if any(course.status in (Status.FAILED, Status.SKIPPED) for course in self.courses.values()):
            raise CannotRun(
                "An object could not be compared, so nothing was removed", "See its message; mend that first."
            )
        removals = {
            spec: Removal(
                self.target, spec, self.scope, course.accounts[spec], course.extents[spec], course.guards[spec]
            )
            for course in self.courses.values()
            for spec in course.staged
        }
        if any(removal.account.counts.extra for removal in removals.values()):
            await require_known_copy(self.job, self.target)
        for removal in removals.values():
            await removal.check(self.job.limits.extra_share)
        await self._require_consent(removals)
        for planned in reversed(self.job.plan.objects):
            course = self.courses[planned.object]
            async with course.failing():
                course.phase = "removing"
                for account in course.accounts.values():
                    account.counts = Counts(extra=account.counts.extra)
                for spec in reversed(course.staged):
                    await removals[spec].carry_out(self.pace)
                await self._report_records(course)
                course.complete(course.counts.extra)
