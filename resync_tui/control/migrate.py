"""Migrations: create or upgrade a control database, safe against concurrent starts; an upgrade loses no row."""

from contextlib import suppress
from importlib.resources import as_file, files
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.control.models import METADATA
from resync_tui.databases.registry import place
from resync_tui.databases.sqlite import begin_immediate
from resync_tui.errors import CannotRun

NEWEST = "0015"
"""The newest revision, as a constant so that an ordinary start need not import Alembic."""

VERSION_TABLE = "DISVersion"
"""Alembic's version table, by a name of its own: another program's Alembic may use the same database."""

_LOCK = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = '60s'",
    f'LOCK TABLE "{VERSION_TABLE}" IN EXCLUSIVE MODE',
)
"""Lets one process migrate at a time, for as long as that takes: a lock that only the owner can take."""

_FIRST = f"""CREATE TABLE IF NOT EXISTS "{VERSION_TABLE}" (
    version_num varchar(32) NOT NULL CONSTRAINT "{VERSION_TABLE}_pkc" PRIMARY KEY)"""
"""Alembic's own table, made beforehand so that there is something to lock."""


async def migrate(engine: AsyncEngine, url: str, *, to: str = NEWEST) -> None:
    """Create or upgrade the tables if needed. Raises CannotRun for a database of a newer version or another program's.

    `to` is for tests, which make databases of older versions.
    """
    async with engine.connect() as connection:
        version = await connection.run_sync(_version)
    if version == to:
        return
    if version is None and engine.dialect.name == "postgresql":
        with suppress(IntegrityError):  # another process makes it at the same moment
            async with engine.begin() as connection:
                await _require_none_of_others(connection, url)
                await connection.exec_driver_sql(_FIRST)
    async with begin_immediate(engine).begin() as connection:
        await connection.run_sync(_upgrade, url, to)


_OF_OTHERS = text("""
WITH here AS (SELECT relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema())
SELECT min(name) FROM here WHERE name = ANY (:names) AND NOT EXISTS (SELECT FROM here WHERE name = :version)
""")
"""Query for a name of ours that is taken; one statement, as another process may make all of them at this moment."""


async def _require_none_of_others(connection: AsyncConnection, url: str) -> None:
    if name := await connection.scalar(_OF_OTHERS, {"names": list(METADATA.tables), "version": VERSION_TABLE}):
        raise CannotRun(
            f"The control database ({place(url)}) holds a table {name} that resync-tui has not made",
            "Name another database or schema in [control] url, or rename that table.",
        )


def _version(connection: Connection) -> str | None:
    # Plain statements: every start reads it, and SQLAlchemy's inspection takes ten times as long.
    there = f"""SELECT to_regclass('"{VERSION_TABLE}"')"""
    if connection.dialect.name == "sqlite":
        there = f"SELECT max(name) FROM sqlite_master WHERE type = 'table' AND name = '{VERSION_TABLE}'"
    if connection.exec_driver_sql(there).scalar() is None:
        return None
    version: str | None = connection.exec_driver_sql(f'SELECT version_num FROM "{VERSION_TABLE}"').scalar()
    return version


def _upgrade(connection: Connection, url: str, to: str) -> None:
    # Imported here: only a first start and an upgrade need Alembic.
    from alembic import command
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql" and _is_owner(connection):
        for statement in _LOCK:
            connection.exec_driver_sql(statement)
    with as_file(files("resync_tui.schema.migrations")) as folder:
        config = _config(str(folder), connection)
        version = _version(connection)
        known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
        if version is not None and version not in known:
            raise CannotRun(
                f"The control database ({place(url)}) was made by a newer resync-tui", "Upgrade resync-tui here."
            )
        if version is not None and not _is_owner(connection):
            raise CannotRun(
                f"The control database ({place(url)}) awaits an upgrade",
                "Restart its agent: that brings it up to date.",
            )
        command.upgrade(config, to)


def _is_owner(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return True
    asked = f"""SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class
        WHERE oid = '"{VERSION_TABLE}"'::regclass"""
    return bool(connection.exec_driver_sql(asked).scalar())


def _config(folder: str, connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
