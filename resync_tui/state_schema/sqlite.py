"""DDL dialect of SQLite."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import aiosqlite
from sqlalchemy import Connection, Inspector
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.databases.names import folded, split_name
from resync_tui.databases.sqlite import begin_immediate, sqlite_path
from resync_tui.state_schema.ddl import DdlDialect, create_index, create_table
from resync_tui.state_schema.shapes import Index, Lack, TableShape

_TRIGGERS = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY name"


class SqliteDdl(DdlDialect):
    """SQLite as a district and as a state."""

    adds_no_key = "SQLite adds no key to a table that exists"

    def fold(self, name: str) -> str:
        return folded(name)

    def unique_keys(
        self, inspector: Inspector, name: str, primary: tuple[str, ...], reflected: Sequence[Mapping[str, Any]]
    ) -> Iterable[tuple[str, ...]]:
        """Return the columns of a table's unique constraints, by the indexes that SQLite makes for them."""
        schema, table = split_name(name)
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

    def lacks(self, tables: Sequence[TableShape]) -> list[Lack]:
        """Return tables as lacking: their foreign keys are made with them."""
        return [lack for lack in super().lacks(tables) if not lack.parent]

    def create_table(self, table: TableShape) -> str:
        """Return CREATE TABLE with its foreign keys."""
        return create_table(table, table.foreign)

    def left_behind(self, connection: Connection, names: Iterable[str]) -> Iterable[tuple[str, str]]:
        """Return the triggers of tables."""
        for name in names:
            for trigger in connection.exec_driver_sql(_TRIGGERS, (name,)).scalars():
                yield name, f"trigger {trigger}"

    def add_unique(self, table: TableShape, columns: tuple[str, ...]) -> str:
        """Return CREATE INDEX: an existing table takes no constraint."""
        name = "_".join((*table.name.split("."), *columns, "key"))
        return create_index(table, Index(name, columns, unique=True))
