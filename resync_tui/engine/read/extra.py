"""Take records out of the state that the district does not have, children first, if not too many would go."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.copies import count_extra
from resync_tui.engine.difference import Extent
from resync_tui.engine.ends import Source, Target
from resync_tui.engine.guards import Guard
from resync_tui.engine.pace import Pace
from resync_tui.engine.portions import Numbers, Portions, Span
from resync_tui.engine.report import keys_of
from resync_tui.engine.scope import Scope
from resync_tui.engine.table import Account
from resync_tui.engine.tables import TableSpec
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Kind, key_text


async def find_extra(
    spec: TableSpec, source: Source, target: Target, scope: Scope, account: Account, extent: Extent, pace: Pace
) -> None:
    """Note which of the state's records the district does not have, once its rows are staged.

    Where not the whole table is in scope, the district is asked for each: it may have the record in another year.
    """
    if not spec.key or spec.lacks_year_path or account.difference.extra is not None:
        return
    staged = spec.stage.alias("staged")
    only_there = sa.not_(sa.exists().where(*(spec.target.c[name] == staged.c[name] for name in spec.key)))
    keys = sa.select(*(spec.target.c[name] for name in spec.key))
    rows = keys.where(scope.of_target(spec), account.difference.candidates(spec.target), only_there)
    async with target.staging() as connection:
        found = int((await connection.execute(sa.insert(spec.extra).from_select(list(spec.key), rows))).rowcount)
    known = await _forget_known(spec, source, target, scope, pace) if found and not extent.whole else 0
    account.add(extra=found - known)


async def note_extra(spec: TableSpec, target: Target, scope: Scope, account: Account, extent: Extent) -> None:
    """Note those that take no question to the district, once it is let go and its reader no longer writes stages."""
    if extent.fresh or spec.lacks_year_path:
        return
    if not spec.key:
        ((found,),) = await target.fetch(count_extra(spec, scope.of_target(spec)))
        account.add(extra=int(found))
    elif known := account.difference.extra:
        async with target.staging() as connection:
            await connection.execute(sa.insert(spec.extra), [dict(zip(spec.key, key, strict=True)) for key in known])
        account.add(extra=len(known))


async def _forget_known(spec: TableSpec, source: Source, target: Target, scope: Scope, pace: Pace) -> int:
    """Take those records back that the district has in another year; return how many.

    Its keys come the way of sent records, so that they are told by the values that the state would hold.
    """
    keyed = spec.keys_alone
    await target.create_stages([keyed], source)
    await target.load(keyed, source, scope.elsewhere(keyed), _Keys(pace))
    await target.settle(keyed, source, by_key=True)
    extra, held, elsewhere = spec.extra, spec.target.alias("held"), keyed.stage
    known = sa.exists().where(spec.same_key(held, extra), *(held.c[name] == elsewhere.c[name] for name in spec.key))
    async with target.staging() as connection:
        return int((await connection.execute(sa.delete(extra).where(known))).rowcount)


@dataclass(frozen=True)
class _Keys:
    """Keeps keys that are read to the pace of records; they count as none."""

    pace: Pace

    def portion(self, wanted: int) -> int:
        return self.pace.portion(wanted)

    async def __call__(self, records: int) -> None:
        await self.pace.spend(records)


@dataclass(frozen=True)
class Removal:
    """The removal of one table's extra records."""

    target: Target
    spec: TableSpec
    scope: Scope
    account: Account
    extent: Extent
    guard: Guard

    async def check(self, largest_share: float) -> None:
        """Raise CannotRun where none may go, or so many would that the district rather than the state is wrong."""
        extra = self.account.counts.extra
        if not extra:
            return
        if not self.spec.key:
            raise CannotRun(
                f"{self.spec.name} has no key to tell which of its records are extra: nothing was removed",
                f"Leave {self.spec.object} out, or give the state's table a primary key.",
            )
        if self.guard.reason:
            raise CannotRun(
                f"Nothing was removed of {self.spec.name}: {self.guard.reason}", f"Leave {self.spec.object} out."
            )
        query = sa.select(sa.func.count()).select_from(self.spec.target).where(self.scope.of_target(self.spec))
        ((held,),) = await self.target.fetch(query)
        if not self.extent.rows:
            raise CannotRun(
                f"The district has no {self.spec.name} record at all: none of the state's {held} is removed",
                "Check the district's database; a resync first shows what it holds.",
            )
        if extra > largest_share * held:
            raise CannotRun(
                f"{extra} of {held} {self.spec.name} records would go, over {largest_share:.0%}: nothing was removed",
                "Check the district's database, or raise [engine] extra_share.",
            )

    async def exceeds(self, consented: Collection[str]) -> int:
        """Return how many extra records are none of those that were consented to, by `key_text`."""
        async with self.target.staging() as connection:
            keys = await keys_of(connection, self.spec, self.spec.extra, self.spec.extra.c.n)
        return sum(key_text(key) not in consented for key in keys)

    async def carry_out(self, pace: Pace) -> None:
        """Delete in portions; a record that others still point to, or hang on, stays and is rejected."""
        self.account.counts = Counts(extra=self.account.counts.extra)
        async with self.target.staging() as connection:
            await connection.execute(sa.delete(self.spec.refused))
        portions = Portions(self.target, pace)
        refused: dict[int, str] = {}

        async def alone(number: int, reason: str) -> None:
            refused[number] = reason

        def count(done: int) -> None:
            self.account.add(removed=done)

        async def remove(span: Span) -> int:
            lock = self._rows if self.guard.actions else None
            return await portions.apply(span, self._delete, self._numbers, alone, count, lock=lock)

        # What hung on a record of the same table may have gone in the pass before.
        while await portions.over(self.spec.extra.c.n, remove) and (refused or self.guard.actions):
            refused.clear()
        refused |= await self._held_by_actions()
        await self._note_refused(refused)
        self.account.add(rejected=len(refused))

    def _rows(self, span: Span) -> sa.Select[Any]:
        return sa.select(sa.literal(1)).select_from(self.spec.target).where(self._extra(span))

    def _extra(self, span: Span) -> sa.ColumnElement[bool]:
        extra = self.spec.extra
        listed = sa.exists().where(
            span.of(extra.c.n), *(self.spec.target.c[name] == extra.c[name] for name in self.spec.key)
        )
        return sa.and_(self.spec.of_tenant(), listed)

    def _delete(self, span: Span) -> sa.Delete:
        return sa.delete(self.spec.target).where(
            self._extra(span),
            *(sa.not_(action.hangs_on(self.spec.target)) for action in self.guard.actions),
        )

    async def _held_by_actions(self) -> dict[int, str]:
        """Return the extra records on which others hang, by their numbers, and why each stays."""
        held: dict[int, str] = {}
        for action in reversed(self.guard.actions):
            there = self.spec.same_key(self.spec.target, self.spec.extra)
            numbers = sa.select(self.spec.extra.c.n).where(there, action.hangs_on(self.spec.target))
            reason = f"records hang on it by {action.told}"
            held |= {int(number): reason for (number,) in await self.target.fetch(numbers)}
        return held

    def _numbers(self, span: Span) -> Numbers:
        number = self.spec.extra.c.n
        return sa.select(number).where(span.of(number))

    async def _note_refused(self, refused: dict[int, str]) -> None:
        rows = [{"n": number, "kind": Kind.REJECTED.value, "reason": reason} for number, reason in refused.items()]
        if rows:
            async with self.target.staging() as connection:
                await connection.execute(sa.insert(self.spec.refused), rows)
