"""Removal of extra records from the state: all tables are checked first, then records go, children first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.accounts import TableCounts, TableStats
from resync_tui.engine.backends.base import Target
from resync_tui.engine.guards import Guard
from resync_tui.engine.job import Job, require_known_copy
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge.chunks import ChunkedWrite, ChunkedWriter, Numbers, RowRange, Written
from resync_tui.engine.merge.refused import Rejected, note_rejected
from resync_tui.engine.merge.rejects import found_records, keys_of, report_records
from resync_tui.engine.objects import ObjectRun
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.scope import Scope
from resync_tui.errors import CannotRun
from resync_tui.outcome import RemovalLimit, Status, key_text, removal_limit


@dataclass(frozen=True)
class Removal:
    """Removal of one table's extra records."""

    target: Target
    mapping: TableMapping
    scope: Scope
    account: TableCounts
    stats: TableStats
    guard: Guard

    async def check(self, largest_share: float) -> None:
        """Raise CannotRun if removal is blocked, or if the share of extra records suggests a faulty district."""
        extra = self.account.counts.extra
        if not extra:
            return
        if not self.mapping.key:
            raise CannotRun(
                f"{self.mapping.name} has no key to tell which of its records are extra: nothing was removed",
                f"Leave {self.mapping.object} out, or give the state's table a primary key.",
            )
        if self.guard.reason:
            raise CannotRun(
                f"Nothing was removed of {self.mapping.name}: {self.guard.reason}", f"Leave {self.mapping.object} out."
            )
        query = sa.select(sa.func.count()).select_from(self.mapping.target).where(self.scope.of_target(self.mapping))
        ((held,),) = await self.target.fetch(query)
        limit = removal_limit(extra, held, self.stats.rows, largest_share)
        if limit is RemovalLimit.NO_SOURCE:
            raise CannotRun(
                f"The district has no {self.mapping.name} record at all: none of the state's {held} is removed",
                "Check the district's database; a resync first shows what it holds.",
            )
        if limit is RemovalLimit.SHARE:
            raise CannotRun(
                f"{extra} of {held} {self.mapping.name} records would go, over {largest_share:.0%}: "
                "nothing was removed",
                "Check the district's database, or raise [engine] extra_share.",
            )

    async def exceeds(self, consented: Collection[str]) -> int:
        """Return the number of extra records not consented to; `consented` holds keys as `key_text`."""
        async with self.target.staging() as connection:
            keys = await keys_of(connection, self.mapping, self.mapping.extra, self.mapping.extra_number)
        return sum(key_text(key) not in consented for key in keys)

    async def carry_out(self, rate_limit: RateLimiter) -> None:
        """Delete in chunks; a record that others reference, with or without an action, stays and is rejected."""
        async with self.target.staging() as connection:
            await connection.execute(sa.delete(self.mapping.refused))
        writer, lock = ChunkedWriter(self.target, rate_limit), self._rows if self.guard.actions else None
        write = ChunkedWrite(self.account, "removed", self._delete, self._numbers, lock=lock)
        while True:
            parts = await writer.over(self.mapping.extra_number, lambda row_range: writer.write(write, row_range))
            written = Written.total(parts)
            # Records that referenced others of the same table may have been removed in this pass.
            if not written.rows or not (written.rejected or self.guard.actions):
                break
        rejected = {row.number: row.reason for row in written.rejected} | await self._blocked_by_actions()
        await note_rejected(self.target, self.mapping, [Rejected(*row) for row in rejected.items()])
        self.account.add(rejected=len(rejected))

    def _rows(self, row_range: RowRange) -> sa.Select[Any]:
        return sa.select(sa.literal(1)).select_from(self.mapping.target).where(self._extra(row_range))

    def _extra(self, row_range: RowRange) -> sa.ColumnElement[bool]:
        extra = self.mapping.extra
        listed = sa.exists().where(
            row_range.of(self.mapping.extra_number),
            *(self.mapping.target.c[name] == extra.c[name] for name in self.mapping.key),
        )
        return sa.and_(self.mapping.of_tenant(), listed)

    def _delete(self, row_range: RowRange) -> sa.Delete:
        return sa.delete(self.mapping.target).where(
            self._extra(row_range),
            *(sa.not_(action.hangs_on(self.mapping.target)) for action in self.guard.actions),
        )

    async def _blocked_by_actions(self) -> dict[int, str]:
        """Return the reasons, by row id, why extra records stay: others reference them with an ON DELETE action."""
        held: dict[int, str] = {}
        for action in reversed(self.guard.actions):
            there = self.mapping.same_key(self.mapping.target, self.mapping.extra)
            numbers = sa.select(self.mapping.extra_number).where(there, action.hangs_on(self.mapping.target))
            reason = f"records hang on it by {action.told}"
            held |= {int(number): reason for (number,) in await self.target.fetch(numbers)}
        return held

    def _numbers(self, row_range: RowRange) -> Numbers:
        number = self.mapping.extra_number
        return sa.select(number).where(row_range.of(number))


async def remove_extra(
    job: Job, runs: Mapping[str, ObjectRun], target: Target, scope: Scope, rate_limit: RateLimiter
) -> None:
    """Remove the extra records of compared object runs. Raises CannotRun if nothing may be removed."""
    if any(run.status in (Status.FAILED, Status.SKIPPED) for run in runs.values()):
        raise CannotRun("An object could not be compared, so nothing was removed", "See its message; mend that first.")
    removals = {
        mapping: Removal(
            target, mapping, scope, run.accounts[mapping], run.stats_by_table[mapping], run.guards[mapping]
        )
        for run in runs.values()
        for mapping in run.staged
    }
    if any(removal.account.counts.extra for removal in removals.values()):
        await require_known_copy(job, target)
    for removal in removals.values():
        await removal.check(job.limits.extra_share)
    await _require_consent(job, runs, removals)
    for planned in reversed(job.plan.objects):
        run = runs[planned.object]
        async with run.failing():
            run.phase = "removing"
            for account in run.accounts.values():
                account.begin_removal()
            for mapping in reversed(run.staged):
                await removals[mapping].carry_out(rate_limit)
            await report_records(run, target)
            run.complete(run.counts.extra)


async def _require_consent(job: Job, runs: Mapping[str, ObjectRun], removals: Mapping[TableMapping, Removal]) -> None:
    """Raise CannotRun, and report the extra records, if more are extra than were consented to."""
    if job.consent is None:
        return
    more = {mapping: await each.exceeds(job.consent.get(mapping.name, ())) for mapping, each in removals.items()}
    if not any(more.values()):
        return
    for mapping, removal in removals.items():
        async with removal.target.staging() as connection:
            extra, kept = removal.account.counts.extra, job.limits.errors_kept
            async for found in found_records(connection, mapping, kept, extra, [], compared=False):
                runs[mapping.object].report(found)
    names = ", ".join(f"{count} of {mapping.name}" for mapping, count in more.items() if count)
    raise CannotRun(
        f"Nothing was removed: by now records are extra that the preview did not show ({names})",
        "Look at what is extra, then ask again: resync-tui remove-extra",
    )
