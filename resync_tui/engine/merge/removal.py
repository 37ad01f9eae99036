"""Removal of extra records from the state, children first, up to a maximum share of each table."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.accounts import TableCounts, TableStats
from resync_tui.engine.backends.base import Target
from resync_tui.engine.guards import Guard
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge.chunks import ChunkedWrite, ChunkedWriter, Numbers, Rejected, RowRange, Written
from resync_tui.engine.merge.refused import note_rejected
from resync_tui.engine.merge.rejects import keys_of
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.scope import Scope
from resync_tui.errors import CannotRun
from resync_tui.outcome import RemovalLimit, key_text, removal_limit


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
