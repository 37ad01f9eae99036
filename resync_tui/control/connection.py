"""The connection to the control database: access, transactions, the queue lock, errors explained."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial

import anyio
import asyncpg
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.clock import Clock, utc_now
from resync_tui.control.access import require_nothing_of_others, rights_of, serve_edition, served_edition
from resync_tui.control.migrate import VERSION_TABLE, migrate
from resync_tui.control.models import DISGate, Tables
from resync_tui.control.rows import instance_of
from resync_tui.control.wake import PROGRESS, QUEUE, TRANSITIONS, FileWake, NotifiedWake, Wake
from resync_tui.databases.registry import dialect_of, driver_message, explained, open_engine, place
from resync_tui.databases.sqlite import begin_immediate, real_path
from resync_tui.databases.sqlite_own import close_to_others, open_own
from resync_tui.errors import CannotRun, DiskFull, NoRight, Unreachable, UsageError
from resync_tui.processes import user_name
from resync_tui.rights import Edition, Rights

NAME = "the control database"

PATIENCE_SECONDS = 30.0
"""Timeout, in seconds, for a SQLite lock and for a silent server."""

ROOM = 128 * 1024
"""Bytes that must be free on a SQLite file's disk, for the pages of a few transactions."""


class ControlDatabase:
    """A control database and its transactions."""

    def __init__(
        self, engine: AsyncEngine, url: str, clock: Clock | None, patience: float, *, progress: bool = True
    ) -> None:
        self.url = url
        self.edition: Edition | None = None
        """The session's edition; None: an agent or a tool of its own, which sees all that its login may."""
        self.rights = Rights(read=False, write=False, user=user_name())
        """Rights of this login in that edition, as of the opening."""
        self._patience = patience
        self._engine = engine
        self._clock = clock
        self._postgresql = dialect_of(url) == "postgresql"
        self._writer = begin_immediate(engine)
        if self._postgresql:
            self._writer = engine.execution_options(isolation_level="READ COMMITTED")
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            self._reader = engine
        self._wake = self._wake_ups(progress)

    @classmethod
    async def open(
        cls,
        url: str,
        clock: Clock | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
        edition: Edition | None = None,
        progress: bool = True,
    ) -> "ControlDatabase":
        """Open it, created or upgraded if needed; `clock` None means the database server's own.

        `progress`: whether what begins and ends within a batch ends a wait, too; an agent waits for the queue alone.
        A transaction longer than `patience` seconds counts as a database that does not answer. Raises NoRight for a
        SQLite file of another user and for a role without Read, CannotRun for a database that cannot be used, such as a
        SQLite file of another edition, or a schema in which another role has made what this session would run.
        """
        engine = await _engine(url, patience)
        database = cls(engine, url, clock, patience, progress=progress)
        try:
            if database._postgresql:
                async with database.read() as connection:
                    await require_nothing_of_others(connection, place(url))
            with _explained(url), anyio.CancelScope(shield=True):
                await migrate(engine, url)
            if not database._postgresql:
                close_to_others(real_path(url))
            await database._look_from(edition)
        except BaseException:
            await database.close()
            raise
        return database

    async def _look_from(self, edition: Edition | None) -> None:
        self.edition = edition
        async with self.read() as connection:
            self.rights = await rights_of(connection, edition)
            served = None if self._postgresql else await served_edition(connection)
        self.rights.require_read()
        if edition is None or self._postgresql:
            return
        if served is None:
            async with self.write() as connection:
                served = await serve_edition(connection, edition)
        if served != edition:
            raise CannotRun(
                f"{NAME.capitalize()} ({place(self.url)}) is the console of {served}, not of {edition}",
                "Give each edition a SQLite file of its own; several share a PostgreSQL control database.",
            )

    async def close(self) -> None:
        """Close all connections."""
        with anyio.CancelScope(shield=True):
            await self._wake.close()
            await self._engine.dispose()

    async def wait(self, seconds: float) -> bool:
        """Wait for a change of the queue or of progress, at most for these seconds; see `open` and `Wake.wait`."""
        return await self._wake.wait(seconds)

    def _wake_ups(self, progress: bool) -> Wake:
        if not self._postgresql:
            return FileWake(real_path(self.url), partial(self._transitions, progress))
        from resync_tui.databases.postgres import connect_postgres

        channels = (QUEUE, PROGRESS) if progress else (QUEUE,)
        connect = partial(connect_postgres, self.url, {"application_name": "resync-tui"})
        return NotifiedWake(connect, self._notify, channels)

    async def _transitions(self, progress: bool) -> tuple[int, ...]:
        async with self.read() as connection:
            numbers = tuple(int(each) for each in (await connection.execute(TRANSITIONS)).one())
            return numbers if progress else numbers[:1]

    async def _notify(self, channel: str) -> None:
        async with self.write() as connection:
            await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": channel})

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a write transaction; on SQLite it waits for other writers at once, not in its middle."""
        return self._transaction(self._writer)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a read transaction with one snapshot throughout."""
        return self._transaction(self._reader)

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """Yield a connection in a transaction that a cancelled scope cannot leave open or half done."""
        # SQLite has its own timeout; aiosqlite hangs for ever if one of its calls is cancelled while it waits.
        seconds = self._patience if self._postgresql else None
        with _explained(self.url), anyio.fail_after(seconds, shield=True):
            async with engine.begin() as connection:
                yield connection

    def require_room(self) -> None:
        """Require room on the disk of a SQLite file, as reading it does not tell. Raises DiskFull."""
        free = self.free_bytes()
        if free is not None and free < ROOM:
            raise _disk_full(f"The disk is full: {NAME} ({place(self.url)})")

    def free_bytes(self) -> int | None:
        """Return the free space on the disk of a SQLite file; None for a server's, or where nobody knows."""
        if self._postgresql:
            return None
        try:
            return shutil.disk_usage(real_path(self.url).parent).free
        except OSError:
            return None

    async def now(self, connection: AsyncConnection) -> datetime:
        """Return the current time, the same clock for all agents and screens of this control database."""
        if self._clock is not None:
            return self._clock()
        if not self._postgresql:
            return utc_now()
        now: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return now


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Convert all driver errors to CannotRun: an agent outlives any trouble of the control database."""
    try:
        with explained(NAME, url), _refused(url):
            yield
    except DiskFull as error:
        raise _disk_full(error.what) from error
    except DBAPIError as error:
        raise CannotRun(
            f"{NAME.capitalize()} ({place(url)}) failed: {type(error.orig).__name__}", "See the database server's log."
        ) from error


def _disk_full(what: str) -> DiskFull:
    return DiskFull(what, "Free some space there: what waits and what runs goes on by itself.")


_BY_TRIGGER = "exec_stmt_raise"
"""The server's function that raises what a trigger refuses; its own limits, as of NOTIFY's queue, come from others."""


@contextmanager
def _refused(url: str) -> Iterator[None]:
    """Convert what PostgreSQL refuses: a privilege, a value or number by its guards, a lock or time by its timeouts."""
    try:
        yield
    except DBAPIError as error:
        cause = getattr(error.orig, "__cause__", None)
        if isinstance(cause, asyncpg.ProgramLimitExceededError) and cause.server_source_function != _BY_TRIGGER:
            raise Unreachable(
                f"Out of reach: {NAME} ({place(url)}): {driver_message(error)}",
                "End what somebody has left open there (pg_stat_activity: LISTEN, a transaction); it is tried again.",
            ) from None
        if isinstance(cause, asyncpg.ProgramLimitExceededError | asyncpg.CheckViolationError):
            raise UsageError(
                f"{NAME.capitalize()} ({place(url)}) refuses that: {driver_message(error)}",
                "Ask for less at a time; see what waits: resync-tui history",
            ) from None
        if isinstance(cause, asyncpg.LockNotAvailableError | asyncpg.QueryCanceledError):
            raise Unreachable(
                f"Busy: {NAME} ({place(url)}) is locked",
                "End the transaction that somebody has left open there; it is tried again.",
            ) from None
        if isinstance(cause, asyncpg.InsufficientPrivilegeError):
            raise NoRight(
                f"This login may not do that in {NAME} ({place(url)})",
                "Ask for Read, and Write to send, under [rights]; agents need the owner's role.",
            ) from None
        raise


async def _engine(url: str, patience: float) -> AsyncEngine:
    if dialect_of(url) != "sqlite":
        return _open_postgresql(url, patience)
    with _explained(url):
        return await open_own(url, f"{NAME} ({place(url)})", patience, VERSION_TABLE)


def _open_postgresql(url: str, patience: float) -> AsyncEngine:
    """Return the engine; the server ends what waits, or holds the queue lock, for too long.

    So a statement that this process has given up, or whose process is stopped, does not go on there.
    """
    settings = {
        "idle_in_transaction_session_timeout": "10s",
        "lock_timeout": _seconds(patience / 2),
        "statement_timeout": _seconds(patience),
    }
    return open_engine(url, settings=settings, pooled=True)


def _seconds(seconds: float) -> str:
    """Return a time in whole seconds, at least one, as PostgreSQL shows it."""
    whole = max(1, int(seconds))
    return f"{whole}s" if whole % 60 else f"{whole // 60}min"


async def lock_queue(connection: AsyncConnection, *, changes: int, requests: int = 0) -> DISGate:
    """Take the queue lock, the one row of DISGate; add these numbers to it and return it.

    On PostgreSQL it serialises the transactions that change the queue. Progress does not take it: it counts its changes
    in its own row of DISRunning. Must be the first statement of its transaction (measured: with the claim's own reads
    first, limits broke on both databases). Raises CannotRun for a missing row.
    """
    gate = Tables.gate
    row = (
        await connection.execute(
            update(gate)
            .values(changes=gate.c.changes + changes, lastRequest=gate.c.lastRequest + requests)
            .returning(gate)
        )
    ).one_or_none()
    if row is None:
        raise CannotRun("The control database is damaged: DISGate is empty", "Restore it from a backup.")
    return instance_of(DISGate, row)
