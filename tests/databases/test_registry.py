"""How databases are opened."""

import socket
from collections.abc import Callable

import asyncpg
import pytest
from sqlalchemy import text

from resync_tui.control.connection import _open_postgresql
from resync_tui.databases.postgres import GONE_AFTER, Postgres, connect_postgres
from resync_tui.databases.registry import explain, kind_of, open_engine
from resync_tui.errors import ConnectionLost


@pytest.fixture(autouse=True)
def kind() -> None:
    """Name the kind, as whoever opens a database does: its errors are known from then on."""
    kind_of("postgresql://jdoe@db/state")


async def test_a_connection_asks_whether_its_server_is_still_there(database: Callable[[str], str]) -> None:
    """Tried once, at half the last of these times, with a network cut in mid-statement: it broke after 62 seconds."""
    url = database("postgresql")
    alone = await connect_postgres(url, {})
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            pooled = (await connection.get_raw_connection()).driver_connection
            for each in (alone, pooled):
                line = each._transport.get_extra_info("socket")  # type: ignore[union-attr]
                assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                known = {name: value for name, value in GONE_AFTER.items() if hasattr(socket, name)}
                assert {name: line.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in known} == known
    finally:
        await engine.dispose()
        await alone.close()


async def test_postgres_settings_are_made_after_connecting_for_poolers(database: Callable[[str], str]) -> None:
    settings = {"application_name": "resync-tui/x", "lock_timeout": "10s", **Postgres.all_rows}
    connection = await connect_postgres(database("postgresql"), settings)
    try:
        started = "source = 'client' OR name = 'application_name' AND reset_val = setting"
        at_start = await connection.fetch(f"SELECT name FROM pg_settings WHERE {started}")
        assert {name for (name,) in at_start} == {"application_name", "client_encoding"}
        for name, value in settings.items():
            assert await connection.fetchval("SELECT current_setting($1)", name) == value
    finally:
        await connection.close()


async def test_only_the_control_connection_accepts_row_security(
    database: Callable[[str], str],
) -> None:
    url = database("postgresql")
    for engine, setting in ((_open_postgresql(url, 30), "on"), (open_engine(url, settings=Postgres.all_rows), "off")):
        try:
            async with engine.connect() as connection:
                assert await connection.scalar(text("SHOW row_security")) == setting
        finally:
            await engine.dispose()


@pytest.mark.parametrize(
    ("message", "table"),
    [
        ('query would be affected by row-level security policy for table "a b"', "a b"),
        ("Anfrage würde von Policy für Sicherheit auf Zeilenebene für Tabelle »a b« betroffen sein", "a b"),
        ("la requête serait affectée par la politique de sécurité pour la table « a b »", "a b"),
        ("?", "a table"),
    ],
)
def test_hidden_rows_are_recognized_in_any_server_language(message: str, table: str) -> None:
    error = asyncpg.InsufficientPrivilegeError(message)
    error.server_source_function = "check_enable_rls"
    told = explain(error, "the state", "postgresql://jdoe:hunter2@db/state")
    assert told is not None
    assert told.what == f"Row-level security hides records of {table} in the state (jdoe@db/state)"
    error.server_source_function = "aclcheck_error"
    told = explain(error, "the state", "postgresql://jdoe:hunter2@db/state")
    assert told is not None
    assert "may not do that" in told.what


def test_a_driver_that_lost_its_place_has_lost_the_connection() -> None:
    """Where a session ends in mid-COPY the driver may tell that as an error of its own state."""
    error = asyncpg.InternalClientError("got result for unknown protocol state 3")
    assert isinstance(explain(error, "the state", "postgresql://jdoe:hunter2@db/state"), ConnectionLost)
