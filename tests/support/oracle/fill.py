"""Write invented rows into real databases with plain drivers; nothing here checks or refuses anything."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from resync_tui.databases.registry import dialect_of
from resync_tui.databases.sqlite import sqlite_path
from tests.support.oracle.shape import Column, Row, Table, quoted

_LOOSE = {"smallint": "bigint", "integer": "bigint", "varchar": "text", "char": "text", "numeric": "numeric"}


def loose_ddl(table: Table, dialect: str) -> str:
    """Return a table that holds what a state's table would refuse: as districts do, though with a primary key."""
    columns = ", ".join(f'"{column.name}" {_loose_type(column, dialect)}' for column in table.columns.values())
    key = ", ".join(f'"{name}"' for name in table.key)
    return f"CREATE TABLE {quoted(table.name)} ({columns}, PRIMARY KEY ({key}));"


def _loose_type(column: Column, dialect: str) -> str:
    return _LOOSE.get(column.kind, column.ddl) if dialect == "postgresql" else column.ddl


async def fill(
    url: str, tables: Mapping[str, Table], rows: Mapping[str, list[Row]], tenant: Mapping[str, Any] | None = None
) -> None:
    """Insert rows, `tenant` (a column and its value) added to each; foreign keys are not looked at."""
    if dialect_of(url) == "sqlite":
        with closing(sqlite3.connect(sqlite_path(url))) as connection:
            for table, found in rows.items():
                _fill_sqlite(connection, table, [{**(tenant or {}), **row} for row in found])
            connection.commit()
        return
    server = await asyncpg.connect(url)
    try:
        await server.execute("SET session_replication_role = replica; SET TimeZone = 'UTC'")
        for table, found in rows.items():
            for columns, values in _by_columns({**(tenant or {}), **row} for row in found):
                casts = ", ".join(
                    f"${place}::text::{tables[table].columns[name].ddl}" for place, name in enumerate(columns, 1)
                )
                listed = ", ".join(f'"{name}"' for name in columns)
                await server.executemany(
                    f"INSERT INTO {quoted(table)} ({listed}) VALUES ({casts})",
                    [[as_text(value) for value in row] for row in values],
                )
    finally:
        await server.close()


def _by_columns(rows: Iterable[Row]) -> list[tuple[tuple[str, ...], list[list[Any]]]]:
    grouped: dict[tuple[str, ...], list[list[Any]]] = {}
    for row in rows:
        grouped.setdefault(tuple(row), []).append(list(row.values()))
    return list(grouped.items())


def _fill_sqlite(connection: sqlite3.Connection, table: str, rows: list[Row]) -> None:
    for columns, values in _by_columns(rows):
        listed = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        connection.executemany(
            f"INSERT INTO {quoted(table)} ({listed}) VALUES ({marks})",
            [[_as_stored(value) for value in row] for row in values],
        )


def as_text(value: Any) -> str | None:
    """Return a value as PostgreSQL reads it."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_stored(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
