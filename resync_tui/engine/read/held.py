"""Held rows: which small new tables wait in memory for the merge, instead of in a stage."""

from collections.abc import Collection

import sqlalchemy as sa

from resync_tui.engine.accounts import FEW_ROWS, TableStats
from resync_tui.engine.backends.base import HeldRows, Source, Target
from resync_tui.engine.dialect import logical_type, of
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.narrowing import narrowings
from resync_tui.engine.objects import ObjectRun
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.scope import Scope
from resync_tui.engine.types import LogicalType

MOST_BYTES = 1 << 20
"""Maximum size of a held table's rows."""
MOST_BYTES_TOGETHER = 32 << 20
"""Maximum size of all rows that a batch holds."""


class Holder:
    """Holder of the rows of small new tables: those that the state takes as they are, or refuses as a whole."""

    def __init__(self, source: Source, target: Target, scope: Scope, rate_limit: RateLimiter) -> None:
        self.source = source
        self.target = target
        self.scope = scope
        self.rate_limit = rate_limit
        self._bytes = 0

    async def choose(self, runs: Collection[ObjectRun], whole: Collection[sa.Table]) -> list[ObjectRun]:
        """Return the object runs of which all tables can be held; `whole` are the target tables read completely."""
        direct = self.target.direct
        if direct is None or self.source.dialect is not self.target.dialect:
            return []
        small = [run for run in runs if all(self._may_hold(run, mapping, whole) for mapping in run.mappings)]
        tables = {mapping.name: mapping.target for run in small for mapping in run.mappings}
        as_sent = await direct.as_sent(self.target, tables) if tables else frozenset()
        return [run for run in small if all(mapping.name in as_sent for mapping in run.mappings)]

    def _may_hold(self, run: ObjectRun, mapping: TableMapping, whole: Collection[sa.Table]) -> bool:
        stats = run.stats_by_table[mapping]
        return self._is_small(stats) and is_plain(mapping) and all(key.parent in whole for key in mapping.foreign_keys)

    def _is_small(self, stats: TableStats) -> bool:
        return stats.fresh and stats.rows <= self.rate_limit.chunk(FEW_ROWS)

    async def hold(self, run: ObjectRun) -> bool:
        """Hold the rows of an object run that was chosen; return False, and hold none, if they are too large."""
        direct = self.target.direct
        assert direct is not None
        held: dict[TableMapping, HeldRows] = {}
        for mapping in run.mappings:
            if run.stats_by_table[mapping].rows:
                if self._bytes + MOST_BYTES > MOST_BYTES_TOGETHER:
                    return False
                rows = await direct.read(self.source, self.scope.sending(mapping), MOST_BYTES)
                if rows is None:
                    return False
                held[mapping] = rows
        self._bytes += sum(len(rows.data) for rows in held.values())
        for rows in held.values():
            await self.rate_limit.spend(rows.count)
            run.read += rows.count
        run.held = held
        return True


def is_plain(mapping: TableMapping) -> bool:
    """Whether the state's own constraints say all that decides on a row: it is new, and its columns take its values."""
    tenant = mapping.target.c[mapping.tenant_column] if mapping.tenant_column is not None else None
    return bool(
        mapping.key
        and not mapping.refusals
        and not mapping.owned
        and (tenant is None or logical_type(tenant) is LogicalType.TEXT)
        and all(
            of(mapping.target.c[name]).is_same_type(mapping.source.c[name], mapping.target.c[name])
            for name in mapping.columns
        )
        and not any(narrowings(mapping))
        and not any(key.parent is mapping.target for key in mapping.foreign_keys)
        and all(key.enforces_tenant or not key.by_tenant for key in mapping.foreign_keys)
    )
