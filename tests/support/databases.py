"""What several tests do with a real database, through plain drivers."""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from resync_tui.databases.registry import dialect_of
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.demo.private_postgres import PrivatePostgres


@contextmanager
def own_postgres(**settings: str) -> Iterator[PrivatePostgres]:
    """Run a PostgreSQL that a test may stop; nothing of it stays behind."""
    folder = Path(tempfile.mkdtemp(prefix="resync-tui-pg-"))
    server = PrivatePostgres(folder)
    try:
        server.start({"fsync": "off", "shared_buffers": "16MB", "jit": "off", **settings})
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)


def create_database(admin: str, name: str, template: str = "template1") -> str:
    """Create a database on a server, and return its URL."""
    execute(admin, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))


def execute(url: str, *statements: str) -> None:
    """Run statements one by one."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                with suppress(asyncpg.InvalidCatalogNameError):
                    await connection.execute(statement)
        finally:
            await connection.close()

    finish(run())


def finish(task: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine to its end in a thread of its own, as the test may be inside an event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, task).result()


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


async def insert(url: str, table: str, records: Iterable[tuple[object, ...]]) -> None:
    """Insert rows of texts and numbers."""

    def written(value: object) -> str:
        return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)

    values = ", ".join(f"({', '.join(map(written, row))})" for row in records)
    await run_script(url, f"INSERT INTO {table} VALUES {values}")


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
