"""Foreign-key cycles: insert parents first, rows that reference each other in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.engine.backends.base import Target
from resync_tui.engine.dialect import insert_into
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge.chunks import EVERY, ChunkedWriter, RowRange, Written
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.refused import Rejected, note_rejected
from resync_tui.engine.merge.table import Row, TableMerge
from resync_tui.engine.merge.validate import refuse_by_parents

PASSES = 8
"""Maximum number of passes that insert rows with present parents, before the rest is inserted at once."""


@dataclass(frozen=True)
class Inserted:
    """Outcome of cyclic inserts."""

    complete: bool
    """Whether every accepted row was inserted."""
    rejected: tuple[Row, ...]


@dataclass(frozen=True)
class CyclicInserts:
    """Inserts of a table that references itself, or of several in a foreign-key cycle."""

    target: Target
    writer: ChunkedWriter
    tables: Sequence[TableMerge]
    context: MergeContext

    async def insert(self) -> Inserted:
        """Insert rows whose parents are present."""
        rejected: list[Row] = []
        for _ in range(PASSES):
            parts = [(table, await self._insert_ready(table)) for table in self.tables]
            rejected += [(table, row.number) for table, part in parts for row in part.rejected]
            if not any(part.rows for _, part in parts):
                break
        return Inserted(await self._together(dict.fromkeys(self.tables, ())) is None, tuple(rejected))

    async def insert_left(self) -> None:
        """Retry the remaining rows after the updates; a row that fails blocks only its dependents."""
        await self._refuse_by_parents()
        if (await self.insert()).complete:
            return
        components = nx.condensation(await self._needs())
        failed: set[int] = set()
        for component in nx.topological_sort(components):
            rows = _by_table(components.nodes[component]["members"])
            if failed.intersection(components.predecessors(component)):
                failed.add(component)
                continue
            reason = await self._together(rows)
            if reason is not None:
                failed.add(component)
                for table, numbers in rows.items():
                    await note_rejected(self.target, table.mapping, [Rejected(number, reason) for number in numbers])
                await self._refuse_by_parents()

    async def _refuse_by_parents(self) -> None:
        async with self.target.staging() as connection:
            await refuse_by_parents(connection, [table.mapping for table in self.tables], self.context)

    async def _insert_ready(self, table: TableMerge) -> Written:
        """Insert the rows of a table whose parents are present, and note the rejected ones."""
        write = table.insert_of(lambda row_range: self._left(table, row_range, ready=True))
        written = Written.total(
            await self.writer.over(table.mapping.number, lambda row_range: self.writer.write(write, row_range))
        )
        await note_rejected(self.target, table.mapping, written.rejected)
        return written

    async def _together(self, rows: Mapping[TableMerge, Sequence[int]]) -> str | None:
        """Insert rows in one transaction, all remaining ones if none are named; return the reason of a refusal."""
        inserts = [self._left(table, EVERY, numbers) for table, numbers in rows.items()]
        try:
            async with self.target.transaction() as connection:
                counts = await self.target.insert_together(connection, inserts)
        except DBAPIError as error:
            reason = self.target.refusal(error)
            if reason is None:
                raise
            return reason
        for table, count in zip(rows, counts, strict=True):
            table.account.add(inserted=count)
        return None

    def _left(
        self, table: TableMerge, row_range: RowRange, numbers: Sequence[int] = (), *, ready: bool = False
    ) -> sa.Insert:
        """Return the insert of the rows not in the target yet; `ready`: of those whose parents are present."""
        mapping, rows = table.mapping, _rows_left(table, row_range)
        if numbers:
            rows = rows.where(mapping.number.in_(numbers))
        for key in mapping.foreign_keys if ready else ():
            if any(key.parent is each.mapping.target for each in self.tables):
                parent = key.parent.alias(f"{RESERVED}parent")
                pairs = zip(key.columns, key.referred, strict=True)
                there = sa.exists().where(
                    mapping.of_tenant(parent) if key.by_tenant else sa.true(),
                    *(parent.c[theirs] == mapping.stage.c[ours] for ours, theirs in pairs),
                )
                rows = rows.where(sa.or_(*(mapping.stage.c[ours].is_(None) for ours in key.columns), there))
        names = list(table.new_rows(row_range)._select_names or ())
        return insert_into(mapping.target).from_select(names, rows)

    async def _needs(self) -> "nx.DiGraph[Row]":
        """Return the dependency graph of the remaining rows; edges lead from parent to child."""
        graph: nx.DiGraph[Row] = nx.DiGraph()
        numbers = {table: _rows_left(table, EVERY).with_only_columns(table.mapping.number) for table in self.tables}
        by_target = {table.mapping.target: table for table in self.tables}
        async with self.target.staging() as connection:
            for table in self.tables:
                graph.add_nodes_from((table, number) for number in await connection.scalars(numbers[table]))
            for table in self.tables:
                for key in table.mapping.foreign_keys:
                    if key.parent not in by_target:
                        continue
                    parent = by_target[key.parent]
                    child, other = (
                        table.mapping.stage.alias(f"{RESERVED}child"),
                        parent.mapping.stage.alias(f"{RESERVED}other"),
                    )
                    ours, theirs = child.c[table.mapping.number.name], other.c[parent.mapping.number.name]
                    edges = sa.select(theirs, ours).where(
                        *table.mapping.points_at(key, child, other),
                        ours.in_(numbers[table]),
                        theirs.in_(numbers[parent]),
                    )
                    found = (await connection.execute(edges)).all()
                    graph.add_edges_from(((parent, above), (table, below)) for above, below in found)
        return graph


def _rows_left(table: TableMerge, row_range: RowRange) -> Any:
    """Return the query for new rows that are not in the target yet."""
    rows: Any = table.new_rows(row_range).select
    held = table.mapping.target.alias(f"{RESERVED}held")
    return rows.where(sa.not_(sa.exists().where(table.mapping.same_key(held, table.mapping.stage))))


def _by_table(rows: Iterable[Row]) -> dict[TableMerge, list[int]]:
    grouped: dict[TableMerge, list[int]] = {}
    for table, number in rows:
        grouped.setdefault(table, []).append(number)
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
