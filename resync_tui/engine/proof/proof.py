"""Proof of a catalog against its databases: what it names is there, and one way leads to each table's school year."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from resync_tui.catalog import Catalog, DisObject, table_of
from resync_tui.engine.dialect import find_column, of, type_name
from resync_tui.engine.keys import IncompatibleTable
from resync_tui.engine.proof.ways import Way, Ways, are_same, told
from resync_tui.engine.reflection import Tables
from resync_tui.engine.years import KNOWN_FORMS
from resync_tui.errors import nearest

INIT = "Create it with: resync-tui state init -d ID"


@dataclass(frozen=True, eq=False)
class YearPath:
    """Way of a table to its school year at both ends: foreign keys to follow, and the year's column."""

    source: Way
    target: Way
    source_column: sa.Column[Any]
    target_column: sa.Column[Any]
    optional: bool
    """Whether a record of the district may lead to no year: a column on the way is nullable."""


def key_tables(catalog: Catalog) -> list[str]:
    """Return the tables that a catalog names for all its objects: those of the school year and of the identity."""
    return [table_of(each) for each in (catalog.year, catalog.identity) if each is not None]


def named_tables(catalog: Catalog) -> list[str]:
    """Return all tables that a catalog names: those of its objects, then those of `key_tables`."""
    return [*catalog.owners, *key_tables(catalog)]


class Proof:
    """A catalog held against a district's tables and, once it has any, the state's."""

    def __init__(self, catalog: Catalog, source: Tables, target: Tables | None) -> None:
        self.catalog = catalog
        self.source = source
        self.target = target

    @property
    def _ends(self) -> list[tuple[str, Tables]]:
        ends = [("district", self.source)]
        return ends if self.target is None else [*ends, ("state", self.target)]

    def require(self, dis_object: DisObject) -> None:
        """Raise the first fault of an object."""
        for fault in self.faults(dis_object):
            raise fault

    def faults(self, dis_object: DisObject) -> Iterator[IncompatibleTable]:
        """Yield what the catalog says of an object but the databases do not bear out."""
        names = list(self.name_faults(dis_object))
        yield from names or self.year_faults(dis_object)

    def name_faults(self, dis_object: DisObject) -> Iterator[IncompatibleTable]:
        """Yield the names of an object that stand for nothing, or for what another one does."""
        yield from self._twice(dis_object)
        missing = [name for name in dis_object.tables if name not in self.source]
        for name in missing:
            yield IncompatibleTable(
                f"The district has no table {name}{self.source.names.nearest(name)}",
                f"Create it, or mend tables of {dis_object.name} in the catalog.",
            )
        if not missing:
            yield from self._columns(dis_object)

    def identity_fault(self) -> IncompatibleTable | None:
        """Return the fault of the catalog's identity, which concerns all objects; None if there is none."""
        name = self.catalog.identity
        return None if name is None else _absent("identity", name, [("district", self.source)])

    # --- names ---

    def _twice(self, dis_object: DisObject) -> Iterator[IncompatibleTable]:
        """Yield the tables that the catalog names in two ways."""
        owners = self.catalog.owners
        for name in dis_object.tables:
            if same := [other for other in self._named_alike.get(name, ()) if other != name]:
                yield IncompatibleTable(
                    f"{name} of {dis_object.name} and {same[0]} of {owners[same[0]]} are one table",
                    "Leave it with one of them in the catalog.",
                )

    @cached_property
    def _named_alike(self) -> dict[str, list[str]]:
        """Tables of the catalog's objects that are one table at an end, by each of their names."""
        alike: dict[str, list[str]] = {}
        for _, tables in self._ends:
            by_table: dict[str, list[str]] = {}
            for name in self.catalog.owners:
                if (found := tables.names.find(name)) is not None:
                    by_table.setdefault(found, []).append(name)
            alike |= {name: names for names in by_table.values() if len(names) > 1 for name in names}
        return alike

    def _columns(self, dis_object: DisObject) -> Iterator[IncompatibleTable]:
        ends = self._ends
        for key, names in (("ignore_columns", dis_object.ignore_columns), ("state_owned", dis_object.state_owned)):
            for name in names:
                # A column of the state alone may be named, too; before its table is made nobody knows.
                known = self.target is not None and table_of(name) in self.target
                if known and all(find_column(tables, name) is None for _, tables in ends):
                    yield _no_column(f"{key} of {dis_object.name}", name, *ends[0])
        for name in dis_object.key:
            there = [end for end in ends if table_of(name) in end[1]]
            if (fault := _absent(f"key of {dis_object.name}", name, there)) is not None:
                yield fault
        for name in self.catalog.year_path:
            if table_of(name) in dis_object.tables:
                there = [end for end in ends if table_of(name) in end[1]]
                if (fault := _absent("year_path", name, there)) is not None:
                    yield fault

    # --- the way to the year ---

    @cached_property
    def _ways(self) -> dict[str, Ways]:
        return {end: Ways(end, tables, self.catalog) for end, tables in self._ends}

    @cached_property
    def _lent(self) -> Ways:
        return Ways("district", self.source, self.catalog, lender=self.target)

    def _source_way(self, table: sa.Table) -> Way:
        """Return a district's way, along the state's foreign keys where its own do not lead to the year.

        Once they are sent its records follow these.
        """
        own = self._ways["district"]
        return (own if own.lead_from(table) else self._lent).of(table)

    def year_faults(self, dis_object: DisObject) -> Iterator[IncompatibleTable]:
        """Yield why tables of an object do not lead to their school year."""
        year = self.catalog.year
        if not dis_object.school_year or year is None:
            return
        fault = _absent("year", year, self._ends)
        for end, tables in self._ends if fault is None else ():
            column = find_column(tables, year)
            if fault is None and column is not None and not of(column).reads_years(column):
                fault = IncompatibleTable(
                    f"{year} is {type_name(column)} in the {end}: no school year is read from that",
                    f"Name in the catalog a column of years: {KNOWN_FORMS}.",
                )
        if fault is not None:
            yield fault
            return
        for name in filter(self.source.__contains__, dis_object.tables):
            try:
                if self.target is not None and name in self.target:
                    self.year_path(name)
                else:
                    self._source_way(self.source[name])
            except IncompatibleTable as error:
                yield error

    def year_path(self, name: str) -> YearPath:
        """Return the way of a table to its school year. Raises IncompatibleTable if it is not one at both ends."""
        assert self.target is not None
        assert self.catalog.year is not None
        year = self.catalog.year
        source, target = self._source_way(self.source[name]), self._ways["state"].of(self.target[name])
        if not are_same(source, target):
            ours, theirs = told(self.source[name], source), told(self.target[name], target)
            raise IncompatibleTable(
                f"The way of {name} to {year} is {ours} in the district but {theirs} in the state",
                "Make the same foreign keys at both.",
            )
        source_column, target_column = (find_column(tables, year) for _, tables in self._ends)
        assert source_column is not None
        assert target_column is not None
        children = (self.source[name], *(key.parent for key in source))
        links = [child.c[column] for child, key in zip(children, source, strict=False) for column in key.columns]
        optional = any(column.nullable for column in (*links, source_column))
        return YearPath(source, target, source_column, target_column, optional)


def _absent(key: str, name: str, ends: Iterable[tuple[str, Tables]]) -> IncompatibleTable | None:
    """Return the fault that a column which a key of the catalog names is not at an end; None if it is at all."""
    for end, tables in ends:
        if find_column(tables, name) is None:
            return _no_column(key, name, end, tables)
    return None


def _no_column(key: str, name: str, end: str, tables: Tables) -> IncompatibleTable:
    table, _, column = name.rpartition(".")
    if table not in tables:
        return IncompatibleTable(
            f"The catalog's {key} names {name}, but the {end} has no table {table}{tables.names.nearest(table)}",
            "Mend that name in the catalog." if end == "district" else INIT,
        )
    close = nearest(column, (each.name for each in tables[table].c))
    return IncompatibleTable(
        f'The catalog\'s {key} names "{name}", but {table} has no such column in the {end}{close}',
        "Mend that name in the catalog.",
    )
