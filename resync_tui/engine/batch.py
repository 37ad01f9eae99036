"""Batch run: read what may differ under one snapshot, close the snapshot, then merge in waves, parents first."""

import logging
from collections.abc import Collection, Iterable, Sequence

import anyio

from resync_tui.databases.registry import driver_errors, explained, require_pair, trouble
from resync_tui.engine import tenants
from resync_tui.engine.accounts import TableCounts
from resync_tui.engine.backends.base import CLEANUP_SECONDS, Source, Target, require_all_seen
from resync_tui.engine.backends.registry import open_source, open_target
from resync_tui.engine.events import Note, Report
from resync_tui.engine.guards import guards_of
from resync_tui.engine.job import Job, own_copy, require_identity, require_own_copy
from resync_tui.engine.mapping import TableMapping, describe
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.cycles import foreign_key_cycles
from resync_tui.engine.merge.direct import DirectMerge
from resync_tui.engine.merge.merge import Merge
from resync_tui.engine.merge.rejects import report_records
from resync_tui.engine.merge.removal import remove_extra
from resync_tui.engine.merge.table import TableMerge
from resync_tui.engine.narrowing import narrowings
from resync_tui.engine.objects import ObjectRun, database_errors, first_error
from resync_tui.engine.proof.proof import Proof, key_tables
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.read.extract import Reading
from resync_tui.engine.scope import Scope
from resync_tui.errors import CannotRun
from resync_tui.outcome import Purpose, Status

_log = logging.getLogger(__name__)


async def run_batch(job: Job, report: Report) -> Status:
    """Run a batch; return COMPLETED, or FAILED if an object run failed.

    Raises CannotRun, ConnectionLost or LeaseLost if the batch as a whole cannot run. Cancelling the scope ends it at
    the next statement; its stages are dropped either way.
    """
    require_pair(job.source_url, job.target_url)
    source, target = open_source(job.source, job.target), open_target(job.target)
    try:
        with first_error():
            return await _Batch(job, source, target, report).run()
    except driver_errors() as error:
        raise trouble(error, f"{job.source_name} or {job.target_name}") from None
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_SECONDS):
            await source.close()
            await target.close()


async def clear_stage(job: Job) -> None:
    """Drop the stages that this district's batches up to the job's token left in the target."""
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
        self.runs = {name: ObjectRun(job.catalog[name], job, report) for name in job.plan.names}
        self.limiter = anyio.CapacityLimiter(max(1, job.limits.concurrency))
        self.rate_limit = RateLimiter(job.limits.max_records_per_second)
        current = job.current_year in (None, job.plan.year)
        self.scope = Scope(job.plan.year, current, job.today, self.source.dialect, job.year_start)

    async def run(self) -> Status:
        with explained(self.job.source_name, self.job.source_url):
            await self.source.require_session()
            await require_identity(self.job, self.source)
            await self.source.expel_older()
        with explained(self.job.target_name, self.job.target_url), first_error():
            await self.target.require_writable()
            await self.target.require_session()
            # Before the claim: all districts share it in a state without a tenant column.
            await require_own_copy(self.job, self.target)
            await self.target.claim()
            try:
                await self._describe()
                await self._read()
                await self._merge_all()
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_SECONDS):
                    await self._drop_stages()
        failed = any(run.status is not Status.COMPLETED for run in self.runs.values())
        return Status.FAILED if failed else Status.COMPLETED

    async def _drop_stages(self) -> None:
        """Drop the stages.

        If the target is unreachable or taken over, the next claim of this district drops the stages.
        """
        try:
            await self.target.drop_stages()
        except database_errors(OSError):
            self.report(Note("stage left behind; the next batch of this district drops it"))

    # --- mapping ---

    async def _describe(self) -> None:
        """Map the tables of every object run; one with incompatible tables fails alone."""
        names = [table for run in self.runs.values() for table in run.dis_object.tables]
        proof = await self._prove(names)
        for run in self.runs.values():
            try:
                proof.require(run.dis_object)
                run.mappings = tuple(
                    describe(
                        run.dis_object,
                        table,
                        self.target.stage_name(names.index(table)),
                        proof,
                        self.job.tenant,
                    )
                    for table in run.dis_object.tables
                )
                for mapping in run.mappings:
                    await self._require_apart(mapping)
                for end in (self.source, self.target):
                    require_all_seen(end, run.mappings, removing=self.job.purpose is Purpose.REMOVE_EXTRA)
            except CannotRun as error:
                run.fail(error)
                continue
            for mapping in run.mappings:
                run.accounts[mapping] = TableCounts(run.progress)
        _log.debug("%d tables described", len(names))
        narrow = [
            each.told("the district")
            for run in self.runs.values()
            for table in run.accounts
            for each in narrowings(table)
        ]
        for told in [*self._untold(names), *narrow]:
            self.report(Note(told))
        if self.job.purpose is not Purpose.RESYNC:
            await self._guard()

    async def _require_apart(self, mapping: TableMapping) -> None:
        """Raise IncompatibleTable if the state's tenant column takes another district's id for this one's."""
        tenants.require_apart(mapping.target, mapping.tenant_column, self.job.tenants)
        await tenants.require_unmixed(self.target.fetch, mapping.target, mapping.tenant_column, mapping.tenant)

    async def _prove(self, names: Sequence[str]) -> Proof:
        """Return the catalog held against the tables of both ends."""
        catalog = self.job.catalog
        named = dict.fromkeys([*names, *key_tables(catalog)])
        targets = await self.target.reflect(named)
        with explained(self.job.source_name, self.job.source_url):
            sources = await self.source.reflect(dict.fromkeys([*named, *targets]))
        return Proof(catalog, sources, targets)

    async def _guard(self) -> None:
        """Collect from both ends the reasons that block the removal of extra records."""
        mappings = {mapping: run for run in self.runs.values() for mapping in run.accounts}
        with explained(self.job.source_name, self.job.source_url):
            at_district = await self.source.doubts({mapping.name: mapping.source for mapping in mappings})
        actions = await self.target.delete_actions({mapping.name: mapping.target for mapping in mappings})
        for mapping, guard in guards_of(mappings, at_district, actions):
            mappings[mapping].guards[mapping] = guard

    def _untold(self, tables: Iterable[str]) -> list[str]:
        """Return notes on tables with records that trusted policies may hide at an end."""
        ends = ((self.source, "these are not called extra"), (self.target, "of the missing, some may be there"))
        return [
            f"Policies may hide records of {', '.join(hidden)} at {end.end.name}: {so}"
            for end, so in ends
            if end.end.trusts_policies and (hidden := [name for name in tables if name in end.policed])
        ]

    async def _read(self) -> None:
        """Stage what may differ under one snapshot, of limited duration: it delays vacuuming in the district."""
        running = [run for run in self.runs.values() if run.status is Status.RUNNING]
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
        if self.job.purpose is Purpose.RESYNC and any(run.staged or run.held for run in self.runs.values()):
            await own_copy(self.job, self.target)
        context = await self._merge_context()
        direct = DirectMerge(self.target, self.rate_limit, self.limiter)
        for wave in sorted({planned.wave for planned in self.job.plan.objects}):
            of_wave = [self.runs[planned.object] for planned in self.job.plan.objects if planned.wave == wave]
            fallen = {name for name, run in self.runs.items() if run.status in (Status.FAILED, Status.SKIPPED)}
            runs = [run for run in of_wave if run.status is not Status.FAILED and not self._skipped(run, fallen)]
            await direct.insert([run for run in runs if run.held])
            async with anyio.create_task_group() as tasks:
                for run in runs:
                    tasks.start_soon(self._merge, run, context)
        if self.job.purpose is Purpose.REMOVE_EXTRA:
            await remove_extra(self.job, self.runs, self.target, self.scope, self.rate_limit)

    async def _merge_context(self) -> MergeContext:
        staged = {mapping.target: mapping for run in self.runs.values() for mapping in run.staged}
        tables = {mapping.name: mapping.target for mapping in staged.values()}
        return MergeContext(
            staged=staged,
            settled={mapping.target for run in self.runs.values() for mapping in run.mappings} - staged.keys(),
            owners=self.job.catalog.owners,
            merging=self.job.purpose is Purpose.RESYNC,
            other_year=not self.scope.current,
            moved={mapping: account.moved for run in self.runs.values() for mapping, account in run.accounts.items()},
            triggered=await self.target.triggered(tables) if tables else frozenset(),
            doubtful=await self._doubtful(staged.values()),
            update_actions=await self.target.update_actions(tables) if tables else (),
        )

    async def _doubtful(self, staged: Collection[TableMapping]) -> Collection[str]:
        """Return the tables of which the district need not show every record, if extra ones may be set aside."""
        extra = {mapping for run in self.runs.values() for mapping, each in run.accounts.items() if each.counts.extra}
        if not any(mapping.unique_keys for mapping in extra):
            return ()
        with explained(self.job.source_name, self.job.source_url):
            return await self.source.doubts({mapping.name: mapping.source for mapping in staged})

    async def _merge(self, run: ObjectRun, context: MergeContext) -> None:
        purpose = self.job.purpose
        async with self.limiter, run.failing():
            await self._stage_held(run, context)
            run.phase = "merging" if purpose is Purpose.RESYNC else "comparing"
            for group in foreign_key_cycles(run.staged):
                resync = purpose is Purpose.RESYNC
                tables = [
                    TableMerge(
                        mapping,
                        run.accounts[mapping],
                        fresh=run.stats_by_table[mapping].fresh and resync,
                        triggered=mapping.name in context.triggered,
                    )
                    for mapping in group
                ]
                merge = Merge(self.target, tables, context, self.rate_limit)
                await merge.compare()
                if purpose is Purpose.RESYNC:
                    await merge.merge()
                    for each in tables:
                        run.set_by_trigger += [f"{each.mapping.name}.{name}" for name in each.set_by_trigger]
                        run.disturbed |= each.disturbed
                        if each.removed_by_trigger:
                            run.removed_by_trigger.append((each.mapping.name, each.removed_by_trigger))
                elif purpose is Purpose.VERIFY:
                    merge.count_pending()
                run.remarks += await merge.standoffs()
            if purpose is not Purpose.REMOVE_EXTRA:
                await report_records(run, self.target, context.staged)
                untold = self._untold(run.dis_object.tables) if purpose is Purpose.VERIFY else []
                run.complete(run.total, "; ".join([*untold, *run.notes, *run.moved, *await self._what_stays(run)]))

    async def _stage_held(self, run: ObjectRun, context: MergeContext) -> None:
        """Stage the rows that an object still holds: the state refused some of them."""
        for mapping, rows in run.held.items():
            await self.target.create_stages([mapping], self.source)
            run.staged.append(mapping)
            context.staged[mapping.target] = mapping
            if self.target.direct is not None:
                await self.target.direct.stage(self.target, mapping, rows)
            await self.target.index_stage(mapping, self.source, by_key=True)
        run.held = {}

    async def _what_stays(self, run: ObjectRun) -> list[str]:
        """Return the reasons why extra records of an object stay, as far as a comparison shows."""
        lines: list[str] = []
        for mapping, guard in run.guards.items():
            if run.accounts[mapping].counts.extra:
                lines += await guard.told(self.target.fetch, mapping)
        return lines

    def _skipped(self, run: ObjectRun, fallen: Collection[str]) -> bool:
        """Skip an object run if a parent in this batch failed or was skipped; return whether it was."""
        above = self.job.catalog.ancestors([run.dis_object.name]).intersection(fallen) if fallen else ()
        if above:
            run.skip(min(above, key=lambda each: (self.runs[each].status is not Status.FAILED, each)))
        return bool(above)
