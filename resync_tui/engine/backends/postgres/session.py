"""PostgreSQL sessions: settings, application names, termination of older ones, errors."""

from collections.abc import Mapping
from typing import Any

import anyio
import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.postgres import Postgres, connect_postgres
from resync_tui.databases.postgres_session import require_own_session
from resync_tui.databases.registry import place
from resync_tui.engine.backends.base import End, Query
from resync_tui.engine.mapping import STAGE_SCHEMA
from resync_tui.errors import CannotRun

SAME_TEXT = {
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
}
"""Session settings that give the same text output at both ends."""

NO_TIMEOUTS = {"idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0", "transaction_timeout": "0"}
"""Timeouts that a role, a database or a server may have: sessions and a snapshot live as long as the reading."""

LOCK_TIMEOUT = "10s"

NO_WAIT = "SET LOCAL lock_timeout = '200ms'"
"""Lock timeout of queries that must not wait, below the time after which a server checks for deadlocks."""

DIALECT: Dialect = asyncpg_dialect()  # type: ignore[no-untyped-call]

EXPEL_SECONDS = 20

KINDS = {"v": "a view", "m": "a materialised view", "f": "a foreign table"}

NAMED = "SELECT t.name, to_regclass(t.quoted) AS oid FROM unnest($1::text[], $2::text[]) t (name, quoted)"

SHOWN = f"""
    WITH named AS ({NAMED}), part AS (
        SELECT name, oid AS part FROM named WHERE oid IS NOT NULL
        UNION SELECT n.name, i.inhrelid FROM named n, pg_partition_tree(n.oid) p
            JOIN pg_inherits i ON i.inhrelid = p.relid)
    SELECT p.name, c.relname, c.relkind::text, pg_is_in_recovery()
    FROM part p JOIN pg_class c ON c.oid = p.part ORDER BY p.name, c.relname
"""


async def of_named(connection: AsyncConnection, query: str, tables: Mapping[str, sa.Table]) -> list[Any]:
    """Return the rows of a query on tables, by catalog name."""
    quoted = [DIALECT.identifier_preparer.format_table(each) for each in tables.values()]
    driver = await driver_of(connection)
    return list(await driver.fetch(query, list(tables), quoted))


def application_name(end: End, side: str) -> str:
    """Return the application name by which a later claim finds the session; 63 bytes at most."""
    return f"{_of_district(end, side)}/{end.token}"


def _of_district(end: End, side: str) -> str:
    return f"resync-tui/{side}/{end.mark or end.digest}"


def session_settings(end: End) -> dict[str, str]:
    seen = {} if end.trusts_policies else Postgres.all_rows
    return {**SAME_TEXT, **NO_TIMEOUTS, **seen, "lock_timeout": LOCK_TIMEOUT, "jit": "off"}


async def require_session(connection: AsyncConnection, end: End) -> None:
    """Require that connections of an end keep their sessions. Raises CannotRun."""

    async def connect() -> Any:
        return await connect_postgres(end.url, {"application_name": "resync-tui"})

    await require_own_session(await driver_of(connection), connect, f"{end.name} ({place(end.url)})")


def as_sql(query: Query | sa.ColumnElement[Any]) -> str:
    return str(query.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


async def driver_of(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection


async def expel_older(connection: AsyncConnection, end: End, side: str) -> None:
    """Terminate the sessions of older claims, and earlier ones of this claim, and wait for their end.

    Anybody may give a session such a name: only those of this login, of its members and of whoever may write the
    state's fence count. Raises CannotRun.
    """
    mine = sa.text(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        f" AND application_name LIKE :like AND {_OLDER} AND {_AGENTS}"
    ).bindparams(like=f"{_of_district(end, side)}/%", token=end.token)
    with anyio.move_on_after(EXPEL_SECONDS):
        while pids := list(await connection.scalars(mine)):
            try:
                await connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), [{"pid": pid} for pid in pids])
            except DBAPIError as error:
                if sqlstate(error)[0] != "42501":
                    raise
                raise CannotRun(
                    f"This login may not end the connection that another agent's login left at {end.name}",
                    "GRANT pg_signal_backend TO each agent's login there.",
                ) from None
            await connection.commit()
            await anyio.sleep(0.02)
        return
    raise CannotRun(f"An older connection to {end.name} does not end", "End it there with pg_terminate_backend.")


_OLDER = """CASE WHEN split_part(application_name, '/', 4) ~ '^[0-9]{1,18}$'
    THEN split_part(application_name, '/', 4)::bigint <= :token ELSE false END"""

_AGENTS = f"""(usename = current_user OR pg_has_role(usesysid, current_user, 'MEMBER')
    OR has_table_privilege(usesysid, to_regclass('{STAGE_SCHEMA}.fence'), 'UPDATE'))"""


def cause_of(error: BaseException) -> BaseException | None:
    """Return the driver's exception under SQLAlchemy's."""
    return error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error


def sqlstate(error: BaseException) -> tuple[str, str]:
    """Return the SQLSTATE and the constraint's name, each empty if absent."""
    cause = cause_of(error)
    if isinstance(cause, asyncpg.PostgresError):
        return cause.sqlstate or "", getattr(cause, "constraint_name", None) or ""
    return "", ""
