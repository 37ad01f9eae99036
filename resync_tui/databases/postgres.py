"""PostgreSQL: URLs, connections, and the meaning of its errors."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from resync_tui.databases.base import SEND_AGAIN, SHOW_ALL, ColumnType, DatabaseKind, EngineOptions, Meaning
from resync_tui.databases.names import quote_identifier, split_name
from resync_tui.databases.postgres_login import only_allowed_methods
from resync_tui.databases.postgres_parameters import connect_seconds, for_driver
from resync_tui.databases.postgres_reflection import NAME as DIALECT_NAME
from resync_tui.databases.postgres_session import QUOTED, ended_by_server, make_settings, pooled
from resync_tui.databases.postgres_url import PostgresUrl
from resync_tui.errors import CannotRun, ConnectionLost, DiskFull, Unreachable
from resync_tui.processes import user_name

CONNECT_SECONDS = 10

AT_START = ("application_name",)
"""Settings sent at connection start; a pooler refuses others before a session exists, or drops them."""

GONE_AFTER = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 120_000}
"""TCP options that detect an unreachable server after two minutes; in seconds, TCP_USER_TIMEOUT in ms."""


OF_TABLE = """
   c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped
   AND CASE WHEN :schema = '' THEN pg_table_is_visible(c.oid) ELSE c.relnamespace = to_regnamespace(:schema) END
"""
"""Condition on pg_class `c` and pg_attribute `a`: columns of one table, also in a schema that the login may not use."""

_COLUMN_TYPES = text(f"""
WITH RECURSIVE named AS (
    SELECT a.attname AS name, a.attnum, a.atttypid AS type, a.atttypmod AS typmod
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE {OF_TABLE}
), under (attnum, type, typmod, domains) AS (
    SELECT attnum, type, typmod, 0 FROM named
    UNION ALL SELECT u.attnum, t.typbasetype, t.typtypmod, u.domains + 1
      FROM under u JOIN pg_type t ON t.oid = u.type WHERE t.typtype = 'd'
), based AS (SELECT DISTINCT ON (attnum) * FROM under ORDER BY attnum, domains DESC)
SELECT n.name, format_type(n.type, n.typmod) AS declared, format_type(b.type, b.typmod) AS base,
       CASE WHEN sized AND b.type IN ('varchar'::regtype, 'bpchar'::regtype) THEN b.typmod - 4 END AS length,
       CASE WHEN sized AND b.type = 'numeric'::regtype THEN b.typmod - 4 END AS numeric
  FROM named n JOIN based b USING (attnum), LATERAL (SELECT domains > 0 AND b.typmod > 4 AS sized) size
""")


_TROUBLES: Mapping[str, tuple[str, str]] = {
    "0A": ("a statement needs what that server cannot do", "Upgrade that server, or leave the object out."),
    "22": (
        "a value could not be converted or computed",
        "Look at the catalog's rules, and at: resync-tui fields -d ID",
    ),
    "23": ("a constraint refused records together", SEND_AGAIN),
    "40": ("another session was in the way", SEND_AGAIN),
    "42": ("a table, column, type or function is not there, or not as it was", SEND_AGAIN),
    "53": ("a limit of the server was reached", "Raise it, or lower [engine] concurrency; then send it again."),
    "54": ("a limit of PostgreSQL was reached", "Send fewer columns: ignore_columns of the object."),
    "55": ("an object is in use, or not ready", SEND_AGAIN),
    "58": ("the server's disk or system failed", "Mend that, then send it again."),
    "P0": ("a trigger or function of its own failed", "Mend it, or disable it for this program's login."),
    "XX": ("the server found damaged data, or failed", "See its log; restore what is damaged, then send it again."),
}
"""By the beginning of SQLSTATE."""


class Postgres(DatabaseKind):
    """PostgreSQL by asyncpg."""

    name = "postgresql"
    all_rows: ClassVar[Mapping[str, str]] = {"row_security": "off"}
    form = PostgresUrl()
    label = "PostgreSQL"
    feeds = ("postgresql",)
    troubles = _TROUBLES
    errors = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

    def open_engine(self, url: str, options: EngineOptions) -> AsyncEngine:
        pool = AsyncAdaptedQueuePool if options.pooled else NullPool
        settings = {"application_name": options.application_name, **options.settings}
        connect = partial(connect_postgres, url, settings)
        return create_async_engine(
            f"postgresql+{DIALECT_NAME}://", async_creator=connect, poolclass=pool, pool_pre_ping=options.pooled
        )

    def column_types(self, connection: Connection, name: str) -> dict[str, ColumnType]:
        return {
            row.name: ColumnType(
                row.declared,
                row.base,
                row.length,
                None if row.numeric is None else row.numeric >> 16,
                None if row.numeric is None else row.numeric & 0x7FF,
            )
            for row in connection.execute(_COLUMN_TYPES, of_table(name))
        }

    def code(self, error: BaseException) -> str:
        return str(getattr(error, "sqlstate", None) or "")

    def meaning(self, error: BaseException, where: str) -> CannotRun | None:
        if (table := _hidden_in(error)) is not None:
            return CannotRun(f"Row-level security hides records of {table} in {where}", SHOW_ALL)
        if (ended := ended_by_server(error, where)) is not None:
            return ended
        return next((build(where) for kinds, build in _MEANINGS if isinstance(error, kinds)), None)


def of_table(name: str) -> dict[str, str]:
    """Return the parameters of OF_TABLE for a table's catalog name."""
    schema, table = split_name(name)
    return {"table": table, "schema": quote_identifier(schema) if schema else ""}


async def connect_postgres(url: str, settings: dict[str, str]) -> asyncpg.Connection:
    """Open an unpooled connection with these session settings.

    Raises CannotRun for an unknown one in the URL, and for one that does not hold.
    """
    # Without a role in the URL the driver would trust the environment for the user's name.
    parsed = Postgres.form.parse(url)
    login = {} if parsed.user or "PGUSER" in os.environ else {"user": user_name()}
    at_start = {name: value for name, value in settings.items() if name in AT_START}
    try:
        with only_allowed_methods(url, parsed.place):
            connection = await asyncpg.connect(
                for_driver(url),
                **login,
                timeout=connect_seconds(url, CONNECT_SECONDS),
                server_settings=at_start,
                connection_class=_WatchedConnection,
            )
    except asyncpg.UndefinedObjectError as error:
        quoted = QUOTED.search(str(error))
        raise CannotRun(
            f"The server of {parsed.place} knows no parameter {quoted[1] if quoted else 'like one of that URL'}",
            "Take it out of that url.",
        ) from None
    try:
        if settings.keys() - at_start:
            await make_settings(connection, settings, parsed.place, seconds=CONNECT_SECONDS)
    except BaseException:
        connection.terminate()
        raise
    return connection


class _WatchedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Connection with TCP keepalive: it breaks if the server vanishes silently, as behind a firewall.

    Without keepalive it would wait forever.
    """

    __slots__ = ()

    def __init__(self, protocol: Any, transport: Any, *others: Any) -> None:
        super().__init__(protocol, transport, *others)
        line = transport.get_extra_info("socket")
        if line is not None and line.family in (socket.AF_INET, socket.AF_INET6):
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for name, value in GONE_AFTER.items():
                    if hasattr(socket, name):  # each system has its own options
                        line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _hidden_in(cause: BaseException) -> str | None:
    """Return the table of a row-level security error in a statement or its trigger; None for other errors.

    The server's messages are localised: the error is identified by the function that raised it.
    """
    raised_by = getattr(cause, "server_source_function", None)
    if not isinstance(cause, asyncpg.InsufficientPrivilegeError) or raised_by != "check_enable_rls":
        return None
    named = QUOTED.search(str(cause))
    return named[1].strip() if named else "a table"


_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], Meaning], ...] = (
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
        lambda where: DiskFull(f"The disk is full: {where}", "Free some space, then send the resync again."),
    ),
    (
        (asyncpg.UntranslatableCharacterError,),
        lambda where: CannotRun(
            f"A record has a character that the encoding of {where} lacks", "Mend it, or make that database UTF8."
        ),
    ),
    (
        (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError),
        lambda where: CannotRun(f"A lock was not had in time: {where}", "Find what holds it, then send it again."),
    ),
    (
        # Of which a lock that is not to be had is a kind.
        (asyncpg.ObjectNotInPrerequisiteStateError,),
        lambda where: CannotRun(
            f"A materialised view without data, or an object that is not ready: {where}",
            "Fill it: REFRESH MATERIALIZED VIEW …; then send it again.",
        ),
    ),
    (
        (asyncpg.TooManyConnectionsError,),
        lambda where: Unreachable(f"Too many connections: {where}", "Lower [engine] concurrency, or raise its limit."),
    ),
    (
        (asyncpg.QueryCanceledError,),
        lambda where: CannotRun(
            f"The login's statement_timeout, or an administrator, ended a statement: {where}",
            "Raise it: ALTER ROLE that login SET statement_timeout = 0; then send it again.",
        ),
    ),
    ((asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError), pooled),
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
            # The driver's word where a session ends while it is between two states, as in a COPY.
            asyncpg.InternalClientError,
        ),
        lambda where: ConnectionLost(
            f"The connection broke: {where}", "The batch starts again by itself; else resend."
        ),
    ),
)
