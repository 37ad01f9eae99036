"""Stage file: the stages of a batch, in a file beside a SQLite state."""

import os
import sqlite3

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from resync_tui.databases.sqlite import real_path, uri_path
from resync_tui.engine.backends.base import End, taken_over
from resync_tui.engine.mapping import EXCLUDED_BY, ROW_ID, SET_ASIDE, STAGE_SCHEMA, VALUE_ERROR, TableMapping
from resync_tui.files import own

quote = sqlite.dialect().identifier_preparer.quote


class StageFile:
    """Stage file of one batch of a district; the next claim of the district removes those of dead batches."""

    def __init__(self, end: End) -> None:
        state = real_path(end.url)
        self._district = f"{state.name}.resync-{end.digest}"
        self.path = state.with_name(f"{self._district}-{end.token}")

    async def create(self, driver: aiosqlite.Connection) -> None:
        """Create an empty file, which only its owner reads, and attach it (ATTACH)."""
        os.close(own.open_private_beside(self.path, os.O_RDWR | os.O_CREAT))
        await self._attach(driver, "rw")

    async def attach(self, driver: aiosqlite.Connection) -> None:
        """Attach the file to a further connection. Raises LeaseLost if a newer claim has removed it."""
        try:
            await self._attach(driver, "rw")
        except sqlite3.OperationalError:
            if self.path.exists():
                raise
            raise taken_over() from None

    async def _attach(self, driver: aiosqlite.Connection, mode: str) -> None:
        await driver.execute(f"ATTACH DATABASE ? AS {STAGE_SCHEMA}", (f"file:{uri_path(self.path)}?mode={mode}",))
        await driver.execute(f"PRAGMA {STAGE_SCHEMA}.journal_mode = MEMORY")
        await driver.execute(f"PRAGMA {STAGE_SCHEMA}.synchronous = OFF")

    def remove(self) -> None:
        """Remove the stage files of this district's batches, older ones included."""
        for each in self.path.parent.iterdir():
            if each.name.startswith(self._district):
                each.unlink(missing_ok=True)


def stage_ddl(mapping: TableMapping) -> list[str]:
    """Return the DDL of a table's stages: declared types are the state's, so that values are stored alike."""
    marks = [f"{ROW_ID} INTEGER PRIMARY KEY", f"{EXCLUDED_BY} INTEGER", f"{VALUE_ERROR} TEXT"]
    marks += [f"{mapping.parent_mark(number)} INTEGER" for number in range(len(mapping.foreign_keys))]

    def held(name: str) -> str:
        return f"{quote(name)} {mapping.target.c[name].info.get('declared', '')}"

    extra = ", ".join([f"{ROW_ID} INTEGER PRIMARY KEY", f"{SET_ASIDE} TEXT", *map(held, mapping.key)])
    return [
        f"CREATE TABLE {in_stage(mapping.stage)} ({', '.join([*marks, *map(held, mapping.columns)])})",
        f"CREATE TABLE {in_stage(mapping.refused)} (n INTEGER PRIMARY KEY, kind TEXT, reason TEXT, "
        "columns TEXT, size INTEGER, foreign_key INTEGER, unique_key INTEGER, behind_exclusion BOOLEAN)",
        f"CREATE TABLE {in_stage(mapping.changes)} (n INTEGER PRIMARY KEY, new BOOLEAN, swaps BOOLEAN, sent TEXT)",
        f"CREATE TABLE {in_stage(mapping.extra)} ({extra})",
    ]


def key_index(mapping: TableMapping) -> str:
    """Return CREATE INDEX on a stage's key: SQLite joins by nested loops."""
    columns = ", ".join(map(quote, mapping.key))
    return f"CREATE INDEX {STAGE_SCHEMA}.{quote(f'k{mapping.stage.name}')} ON {quote(mapping.stage.name)} ({columns})"


def insert_into(mapping: TableMapping, query: sa.Select[tuple[object, ...]]) -> str:
    """Return the INSERT clause for the columns of a query."""
    names = [column.name for column in query.selected_columns]
    return f"INSERT INTO {in_stage(mapping.stage)} ({', '.join(map(quote, names))})"


def in_stage(table: sa.Table) -> str:
    return f"{STAGE_SCHEMA}.{quote(table.name)}"
