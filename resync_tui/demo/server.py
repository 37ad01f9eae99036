"""Statements of the demo's administrator on a PostgreSQL server."""

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import text

from resync_tui.databases.registry import explained, open_engine


async def execute(admin_url: str, statement: str, names: list[str] | None = None) -> list[str]:
    """Run a statement outside any transaction; return the first column of its rows."""
    engine = open_engine(admin_url).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with explained("the server", admin_url):
            async with engine.connect() as connection:
                result = await connection.execute(text(statement), {} if names is None else {"names": names})
                return [row[0] for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()


def database_url(url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def with_login(url: str, login: str) -> str:
    """Return a URL with another user and password, or without any."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{login}@{host}" if login else host))


def write_password(file: Path, password: str) -> None:
    """Write a password into a new file that only its owner may read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(f"{password}\n")


async def close_to_public(admin_url: str, url: str, roles: Iterable[str]) -> None:
    """Let these roles alone connect to a database, beside its owner."""
    database = urlsplit(url).path[1:]
    await execute(admin_url, f'REVOKE CONNECT ON DATABASE "{database}" FROM PUBLIC')
    for role in roles:
        await execute(admin_url, f'GRANT CONNECT ON DATABASE "{database}" TO "{role}"')
