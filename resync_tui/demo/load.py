"""Bulk loading of an empty database: tables first, then rows, then indexes and foreign keys."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Date, DateTime, Numeric, TableClause, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.registry import dialect_of, explained, open_engine
from resync_tui.demo.flaws import ORPHANED
from resync_tui.demo.world import Row


class Loader(ABC):
    """One connection to a database for bulk loading."""

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        """`driver` is the driver's own connection: what is faster than SQLAlchemy goes to it."""
        self._connection = connection
        self._driver = driver

    async def run(self, work: Callable[[Connection], None]) -> None:
        """Do `work` in one transaction."""
        async with self._connection.begin():
            await self._connection.run_sync(work)

    @abstractmethod
    async def load(self, table: TableClause, rows: list[Row]) -> None:
        """Insert rows with the values of all columns, in the order of the table."""

    @abstractmethod
    async def loosen(self) -> None:
        """Disable the foreign keys, as a district that changes its data through SQL does."""

    @abstractmethod
    async def finish(self) -> None:
        """Enable the foreign keys again, without checking the rows."""


@asynccontextmanager
async def loading(url: str) -> AsyncIterator[Loader]:
    """Open an existing database for loading."""
    engine = open_engine(url, settings={"synchronous_commit": "off"})
    try:
        with explained("the sample data", url):
            async with engine.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                if dialect_of(url) == "postgresql":
                    yield _Postgres(connection, driver)
                else:
                    for pragma in (
                        "foreign_keys = OFF",
                        "synchronous = OFF",
                        "journal_mode = OFF",
                        "cache_size = -65536",
                    ):
                        await driver.execute(f"PRAGMA {pragma}")
                    yield _Sqlite(connection, driver)
    finally:
        await engine.dispose()


class _Postgres(Loader):
    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        super().__init__(connection, driver)
        self._foreign_keys: list[tuple[str, str, str, str]] = []

    async def load(self, table: TableClause, rows: list[Row]) -> None:
        await self._driver.copy_records_to_table(table.name, records=rows, columns=table.columns.keys())

    async def loosen(self) -> None:
        found = await self._driver.fetch(
            "SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid), r.relname || '.' || a.attname"
            " FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid"
            " JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace ORDER BY 1, 2"
        )
        self._foreign_keys = [tuple(row) for row in found]
        for table, name, _, _ in self._foreign_keys:
            await self._driver.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')

    async def finish(self) -> None:
        broken = {f"{table}.{column}" for table, column in ORPHANED}
        for table, name, definition, column in self._foreign_keys:
            unchecked = " NOT VALID" if column in broken else ""
            await self._driver.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}{unchecked}')
        await self._driver.execute("ANALYZE")


class _Sqlite(Loader):
    async def load(self, table: TableClause, rows: list[Row]) -> None:
        statement = str(insert(table).compile(dialect=self._connection.dialect))
        places = [at for at, each in enumerate(table.columns) if isinstance(each.type, (Date, DateTime, Numeric))]
        await self._driver.execute("BEGIN")
        await self._driver.executemany(statement, [_as_text(row, places) for row in rows])
        await self._driver.execute("COMMIT")

    async def loosen(self) -> None:
        """Do nothing: SQLite's foreign keys are off while it loads."""

    async def finish(self) -> None:
        await self._driver.execute("ANALYZE")
        await self._driver.execute("PRAGMA journal_mode = WAL")


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
