"""PostgreSQL source: a district under an exported snapshot, shared by its readers."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from resync_tui.databases.postgres import connect_postgres
from resync_tui.databases.registry import explained, open_engine
from resync_tui.engine.backends.base import End, Query, Source, connected
from resync_tui.engine.backends.postgres.copy import ending_with
from resync_tui.engine.backends.postgres.dialect import DIALECT
from resync_tui.engine.backends.postgres.session import (
    KINDS,
    NO_WAIT,
    SHOWN,
    application_name,
    as_sql,
    expel_older,
    of_named,
    require_session,
    session_settings,
)

ROWS_AT_ONCE = 2_000
"""Rows of a chunk that `rows` yields."""


class PostgresSource(Source):
    """PostgreSQL database of a district."""

    dialect = DIALECT
    readers = 2

    def __init__(self, end: End) -> None:
        super().__init__(
            end, open_engine(end.url, application_name=application_name(end, "s"), settings=session_settings(end))
        )
        self._snapshot = ""
        self._idle: list[Any] = []

    async def require_session(self) -> None:
        async with connected(self.engine) as connection:
            await require_session(connection, self.end)

    async def expel_older(self) -> None:
        async with connected(self.engine) as connection:
            await expel_older(connection, self.end, "s")

    async def doubts(self, tables: Mapping[str, sa.Table]) -> dict[str, str]:
        found: dict[str, str] = {}
        async with connected(self.engine) as connection:
            for name, part, kind, recovers in await of_named(connection, SHOWN, tables):
                if kind in KINDS:
                    found[name] = f"{part} is {KINDS[kind]} of the district, which need not show every record"
                elif recovers:
                    found.setdefault(name, "the district's server is in recovery, and may lack records")
        return found

    async def _connect(self) -> Any:
        name = application_name(self.end, "s")
        settings = {"application_name": name, **session_settings(self.end)}
        return await connect_postgres(self.end.url, settings)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        holder = await self._connect()
        try:
            await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._snapshot = await holder.fetchval("SELECT pg_export_snapshot()")
            with ending_with({holder: self.end}):
                yield
        finally:
            for connection in (holder, *self._idle):
                connection.terminate()
            self._idle.clear()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Any]:
        """Check out a connection under the snapshot; a failed one is terminated."""
        with explained(self.end.name, self.end.url):
            connection = self._idle.pop() if self._idle else await self._connect()
        try:
            with explained(self.end.name, self.end.url):
                await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                await connection.execute(f"SET TRANSACTION SNAPSHOT '{self._snapshot}'")
            yield connection
            await connection.execute("COMMIT")
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)

    async def rows(self, query: sa.Select[Any]) -> AsyncGenerator[list[tuple[Any, ...]], None]:
        async with self.reader() as connection:
            with explained(self.end.name, self.end.url):
                cursor = await connection.cursor(as_sql(query))
                while chunk := await cursor.fetch(ROWS_AT_ONCE):
                    yield [tuple(_loosely(value) for value in row) for row in chunk]

    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        return await self.ask(as_sql(query), patient=patient)

    async def ask(self, question: str, *, patient: bool = True) -> list[tuple[Any, ...]]:
        async with self.reader() as connection:
            with explained(self.end.name, self.end.url):
                if not patient:
                    await connection.execute(NO_WAIT)
                return [tuple(row) for row in await connection.fetch(question)]


def _loosely(value: Any) -> Any:
    """Return a value as loosely typed ends hold it: text, except numbers, booleans and bytes."""
    return value if value is None or isinstance(value, int | float | Decimal | bytes | str) else str(value)
