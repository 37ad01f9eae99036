"""DDL dialect of SQLite."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import aiosqlite
from sqlalchemy import Inspector
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.databases.sqlite import begin_immediate, sqlite_path
from resync_tui.state_schema.ddl import DdlDialect, create_index, create_indexes, create_table
from resync_tui.state_schema.shapes import EnumType, Index, TableShape


class SqliteDdl(DdlDialect):
    """SQLite as a district and as a state."""

    adds_no_key = "SQLite adds no key to a table that exists"

    def unique_keys(
        self, inspector: Inspector, table: str, schema: str | None, primary: tuple[str, ...]
    ) -> Iterable[tuple[str, ...]]:
        """Return the columns of a table's unique constraints, by the indexes that SQLite makes for them."""
        for index in inspector.get_indexes(table, schema=schema, include_auto_indexes=True):
            columns = tuple(column for column in index["column_names"] if column is not None)
            if str(index["name"]).startswith("sqlite_autoindex_") and columns != primary:
                yield columns

    def index_options(self, reflected: Mapping[str, Any]) -> dict[str, Any]:
        where = reflected.get("sqlite_where")
        return {"where": None if where is None else str(where)}

    def is_missing(self, url: str) -> bool:
        return not sqlite_path(url).exists()

    def writing(self, engine: AsyncEngine) -> AsyncEngine:
        return begin_immediate(engine)

    async def prepare(self, connection: AsyncConnection) -> None:
        """Set WAL mode, for concurrent reads and writes."""
        raw = await connection.get_raw_connection()
        await cast(aiosqlite.Connection, raw.driver_connection).execute("PRAGMA journal_mode = WAL")

    def statements(self, enums: Iterable[EnumType], tables: Sequence[TableShape]) -> list[str]:
        """Return the DDL of tables with their foreign keys and indexes."""
        return [
            statement for table in tables for statement in (create_table(table, table.foreign), *create_indexes(table))
        ]

    def add_unique(self, table: TableShape, columns: tuple[str, ...]) -> str:
        """Return CREATE INDEX: an existing table takes no constraint."""
        name = "_".join((*table.name.split("."), *columns, "key"))
        return create_index(table, Index(name, columns, unique=True))
