"""Reflection of tables and of all that they point to; what SQLAlchemy leaves out is the dialect's."""

import warnings
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import split_name
from resync_tui.engine.dialect import Dialect
from resync_tui.engine.keys import DANGLING, SUBTABLES, qualified


async def reflect(connection: AsyncConnection, names: Iterable[str], dialect: Dialect) -> dict[str, sa.Table]:
    """Return the existing tables, and all tables that they reference, by catalog name."""

    def read(sync: sa.Connection) -> dict[str, sa.Table]:
        metadata = sa.MetaData()
        wanted = set(names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # unknown types are treated as text
            while wanted:
                _read_tables(sync, metadata, wanted)
                pointed_to = {key.target_fullname.rpartition(".")[0] for key in _elements(metadata)}
                wanted = pointed_to - wanted - metadata.tables.keys()
                if not wanted & _existing(sync, wanted):
                    break
        for table in metadata.tables.values():
            for column in table.c:
                column.info["dialect"] = dialect
            dialect.declare(sync, table)
        for table, sub_tables in dialect.inherited(sync, metadata.tables.values()).items():
            table.info[SUBTABLES] = sub_tables
        return {qualified(table): table for table in metadata.tables.values()}

    return await connection.run_sync(read)


def _elements(metadata: sa.MetaData) -> Iterable[sa.ForeignKey]:
    return (element for table in metadata.tables.values() for element in table.foreign_keys)


def _existing(connection: sa.Connection, names: Iterable[str]) -> set[str]:
    inspector, found = sa.inspect(connection), set()
    for schema, tables in _by_schema(names).items():
        there = tables & set(inspector.get_table_names(schema=schema))
        found |= {f"{schema}.{table}" if schema else table for table in there}
    return found


def _read_tables(connection: sa.Connection, metadata: sa.MetaData, names: Iterable[str]) -> None:
    for schema, tables in _by_schema(_existing(connection, names)).items():
        try:
            metadata.reflect(connection, schema=schema, only=sorted(tables), resolve_fks=False)
        except ArgumentError:
            _read_one_by_one(connection, metadata, schema, tables)


def _read_one_by_one(
    connection: sa.Connection, metadata: sa.MetaData, schema: str | None, names: Iterable[str]
) -> None:
    """Reflect tables one by one: SQLite allows a foreign key without columns to a missing table."""
    for name in sorted(names):
        try:
            metadata.reflect(connection, schema=schema, only=[name], resolve_fks=False)
        except ArgumentError:
            sa.Table(name, metadata, schema=schema, info={DANGLING: True})


def _by_schema(names: Iterable[str]) -> dict[str | None, set[str]]:
    grouped: dict[str | None, set[str]] = {}
    for name in names:
        schema, table = split_name(name)
        grouped.setdefault(schema, set()).add(table)
    return grouped
