"""Ways to the school year: the foreign keys that lead from a table to the year's column, at one database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import sqlalchemy as sa

from resync_tui.catalog import Catalog, table_of
from resync_tui.engine.dialect import find_column
from resync_tui.engine.keys import ForeignKey, IncompatibleTable, is_key, links, qualified

Way: TypeAlias = tuple[ForeignKey, ...]
"""Foreign keys to follow, from a table to the one with the year's column; empty for that table itself."""

MOST_WAYS = 1_000
"""Number of ways of one table that are looked at."""


@dataclass(frozen=True)
class Reached:
    """Record that foreign keys lead to, by the values that identify it."""

    table: str
    values: frozenset[tuple[str, "_Value"]]
    """Its columns, and the value that each has."""

    def is_same(self, other: "Reached | None") -> bool:
        """Whether both are provably one record: the values that identify one of them are values of the other."""
        return other is not None and self.table == other.table and (self._has(other) or other._has(self))

    def _has(self, other: "Reached") -> bool:
        mine = dict(self.values)
        return all(name in mine and _is_same(mine[name], value) for name, value in other.values)


_Value: TypeAlias = "str | tuple[Reached, str]"
"""A column of the record where the way begins, or of a record that is reached."""


def _is_same(one: _Value, other: _Value) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return one[1] == other[1] and one[0].is_same(other[0])


def reached(way: Way) -> Reached | None:
    """Return the record that a way leads to; None for the empty way."""
    row: Reached | None = None
    for key in way:
        values = ((theirs, _read(row, ours)) for ours, theirs in zip(key.columns, key.referred, strict=True))
        row = Reached(qualified(key.parent), frozenset(values))
    return row


def _read(row: Reached | None, column: str) -> _Value:
    return column if row is None else dict(row.values).get(column, (row, column))


def are_same(one: Way, other: Way) -> bool:
    """Whether two ways of a table provably lead to the same record."""
    first, second = reached(one), reached(other)
    return first is second if first is None else first.is_same(second)


def told(table: sa.Table, way: Way) -> str:
    """Return a way in words: the columns of its foreign keys, as the catalog names them."""
    return " > ".join(" + ".join(step) for step in _steps(table, way))


def _steps(table: sa.Table, way: Way) -> list[list[str]]:
    tables = [table, *(key.parent for key in way)]
    return [[f"{qualified(each)}.{name}" for name in key.columns] for each, key in zip(tables, way, strict=False)]


class Ways:
    """Ways to the school year at one database, along its foreign keys and as the catalog's `year_path` chooses."""

    def __init__(
        self, end: str, tables: Mapping[str, sa.Table], catalog: Catalog, lender: Mapping[str, sa.Table] | None = None
    ) -> None:
        self.end = end
        """`district` or `state`."""
        self.tables = tables
        self.lender = lender or {}
        """Tables of another database of which foreign keys count here, too, where they lead to keys."""
        self.tenant_column = catalog.tenant_column
        self.year = catalog.year or ""
        self._known: dict[sa.Table, tuple[ForeignKey, ...]] = {}
        self._found: dict[sa.Table, Way] = {}
        self._chosen: dict[sa.Table, set[str]] = {}
        for each in catalog.year_path:
            if (column := find_column(tables, each)) is not None:
                self._chosen.setdefault(column.table, set()).add(column.name)

    @cached_property
    def year_table(self) -> sa.Table:
        """Table with the year's column."""
        return self.tables[table_of(self.year)]

    def lead_from(self, table: sa.Table) -> bool:
        """Whether any way leads from a table to its school year."""
        return table in self._leading

    def of(self, table: sa.Table) -> Way:
        """Return a table's one way to its school year. Raises IncompatibleTable if there is none, or several."""
        if table not in self._found:
            self._found[table] = self._one(table)
        return self._found[table]

    def _one(self, table: sa.Table) -> Way:
        found = list(islice(self._ways(table, frozenset((table,))), MOST_WAYS))
        named = f"The {self.end}'s table {qualified(table)}"
        if not found:
            chosen = ", ".join(f"{qualified(table)}.{name}" for name in sorted(self._chosen.get(table, ())))
            raise IncompatibleTable(
                f"{named} has no way to {self.year} along foreign keys{f' by its year_path {chosen}' * bool(chosen)}",
                "Make the foreign keys that lead there, mend its year_path, or take school_year from its object."
                if chosen
                else "Make the foreign keys that lead there, or take school_year from its object in the catalog.",
            )
        best = min(found, key=lambda way: (len(way), sum(len(key.columns) for key in way)))
        other = next((way for way in found if not are_same(way, best)), None)
        if other is not None:
            raise IncompatibleTable(
                f"{named} has several ways to {self.year}: {told(table, best)}, {told(table, other)}",
                "Say in the catalog which one is meant: "
                f"year_path = [{_fork(table, best, other)}] or [{_fork(table, other, best)}]",
            )
        return best

    def _ways(self, table: sa.Table, seen: frozenset[sa.Table]) -> Iterator[Way]:
        if table is self.year_table:
            yield ()
            return
        for key in self._links(table):
            if key.parent in self._leading and key.parent not in seen:
                for way in self._ways(key.parent, seen | {key.parent}):
                    yield (key, *way)

    def _links(self, table: sa.Table) -> tuple[ForeignKey, ...]:
        """Return a table's foreign keys; with a choice of the catalog, the ones of those columns."""
        if table not in self._known:
            found, chosen = (*links(table, self.tenant_column), *self._borrowed(table)), self._chosen.get(table, set())
            exact = tuple(key for key in found if set(key.columns) == chosen)
            self._known[table] = exact or tuple(key for key in found if chosen <= set(key.columns))
        return self._known[table]

    def _borrowed(self, table: sa.Table) -> Iterator[ForeignKey]:
        """Yield the foreign keys of the lender's table to keys of this database's tables."""
        lent = self.lender.get(qualified(table))
        for key in links(lent, self.tenant_column) if lent is not None else ():
            parent = self.tables.get(qualified(key.parent))
            if parent is not None and set(key.columns) <= set(table.c.keys()) and is_key(parent, key.referred):
                yield replace(key, parent=parent, by_tenant=False)

    @cached_property
    def _leading(self) -> set[sa.Table]:
        """Tables from which a way leads to the year."""
        children: dict[sa.Table, list[sa.Table]] = {}
        for table in self.year_table.metadata.tables.values():
            for key in self._links(table):
                children.setdefault(key.parent, []).append(table)
        leading, left = {self.year_table}, [self.year_table]
        while left:
            for child in children.get(left.pop(), ()):
                if child not in leading:
                    leading.add(child)
                    left.append(child)
        return leading


def _fork(table: sa.Table, one: Way, other: Way) -> str:
    """Return the columns of the first foreign key in which a way differs from another, quoted for the catalog."""
    steps = zip(_steps(table, one), one, other, strict=False)
    step = next((step for step, ours, theirs in steps if ours is not theirs), _steps(table, one)[-1])
    return ", ".join(f'"{name}"' for name in step)
