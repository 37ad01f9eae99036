"""Reflection beyond SQLAlchemy's: declared types, collations, limits of domains and integers."""

import re
import warnings
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError, SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import split_name
from resync_tui.databases.registry import column_types
from resync_tui.engine.keys import DANGLING, qualified
from resync_tui.engine.types import LogicalType, logical_type


class Named(types.UserDefinedType[Any]):
    """PostgreSQL type unknown to SQLAlchemy, by its name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_kw: Any) -> str:
        """Return the name as DDL and casts write it."""
        return self.name


_OF_TABLE = """
   c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped
   AND CASE WHEN :schema = '' THEN pg_table_is_visible(c.oid) ELSE c.relnamespace = to_regnamespace(:schema) END
"""

_DETERMINISTIC = sa.text(f"""
SELECT a.attname
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation
 WHERE l.collisdeterministic AND {_OF_TABLE}
""")


def declare(connection: sa.Connection, table: sa.Table) -> None:
    """Record each column's type: on SQLite as declared, on PostgreSQL where SQLAlchemy lacks it; and collations."""
    if connection.dialect.name == "sqlite":
        _declare_sqlite(connection, table)
        return
    if any(isinstance(column.type, types.NullType | postgresql.DOMAIN) for column in table.c):
        _declare_postgres(connection, table)
    if any(collation(column) is not None for column in table.c):
        _forget_mere_orders(connection, table)


_COLLATED = """
SELECT x.name, x.coll FROM pragma_index_list(?) i, pragma_index_xinfo(i.name) x WHERE x.coll <> 'BINARY' AND x.key
"""


def _declare_sqlite(connection: sa.Connection, table: sa.Table) -> None:
    for name, found in column_types(connection, table.name).items():
        if name in table.c:
            table.c[name].info["declared"] = found.declared
    for name, collated in connection.exec_driver_sql(_COLLATED, (table.name,)):
        if name in table.c:
            table.c[name].info["collation"] = collated


def _declare_postgres(connection: sa.Connection, table: sa.Table) -> None:
    for name, found in column_types(connection, qualified(table)).items():
        column = table.c[name]
        if isinstance(column.type, types.NullType):
            column.type = Named(found.declared)
        if found.length is not None:
            column.info["length"] = found.length
        if found.precision is not None:
            column.info["precision"], column.info["scale"] = found.precision, found.scale


def _forget_mere_orders(connection: sa.Connection, table: sa.Table) -> None:
    """Clear deterministic collations: they treat no different texts as equal."""
    for name in connection.scalars(_DETERMINISTIC, _place(connection, table)):
        table.c[name].info["collation"] = None


def _place(connection: sa.Connection, table: sa.Table) -> dict[str, str]:
    schema = connection.dialect.identifier_preparer.quote(table.schema) if table.schema else ""
    return {"table": table.name, "schema": schema}


def collation(column: sa.Column[Any]) -> str | None:
    """Return the collation of a column or its key, if other than the default; it may equate different texts."""
    found: str | None = column.info.get("collation", getattr(column.type, "collation", None))
    return found


def limits(column: sa.Column[Any]) -> tuple[int, int] | None:
    """Return the integer bounds of a column; None if the database sets none below 64 bits."""
    if logical_type(column) is not LogicalType.INTEGER:
        return None
    declared = column.info.get("declared")
    if declared is not None:
        return (-(2**15), 2**15 - 1) if re.match("SMALLINT|INT2", declared, re.IGNORECASE) else None
    if isinstance(column.type, sa.SmallInteger):
        return -(2**15), 2**15 - 1
    return None if isinstance(column.type, sa.BigInteger) else (-(2**31), 2**31 - 1)


async def reflect(connection: AsyncConnection, names: Iterable[str]) -> dict[str, sa.Table]:
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
            declare(sync, table)
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
