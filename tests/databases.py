"""What several tests do with a real database, through plain drivers."""

import sqlite3
from importlib.resources import files
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from resync_tui.database import dialect_of, sqlite_path

DISTRICT_SQL = files("resync_tui.schema").joinpath("district.sql").read_text("utf-8")


async def run_script(url: str, script: str) -> None:
    """Run several statements."""
    if dialect_of(url) == "sqlite":
        connection = sqlite3.connect(sqlite_path(url))
        try:
            connection.executescript(script)
        finally:
            connection.close()
        return
    server = await asyncpg.connect(url)
    try:
        await server.execute(script)
    finally:
        await server.close()


async def rows(url: str, query: str) -> list[tuple[object, ...]]:
    """Return a query's rows, as the driver gives them."""
    if dialect_of(url) == "sqlite":
        connection = sqlite3.connect(sqlite_path(url))
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    server = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await server.fetch(query)]
    finally:
        await server.close()


def login(url: str, role: str) -> str:
    """Return a PostgreSQL URL for a role of the tests, whose password is always the same."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}:geheim@{parts.hostname}:{parts.port}"))
