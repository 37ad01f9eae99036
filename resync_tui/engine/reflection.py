"""Reflection of tables and of all that they point to; what SQLAlchemy leaves out is the dialect's."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import split_name
from resync_tui.engine.dialect import Dialect
from resync_tui.engine.keys import CATALOG_NAME, DANGLING, SUBTABLES, VIEW, qualified, referred_key
from resync_tui.errors import nearest

TABLES = "tables"
"""Info key of a reflected database's tables."""


TableKey: TypeAlias = tuple[str | None, str]
"""Schema of a table, None for the default one, and its name."""


class Names:
    """Names of the tables in the schemas of a database that were looked at, compared as it compares names."""

    def __init__(self, default_schema: str | None, fold: Callable[[str], str]) -> None:
        self._default_schema = default_schema
        self._fold = fold
        self._by_schema: dict[str | None, dict[str, str]] = {}
        self._views: set[str] = set()

    def find(self, name: str, inspector: sa.Inspector | None = None) -> str | None:
        """Return the one spelling of a catalog name that foreign keys have, too; None if there is no such table.

        With an `inspector` its schema is looked at, if it was not before.
        """
        key = self.locate(*split_name(name), inspector)
        return None if key is None else _key(key)

    def locate(self, schema: str | None, table: str, inspector: sa.Inspector | None = None) -> TableKey | None:
        """Return the schema and name of a table as foreign keys spell them; None if there is no such table."""
        if schema == self._default_schema:
            schema = None
        if inspector is not None and schema not in self._by_schema:
            if schema is not None and schema not in inspector.get_schema_names():  # SQLite would raise
                return None
            tables, views = inspector.get_table_names(schema=schema), _views(inspector, schema)
            self._by_schema[schema] = {self._fold(each): each for each in (*tables, *views)}
            self._views |= {f"{schema}.{each}" if schema is not None else each for each in views}
        found = self._by_schema.get(schema, {}).get(self._fold(table))
        return None if found is None else (schema, found)

    def tables(self) -> Iterator[str]:
        """Yield the tables of the schemas that were looked at, without views."""
        for schema, names in self._by_schema.items():
            found = (f"{schema}.{each}" if schema is not None else each for each in names.values())
            yield from (each for each in found if each not in self._views)

    def is_view(self, found: str) -> bool:
        """Whether a name that was found is a view's."""
        return found in self._views

    def nearest(self, name: str) -> str:
        """Return `; the nearest is X` for the table whose name resembles `name`, else an empty string.

        A table with a dot in its name is not named by it: the way to send it is said.
        """
        named = ((schema, table) for schema, names in self._by_schema.items() for table in names.values())
        known = [f"{schema}.{table}" if schema else table for schema, table in named]
        if name in known:
            return f"; a dot parts a schema from its table: send {name} by a view without one"
        return nearest(name, known)


class Tables(dict[str, sa.Table]):
    """Reflected tables by catalog name; one that has two names in the catalog is there by both."""

    def __init__(self, names: Names | None = None) -> None:
        super().__init__()
        self.names = names or Names(None, str)

    def are_one(self, name: str, other: str) -> bool:
        """Whether two catalog names are of one table."""
        found = self.names.find(name)
        return found is not None and found == self.names.find(other)


async def reflect(connection: AsyncConnection, names: Iterable[str], dialect: Dialect) -> Tables:
    """Return the existing tables, and all tables that they reference, by catalog name."""
    wanted = list(names)

    def read(sync: sa.Connection) -> Tables:
        metadata, inspector = sa.MetaData(), sa.inspect(sync)
        tables = Tables(Names(inspector.default_schema_name, dialect.fold))
        spelled = {name: found for name in wanted if (found := tables.names.find(name, inspector)) is not None}
        read = left = {key for name in wanted if (key := tables.names.locate(*split_name(name))) is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # unknown types are treated as text
            while left:
                _read_tables(sync, metadata, left, views=any(tables.names.is_view(_key(each)) for each in left))
                pointed_to = set(map(referred_key, _elements(metadata)))
                left = {key for key in pointed_to - read if tables.names.locate(*key, inspector) == key}
                read = read | left
        for name, table in metadata.tables.items():
            if tables.names.is_view(name):
                table.info[VIEW] = True
            for column in table.c:
                column.info["dialect"] = dialect
            dialect.declare(sync, table)
        for table, sub_tables in dialect.inherited(sync, metadata.tables.values()).items():
            table.info[SUBTABLES] = sub_tables
        for name, found in reversed(spelled.items()):
            metadata.tables[found].info[CATALOG_NAME] = name
        tables |= {qualified(table): table for table in metadata.tables.values()}
        tables |= {name: metadata.tables[found] for name, found in spelled.items()}
        metadata.info[TABLES] = tables
        return tables

    return await connection.run_sync(read)


def counterpart(table: sa.Table, of: sa.Table) -> sa.Table:
    """Return the table of the same catalog name in the database where `of` was reflected. Raises KeyError."""
    return tables_beside(of)[qualified(table)]


def tables_beside(table: sa.Table) -> Tables:
    """Return the tables that were reflected together with one."""
    tables: Tables = table.metadata.info[TABLES]
    return tables


def _elements(metadata: sa.MetaData) -> Iterable[sa.ForeignKey]:
    return (element for table in metadata.tables.values() for element in table.foreign_keys)


def _views(inspector: sa.Inspector, schema: str | None) -> list[str]:
    """Return the views of a schema, materialised ones too."""
    found = list(inspector.get_view_names(schema=schema))
    with suppress(NotImplementedError):
        found += inspector.get_materialized_view_names(schema=schema)
    return found


def _key(key: TableKey) -> str:
    """Return a table's key in its metadata."""
    return ".".join(filter(None, key))


def _read_tables(connection: sa.Connection, metadata: sa.MetaData, keys: Iterable[TableKey], *, views: bool) -> None:
    for schema, tables in _by_schema(keys).items():
        try:
            _reflect_all(connection, metadata, schema, tables, views=views)
        except ArgumentError:
            _read_one_by_one(connection, metadata, schema, tables, views=views)


def _reflect_all(
    connection: sa.Connection, metadata: sa.MetaData, schema: str | None, names: set[str], *, views: bool
) -> None:
    """Reflect tables of a schema.

    A function chooses them: of a list SQLAlchemy would leave out those whose name a table of another schema has.
    """
    metadata.reflect(connection, schema=schema, only=lambda name, _: name in names, resolve_fks=False, views=views)


def _read_one_by_one(
    connection: sa.Connection, metadata: sa.MetaData, schema: str | None, names: Iterable[str], *, views: bool
) -> None:
    """Reflect tables one by one: SQLite allows a foreign key without columns to a missing table."""
    for name in sorted(names):
        try:
            _reflect_all(connection, metadata, schema, {name}, views=views)
        except ArgumentError:
            sa.Table(name, metadata, schema=schema, info={DANGLING: True})


def _by_schema(keys: Iterable[TableKey]) -> dict[str | None, set[str]]:
    grouped: dict[str | None, set[str]] = {}
    for schema, table in sorted(keys, key=_key):
        grouped.setdefault(schema, set()).add(table)
    return grouped
