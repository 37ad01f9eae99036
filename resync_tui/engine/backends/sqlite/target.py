"""SQLite target: a state's file with one writer, an attached stage file, and a fence file beside it."""

import os
import re
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import groupby
from typing import Any

import aiosqlite
import anyio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import folded
from resync_tui.databases.registry import explained, open_engine
from resync_tui.databases.sqlite import real_path
from resync_tui.databases.sqlite_ddl import runs_before
from resync_tui.engine.backends.base import End, Meter, Query, Source, Target, connected
from resync_tui.engine.backends.sqlite.dialect import DIALECT
from resync_tui.engine.backends.sqlite.fence import Fence
from resync_tui.engine.backends.sqlite.source import SqliteSource, driver_of
from resync_tui.engine.backends.sqlite.stage_file import StageFile, in_stage, insert_into, key_index, stage_ddl
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.ownership import COLUMNS
from resync_tui.errors import CannotRun

_TRIGGERS = "SELECT lower(tbl_name) AS parent, name, sql FROM main.sqlite_master WHERE type = 'trigger' ORDER BY 1, 2"


_ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT")


def _pointing(column: str) -> str:
    """Return the query for the foreign keys with their actions, in a column of `pragma_foreign_key_list`."""
    return f"""
        SELECT m.name AS child, k.id, k."table" AS parent, k."from" AS "column", k."to", k.{column} AS action
        FROM sqlite_master m, pragma_foreign_key_list(m.name) k
        WHERE m.type = 'table' ORDER BY m.name, k.id, k.seq
    """


def _as_reflected(table: sa.Table, column: str) -> str:
    """Return a column's name as reflected: SQLite compares names case-insensitively."""
    return next((name for name in table.c.keys() if name.casefold() == column.casefold()), column)  # noqa: SIM118


class SqliteTarget(Target):
    """SQLite file of the state; one connection writes, with the stage file attached to it."""

    dialect = DIALECT
    finds_orphans = True

    def __init__(self, end: End) -> None:
        super().__init__(end, open_engine(end.url))
        self._stage_file = StageFile(end)
        self._fence = Fence(end)
        self._connection: AsyncConnection | None = None
        self._one_at_a_time = anyio.Lock()

    async def require_writable(self) -> None:
        path = real_path(self.end.url)
        if not path.exists():
            raise CannotRun(f"There is no state yet: {path} is not there", "Make it: resync-tui state init -d ID")
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            raise CannotRun(f"Cannot write: {path} or its folder is read-only", "Check the file's and folder's mode.")

    async def before_triggers(self, tables: Mapping[str, sa.Table]) -> list[tuple[str, str]]:
        by_name = {folded(table.name): name for name, table in tables.items()}
        async with connected(self.engine) as connection:
            found = (await connection.exec_driver_sql(_TRIGGERS)).all()
        return [(by_name[row.parent], row.name) for row in found if row.parent in by_name and runs_before(row.sql)]

    async def delete_actions(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        return [each for each in await self.references(tables) if each.action in _ACTIONS]

    async def update_actions(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        return [each for each in await self._pointing_to(tables, "UPDATE") if each.action in _ACTIONS]

    async def references(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        return await self._pointing_to(tables, "DELETE")

    async def _pointing_to(self, tables: Mapping[str, sa.Table], event: str) -> list[ReferentialAction]:
        by_name = {folded(table.name): (name, table) for name, table in tables.items()}
        async with connected(self.engine) as connection:
            found = (await connection.exec_driver_sql(_pointing(f"on_{event.lower()}"))).all()
        actions = []
        for (child, _), rows in groupby(found, key=lambda row: (row.child, row.id)):
            elements = list(rows)
            name, table = by_name.get(folded(elements[0].parent), ("", None))
            if table is not None:
                # a foreign key without columns references the primary key
                primary = [column.name for column in table.primary_key]
                named = [each.to for each in elements]
                referred = tuple(_as_reflected(table, key) for key in (primary if None in named else named))
                columns = tuple(each.column for each in elements)
                if len(referred) == len(columns) and set(referred) <= set(table.c.keys()):  # else one that fails
                    actions.append(ReferentialAction(child, None, columns, name, referred, elements[0].action, event))
        return actions

    async def _make_memory(self, connection: AsyncConnection) -> None:
        await connection.exec_driver_sql(f"CREATE TABLE main.{DIALECT.ownership.name} ({COLUMNS})")

    async def claim(self) -> None:
        async with self._fence.held(claim=True):
            self._stage_file.remove()
            with anyio.CancelScope(shield=True):
                connection = self._connection = await self.engine.connect()
            await self._stage_file.create(await driver_of(connection))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self._fence.held(), self.staging() as connection:
            yield connection

    @asynccontextmanager
    async def staging(self) -> AsyncIterator[AsyncConnection]:
        assert self._connection is not None
        async with self._one_at_a_time:
            try:
                yield self._connection
                # Shielded from cancellation: a commit of unknown outcome cannot be counted.
                with anyio.CancelScope(shield=True):
                    await self._connection.commit()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._connection.rollback()
                    driver = await driver_of(self._connection)
                    if driver.in_transaction:  # a commit that failed on a deferred foreign key left it open
                        await driver.rollback()

    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        # Shielded: a cancel would lose the only connection, and the stages attached to it.
        with explained(self.end.name, self.end.url), anyio.CancelScope(shield=True):
            async with self.staging() as connection:
                found = (await connection.execute(query)).all()
        return [tuple(row) for row in found]

    async def triggered(self, tables: Mapping[str, sa.Table]) -> frozenset[str]:
        async with connected(self.engine) as connection:
            found = {row.parent for row in await connection.exec_driver_sql(_TRIGGERS)}
        return frozenset(name for name, table in tables.items() if table.name.lower() in found)

    def stage_name(self, number: int) -> str:
        return str(number)

    @asynccontextmanager
    async def _stage_writer(self, source: Source) -> AsyncIterator[aiosqlite.Connection]:
        """Check out the connection that writes stages while the district is read: its reader, if that sees them.

        No other connection may write them then: it would wait for the end of the reader's transaction.
        """
        if isinstance(source, SqliteSource) and source.stages is not None:
            yield source.stages
            return
        async with self.staging() as connection:
            driver = await driver_of(connection)
            await driver.execute("BEGIN")
            yield driver
            await driver.commit()

    async def create_stages(self, mappings: Sequence[TableMapping], source: Source) -> None:
        async with self._stage_writer(source) as driver:
            for statement in (statement for mapping in mappings for statement in stage_ddl(mapping)):
                await driver.execute(statement)

    async def store(self, stage: sa.Table, query: Query) -> None:
        async with self.staging() as connection:
            rows = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
            await connection.exec_driver_sql(f"CREATE TABLE {in_stage(stage)} AS {rows}")

    async def load(self, mapping: TableMapping, source: Source, query: sa.Select[Any], meter: Meter) -> None:
        if isinstance(source, SqliteSource) and await source.copy_to_stage(mapping, query, meter):
            return
        insert = f"{insert_into(mapping, query)} VALUES ({', '.join('?' * len(query.selected_columns))})"
        async with aclosing(source.rows(query)) as chunks:
            async for chunk in chunks:
                await meter(len(chunk))
                async with self._stage_writer(source) as driver:
                    await driver.executemany(insert, chunk)

    async def index_stage(self, mapping: TableMapping, source: Source, *, by_key: bool) -> None:
        if by_key and mapping.key:
            async with self._stage_writer(source) as driver:
                await driver.execute(key_index(mapping))

    async def analyze(self, table: sa.Table) -> None:
        """Do nothing: SQLite plans by the indexes alone."""

    async def drop_stages(self) -> None:
        await self.close()
        async with self._fence.held():
            self._stage_file.remove()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._connection = None
        await super().close()

    async def lock(self, connection: AsyncConnection, rows: sa.Select[Any]) -> None:
        """Do nothing: a deleting transaction is the only writer, from before its first read."""

    async def insert_together(self, connection: AsyncConnection, inserts: Sequence[sa.Insert]) -> list[int]:
        """Insert with foreign keys deferred to the transaction's end."""
        await connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        return [(await connection.execute(insert)).rowcount for insert in inserts]

    def refusal(self, error: BaseException) -> str | None:
        name = _error_name(error)
        words = {
            "SQLITE_CONSTRAINT_UNIQUE": "duplicate value",
            "SQLITE_CONSTRAINT_PRIMARYKEY": "duplicate key",
            "SQLITE_CONSTRAINT_FOREIGNKEY": "foreign key",
            "SQLITE_CONSTRAINT_CHECK": "check",
            "SQLITE_CONSTRAINT_NOTNULL": "required value missing",
            "SQLITE_CONSTRAINT_TRIGGER": "trigger",
        }
        if name in words:
            columns = _columns_of(error)
            return f"refused by the state: {words[name]}{f' in {columns}' if columns else ''}"
        refused = name.startswith("SQLITE_CONSTRAINT") or name in ("SQLITE_MISMATCH", "SQLITE_TOOBIG")
        return f"a value that the state cannot take ({name})" if refused else None

    def is_transient(self, error: BaseException) -> bool:
        return _error_name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _error_name(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorname", "") if isinstance(cause, sqlite3.Error) else ""


_COLUMNS = re.compile(
    r"(?:UNIQUE|NOT NULL) constraint failed: (\w+\.\w+(?:, \w+\.\w+)*)$|CHECK constraint failed: (\w+)$"
)


def _columns_of(error: BaseException) -> str:
    """Return the columns of a violated constraint, or the name of a check; empty where SQLite names none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    found = _COLUMNS.match(str(cause))
    if found is None:
        return ""
    return ", ".join(each.rpartition(".")[2] for each in found[1].split(", ")) if found[1] else found[2]
