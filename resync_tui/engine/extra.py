"""Take records out of the state that the district does not have, children first, if not too many would go."""

from dataclasses import dataclass

import sqlalchemy as sa

from resync_tui.engine.difference import Extent
from resync_tui.engine.ends import Target
from resync_tui.engine.pace import Pace
from resync_tui.engine.portions import Portions, Span
from resync_tui.engine.scope import Scope
from resync_tui.engine.table import Account
from resync_tui.engine.tables import TableSpec
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Kind


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

        async def remove(span: Span) -> int:
            done = await portions.apply(span, self._delete, alone)
            self.account.add(removed=done)
            return done

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
                span.of(extra.c.n), *(extra.c[name] == self.spec.target.c[name] for name in self.spec.key)
            ),
        )

    async def _note_refused(self, refused: dict[int, str]) -> None:
        rows = [{"n": number, "kind": Kind.REJECTED.value, "reason": reason} for number, reason in refused.items()]
        if rows:
            async with self.target.staging() as connection:
                await connection.execute(sa.insert(self.spec.refused), rows)
