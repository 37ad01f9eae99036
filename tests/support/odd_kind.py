"""A third kind of database, `odd:///file`: booleans are 'T' and 'F', dates day numbers, and it hashes nothing.

It lies in a file of SQLite, but nothing of the package's own backend for SQLite takes part in reading it.
"""

import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from resync_tui.databases import registry as databases
from resync_tui.databases.base import ColumnType, DatabaseKind, EngineOptions
from resync_tui.databases.url import DatabaseUrl, UrlForm
from resync_tui.engine.backends import registry as backends
from resync_tui.engine.backends.base import End, Query, Source, connected
from resync_tui.engine.backends.inspector import inspect_tables
from resync_tui.engine.backends.registry import Backend
from resync_tui.engine.dialect import Dialect, Pair
from resync_tui.engine.reflection import Tables
from resync_tui.engine.types import LogicalType
from resync_tui.errors import CannotRun

DAY_ONE = date(1900, 1, 1)
TYPES = {
    "NUM": LogicalType.INTEGER,
    "DEC": LogicalType.NUMERIC,
    "ODDTEXT": LogicalType.TEXT,
    "FLAG": LogicalType.BOOLEAN,
    "DAY": LogicalType.DATE,
}
DDL = {
    "integer": "NUM",
    "numeric(8,2)": "DEC",
    "text": "ODDTEXT",
    "boolean": "FLAG",
    "date": "DAY",
}
"""The types of a plain script in the words of this kind."""


def day_number(day: date) -> int:
    """Return a date as this kind stores it."""
    return (day - DAY_ONE).days


class OddUrl(UrlForm):
    """`odd:///file`."""

    kind = "odd"
    schemes = ("odd",)
    example = "odd:///file"
    is_file = True

    def parse(self, url: str) -> DatabaseUrl:
        return DatabaseUrl(str(file_of(url)), ("odd", str(file_of(url))), file=file_of(url))


class OddKind(DatabaseKind):
    """`odd:///file`."""

    name = "odd"
    form = OddUrl()
    label = "odd"
    feeds = ("sqlite", "postgresql")
    errors = (sqlite3.Error,)

    def open_engine(self, url: str, options: EngineOptions | None = None) -> AsyncEngine:
        return create_async_engine(f"sqlite+aiosqlite:///{file_of(url)}")

    def column_types(self, connection: sa.Connection, name: str) -> dict[str, ColumnType]:
        rows = connection.exec_driver_sql("SELECT name, type FROM pragma_table_info(?)", (name,))
        return {row.name: ColumnType(row.type, row.type) for row in rows}

    def code(self, error: BaseException) -> str:
        return ""

    def meaning(self, error: BaseException, where: str) -> CannotRun | None:
        return None


def _declare(connection: sa.Connection, table: sa.Table) -> None:
    for name, found in KIND.column_types(connection, table.name).items():
        table.c[name].info["word"] = found.declared


class OddDialect(Dialect):
    """How this kind writes values."""

    name = "odd"
    ownership = sa.table("owner_of_copy", sa.column("one"), sa.column("district", sa.Text()))

    async def reflect(self, connection: AsyncConnection, names: Iterable[str]) -> Tables:
        return await inspect_tables(connection, names, self, _declare)

    def logical_type(self, column: sa.Column[Any]) -> LogicalType:
        return TYPES.get(column.info["word"], LogicalType.OTHER)

    def type_name(self, column: sa.Column[Any]) -> str:
        return str(column.info["word"])

    def can_hold(self, column: sa.Column[Any], text: str) -> bool:
        return self.logical_type(column) is LogicalType.TEXT

    def integer_bounds(self, column: sa.Column[Any]) -> tuple[int, int] | None:
        return None

    def date_literal(self, day: date) -> str:
        return str(day_number(day))

    def is_rejected_sql(self, error: BaseException | None) -> bool:
        return isinstance(error, sqlite3.OperationalError)

    def as_sent(self, column: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        assert isinstance(column, sa.Column)
        word = column.table.element.c[column.name].info["word"] if isinstance(column.table, sa.Alias) else ""
        if word == "FLAG":
            return sa.case((column == sa.literal_column("'T'"), 1), (column == sa.literal_column("'F'"), 0))
        if word == "DAY":
            first: sa.ColumnElement[str] = sa.literal_column(f"'{DAY_ONE.isoformat()}'")
            days = sa.type_coerce(column, sa.Text()).op("||")(sa.literal_column("' days'"))
            return sa.case((column.is_not(None), sa.func.date(first, days)))
        return column

    def _no_state(self) -> NotImplementedError:
        return NotImplementedError("there is no state of this kind")

    def to_stage(self, value: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        raise self._no_state()

    def from_stage(self, staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        raise self._no_state()

    def differs(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool]:
        raise self._no_state()

    def match_values(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> list[Pair]:
        raise self._no_state()

    def binary(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        raise self._no_state()

    def placeholder(self, column: sa.Column[Any], row_id: sa.ColumnElement[int]) -> sa.ColumnElement[Any] | None:
        raise self._no_state()

    def newest(self, table: sa.Table) -> sa.Select[Any]:
        raise NotImplementedError

    def inserted_since(self, table: sa.Table, newest: int) -> sa.ColumnElement[bool]:
        raise self._no_state()


class OddSource(Source):
    """A district in a file of this kind; its snapshot is one transaction."""

    def __init__(self, end: End, _state: End) -> None:
        super().__init__(end, KIND.open_engine(end.url))
        self._reader: AsyncConnection | None = None

    async def expel_older(self) -> None:
        """Do nothing: its readers are in nobody's way."""

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        async with connected(self.engine) as self._reader:
            await self._reader.exec_driver_sql("BEGIN")
            await self._reader.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            yield
        self._reader = None

    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        assert self._reader is not None
        found = await self._reader.exec_driver_sql(_sql(query))
        return [tuple(row) for row in found]

    async def rows(self, query: sa.Select[Any]) -> AsyncGenerator[list[tuple[Any, ...]], None]:
        found = await self.fetch(query)
        for start in range(0, len(found), 3):
            yield found[start : start + 3]


def _sql(query: Query) -> str:
    return str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


def file_of(url: str) -> Path:
    """Return the file of an `odd:///file` URL."""
    return Path(url.removeprefix("odd:///"))


KIND = OddKind()
DIALECT = OddDialect()
OddSource.dialect = DIALECT


def register() -> None:
    """Make this kind known, as a package of its own would."""
    databases.register(KIND)
    backends.register(KIND.name, lambda: Backend(DIALECT, OddSource, None))


def create(path: Path, script: str, rows: Mapping[str, list[tuple[Any, ...]]]) -> str:
    """Make a district of this kind from a plain script and Python's values; return its URL."""
    for plain, word in DDL.items():
        script = script.replace(f" {plain}", f" {word}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")  # a writer does not wait for the snapshot
        connection.executescript(script)
        for table, records in rows.items():
            marks = ", ".join("?" * len(records[0]))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})", [tuple(map(_stored, each)) for each in records]
            )
    return f"odd:///{path}"


def _stored(value: Any) -> Any:
    if isinstance(value, bool):
        return "T" if value else "F"
    return day_number(value) if isinstance(value, date) else value


def day_of(number: int) -> date:
    """Return the date of a day number."""
    return DAY_ONE + timedelta(days=number)
