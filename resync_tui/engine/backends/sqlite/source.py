"""SQLite source: a district's file, read in one transaction of a connection that may attach the state."""

import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiosqlite
import anyio
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDialect
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.registry import dialect_of, explained, open_engine
from resync_tui.databases.sqlite import sqlite_path, uri_path
from resync_tui.engine.backends.base import CLEANUP_SECONDS, End, Meter, Query, Source, connected
from resync_tui.engine.backends.sqlite.copy import BulkCopy, is_text, rowid_of
from resync_tui.engine.backends.sqlite.dialect import DIALECT
from resync_tui.engine.backends.sqlite.stage_file import StageFile, insert_into
from resync_tui.engine.mapping import TableMapping
from resync_tui.errors import CannotRun

ROWS_AT_ONCE = 2_000
DISTRICT_SCHEMA, STATE_SCHEMA = "resync_district", "resync_state"


class _Compiler(SQLiteCompiler):
    def get_from_hint_text(self, _table: sa.FromClause, text: str | None) -> str | None:
        return text


class _Dialect(SQLiteDialect):
    """SQLite dialect with hints after a table's name."""

    statement_compiler = _Compiler


async def driver_of(connection: AsyncConnection) -> aiosqlite.Connection:
    """Return the driver's connection under SQLAlchemy's."""
    return cast(aiosqlite.Connection, (await connection.get_raw_connection()).driver_connection)


class SqliteSource(Source):
    """SQLite file of a district; the state's is attached if it is SQLite too."""

    dialect = DIALECT

    def __init__(self, end: End, state: End) -> None:
        super().__init__(end, open_engine(end.url, read_only=True))
        self._state = state if dialect_of(state.url) == "sqlite" else None
        self._schema = DISTRICT_SCHEMA
        self._reader: aiosqlite.Connection | None = None
        self._one_at_a_time = anyio.Lock()

    async def expel_older(self) -> None:
        """Do nothing: a reader of a SQLite file blocks no other."""

    # --- the snapshot ---

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """Snapshot by one transaction on a WAL file; any other is copied first, so that the district can be written.

        The copy has no name: SQLite unlinks it at once, so that a killed agent leaves no students' records behind.
        """
        async with connected(self.engine) as connection, _without_a_file() as reader:
            driver = await driver_of(connection)
            encoding = await _pragma(driver, "encoding")
            await reader.execute(f"PRAGMA encoding = '{encoding}'")
            if await _pragma(driver, "journal_mode") == "wal":
                self._schema = DISTRICT_SCHEMA
                await _attach_reading(reader, self._schema, sqlite_path(self.end.url))
            else:
                self._schema = "main"
                await driver.backup(reader)
            if self._state is not None and encoding == "UTF-8":
                self.state_schema = await self._see_state(reader, self._state)
            async with self._reading(reader):
                yield

    async def _see_state(self, reader: aiosqlite.Connection, state: End) -> str | None:
        """Attach the state and the stages; return None if encodings differ or reading would block its writers."""
        try:
            await _attach_reading(reader, STATE_SCHEMA, sqlite_path(state.url))
        except sqlite3.OperationalError as error:
            if "encoding" in str(error):
                return None
            raise
        if await _pragma(reader, f"{STATE_SCHEMA}.journal_mode") != "wal":
            # else its tables would stand in for missing ones of the district
            await reader.execute(f"DETACH DATABASE {STATE_SCHEMA}")
            return None
        await StageFile(state).attach(reader)
        return STATE_SCHEMA

    @asynccontextmanager
    async def _reading(self, reader: aiosqlite.Connection) -> AsyncIterator[None]:
        await reader.execute("BEGIN")
        await reader.execute_fetchall(f"SELECT count(*) FROM {self._schema}.sqlite_master")
        self._reader = reader
        try:
            yield
            if self._state is not None and self.state_schema is not None:
                with explained(self._state.name, self._state.url):
                    await self._keep_stages(reader)
        finally:
            self._reader = None
            with anyio.CancelScope(shield=True):
                await reader.rollback()

    async def _keep_stages(self, reader: aiosqlite.Connection) -> None:
        if not reader.in_transaction:  # SQLite itself rolls back when the disk is full
            raise CannotRun("The snapshot of the district was lost", "Free some space, then send the resync again.")
        with anyio.CancelScope(shield=True):
            await reader.commit()

    @property
    def stages(self) -> aiosqlite.Connection | None:
        """Connection that writes the stages while the district is read; None: the target's own does."""
        return self._reader if self.state_schema is not None else None

    # --- queries and rows ---

    def _sql(self, query: Query) -> str:
        """Return the SQL of a query, qualified so that a missing table is not taken from the attached state."""
        of_district: dict[str, Any] = {"schema_translate_map": {None: self._schema}, "render_schema_translate": True}
        return str(query.compile(dialect=_Dialect(), compile_kwargs={"literal_binds": True}, **of_district))

    async def check(self, query: sa.Select[Any]) -> None:
        # The snapshot's connection would take what the district lacks from the attached state.
        with explained(self.end.name, self.end.url):
            async with connected(self.engine) as connection:
                await connection.execute(query)

    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        assert self._reader is not None
        with explained(self.end.name, self.end.url):
            async with self._one_at_a_time, self._reader.execute(self._sql(query)) as cursor:
                return [tuple(row) for row in await cursor.fetchall()]

    async def copy_to_stage(self, mapping: TableMapping, query: sa.Select[Any], meter: Meter) -> bool:
        """Copy the rows of a query into the table's stage, inside SQLite; return False if that is not possible."""
        rowid = rowid_of(mapping.source)
        if self.stages is None or rowid is None:
            return False
        in_chunk: sa.ColumnElement[bool] = sa.literal_column(f"t.{rowid} BETWEEN :low AND :last")
        left: sa.ColumnElement[bool] = sa.literal_column(f"t.{rowid} >= :low")
        rows = query.with_hint(mapping.row, "NOT INDEXED", "sqlite").where(in_chunk)
        numbers: sa.Select[Any] = sa.select(sa.literal_column(f"t.{rowid} AS n")).select_from(mapping.row).where(left)
        following = f"SELECT max(n) FROM ({self._sql(numbers)} ORDER BY t.{rowid} LIMIT :rows)"
        insert = f"{insert_into(mapping, query)} {self._sql(rows)}"
        await BulkCopy(mapping, insert, following).run(self.stages, meter)
        return True

    async def rows(self, query: sa.Select[Any]) -> AsyncGenerator[list[tuple[Any, ...]], None]:
        """Yield the rows of a query in chunks of ROWS_AT_ONCE; text that is not UTF-8 is yielded as bytes.

        A caller that stops early closes the generator, to release the reader at once and in the task that acquired it.
        """
        assert self._reader is not None
        passed = 0
        try:
            async with aclosing(self._chunks(query, 0)) as chunks:
                async for chunk in chunks:
                    passed += len(chunk)
                    yield chunk
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
        else:
            return
        self._reader.text_factory = _text_or_bytes
        async with aclosing(self._chunks(query, passed)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _chunks(self, query: sa.Select[Any], skipped: int) -> AsyncGenerator[list[tuple[Any, ...]], None]:
        assert self._reader is not None
        async with self._one_at_a_time, self._reader.execute(self._sql(query)) as cursor:
            while skipped:
                skipped -= len(list(await cursor.fetchmany(min(skipped, ROWS_AT_ONCE))))
            while chunk := await cursor.fetchmany(ROWS_AT_ONCE):
                yield cast(list[tuple[Any, ...]], chunk)


def _text_or_bytes(raw: bytes) -> str | bytes:
    """Decode text, or return its bytes; slower than SQLite's own decoding, which fails on invalid UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


@asynccontextmanager
async def _without_a_file() -> AsyncIterator[aiosqlite.Connection]:
    """Open a connection without a file, to attach files each in its own mode: stages writable, the district not."""
    with anyio.CancelScope(shield=True):
        reader = await aiosqlite.connect("", isolation_level=None, uri=True, timeout=30)
        # once: SQLite cannot redefine a function while a statement runs
        await reader.create_function("is_text", 1, is_text, deterministic=True)
    try:
        yield reader
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_SECONDS):
            await reader.close()


async def _attach_reading(driver: aiosqlite.Connection, schema: str, path: Path) -> None:
    await driver.execute(f"ATTACH DATABASE ? AS {schema}", (f"file:{uri_path(path)}?mode=ro",))


async def _pragma(driver: aiosqlite.Connection, name: str) -> str:
    ((value,),) = await driver.execute_fetchall(f"PRAGMA {name}")
    return str(value)
