"""Differences: find the rows that may differ before any is moved, at the cost of the difference, not the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types

from resync_tui.engine.accounts import FEW_ROWS, Difference, TableStats
from resync_tui.engine.backends.base import Source, Target, ask_both
from resync_tui.engine.dialect import logical_type
from resync_tui.engine.hashing import Hashing
from resync_tui.engine.mapping import RESERVED, TableMapping, in_attached
from resync_tui.engine.read.fingerprints import Compared, Comparison, hashing_of_key
from resync_tui.engine.scope import Scope
from resync_tui.engine.types import LogicalType

_NO_ROWS = Difference(differing=frozenset())
_NO_NUMBER = sa.cast(sa.null(), types.BigInteger())


@dataclass(frozen=True)
class Comparer:
    """Comparison of a district's tables with the state's."""

    source: Source
    target: Target
    scope: Scope
    hashing: Hashing

    async def measure(self, mappings: Sequence[TableMapping]) -> dict[TableMapping, TableStats]:
        """Return the stats of tables: rows in the district's snapshot, and whether the state holds any."""
        counted, held = await ask_both(
            self.source,
            {mapping: self._how_many(mapping) for mapping in mappings},
            self.target,
            {mapping: self._holds(mapping) for mapping in mappings},
        )
        stats_by_table = {}
        for mapping in mappings:
            ((rows, low, high, *of_year),) = counted[mapping]
            in_scope, without_year = of_year or (rows, 0)
            in_scope, fresh = int(in_scope or 0), not held[mapping][0][0]
            stats_by_table[mapping] = TableStats(in_scope, in_scope == rows, fresh, low, high, int(without_year or 0))
        return stats_by_table

    def _holds(self, mapping: TableMapping) -> sa.Select[Any] | str:
        """Return the question whether the state has a row of this district."""
        if (hashing := self.target.dialect.hashing) is not None:
            return hashing.holds(mapping.target, mapping.of_tenant())
        return sa.select(sa.exists().select_from(mapping.target).where(mapping.of_tenant()))

    def _how_many(self, mapping: TableMapping) -> sa.Select[Any] | str:
        """Return the question for the number of rows, the bounds of the key and, of a school year, what is of it."""
        of_integers = len(mapping.key) == 1 and logical_type(mapping.target.c[mapping.key[0]]) is LogicalType.INTEGER
        hashing = self.source.dialect.hashing
        key = mapping.key[0] if hashing is not None and of_integers and mapping.same_primary_key else None
        if hashing is not None and mapping.year is None:
            return hashing.size(mapping.source, key)
        ends: list[sa.ColumnElement[Any]] = [_NO_NUMBER, _NO_NUMBER]
        if key is not None:
            # As separate queries, these are answered by an index.
            ends = [sa.select(end(mapping.row.c[key])).scalar_subquery() for end in (sa.func.min, sa.func.max)]
        in_scope = _count_if(self.scope.of_source(mapping)) if mapping.year else sa.func.count()
        yearless = self.scope.without_year(mapping)
        without_year = _NO_NUMBER if yearless is None else _count_if(yearless)
        return sa.select(sa.func.count(), *ends, in_scope, without_year).select_from(mapping.row)

    async def find_at_once(self, stats_by_table: Mapping[TableMapping, TableStats]) -> dict[TableMapping, Difference]:
        """Return the differences of small tables, in one query; a table that needs a closer comparison is left out."""
        if self.hashing is Hashing.OFF or self.source.state_schema is not None:
            return {}
        looked_at = {
            mapping: stats for mapping, stats in stats_by_table.items() if mapping.keys_comparable and not stats.fresh
        }
        compared = [self._comparison(mapping, stats) for mapping, stats in looked_at.items()]
        asked = {comparison.mapping: comparison.by_bucket() for comparison in compared}
        ours, theirs = await ask_both(
            self.source,
            {mapping: ours for mapping, (ours, _) in asked.items()},
            self.target,
            {mapping: theirs for mapping, (_, theirs) in asked.items()},
        )
        found = {}
        for comparison in compared:
            coarse = comparison.judge(ours[comparison.mapping], theirs[comparison.mapping])
            if coarse.rows_in_question <= FEW_ROWS:
                found[comparison.mapping] = _as_difference(coarse)
        return found

    async def find(self, mapping: TableMapping, stats: TableStats) -> Difference:
        """Return the difference of a table between both ends; rows that a rule excludes are left out."""
        if stats.fresh:
            return Difference() if stats.rows else _NO_ROWS
        if self.source.state_schema is not None and mapping.key:
            beside = AttachedComparison(mapping, self.source, self.scope, self.source.state_schema)
            # a key that occurs twice in the district equals neither row
            if self.hashing is Hashing.OFF or not mapping.same_primary_key:
                return Difference(extra=await beside.extra(), moves=await beside.moves())
            return await beside.compare()
        if self.hashing is Hashing.OFF or not mapping.keys_comparable:
            return Difference()
        return _as_difference(await self._comparison(mapping, stats).run())

    def _comparison(self, mapping: TableMapping, stats: TableStats) -> Comparison:
        key = hashing_of_key(mapping, self.source, self.hashing)
        buckets = key.buckets(stats.rows, stats.low, stats.high)
        return Comparison(mapping, self.source, self.target, key.hashing, self.hashing, self.scope, buckets)


def _count_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _as_difference(compared: Compared) -> Difference:
    return Difference(compared.unchanged, compared.differing, compared.by)


@dataclass(frozen=True)
class AttachedComparison:
    """Comparison of a table by its rows, over a connection that sees both ends (ATTACH); no fingerprints."""

    mapping: TableMapping
    source: Source
    scope: Scope
    schema: str
    """Schema of the attached state."""

    @property
    def held(self) -> sa.FromClause:
        """Target table in the attached state."""
        return in_attached(self.mapping.target, self.schema).alias(f"{RESERVED}held")

    async def compare(self) -> Difference:
        """Return the difference: count of equal rows, condition for the others, keys of extra records."""
        mapping, held = self.mapping, self.held
        columns = ((mapping.source.c[name], mapping.target.c[name]) for name in mapping.updatable)
        differs = self.source.dialect.differs_in_place
        pairs = (differs(mapping.row.c[each.name], held.c[each.name], each, target) for each, target in columns)
        same = sa.exists().where(mapping.same_key(held, mapping.row), sa.not_(sa.or_(sa.false(), *pairs)))
        counted = sa.select(sa.func.count()).select_from(mapping.row).where(self.scope.of_source(mapping), same)
        if (forbidden := self.scope.forbidden(mapping)) is not None:
            counted = counted.where(forbidden.is_not(sa.true()))
        ((unchanged,),) = await self.source.fetch(counted)
        of_tenant = sa.select(sa.func.count()).select_from(held).where(mapping.of_tenant(held))
        ((there,),) = await self.source.fetch(of_tenant)
        # each equal row matches a distinct record of the state
        if unchanged == there:
            return Difference(int(unchanged), extra=(), rows=sa.not_(same))
        return Difference(int(unchanged), extra=await self.extra(), moves=await self.moves(), rows=sa.not_(same))

    async def moves(self) -> bool:
        """Whether records of the state have left the school year in the district."""
        if self.mapping.year is None:
            return False
        left = sa.exists().where(self.scope.has_left(self.mapping, self.schema)).select_from(self.mapping.row)
        return bool(await self.source.fetch(sa.select(sa.literal_column("1")).where(left)))

    async def extra(self) -> tuple[tuple[Any, ...], ...]:
        """Return the keys of extra records."""
        mapping, held = self.mapping, self.held
        # with the collation of the state's column, on the left; Python's == may put the district's there
        equal = (held.c[name].op("=", is_comparison=True)(mapping.row.c[name]) for name in mapping.key)
        in_district = sa.exists().where(*equal)
        keys = sa.select(*(held.c[name] for name in mapping.key)).where(
            self.scope.of_attached(mapping, held, self.schema), sa.not_(in_district)
        )
        return tuple(await self.source.fetch(keys))
