"""Foreign-key cycles: insert parents first, rows that reference each other in one transaction."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.engine.backends.base import Target
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge.chunks import RowRange
from resync_tui.engine.merge.validate import MergeContext, refuse_by_parents
from resync_tui.outcome import Kind

EVERY = RowRange(1, 2**62)
PASSES = 8
"""Maximum number of passes that insert rows with present parents, before the rest is inserted at once."""

Row: TypeAlias = tuple[TableMapping, int]
"""Staged row: its table and row id."""


@dataclass(frozen=True)
class CyclicInserts:
    """Inserts of a table that references itself, or of several in a foreign-key cycle."""

    target: Target
    group: Sequence[TableMapping]
    context: MergeContext
    new_rows: Callable[[TableMapping, RowRange], sa.Insert]
    """Builds the insert of a table's new accepted rows in a row range."""
    in_chunks: Callable[[TableMapping, Callable[[TableMapping, RowRange], sa.Insert]], Awaitable[int]]
    """Inserts in chunks, rejects single rows, counts; returns the number of rows inserted."""
    count: Callable[[TableMapping, int], None]

    async def insert(self) -> bool:
        """Insert rows whose parents are present; return False if some cannot be inserted."""
        for _ in range(PASSES):
            if not sum([await self.in_chunks(mapping, self._ready) for mapping in self.group]):
                break
        return await self._together(dict.fromkeys(self.group, ())) is None

    async def insert_left(self) -> None:
        """Retry the remaining rows after the updates; a row that fails blocks only its dependents."""
        async with self.target.staging() as connection:
            await refuse_by_parents(connection, self.group, self.context)
        if await self.insert():
            return
        needs = await self._needs()
        components = nx.condensation(needs)
        failed: set[int] = set()
        for component in nx.topological_sort(components):
            rows: set[Row] = components.nodes[component]["members"]
            if failed.intersection(components.predecessors(component)):
                failed.add(component)
                continue
            reason = await self._together(_by_table(rows))
            if reason is not None:
                failed.add(component)
                await self._refuse(rows, reason)
                async with self.target.staging() as connection:
                    await refuse_by_parents(connection, self.group, self.context)

    async def _together(self, rows: Mapping[TableMapping, Iterable[int]]) -> str | None:
        """Insert rows in one transaction, all remaining ones if none are named; return the reason of a refusal."""
        inserts = [self._left(mapping, EVERY, tuple(numbers)) for mapping, numbers in rows.items()]
        try:
            async with self.target.transaction() as connection:
                counts = await self.target.insert_together(connection, inserts)
        except DBAPIError as error:
            reason = self.target.refusal(error)
            if reason is None:
                raise
            return reason
        for mapping, count in zip(rows, counts, strict=True):
            self.count(mapping, count)
        return None

    def _left(
        self, mapping: TableMapping, row_range: RowRange, numbers: Sequence[int] = (), *, ready: bool = False
    ) -> sa.Insert:
        rows = self._rows_left(mapping, row_range)
        if numbers:
            rows = rows.where(mapping.number.in_(numbers))
        for key in mapping.foreign_keys if ready else ():
            if any(key.parent is each.target for each in self.group):
                parent = key.parent.alias(f"{RESERVED}parent")
                pairs = zip(key.columns, key.referred, strict=True)
                there = sa.exists().where(
                    mapping.of_tenant(parent) if key.by_tenant else sa.true(),
                    *(parent.c[theirs] == mapping.stage.c[ours] for ours, theirs in pairs),
                )
                rows = rows.where(sa.or_(*(mapping.stage.c[ours].is_(None) for ours in key.columns), there))
        names = list(self.new_rows(mapping, row_range)._select_names or ())
        return sa.insert(mapping.target).from_select(names, rows)

    def _rows_left(self, mapping: TableMapping, row_range: RowRange) -> Any:
        """Return the query for new rows that are not in the target yet."""
        rows: Any = self.new_rows(mapping, row_range).select
        held = mapping.target.alias(f"{RESERVED}held")
        return rows.where(sa.not_(sa.exists().where(mapping.same_key(held, mapping.stage))))

    def _ready(self, mapping: TableMapping, row_range: RowRange) -> sa.Insert:
        return self._left(mapping, row_range, ready=True)

    async def _needs(self) -> "nx.DiGraph[Row]":
        """Return the dependency graph of the remaining rows; edges lead from parent to child."""
        graph: nx.DiGraph[Row] = nx.DiGraph()
        numbers = {mapping: self._rows_left(mapping, EVERY).with_only_columns(mapping.number) for mapping in self.group}
        by_target = {mapping.target: mapping for mapping in self.group}
        async with self.target.staging() as connection:
            for mapping in self.group:
                graph.add_nodes_from((mapping, number) for number in await connection.scalars(numbers[mapping]))
            for mapping in self.group:
                for key in mapping.foreign_keys:
                    if key.parent not in by_target:
                        continue
                    parent = by_target[key.parent]
                    child, other = mapping.stage.alias(f"{RESERVED}child"), parent.stage.alias(f"{RESERVED}other")
                    pairs = zip(key.columns, key.referred, strict=True)
                    ours, theirs = child.c[mapping.number.name], other.c[parent.number.name]
                    edges = sa.select(theirs, ours).where(
                        *(other.c[referred] == child.c[column] for column, referred in pairs),
                        ours.in_(numbers[mapping]),
                        theirs.in_(numbers[parent]),
                    )
                    found = (await connection.execute(edges)).all()
                    graph.add_edges_from(((parent, above), (mapping, below)) for above, below in found)
        return graph

    async def _refuse(self, rows: Iterable[Row], reason: str) -> None:
        async with self.target.staging() as connection:
            for mapping, number in rows:
                values = {"n": number, "kind": Kind.REJECTED.value, "reason": reason}
                await connection.execute(sa.insert(mapping.refused).values(values))


def _by_table(rows: Iterable[Row]) -> dict[TableMapping, list[int]]:
    grouped: dict[TableMapping, list[int]] = {}
    for mapping, number in rows:
        grouped.setdefault(mapping, []).append(number)
    return grouped


def foreign_key_cycles(mappings: Sequence[TableMapping]) -> list[tuple[TableMapping, ...]]:
    """Return an object's tables in the order of merging; tables of a foreign-key cycle form one group."""
    by_target: Mapping[sa.Table, TableMapping] = {mapping.target: mapping for mapping in mappings}
    graph: nx.DiGraph[TableMapping] = nx.DiGraph()
    graph.add_nodes_from(mappings)
    for mapping in mappings:
        graph.add_edges_from(
            (by_target[key.parent], mapping)
            for key in mapping.foreign_keys
            if key.parent in by_target and key.parent is not mapping.target
        )
    place = {mapping: number for number, mapping in enumerate(mappings)}
    condensed = nx.condensation(graph)
    first = {node: min(place[mapping] for mapping in condensed.nodes[node]["members"]) for node in condensed}
    order = nx.lexicographical_topological_sort(condensed, key=first.__getitem__)
    return [tuple(sorted(condensed.nodes[node]["members"], key=place.__getitem__)) for node in order]
