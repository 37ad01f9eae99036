"""SQLite: URLs, files, and the meaning of its errors."""

import os
import re
import sqlite3
import stat
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedForeignKeyConstraint
from sqlalchemy.engine.reflection import cache
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, Pool

from resync_tui.databases.base import SEND_AGAIN, ColumnType, DatabaseKind, EngineOptions, Meaning
from resync_tui.databases.names import folded
from resync_tui.databases.sqlite_ddl import generated_columns
from resync_tui.databases.sqlite_url import SqliteUrl
from resync_tui.errors import CannotRun, DiskFull, Unreachable

_TABLE_SQL = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
_GENERATED = re.compile(r"\s*\bGENERATED ALWAYS$", re.IGNORECASE)
"""What SQLite takes for a part of a generated column's type."""


def sqlite_path(url: str) -> Path:
    """Return the path in a `sqlite:///file` URL."""
    return Sqlite.form.parse(url).file or Path()


def real_path(url: str) -> Path:
    """Return the real path of the file in a `sqlite:///file` URL: what SQLite keeps beside a file lies there."""
    return Path(os.path.realpath(sqlite_path(url)))


class OneSpelling(SQLiteDialect_aiosqlite):
    """SQLAlchemy's dialect, with generated columns in any form, and foreign keys that spell names as the tables do.

    SQLite compares names without case.
    """

    supports_statement_cache = True

    @cache
    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[ReflectedColumn]:
        """Return the columns of a table."""
        reflected: Any = super()
        columns: list[ReflectedColumn] = reflected.get_columns(connection, table_name, schema, **kw)
        computed = [(each["name"], each["computed"]) for each in columns if "computed" in each]
        if computed:
            sql = connection.exec_driver_sql(_TABLE_SQL, (table_name,)).scalar_one()
            expressions = {folded(name): expression for name, expression in generated_columns(sql).items()}
            for name, each in computed:
                each["sqltext"] = expressions[folded(name)]
        return columns

    @cache
    def get_foreign_keys(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[ReflectedForeignKeyConstraint]:
        """Return the foreign keys of a table; one to a table that is not there keeps its words."""
        reflected: Any = super()
        found: list[ReflectedForeignKeyConstraint] = reflected.get_foreign_keys(connection, table_name, schema, **kw)
        tables = _by_folded(reflected.get_table_names(connection, schema, **kw))

        def spelled(table: str, columns: list[str]) -> list[str]:
            names = _by_folded(each["name"] for each in reflected.get_columns(connection, table, schema, **kw))
            return [names.get(folded(each), each) for each in columns]

        for key in found:
            key["constrained_columns"] = spelled(table_name, key["constrained_columns"])
            if (parent := tables.get(folded(key["referred_table"]))) is not None:
                primary = reflected.get_pk_constraint(connection, parent, schema, **kw)["constrained_columns"]
                key["referred_table"] = parent
                key["referred_columns"] = spelled(parent, key["referred_columns"] or primary)
        return found


def _by_folded(names: Iterable[str]) -> dict[str, str]:
    return {folded(each): each for each in names}


registry.register("sqlite.resync", __name__, OneSpelling.__name__)


_TROUBLES: Mapping[str, tuple[str, str]] = {
    "SQLITE_CONSTRAINT": ("a constraint or trigger refused records together", SEND_AGAIN),
    "SQLITE_ERROR": ("a value could not be computed, or a table or column is not there", SEND_AGAIN),
    "SQLITE_MISMATCH": ("a value could not be converted", "Compare the types of both ends: resync-tui fields -d ID"),
    "SQLITE_NOMEM": ("the memory was used up", "Lower [engine] concurrency, then send it again."),
    "SQLITE_SCHEMA": ("a table was changed meanwhile", SEND_AGAIN),
    "SQLITE_TOOBIG": ("a value or statement is too large for SQLite", "Leave that column out: ignore_columns."),
}
"""By the beginning of the error's name."""


class Sqlite(DatabaseKind):
    """SQLite by aiosqlite."""

    name = "sqlite"
    form = SqliteUrl()
    label = "SQLite"
    feeds = ("sqlite", "postgresql")
    troubles = _TROUBLES
    errors = (sqlite3.Error,)

    def open_engine(self, url: str, options: EngineOptions) -> AsyncEngine:
        require_regular(real_path(url))
        if not options.read_only:
            require_one_name(real_path(url))
        mode = "ro" if options.read_only else "rwc" if options.create else "rw"
        return _open(sqlite_path(url), mode, AsyncAdaptedQueuePool if options.pooled else NullPool)

    def column_types(self, connection: Connection, name: str) -> dict[str, ColumnType]:
        rows = connection.execute(text("SELECT name, type FROM pragma_table_xinfo(:name)"), {"name": name})
        types = {row.name: _GENERATED.sub("", row.type) for row in rows}
        return {name: ColumnType(declared, declared) for name, declared in types.items()}

    def code(self, error: BaseException) -> str:
        return str(getattr(error, "sqlite_errorname", None) or "")

    def meaning(self, error: BaseException, where: str) -> CannotRun | None:
        if not isinstance(error, sqlite3.Error):
            return None
        said = str(error).lower()
        return next((build(where) for words, build in _MEANINGS if words in said), None)


def _open(path: Path, mode: str, pool: type[Pool]) -> AsyncEngine:
    url = f"sqlite+resync:///file:{uri_path(path)}?mode={mode}&uri=true"
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


MOUNTS = Path("/proc/self/mountinfo")
"""The system's list of mounts, a line each with the mount point in its fifth field; absent but on Linux."""


def require_regular(path: Path) -> None:
    """Require that what is at a path, if anything is, is a file: SQLite waits at a FIFO. Raises CannotRun."""
    with suppress(OSError):  # what cannot be reached is told where it is opened
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), "a device")
            raise CannotRun(f"{path} is {kind}, not a SQLite file", "Name a file in that URL.")


_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}


def table_names(path: Path, seconds: float) -> frozenset[str]:
    """Return the names of a file's tables and views; it is left as it is, and nothing is made beside it.

    Waits for a writer at most for these seconds. Raises sqlite3.Error.
    """
    # A file without either that says that it is in WAL mode would get its `-wal` from a plain reader.
    journal, wal = (os.path.lexists(f"{path}-{kind}") for kind in ("journal", "wal"))
    mode = "mode=rw" if journal else "mode=ro" if wal else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"file:{uri_path(path)}?{mode}", uri=True, timeout=seconds)) as connection:
        return frozenset(name for (name,) in connection.execute(_NAMES))


_NAMES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"


def require_one_name(path: Path) -> None:
    """Require that a file to be written has no second name: a hard link, or a mount of the file alone.

    SQLite keeps a journal beside the name by which a file was opened; whoever opens it by another one neither sees it
    nor waits for its locks. Raises CannotRun.
    """
    if path.exists() and path.stat().st_nlink > 1:
        raise CannotRun(
            f"{path} has another name (a hard link): SQLite would not see what is written under that",
            f"Keep one name of that file; find them: find / -samefile {path}",
        )
    if _is_mounted(path):
        raise CannotRun(
            f"{path} is mounted alone: SQLite would not see what is written under its other name",
            "Mount the folder that holds the file instead.",
        )


def _is_mounted(path: Path) -> bool:
    try:
        lines = MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    points = (re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split(" ")[4]) for line in lines)
    return str(path) in points


def uri_path(path: Path) -> str:
    """Return a path escaped for SQLite's file: URIs."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def begin_immediate(engine: AsyncEngine) -> AsyncEngine:
    """Return the engine with transactions that take SQLite's write lock at once; no effect on PostgreSQL."""
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")


_MEANINGS: tuple[tuple[str, Meaning], ...] = (
    (
        "unable to open",
        lambda where: Unreachable(f"Cannot open {where}", "Check that the file exists and may be read."),
    ),
    ("readonly", lambda where: CannotRun(f"Cannot write: {where} is read-only", "Check the file's and folder's mode.")),
    ("full", lambda where: DiskFull(f"The disk is full: {where}", "Free some space, then send the resync again.")),
    (
        "locked",
        lambda where: Unreachable(f"Busy: {where} is locked", "Close the program that holds it, then try again."),
    ),
    ("not a database", lambda where: CannotRun(f"Not a SQLite file: {where}", "Check the URL.")),
    ("malformed", lambda where: CannotRun(f"Damaged SQLite file: {where}", "Restore it from a backup.")),
    ("disk i/o", lambda where: CannotRun(f"The disk failed: {where}", "Check the disk, then send the resync again.")),
)
