"""Records that have moved: the state has them in the run's school year, the district in another."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.accounts import Moved, TableCounts
from resync_tui.engine.backends.base import Source, Target
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.read.extra import Unmetered
from resync_tui.engine.scope import Scope


@dataclass(frozen=True)
class MovedRecords:
    """Staging of moved records behind those in scope, so that the run that the state's copies belong to sends them."""

    source: Source
    target: Target
    scope: Scope
    current_year: int
    rate_limit: RateLimiter

    async def stage(
        self, mapping: TableMapping, whole: Collection[sa.Table], account: TableCounts, years: Collection[int]
    ) -> int:
        """Stage the moved records of a table, by school year of the district's `years`; return their number.

        `whole` as in `Scope.reading`.
        """
        found = 0
        for other in self._other_years(years):
            first = await self._number(sa.select(sa.func.coalesce(sa.func.max(mapping.number), 0) + 1))
            await self._load(mapping, other.reading(mapping, whole), account)
            await self._keep_moved(mapping, first)
            count = await self._number(sa.select(sa.func.count()).where(mapping.number >= first))
            if count:
                account.moved.append(Moved(other.year, first, count))
            found += count
        return found

    def _other_years(self, years: Collection[int]) -> list[Scope]:
        """Return the scopes of the district's other school years; the current one takes records of no year."""
        return [
            replace(self.scope, year=year, current=year == self.current_year)
            for year in sorted({*years, self.current_year} - {self.scope.year})
        ]

    async def _load(self, mapping: TableMapping, rows: sa.Select[Any], account: TableCounts) -> None:
        schema = self.source.state_schema
        left = account.difference.candidates(mapping.row) if schema is None else self.scope.has_left(mapping, schema)
        await self.target.load(mapping, self.source, rows.where(left), Unmetered(self.rate_limit))

    async def _keep_moved(self, mapping: TableMapping, first: int) -> None:
        """Drop staged rows of another year that the state has not in this one, or the district has in both."""
        if self.source.state_schema is not None:
            return
        twin = mapping.stage.alias(f"{RESERVED}twin")
        in_both = sa.exists().where(
            twin.c[mapping.number.name] < first, *(twin.c[name] == mapping.stage.c[name] for name in mapping.key)
        )
        copy = sa.exists().where(mapping.same_key(mapping.target, mapping.stage), self.scope.of_target(mapping))
        async with self.target.staging() as connection:
            await connection.execute(
                sa.delete(mapping.stage).where(mapping.number >= first, sa.or_(sa.not_(copy), in_both))
            )

    async def _number(self, query: sa.Select[Any]) -> int:
        """Return the number that a query on a stage answers; its writer sees it."""
        end = self.target if self.source.state_schema is None else self.source
        ((number,),) = await end.fetch(query)
        return int(number)
