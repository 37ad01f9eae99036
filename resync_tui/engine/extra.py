"""Take records out of the state that the district does not have, children first, if not too many would go."""

from dataclasses import dataclass

import sqlalchemy as sa

from resync_tui.engine.copies import count_extra
from resync_tui.engine.difference import Extent
from resync_tui.engine.ends import Source, Target
from resync_tui.engine.pace import Pace
from resync_tui.engine.portions import Numbers, Portions, Span
from resync_tui.engine.scope import Scope
from resync_tui.engine.table import Account
from resync_tui.engine.tables import TableSpec
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Kind

KEYS_AT_ONCE = 500


async def find_extra(
    spec: TableSpec, source: Source, target: Target, scope: Scope, account: Account, extent: Extent
) -> None:
    """Note which of the state's records the district does not have, once its rows are staged.

    Where not the whole table is in scope, the district is asked for each: it may have the record in another year.
    """
    if not spec.key or account.difference.extra is not None:
        return
    staged = spec.stage.alias("staged")
    only_there = sa.not_(sa.exists().where(*(spec.target.c[name] == staged.c[name] for name in spec.key)))
    keys = sa.select(*(spec.target.c[name] for name in spec.key))
    rows = keys.where(scope.of_target(spec), account.difference.candidates(spec.target), only_there)
    async with target.staging() as connection:
        found = int((await connection.execute(sa.insert(spec.extra).from_select(list(spec.key), rows))).rowcount)
    account.add(extra=found - (0 if extent.whole else await _forget_known(spec, source, target, found)))


async def note_extra(spec: TableSpec, target: Target, scope: Scope, account: Account, extent: Extent) -> None:
    """Note those that take no question to the district, once it is let go and its reader no longer writes stages."""
    if extent.fresh:
        return
    if not spec.key:
        ((found,),) = await target.fetch(count_extra(spec, scope.of_target(spec)))
        account.add(extra=int(found))
    elif known := account.difference.extra:
        async with target.staging() as connection:
            await connection.execute(sa.insert(spec.extra), [dict(zip(spec.key, key, strict=True)) for key in known])
        account.add(extra=len(known))


async def _forget_known(spec: TableSpec, source: Source, target: Target, found: int) -> int:
    """Take those records back that the district has after all; return how many."""
    known = 0
    extra = spec.extra
    for start in range(1, found + 1, KEYS_AT_ONCE):
        span = Span(start, start + KEYS_AT_ONCE).of(extra.c.n)
        asked = await target.fetch(sa.select(*(extra.c[name] for name in spec.key)).where(span))
        same = sa.tuple_(*(spec.row.c[name] for name in spec.key)).in_(asked)
        there = await source.fetch(sa.select(*(spec.row.c[name] for name in spec.key)).where(same))
        if there:
            async with target.staging() as connection:
                gone = sa.delete(extra).where(sa.tuple_(*(extra.c[name] for name in spec.key)).in_(there))
                known += int((await connection.execute(gone)).rowcount)
    return known


@dataclass(frozen=True)
class Removal:
    """The removal of one table's extra records."""

    target: Target
    spec: TableSpec
    scope: Scope
    account: Account
    extent: Extent

    async def check(self, largest_share: float) -> None:
        """Raise CannotRun where so many records would go that the district rather than the state is wrong."""
        extra = self.account.counts.extra
        if not extra:
            return
        if not self.spec.key:
            raise CannotRun(
                f"{self.spec.name} has no key to tell which of its records are extra: nothing was removed",
                f"Leave {self.spec.object} out, or give the state's table a primary key.",
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

    async def carry_out(self, pace: Pace) -> None:
        """Delete in portions; a record that others still point to stays and is rejected."""
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
            return await portions.apply(span, self._delete, self._numbers, alone, count)

        await portions.over(self.spec.extra.c.n, remove)
        progress = True
        while refused and progress:
            waiting, progress = list(refused), False
            refused.clear()
            for number in waiting:
                progress = bool(await remove(Span(number, number + 1))) or progress
        await self._note_refused(refused)
        self.account.add(rejected=len(refused))

    def _delete(self, span: Span) -> sa.Delete:
        extra = self.spec.extra
        return sa.delete(self.spec.target).where(
            self.spec.of_tenant(),
            sa.exists().where(
                span.of(extra.c.n), *(self.spec.target.c[name] == extra.c[name] for name in self.spec.key)
            ),
        )

    def _numbers(self, span: Span) -> Numbers:
        number = self.spec.extra.c.n
        return sa.select(number).where(span.of(number))

    async def _note_refused(self, refused: dict[int, str]) -> None:
        rows = [{"n": number, "kind": Kind.REJECTED.value, "reason": reason} for number, reason in refused.items()]
        if rows:
            async with self.target.staging() as connection:
                await connection.execute(sa.insert(self.spec.refused), rows)
