"""Reflection by SQLAlchemy's inspector, for kinds of database whose catalog nobody reads better."""

import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.dialect import Dialect
from resync_tui.engine.keys import DANGLING, VIEW, referred_key
from resync_tui.engine.reflection import Names, TableKey, Tables, complete, joined


async def inspect_tables(
    connection: AsyncConnection,
    names: Iterable[str],
    dialect: Dialect,
    declare: Callable[[sa.Connection, sa.Table], None],
) -> Tables:
    """Return the existing tables among `names`, and all that they reference; see `Dialect.reflect`.

    `declare` completes a table: what SQLAlchemy does not reflect goes into the columns' types and `info`.
    """
    wanted = list(names)

    def read(sync: sa.Connection) -> Tables:
        metadata, inspector = sa.MetaData(), sa.inspect(sync)
        tables = Tables(Names(inspector.default_schema_name, dialect.fold))
        spelled, read = dict[str, str](), set[TableKey]()
        for name in wanted:
            if (key := _locate(tables.names, *tables.names.schema_of(name), inspector)) is not None:
                spelled[name] = joined(key)
                read.add(key)
        left = set(read)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # unknown types are treated as text
            while left:
                _read_tables(sync, metadata, left, views=any(tables.names.is_view(joined(each)) for each in left))
                pointed_to = set(map(referred_key, _elements(metadata)))
                left = {key for key in pointed_to - read if _locate(tables.names, *key, inspector) == key}
                read |= left
        for name, table in metadata.tables.items():
            if tables.names.is_view(name):
                table.info[VIEW] = True
            for column in table.c:
                column.info["dialect"] = dialect
            declare(sync, table)
        return complete(tables, metadata, spelled)

    return await connection.run_sync(read)


def _locate(names: Names, schema: str | None, table: str, inspector: sa.Inspector) -> TableKey | None:
    """Return the key of a table, and look at its schema first, if it was not before."""
    if not names.has(schema):
        if schema is not None and schema not in inspector.get_schema_names():  # SQLite would raise
            return None
        names.add(schema, inspector.get_table_names(schema=schema), _views(inspector, schema))
    return names.locate(schema, table)


def _elements(metadata: sa.MetaData) -> Iterable[sa.ForeignKey]:
    return (element for table in metadata.tables.values() for element in table.foreign_keys)


def _views(inspector: sa.Inspector, schema: str | None) -> list[str]:
    """Return the views of a schema, materialised ones too."""
    found = list(inspector.get_view_names(schema=schema))
    with suppress(NotImplementedError):
        found += inspector.get_materialized_view_names(schema=schema)
    return found


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
    for schema, table in sorted(keys, key=joined):
        grouped.setdefault(schema, set()).add(table)
    return grouped
