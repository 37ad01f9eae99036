"""Bulk loading of an empty database: tables first, then rows, then indexes and foreign keys."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Protocol

from resync_tui.databases.names import quote_identifier, quote_name
from resync_tui.databases.registry import dialect_of, explained, open_engine
from resync_tui.demo.flaws import ORPHANED
from resync_tui.demo.world import Row
from resync_tui.state_schema.introspect import TableShape


class Loader(Protocol):
    """One connection to a database for bulk loading."""

    async def run(self, statements: Iterable[str]) -> None:
        """Run statements in order."""

    async def load(self, table: TableShape, columns: Sequence[str], rows: list[Row]) -> None:
        """Insert rows with the values of `columns`."""

    async def loosen(self) -> None:
        """Disable the foreign keys, as a district that changes its data through SQL does."""

    async def finish(self) -> None:
        """Enable the foreign keys again, without checking the rows."""


@asynccontextmanager
async def loading(url: str) -> AsyncIterator[Loader]:
    """Open an existing database for loading."""
    engine = open_engine(url, settings={"synchronous_commit": "off"})
    try:
        with explained("the sample data", url):
            async with engine.connect() as connection:
                raw: Any = (await connection.get_raw_connection()).driver_connection
                if dialect_of(url) == "postgresql":
                    yield _Postgres(raw)
                else:
                    for pragma in (
                        "foreign_keys = OFF",
                        "synchronous = OFF",
                        "journal_mode = OFF",
                        "cache_size = -65536",
                    ):
                        await raw.execute(f"PRAGMA {pragma}")
                    yield _Sqlite(raw)
    finally:
        await engine.dispose()


class _Postgres:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._foreign_keys: list[tuple[str, str, str, str]] = []

    async def run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            await self._connection.execute(statement)

    async def load(self, table: TableShape, columns: Sequence[str], rows: list[Row]) -> None:
        await self._connection.copy_records_to_table(table.name, records=rows, columns=columns)

    async def loosen(self) -> None:
        found = await self._connection.fetch(
            "SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid), r.relname || '.' || a.attname"
            " FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid"
            " JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace ORDER BY 1, 2"
        )
        self._foreign_keys = [tuple(row) for row in found]
        await self.run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name, _, _ in self._foreign_keys)

    async def finish(self) -> None:
        broken = {f"{table}.{column}" for table, column in ORPHANED}
        for table, name, definition, column in self._foreign_keys:
            unchecked = " NOT VALID" if column in broken else ""
            await self._connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}{unchecked}')
        await self._connection.execute("ANALYZE")


class _Sqlite:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._inserts: dict[str, str] = {}

    async def run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            await self._connection.execute(statement)

    async def load(self, table: TableShape, columns: Sequence[str], rows: list[Row]) -> None:
        if table.name not in self._inserts:
            names = ", ".join(map(quote_identifier, columns))
            self._inserts[table.name] = (
                f"INSERT INTO {quote_name(table.name)} ({names}) VALUES ({', '.join('?' * len(columns))})"
            )
        types = {column.name: column.type.partition("(")[0] for column in table.columns}
        places = [at for at, name in enumerate(columns) if types[name] in ("DATE", "TIMESTAMP", "NUMERIC")]
        await self._connection.execute("BEGIN")
        await self._connection.executemany(self._inserts[table.name], [_as_text(row, places) for row in rows])
        await self._connection.execute("COMMIT")

    async def loosen(self) -> None:
        """Do nothing: SQLite's foreign keys are off while it loads."""

    async def finish(self) -> None:
        await self.run(("ANALYZE", "PRAGMA journal_mode = WAL"))


def _as_text(row: Row, places: Sequence[int]) -> Row:
    """Return a row as SQLite stores it: dates and times as text, decimals as numbers."""
    values: list[Any] = list(row)
    for at in places:
        value = values[at]
        if isinstance(value, datetime):
            values[at] = value.isoformat(" ")
        elif isinstance(value, date):
            values[at] = value.isoformat()
        elif value is not None:
            values[at] = float(value)
    return tuple(values)
