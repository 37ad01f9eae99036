"""INSERT … SELECT from district to stage inside SQLite, in chunks; only text is read back, to validate its encoding."""

import math
import sqlite3

import aiosqlite
import sqlalchemy as sa

from resync_tui.engine.backends.base import Meter
from resync_tui.engine.backends.sqlite.stage_file import in_stage, quote
from resync_tui.engine.dialect import logical_type
from resync_tui.engine.keys import VIEW
from resync_tui.engine.mapping import ROW_ID, TableMapping
from resync_tui.engine.types import LogicalType

FIRST_ROWS, ROWS_AT_ONCE = 250, 5_000
TEXT_AT_ONCE = 4_000_000
"""Bytes of text per chunk; a chunk that holds more is followed by one of half as many rows."""
_LEAST, _LARGEST = -(2**63), 2**63 - 1
_NUMBERS = {LogicalType.INTEGER, LogicalType.NUMERIC, LogicalType.FLOAT, LogicalType.BOOLEAN}


def rowid_of(table: sa.Table) -> str | None:
    """Return a usable name of a table's rowid; None if it has none."""
    if not table.dialect_options["sqlite"]["with_rowid"] or VIEW in table.info:
        return None
    taken = {column.name.lower() for column in table.c}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


class BulkCopy:
    """Copy of one table's rows into its stage, in chunks.

    `insert` copies the district's rows from rowid :low to :last; `following` finds the :last of the next chunk.
    """

    def __init__(self, mapping: TableMapping, insert: str, following: str) -> None:
        self.insert = insert
        self.following = following
        kinds = {name: logical_type(mapping.target.c[name]) for name in mapping.columns}
        texts = [name for name, kind in kinds.items() if kind not in {*_NUMBERS, LogicalType.BYTES}]
        # Text in place of a number is refused, and read back only in a key.
        others = [
            name
            for name, kind in kinds.items()
            if kind is LogicalType.BYTES or (kind in _NUMBERS and name in mapping.key)
        ]
        self.last = f"SELECT coalesce(max({ROW_ID}), 0) FROM {in_stage(mapping.stage)}"
        within = f"FROM {in_stage(mapping.stage)} WHERE {ROW_ID} BETWEEN ? AND ?"
        some_text = " OR ".join(f"+{quote(name)} BETWEEN '' AND x''" for name in others)
        joined = (f"CAST(group_concat({quote(name)}) AS BLOB)" for name in texts)
        self.texts = f"SELECT {', '.join([f'max({some_text or 0})', *joined])} {within}"
        as_bytes = (
            f"{name} = CASE WHEN typeof({name}) = 'text' AND NOT is_text(CAST({name} AS BLOB))"
            f" THEN CAST({name} AS BLOB) ELSE {name} END"
            for name in map(quote, mapping.columns)
        )
        self.mend = f"UPDATE {in_stage(mapping.stage)} SET {', '.join(as_bytes)} WHERE {ROW_ID} BETWEEN ? AND ?"

    async def run(self, driver: aiosqlite.Connection, meter: Meter) -> None:
        """Copy all rows; text that is not UTF-8 is staged as bytes."""
        low, rows = _LEAST, FIRST_ROWS
        ((staged,),) = await driver.execute_fetchall(self.last)
        while low <= _LARGEST:
            chunk = {"low": low, "rows": meter.chunk(rows)}
            ((last,),) = await driver.execute_fetchall(self.following, chunk)
            if last is None:
                return
            count = (await driver.execute(self.insert, {"low": low, "last": last})).rowcount
            if count:
                long = await self._require_text(driver, (staged + 1, staged + count)) > TEXT_AT_ONCE
                rows = max(1, rows // 2) if long else min(ROWS_AT_ONCE, rows * 2)
                await meter(count)
            low, staged = last + 1, staged + count

    async def _require_text(self, driver: aiosqlite.Connection, span: tuple[int, int]) -> float:
        """Convert text that is not UTF-8 to bytes, as SQLite does not validate it; return the length of all."""
        try:
            ((unusual, *found),) = await driver.execute_fetchall(self.texts, span)
        except sqlite3.DataError:  # concatenated, they exceed the maximum length of a value
            await driver.execute(self.mend, span)
            return math.inf
        joined = [text for text in found if text is not None]
        if unusual or not all(map(is_text, joined)):
            await driver.execute(self.mend, span)
        return sum(map(len, joined))


def is_text(value: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
