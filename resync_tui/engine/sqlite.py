"""What SQLite does its own way: one writer, an attached stage file, a fence file beside the state."""

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import aiosqlite
import anyio
import psutil
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.database import begin_immediate, dialect_of, explained, open_engine, sqlite_path
from resync_tui.engine.ends import End, Meter, Query, Source, Target, connected
from resync_tui.engine.tables import FLAW, NUMBER, RULE, STAGE_SCHEMA, TableSpec
from resync_tui.errors import LeaseLost

ROWS_AT_ONCE = 2_000
STATE_SCHEMA = "resync_state"
STOPPED_SECONDS = 2.0
"""How long a stopped process may hold the state before its successor ends it."""


def _sql(query: Query) -> str:
    """Return a query to the district: a table that it lacks is not looked for in the state, which is attached."""
    of_district: dict[str, Any] = {"schema_translate_map": {None: "main"}, "render_schema_translate": True}
    return str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}, **of_district))


async def _driver(connection: AsyncConnection) -> aiosqlite.Connection:
    return cast(aiosqlite.Connection, (await connection.get_raw_connection()).driver_connection)


class SqliteSource(Source):
    """A district in a SQLite file; beside it the state's, where that is one too."""

    def __init__(self, end: End, state_url: str) -> None:
        super().__init__(end, open_engine(end.url, read_only=True))
        self._state = sqlite_path(state_url) if dialect_of(state_url) == "sqlite" else None
        self._reader: aiosqlite.Connection | None = None
        self._one_at_a_time = anyio.Lock()

    async def expel_older(self) -> None:
        """Nothing to do: a reader of a SQLite file disturbs no one."""

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """Read a WAL file in one transaction; any other is copied first, so that the district can go on writing.

        The copy has no name: SQLite unlinks it at once, so that a killed agent leaves no students' records behind.
        """
        async with connected(self.engine) as connection:
            driver = await _driver(connection)
            async with driver.execute("PRAGMA journal_mode") as cursor:
                row = await cursor.fetchone()
            if row is not None and row[0] == "wal":
                async with self._reading(driver):
                    yield
                return
            async with aiosqlite.connect("", isolation_level=None, uri=True) as taken:
                await driver.backup(taken)
                async with self._reading(taken):
                    yield

    @asynccontextmanager
    async def _reading(self, driver: aiosqlite.Connection) -> AsyncIterator[None]:
        if self._state is not None:
            self.state_schema = await _attach_reading(driver, self._state)
        await driver.execute("BEGIN")
        await (await driver.execute("SELECT count(*) FROM sqlite_master")).close()
        self._reader = driver
        try:
            yield
        finally:
            self._reader = None
            with anyio.CancelScope(shield=True):
                await driver.rollback()

    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        assert self._reader is not None
        with explained(self.end.name, self.end.url):
            async with self._one_at_a_time, self._reader.execute(_sql(query)) as cursor:
                return [tuple(row) for row in await cursor.fetchall()]

    async def rows(self, query: sa.Select[Any]) -> AsyncGenerator[list[tuple[Any, ...]], None]:
        """Yield what a query finds, some thousand rows at a time; text that is not UTF-8 comes as bytes.

        Whoever stops early closes it, so that the reader is free at once and for the task that took it.
        """
        assert self._reader is not None
        passed = 0
        try:
            async with aclosing(self._portions(query, 0)) as portions:
                async for portion in portions:
                    passed += len(portion)
                    yield portion
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
        else:
            return
        self._reader.text_factory = _text_or_bytes
        async with aclosing(self._portions(query, passed)) as portions:
            async for portion in portions:
                yield portion

    async def _portions(self, query: sa.Select[Any], skipped: int) -> AsyncGenerator[list[tuple[Any, ...]], None]:
        assert self._reader is not None
        async with self._one_at_a_time, self._reader.execute(_sql(query)) as cursor:
            while skipped:
                skipped -= len(list(await cursor.fetchmany(min(skipped, ROWS_AT_ONCE))))
            while portion := await cursor.fetchmany(ROWS_AT_ONCE):
                yield cast(list[tuple[Any, ...]], portion)


def _text_or_bytes(raw: bytes) -> str | bytes:
    """Decode text; slower than SQLite's own way, which fails on the first text that is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


async def _attach_reading(driver: aiosqlite.Connection, path: Path) -> str | None:
    """Show another file's tables too; None where reading it would keep others from writing to it."""
    await driver.execute(f"ATTACH DATABASE ? AS {STATE_SCHEMA}", (f"file:{_uri_path(path)}?mode=ro",))
    async with driver.execute(f"PRAGMA {STATE_SCHEMA}.journal_mode") as cursor:
        row = await cursor.fetchone()
    if row is not None and row[0] == "wal":
        return STATE_SCHEMA
    await driver.execute(f"DETACH DATABASE {STATE_SCHEMA}")  # its tables would stand in for those the district lacks
    return None


class Fence:
    """A file beside a SQLite state: who may write for which tenant, and a lock held while somebody does."""

    def __init__(self, path: Path, end: End) -> None:
        self.path = path
        self.end = end
        self._me = [os.getpid(), psutil.Process().create_time()]

    @asynccontextmanager
    async def held(self, *, claim: bool = False) -> AsyncIterator[None]:
        """Hold the lock; `claim` makes this token the tenant's newest. Raises LeaseLost where a newer one exists.

        A stopped process whose tenant is claimed is ended: it may have been stopped in a transaction, whose lock on the
        state or the district it could not let go.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._lock(descriptor)
            content = self._read(descriptor)
            tokens, processes = content["tokens"], content["processes"]
            newest = tokens.get(self.end.tenant, 0)
            if newest > self.end.token or (newest < self.end.token and not claim):
                raise LeaseLost("Another agent has taken this district over", "Nothing to do: it goes on there.")
            if newest < self.end.token:
                _end_if_stopped(processes.get(self.end.tenant))
            tokens[self.end.tenant], processes[self.end.tenant] = self.end.token, self._me
            self._write(descriptor, {"tokens": tokens, "processes": processes, "holder": self.end.tenant})
            yield
        finally:
            os.close(descriptor)

    async def _lock(self, descriptor: int) -> None:
        waiting_since = anyio.current_time()
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if anyio.current_time() - waiting_since > STOPPED_SECONDS:
                    self._end_stopped_holder(descriptor)
                await anyio.sleep(0.01)
            else:
                return

    def _end_stopped_holder(self, descriptor: int) -> None:
        """End an agent that was stopped while it wrote for this tenant: its lease has lapsed, its lock has not."""
        content = self._read(descriptor)
        tenant = self.end.tenant
        if content["holder"] == tenant and content["tokens"].get(tenant, 0) < self.end.token:
            _end_if_stopped(content["processes"].get(tenant))

    @staticmethod
    def _read(descriptor: int) -> dict[str, Any]:
        content: dict[str, Any] = {"tokens": {}, "processes": {}, "holder": None}
        with suppress(ValueError):
            content |= json.loads(os.pread(descriptor, 1_000_000, 0))
        return content

    @staticmethod
    def _write(descriptor: int, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        os.pwrite(descriptor, text, 0)
        os.ftruncate(descriptor, len(text))


def _end_if_stopped(process: list[Any] | None) -> None:
    """End a process, given by its number and when it began, where it is stopped (SIGSTOP, Ctrl-Z)."""
    if process is None:
        return
    with suppress(psutil.Error, OSError):
        found = psutil.Process(process[0])
        if found.create_time() == process[1] and found.status() == psutil.STATUS_STOPPED:
            found.kill()


class SqliteTarget(Target):
    """The state in a SQLite file: one connection writes, its stages are in a file attached to it."""

    def __init__(self, end: End) -> None:
        super().__init__(end, begin_immediate(open_engine(end.url)))
        path = sqlite_path(end.url)
        digest = hashlib.sha256(end.tenant.encode()).hexdigest()[:12]
        self._stage_file = path.with_name(f"{path.name}.resync-{digest}")
        self._fence = Fence(path.with_name(f"{path.name}.resync-fence"), end)
        self._connection: AsyncConnection | None = None
        self._one_at_a_time = anyio.Lock()

    async def claim(self) -> None:
        async with self._fence.held(claim=True):
            self._remove_stage_file()
            with anyio.CancelScope(shield=True):
                connection = self._connection = await self.engine.connect()
            driver = await _driver(connection)
            attach = f"ATTACH DATABASE ? AS {STAGE_SCHEMA}"
            await driver.execute(attach, (f"file:{_uri_path(self._stage_file)}?mode=rwc",))
            await driver.execute(f"PRAGMA {STAGE_SCHEMA}.journal_mode = MEMORY")
            await driver.execute(f"PRAGMA {STAGE_SCHEMA}.synchronous = OFF")

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
                # Whoever cancels waits for it: a commit that nobody hears the end of cannot be counted.
                with anyio.CancelScope(shield=True):
                    await self._connection.commit()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._connection.rollback()
                    driver = await _driver(self._connection)
                    if driver.in_transaction:  # a commit that failed on a deferred foreign key left it open
                        await driver.rollback()

    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        # Cancelled in the middle, its one connection would be lost, and with it the stages that are attached there.
        with explained(self.end.name, self.end.url), anyio.CancelScope(shield=True):
            async with self.staging() as connection:
                found = (await connection.execute(query)).all()
        return [tuple(row) for row in found]

    def stage_name(self, number: int) -> str:
        return str(number)

    async def create_stages(self, specs: Sequence[TableSpec]) -> None:
        async with self.staging() as connection:
            for statement in (statement for spec in specs for statement in _stage_ddl(spec)):
                await connection.exec_driver_sql(statement)

    async def load(self, spec: TableSpec, source: Source, query: sa.Select[Any], meter: Meter) -> None:
        if not isinstance(source, SqliteSource):
            raise TypeError("a PostgreSQL district cannot be read into a SQLite state")
        names = [column.name for column in query.selected_columns]
        quote = sqlite.dialect().identifier_preparer.quote
        insert = (
            f"INSERT INTO {STAGE_SCHEMA}.{quote(spec.stage.name)} ({', '.join(map(quote, names))})"
            f" VALUES ({', '.join('?' * len(names))})"
        )
        async with aclosing(source.rows(query)) as portions:
            async for portion in portions:
                await meter(len(portion))
                async with self.staging() as connection:
                    driver = await _driver(connection)
                    await driver.execute("BEGIN")
                    await driver.executemany(insert, portion)
                    await driver.commit()

    async def settle(self, spec: TableSpec) -> None:
        """Index the stage by key: SQLite joins by nested loops."""
        if not spec.key:
            return
        quote = sqlite.dialect().identifier_preparer.quote
        index = quote(f"k{spec.stage.name}")
        async with self.staging() as connection:
            await connection.exec_driver_sql(
                f"CREATE INDEX {STAGE_SCHEMA}.{index} ON {quote(spec.stage.name)} ({', '.join(map(quote, spec.key))})"
            )

    async def has_grown(self, table: sa.Table) -> None:
        """Nothing: SQLite plans by the indexes alone."""

    async def drop_stages(self) -> None:
        await self.close()
        async with self._fence.held():
            self._remove_stage_file()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
        await super().close()

    def _remove_stage_file(self) -> None:
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(f"{self._stage_file}{suffix}").unlink(missing_ok=True)

    async def insert_together(self, connection: AsyncConnection, inserts: Sequence[sa.Insert]) -> list[int]:
        """Foreign keys are deferred to the transaction's end."""
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
            return f"refused by the state: {words[name]}"
        refused = name.startswith("SQLITE_CONSTRAINT") or name in ("SQLITE_MISMATCH", "SQLITE_TOOBIG")
        return f"a value that the state cannot take ({name})" if refused else None

    def passing(self, error: BaseException) -> bool:
        return _error_name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _uri_path(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _error_name(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorname", "") if isinstance(cause, sqlite3.Error) else ""


def _stage_ddl(spec: TableSpec) -> list[str]:
    """Columns are declared as the state's are, so that a staged value is what the state would store."""
    quote = sqlite.dialect().identifier_preparer.quote
    marks = [f"{NUMBER} INTEGER PRIMARY KEY", f"{RULE} INTEGER", f"{FLAW} TEXT"]
    marks += [f"{spec.absent_parent(number)} INTEGER" for number in range(len(spec.foreign_keys))]

    def held(name: str) -> str:
        return f"{quote(name)} {spec.target.c[name].info.get('declared', '')}"

    return [
        f"CREATE TABLE {STAGE_SCHEMA}.{quote(spec.stage.name)} ({', '.join([*marks, *map(held, spec.columns)])})",
        f"CREATE TABLE {STAGE_SCHEMA}.{quote(spec.refused.name)} (n INTEGER PRIMARY KEY, kind TEXT, reason TEXT)",
        f"CREATE TABLE {STAGE_SCHEMA}.{quote(spec.todo.name)} (n INTEGER PRIMARY KEY, new BOOLEAN, swaps BOOLEAN)",
        f"CREATE TABLE {STAGE_SCHEMA}.{quote(spec.extra.name)}"
        f" ({', '.join(['n INTEGER PRIMARY KEY', *map(held, spec.key)])})",
    ]
