"""The file beside a SQLite state that holds a batch's stages, and how SQLite itself copies rows into it."""

import hashlib
import math
import sqlite3
from pathlib import Path

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from resync_tui.engine.ends import End, Meter
from resync_tui.engine.families import Family, family
from resync_tui.engine.tables import FLAW, NUMBER, RULE, STAGE_SCHEMA, TableSpec
from resync_tui.errors import LeaseLost

FIRST_ROWS, ROWS_AT_ONCE = 250, 5_000
TEXT_AT_ONCE = 4_000_000
"""Bytes; a run of rows that holds more is followed by one of half as many."""
_LEAST, _LARGEST = -(2**63), 2**63 - 1
_quote = sqlite.dialect().identifier_preparer.quote


_NUMBERS = {Family.INTEGER, Family.NUMERIC, Family.FLOAT, Family.BOOLEAN}


class StageFile:
    """Where one batch of a district keeps its stages; the next claim of the district removes what a dead one left."""

    def __init__(self, state: Path, end: End) -> None:
        digest = hashlib.sha256(end.tenant.encode()).hexdigest()[:12]
        self._district = f"{state.name}.resync-{digest}"
        self.path = state.with_name(f"{self._district}-{end.token}")

    async def create(self, driver: aiosqlite.Connection) -> None:
        """Make the file, empty, and attach it."""
        await self._attach(driver, "rwc")

    async def attach(self, driver: aiosqlite.Connection) -> None:
        """Show the file to another connection too. Raises LeaseLost where a newer claim has removed it."""
        try:
            await self._attach(driver, "rw")
        except sqlite3.OperationalError:
            if self.path.exists():
                raise
            raise LeaseLost("Another agent has taken this district over", "Nothing to do: it goes on there.") from None

    async def _attach(self, driver: aiosqlite.Connection, mode: str) -> None:
        await driver.execute(f"ATTACH DATABASE ? AS {STAGE_SCHEMA}", (f"file:{uri_path(self.path)}?mode={mode}",))
        await driver.execute(f"PRAGMA {STAGE_SCHEMA}.journal_mode = MEMORY")
        await driver.execute(f"PRAGMA {STAGE_SCHEMA}.synchronous = OFF")

    def remove(self) -> None:
        """Remove the stages of this district's batches, older ones included."""
        for each in self.path.parent.iterdir():
            if each.name.startswith(self._district):
                each.unlink(missing_ok=True)


def uri_path(path: Path) -> str:
    """Return a path as SQLite's file: URIs take it."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def stage_ddl(spec: TableSpec) -> list[str]:
    """Columns are declared as the state's are, so that a staged value is what the state would store."""
    marks = [f"{NUMBER} INTEGER PRIMARY KEY", f"{RULE} INTEGER", f"{FLAW} TEXT"]
    marks += [f"{spec.absent_parent(number)} INTEGER" for number in range(len(spec.foreign_keys))]

    def held(name: str) -> str:
        return f"{_quote(name)} {spec.target.c[name].info.get('declared', '')}"

    return [
        f"CREATE TABLE {_stage(spec.stage)} ({', '.join([*marks, *map(held, spec.columns)])})",
        f"CREATE TABLE {_stage(spec.refused)} (n INTEGER PRIMARY KEY, kind TEXT, reason TEXT)",
        f"CREATE TABLE {_stage(spec.todo)} (n INTEGER PRIMARY KEY, new BOOLEAN, swaps BOOLEAN)",
        f"CREATE TABLE {_stage(spec.extra)} ({', '.join(['n INTEGER PRIMARY KEY', *map(held, spec.key)])})",
    ]


def key_index(spec: TableSpec) -> str:
    """Return the statement that indexes a stage by key: SQLite joins by nested loops."""
    columns = ", ".join(map(_quote, spec.key))
    return f"CREATE INDEX {STAGE_SCHEMA}.{_quote(f'k{spec.stage.name}')} ON {_quote(spec.stage.name)} ({columns})"


def insert_into(spec: TableSpec, query: sa.Select[tuple[object, ...]]) -> str:
    """Return the beginning of the insert of what a query finds."""
    names = [column.name for column in query.selected_columns]
    return f"INSERT INTO {_stage(spec.stage)} ({', '.join(map(_quote, names))})"


def _stage(table: sa.Table) -> str:
    return f"{STAGE_SCHEMA}.{_quote(table.name)}"


# --- rows that never leave SQLite ---


def rowid_of(table: sa.Table) -> str | None:
    """Return a name by which a table's rows are numbered; None where it has no such number."""
    if not table.dialect_options["sqlite"]["with_rowid"]:
        return None
    taken = {column.name.lower() for column in table.c}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


class Filling:
    """The copy of one table's rows into its stage, a run of rows at a time.

    `insert` takes the district's rows from :low to :last; `following` finds the :last of the next ones.
    """

    def __init__(self, spec: TableSpec, insert: str, following: str) -> None:
        self.insert = insert
        self.following = following
        kinds = {name: family(spec.target.c[name]) for name in spec.columns}
        texts = [name for name, kind in kinds.items() if kind not in {*_NUMBERS, Family.BYTES}]
        # Text that stands for a number is refused, and read again only in a key.
        others = [
            name for name, kind in kinds.items() if kind is Family.BYTES or (kind in _NUMBERS and name in spec.key)
        ]
        within = f"FROM {_stage(spec.stage)} WHERE {NUMBER} BETWEEN ? AND ?"
        some_text = " OR ".join(f"+{_quote(name)} BETWEEN '' AND x''" for name in others)
        joined = (f"CAST(group_concat({_quote(name)}) AS BLOB)" for name in texts)
        self.texts = f"SELECT {', '.join([f'max({some_text or 0})', *joined])} {within}"
        as_bytes = (
            f"{name} = CASE WHEN typeof({name}) = 'text' AND NOT is_text(CAST({name} AS BLOB))"
            f" THEN CAST({name} AS BLOB) ELSE {name} END"
            for name in map(_quote, spec.columns)
        )
        self.mend = f"UPDATE {_stage(spec.stage)} SET {', '.join(as_bytes)} WHERE {NUMBER} BETWEEN ? AND ?"

    async def run(self, driver: aiosqlite.Connection, meter: Meter) -> None:
        """Copy all rows; text that is not UTF-8 is staged as bytes."""
        low, staged, rows = _LEAST, 0, FIRST_ROWS
        while low <= _LARGEST:
            portion = {"low": low, "rows": meter.portion(rows)}
            ((last,),) = await driver.execute_fetchall(self.following, portion)
            if last is None:
                return
            count = (await driver.execute(self.insert, {"low": low, "last": last})).rowcount
            if count:
                long = await self._require_text(driver, (staged + 1, staged + count)) > TEXT_AT_ONCE
                rows = max(1, rows // 2) if long else min(ROWS_AT_ONCE, rows * 2)
                await meter(count)
            low, staged = last + 1, staged + count

    async def _require_text(self, driver: aiosqlite.Connection, span: tuple[int, int]) -> float:
        """Turn text that is not UTF-8 into bytes, which SQLite itself never looks at; return the length of all."""
        try:
            ((unusual, *found),) = await driver.execute_fetchall(self.texts, span)
        except sqlite3.DataError:  # together they are longer than a value may be
            await driver.execute(self.mend, span)
            return math.inf
        joined = [text for text in found if text is not None]
        if unusual or not all(map(is_text, joined)):
            await driver.execute(self.mend, span)
        return sum(map(len, joined))


def is_text(value: bytes) -> bool:
    """Whether bytes are text in UTF-8."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
