"""Sessions of PostgreSQL: settings that are made and read back, and poolers that change a connection's session."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg

from resync_tui.errors import CannotRun, ConnectionLost

MAY_LACK = frozenset(
    {"idle_in_transaction_session_timeout", "idle_session_timeout", "jit", "lock_timeout", "transaction_timeout"}
)
"""Settings that older servers lack, and that no comparison rests on."""

QUOTED = re.compile(r'["\u201c\u201e\u00ab\u00bb](.+)["\u201c\u201d\u00ab\u00bb]')
"""What a server's message quotes, in any language."""

_MADE = """
SELECT w.name, pg_catalog.set_config(w.name, w.value, false)
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w (name, value)
 WHERE pg_catalog.current_setting(w.name, true) IS NOT NULL
"""
_SERVER_PROCESS = "SELECT pg_catalog.pg_backend_pid()"
_REFUSED = (
    asyncpg.CantChangeRuntimeParamError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidParameterValueError,
)
_ENDED = {
    "25P03": "idle_in_transaction_session_timeout ran out",
    "25P04": "transaction_timeout ran out",
    "57P01": "an administrator ended it",
    "57P02": "another session crashed",
    "57P05": "idle_session_timeout ran out",
}
"""Reasons for which a server ends a session, by SQLSTATE."""
DIRECTLY = "Connect to the server itself, or through a pooler in session mode."


async def make_settings(
    connection: asyncpg.Connection, settings: Mapping[str, str], where: str, *, seconds: float
) -> None:
    """Make a session's settings by one statement within some seconds, and read them back.

    Raises CannotRun, by name, for a setting that the server does not take, or that reads otherwise afterwards.
    """
    try:
        rows = await connection.fetch(_MADE, list(settings), list(settings.values()), timeout=seconds)
    except _REFUSED as error:
        named = QUOTED.search(str(error))
        raise CannotRun(
            f"{where} refuses the setting {named[1] if named else 'of a session'}, which comparison rests on",
            "Let that login set it, or use another login.",
        ) from None
    made = dict(rows)
    for name, value in settings.items():
        if name not in made and name in MAY_LACK:
            continue
        if made.get(name) != value:
            found = f"reads {made[name]}" if name in made else "is not known there"
            raise CannotRun(f"{where} does not take {name} = {value}: it {found}", DIRECTLY)


async def require_own_session(
    connection: asyncpg.Connection, connect: Callable[[], Awaitable[asyncpg.Connection]], where: str
) -> None:
    """Require that a connection outside a transaction keeps its session: that no pooler lends it to others.

    A pooler in transaction mode shows one server process to two open connections, or two to one. Raises CannotRun.
    """
    other: Any = None
    try:
        own = await connection.fetchval(_SERVER_PROCESS)
        other = await connect()
        async with other.transaction():
            if await other.fetchval(_SERVER_PROCESS) == own or await connection.fetchval(_SERVER_PROCESS) != own:
                raise pooled(where)
        if await connection.fetchval(_SERVER_PROCESS) != own:
            raise pooled(where)
    finally:
        if other is not None:
            other.terminate()


def pooled(where: str) -> CannotRun:
    """Return the error for a connection whose session a pooler changes between transactions."""
    return CannotRun(f"A pooler in transaction mode stands before {where}: settings and snapshots get lost", DIRECTLY)


def ended_by_server(error: BaseException, where: str) -> ConnectionLost | None:
    """Return the error for a session that its server ended, with the reason; None if an error tells none."""
    for each in (error, error.__cause__):
        if (why := _ENDED.get(str(getattr(each, "sqlstate", None)))) is not None:
            return ConnectionLost(
                f"The server ended the connection: {where}: {why}",
                "The batch starts again by itself; else resend.",
            )
    return None
