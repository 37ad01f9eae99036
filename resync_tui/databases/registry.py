"""Open a database by its URL, and say in two lines what is wrong when that fails."""

import os
import re
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, Pool

from resync_tui.errors import CannotRun, ConfigError, ConnectionLost, Unreachable
from resync_tui.rights import user_name

CONNECT_SECONDS = 10
AT_START = ("application_name",)
"""Settings that a connection begins with; a pooler refuses others before there is a session."""
ALL_ROWS = {"row_security": "off"}
"""A session fails where row-level security would hide rows from it; not for the control database, which lives by it."""
SHOW_ALL = 'Give that login BYPASSRLS; if policies are to be the border of that end, set policies = "trusted" there'
GONE_AFTER = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 120_000}
"""When a server that does not answer is taken for gone: after two minutes (seconds, milliseconds)."""


def dialect_of(url: str) -> str:
    """Return `sqlite` or `postgresql`. Raises ConfigError for another kind of URL."""
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        return "sqlite"
    if scheme in ("postgresql", "postgres"):
        return "postgresql"
    raise ConfigError(
        f"A database URL begins with {scheme or 'nothing'}://", "Use postgresql://host/database or sqlite:///file.db."
    )


def sqlite_path(url: str) -> Path:
    """Return the file of a `sqlite:///file` URL."""
    return Path(make_url(url).database or "")


def place(url: str) -> str:
    """Name a database for people: its file, or user@host:port/name, never the password."""
    if dialect_of(url) == "sqlite":
        return str(sqlite_path(url))
    parts = urlsplit(url)
    user = f"{unquote(parts.username)}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2] or "local socket"
    return f"{user}{host}{parts.path}"


def open_engine(
    url: str,
    *,
    application_name: str = "resync-tui",
    settings: dict[str, str] | None = None,
    create: bool = False,
    read_only: bool = False,
    pooled: bool = False,
) -> AsyncEngine:
    """Return an engine, without a pool of its own unless `pooled`; nothing is connected yet.

    `settings` are PostgreSQL's session settings. A SQLite file must exist unless `create`; `read_only` never writes to
    it. Its connections enforce foreign keys and begin transactions with `BEGIN` (see `begin_immediate`).
    """
    pool = AsyncAdaptedQueuePool if pooled else NullPool
    if dialect_of(url) == "sqlite":
        mode = "ro" if read_only else "rwc" if create else "rw"
        return _open_sqlite(sqlite_path(url), mode, pool)

    connect = partial(connect_postgres, url, {"application_name": application_name, **(settings or {})})
    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=pool, pool_pre_ping=pooled)


async def connect_postgres(url: str, settings: dict[str, str]) -> asyncpg.Connection:
    """Return a connection of its own with these session settings."""
    # Without a role in the URL the driver would take the environment's word for who is asking.
    named = urlsplit(url).username or "user" in parse_qs(urlsplit(url).query) or "PGUSER" in os.environ
    login = {} if named else {"user": user_name()}
    at_start = {name: value for name, value in settings.items() if name in AT_START}
    connection = await asyncpg.connect(
        url, **login, timeout=CONNECT_SECONDS, server_settings=at_start, connection_class=_WatchedConnection
    )
    later = [f"SET {name} = '{value}'" for name, value in settings.items() if name not in AT_START]
    try:
        if later:
            await connection.execute("; ".join(later), timeout=CONNECT_SECONDS)
    except BaseException:
        connection.terminate()
        raise
    return connection


class _WatchedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that breaks where its server is gone without a word, as behind a firewall; others wait for ever."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: Any, *others: Any) -> None:
        super().__init__(protocol, transport, *others)
        line = transport.get_extra_info("socket")
        if line is not None and line.family in (socket.AF_INET, socket.AF_INET6):
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for name, value in GONE_AFTER.items():
                    if hasattr(socket, name):  # each system has its own of these
                        line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _open_sqlite(path: Path, mode: str, pool: type[Pool]) -> AsyncEngine:
    url = f"sqlite+aiosqlite:///file:{uri_path(path)}?mode={mode}&uri=true"
    engine = create_async_engine(url, poolclass=pool, connect_args={"timeout": 30})

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine


def uri_path(path: Path) -> str:
    """Return a path as SQLite's file: URIs take it."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def begin_immediate(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine whose transactions take SQLite's write lock at once; no difference on PostgreSQL."""
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")


@contextmanager
def explained(name: str, url: str) -> Iterator[None]:
    """Turn a driver's error into CannotRun or ConnectionLost; `name` says which database, as in `the state`."""
    try:
        yield
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, OSError) as error:
        explanation = explain(error, name, url)
        if explanation is None:
            raise
        raise explanation from None


def explain(error: BaseException, name: str, url: str) -> CannotRun | None:
    """Return what a driver's error means for a user, or None where it is no known trouble of the database."""
    cause = _driver_error(error)
    where = f"{name} ({place(url)})"
    if (table := _hidden_in(cause)) is not None:
        return CannotRun(f"Row-level security hides records of {table} in {where}", SHOW_ALL)
    for kinds, build in _MEANINGS:
        if isinstance(cause, kinds):
            return build(where)
    if isinstance(cause, sqlite3.Error):
        text = str(cause).lower()
        for words, build in _SQLITE_MEANINGS:
            if words in text:
                return build(where)
    if isinstance(cause, OSError):
        return _unreachable(where, cause)
    return None


def driver_message(error: BaseException) -> str:
    """Return the first line of what the driver itself says; what follows it may quote a record."""
    return str(_driver_error(error)).partition("\n")[0]


def _driver_error(error: BaseException) -> BaseException:
    """Return the driver's own exception under SQLAlchemy's wrappings."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        inner: BaseException = error.orig
        return inner.__cause__ if isinstance(inner.__cause__, asyncpg.PostgresError | asyncpg.InterfaceError) else inner
    return error


def _hidden_in(cause: BaseException) -> str | None:
    """Return the table that a statement, or a trigger of it, would not see all of; None for any other error.

    The server's messages are in its own language: what tells this one is the function that raised it.
    """
    raised_by = getattr(cause, "server_source_function", None)
    if not isinstance(cause, asyncpg.InsufficientPrivilegeError) or raised_by != "check_enable_rls":
        return None
    named = _QUOTED.search(str(cause))
    return named[1].strip() if named else "a table"


def _unreachable(where: str, error: OSError) -> CannotRun:
    reason = error.strerror or type(error).__name__
    if isinstance(error, TimeoutError):
        reason = "no answer"
    elif isinstance(error, ssl.SSLError):
        reason = "TLS was refused"
    elif isinstance(error, ConnectionRefusedError) or "Multiple exceptions" in str(error):
        reason = "connection refused"
    return Unreachable(f"Cannot reach {where}: {reason}", "Check that it is running, its URL and the network.")


_QUOTED = re.compile(r'["\u201c\u201e\u00ab\u00bb](.+)["\u201c\u201d\u00ab\u00bb]')
_Build = Callable[[str], CannotRun]

_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], _Build], ...] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        lambda where: CannotRun(f"Login refused by {where}", "Check the user, the password and pg_hba.conf."),
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        lambda where: CannotRun(f"There is no such database: {where}", "Check the name at the end of the URL."),
    ),
    (
        (asyncpg.InsufficientPrivilegeError,),
        lambda where: CannotRun(f"This login may not do that in {where}", "Grant what `resync-tui doctor` lists."),
    ),
    (
        (asyncpg.ReadOnlySQLTransactionError,),
        lambda where: CannotRun(f"Cannot write: {where} is read-only", "Point the URL at the primary server."),
    ),
    (
        (asyncpg.DiskFullError, asyncpg.OutOfMemoryError),
        lambda where: CannotRun(f"The disk is full: {where}", "Free some space, then send the resync again."),
    ),
    (
        (asyncpg.UntranslatableCharacterError,),
        lambda where: CannotRun(
            f"A record has a character that the encoding of {where} lacks", "Mend it, or make that database UTF8."
        ),
    ),
    (
        (asyncpg.TooManyConnectionsError,),
        lambda where: Unreachable(f"Too many connections: {where}", "Lower [engine] concurrency, or raise its limit."),
    ),
    (
        (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError),
        lambda where: CannotRun(f"A lock was not had in time: {where}", "Find what holds it, then send it again."),
    ),
    (
        (asyncpg.QueryCanceledError,),
        lambda where: CannotRun(f"A statement was ended: {where}", "Raise its login's statement_timeout, then resend."),
    ),
    (
        (asyncpg.CannotConnectNowError,),
        lambda where: Unreachable(f"Starting or stopping: {where}", "Try again in a moment."),
    ),
    (
        (
            asyncpg.PostgresConnectionError,
            asyncpg.AdminShutdownError,
            asyncpg.CrashShutdownError,
            asyncpg.InterfaceError,
        ),
        lambda where: ConnectionLost(
            f"The connection broke: {where}", "The batch starts again by itself; else resend."
        ),
    ),
)

_SQLITE_MEANINGS: tuple[tuple[str, _Build], ...] = (
    (
        "unable to open",
        lambda where: Unreachable(f"Cannot open {where}", "Check that the file exists and may be read."),
    ),
    ("readonly", lambda where: CannotRun(f"Cannot write: {where} is read-only", "Check the file's and folder's mode.")),
    ("full", lambda where: CannotRun(f"The disk is full: {where}", "Free some space, then send the resync again.")),
    (
        "locked",
        lambda where: Unreachable(f"Busy: {where} is locked", "Close the program that holds it, then try again."),
    ),
    ("not a database", lambda where: CannotRun(f"Not a SQLite file: {where}", "Check the URL.")),
    ("malformed", lambda where: CannotRun(f"Damaged SQLite file: {where}", "Restore it from a backup.")),
    ("disk i/o", lambda where: CannotRun(f"The disk failed: {where}", "Check the disk, then send the resync again.")),
)
