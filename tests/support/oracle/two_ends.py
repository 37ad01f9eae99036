"""The two ends of a batch as they were dumped: which columns they share, which rows are in scope, what points where."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import networkx as nx

from resync_tui.catalog import Catalog
from tests.support.oracle.shape import Column, Dump, Foreign, Row
from tests.support.oracle.values import same_by_equality

Key: TypeAlias = tuple[Any, ...]


class TwoEnds:
    """A district and a state, for the objects of one batch and one school year."""

    def __init__(
        self, catalog: Catalog, objects: Iterable[str], tenant: str | None, source: Dump, before: Dump, year: int
    ) -> None:
        self.catalog = catalog
        self.objects = {table: catalog[name] for name in objects for table in catalog[name].tables}
        self.tenant = tenant
        self.tenant_column = catalog.tenant_column
        self.source = source
        self.before = before
        self.year = year

    # --- shapes ---

    def groups(self) -> list[list[str]]:
        """Return the batch's tables, parents first; those that point at each other stand together."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.objects)
        for table in self.objects:
            parents = {foreign.parent for foreign in self.before.tables[table].foreign}
            graph.add_edges_from((parent, table) for parent in parents if parent in self.objects)
        components = nx.condensation(graph)
        return [sorted(components.nodes[node]["members"]) for node in nx.topological_sort(components)]

    def columns(self, table: str) -> list[str]:
        """Return the columns that both ends have, in the district's order."""
        ignored = _of_table(self.objects[table].ignore_columns, table)
        state = self.before.tables[table].columns
        return [
            column.name
            for column in self.source.tables[table].columns.values()
            if column.name not in ignored
            and column.name != self.tenant_column
            and not column.generated
            and not state[column.name].generated
        ]

    def owned(self, table: str) -> set[str]:
        """Return the columns that are the state's once they are set."""
        return _of_table(self.objects[table].state_owned, table)

    def key_columns(self, table: str) -> tuple[str, ...]:
        """Return the state's key without the tenant."""
        return self.without_tenant(self.before.tables[table].key)

    def without_tenant(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return columns without the tenant's."""
        return tuple(column for column in columns if column != self.tenant_column)

    def state_column(self, table: str, column: str) -> Column:
        """Return a column as the state has it."""
        return self.before.tables[table].columns[column]

    def values(self, table: str, row: Row, columns: Sequence[str]) -> Key:
        """Return some values of a row as the state compares them."""
        return tuple(same_by_equality(row[column], self.state_column(table, column)) for column in columns)

    def mine(self, table: str) -> Iterator[Row]:
        """Yield the tenant's rows of the state."""
        for row in self.before.rows[table]:
            if self.tenant_column is None or row[self.tenant_column] == self.tenant:
                yield row

    # --- the school year ---

    def _way_to_year(self, table: str) -> list[Foreign] | None:
        """Return the foreign keys that lead to the year; None where the table is not tied to one."""
        if self.catalog.year is None or not self.objects[table].school_year:
            return None
        ways: list[tuple[str, list[Foreign]]] = [(table, [])]
        seen = {table}
        for here, way in ways:
            if here == self.catalog.year.rpartition(".")[0]:
                return way
            for foreign in self.foreign(here):
                if foreign.parent not in seen:
                    seen.add(foreign.parent)
                    ways.append((foreign.parent, [*way, foreign]))
        return None

    def scope(self, table: str, rows: Mapping[str, list[Row]]) -> Callable[[Row], bool]:
        """Return whether a row of one end is of the current year: unless it is known to be of another."""
        years = self.years(table, rows)
        return lambda row: years.get(id(row), self.year) == self.year

    def years(self, table: str, rows: Mapping[str, list[Row]]) -> dict[int, int]:
        """Return the school years of one end's rows, by a row's identity; a row of no year is left out."""
        if self.catalog.year is None or self._way_to_year(table) is None:
            return {}
        year_table, _, column = self.catalog.year.rpartition(".")
        written = {int(row[column]) for row in rows[year_table] if row[column] is not None}
        return {row: year for year in written for row in self._of_year(table, rows, year)}

    def _of_year(self, table: str, rows: Mapping[str, list[Row]], year: int) -> set[int]:
        """Return the identities of one end's rows that lead to a year."""
        way = self._way_to_year(table) or []
        year_table, _, column = (self.catalog.year or "").rpartition(".")
        found = {id(row) for row in rows[year_table] if str(row[column]) == str(year)}
        for place in reversed(range(len(way))):
            foreign, child = way[place], way[place - 1].parent if place else table
            pairs = [
                pair for pair in zip(foreign.columns, foreign.referred, strict=True) if pair[0] != self.tenant_column
            ]
            theirs = [column for _, column in pairs]
            others = {
                self.values(foreign.parent, row, theirs)
                for row in rows[foreign.parent]
                if id(row) in found and row.get(self.tenant_column or "", self.tenant) == self.tenant
            }
            found = {id(row) for row in rows[child] if self.referring(foreign.parent, pairs, row) in others}
        return found

    def referring(self, parent: str, pairs: Sequence[tuple[str, str]], row: Row) -> Key:
        """Return what a row points to, as the parent's columns hold it; `pairs` are its own columns and theirs."""
        return tuple(same_by_equality(row[mine], self.state_column(parent, theirs)) for mine, theirs in pairs)

    def foreign(self, table: str) -> list[Foreign]:
        """Return the state's foreign keys by the names of their columns."""
        return sorted(
            self.before.tables[table].foreign, key=lambda each: (self.without_tenant(each.columns), each.parent)
        )


def _of_table(qualified: Iterable[str], table: str) -> set[str]:
    return {each.rpartition(".")[2] for each in qualified if each.rpartition(".")[0] == table}
