"""SQLite's dialect: any column may hold any value, stored as its affinity makes it."""

import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import folded
from resync_tui.databases.registry import column_types
from resync_tui.engine.backends.inspector import inspect_tables
from resync_tui.engine.backends.sqlite.copy import rowid_of
from resync_tui.engine.dialect import Check, Dialect, Pair, of
from resync_tui.engine.reflection import Tables
from resync_tui.engine.types import LogicalType, collation, signed_range
from resync_tui.engine.years import SchoolYear

_QUOTED = re.compile(r"""'(?:[^']|'')*'|`[^`]*`|\[[^]]*]|"((?:[^"]|"")+)\"""")
"""Texts and names in quotes; those in double quotes are the group."""
_COLLATED = """
SELECT x.name, x.coll FROM pragma_index_list(?) i, pragma_index_xinfo(i.name) x WHERE x.coll <> 'BINARY' AND x.key
"""
_BIG = re.compile("BIG|INT8", re.IGNORECASE)
_NUMERIC = {"NUMERIC", "INTEGER"}
_NAMES: tuple[tuple[str, LogicalType], ...] = (
    (r"TIMESTAMPTZ|TIMESTAMP WITH TIME ZONE", LogicalType.TIMESTAMPTZ),
    (r"TIMESTAMP|DATETIME", LogicalType.TIMESTAMP),
    (r"DATE$", LogicalType.DATE),
    (r"TIME", LogicalType.TIME),
    (r"BOOL", LogicalType.BOOLEAN),
    (r"\w*INT", LogicalType.INTEGER),
    (r"NUMERIC|DECIMAL", LogicalType.NUMERIC),
    (r"REAL|FLOAT|DOUBLE", LogicalType.FLOAT),
    (r"N?(VAR)?CHAR|CHARACTER|N?TEXT|CLOB", LogicalType.TEXT),
    (r"BLOB", LogicalType.BYTES),
    (r"JSON", LogicalType.JSON),
    (r"UUID", LogicalType.UUID),
)


def declared_type(declared: str) -> LogicalType:
    """Return the logical type of a type as declared."""
    matching = (found for pattern, found in _NAMES if re.match(pattern, declared, re.IGNORECASE))
    return next(matching, LogicalType.OTHER)


class SqliteDialect(Dialect):
    """SQLite."""

    name = "sqlite"
    loosely_typed = True
    enforces_referred_keys = False
    # In the state file itself, so that a copy of the file keeps its owner.
    ownership = sa.table("resync_copy", sa.column("one"), sa.column("district", sa.Text()))

    async def may_write(self, connection: AsyncConnection, tables: Iterable[sa.Table]) -> bool:
        path = await connection.scalar(sa.text("SELECT file FROM pragma_database_list WHERE name = 'main'"))
        return os.access(path, os.W_OK)

    async def reflect(self, connection: AsyncConnection, names: Iterable[str]) -> Tables:
        return await inspect_tables(connection, names, self, _declare)

    def logical_type(self, column: sa.Column[Any]) -> LogicalType:
        return declared_type(_declared(column))

    def type_name(self, column: sa.Column[Any]) -> str:
        return _declared(column)

    def can_hold(self, column: sa.Column[Any], text: str) -> bool:
        kind = affinity(column)
        # A 64-bit integer as SQLite writes it.
        is_integer = re.fullmatch(r"0|-?[1-9]\d{0,17}", text, re.ASCII) is not None
        return kind in ("TEXT", "BLOB") or (kind != "REAL" and is_integer)

    def with_names(self, text: str) -> str:
        """Return the SQL of a rule with grave accents about its names.

        SQLite takes a name in double quotes that stands for nothing for a text.
        """
        return _QUOTED.sub(lambda found: f"`{found[1].replace('`', '``')}`" if found[1] is not None else found[0], text)

    def as_compared(self, column: sa.Column[Any], text: str) -> str:
        declared = (collation(column) or "BINARY").upper()
        text = text.rstrip(" ") if declared == "RTRIM" else text
        return text if declared in ("BINARY", "RTRIM") else text.casefold()

    def integer_bounds(self, column: sa.Column[Any]) -> tuple[int, int] | None:
        is_small = self.logical_type(column) is LogicalType.INTEGER and re.match(
            "SMALLINT|INT2", _declared(column), re.IGNORECASE
        )
        return signed_range(16) if is_small else None

    def unbounded_integers(self, column: sa.Column[Any]) -> tuple[int, int]:
        # SQLite's INTEGER has 64 bits; it is what other databases call so that is meant, unless it says BIGINT.
        return signed_range(64 if _BIG.search(_declared(column)) else 32)

    def keeps_apart(self, source: sa.Column[Any], target: sa.Column[Any]) -> bool:
        # To a column of numbers '1' is 1.
        if isinstance(of(source), SqliteDialect) and affinity(source) != affinity(target):
            return False
        return super().keeps_apart(source, target)

    def fold(self, name: str) -> str:
        return folded(name)

    def reads_years(self, column: sa.Column[Any]) -> bool:
        return True

    def is_year(self, value: sa.ColumnElement[Any], column: sa.Column[Any], year: SchoolYear) -> sa.ColumnElement[bool]:
        return sa.case((_stored(value) == "text", self.text_is_year(value, year)), else_=value == year.ends)

    def loss(self, source: sa.Column[Any], target: sa.Column[Any]) -> str | None:
        if not isinstance(of(source), SqliteDialect):
            return None
        ours, theirs = affinity(source), affinity(target)
        if theirs in _NUMERIC and ours not in {*_NUMERIC, "REAL"}:
            return f"to {self.type_name(target)} a text that reads as a number is one"
        if theirs == "REAL" and ours != theirs:
            return f"{self.type_name(target)} keeps about 15 digits"
        return f"{self.type_name(target)} keeps 15 digits of a number" if theirs == "TEXT" != ours else None

    def altered_by_stage(
        self, value: sa.ColumnElement[Any], source: sa.Column[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool] | None:
        if not isinstance(of(target), SqliteDialect) or self.loss(source, target) is None:
            return None
        match affinity(target):
            case "TEXT":
                back: sa.ColumnElement[float] = sa.cast(sa.cast(value, types.Text()), types.REAL())
                return sa.and_(_stored(value) == "real", back != value)
            case "REAL":
                number: sa.ColumnElement[float] = sa.cast(value, types.REAL())
                return sa.or_(_is_number(value, number), sa.and_(_stored(value) == "integer", number != value))
        return _is_number(value, sa.cast(value, types.Numeric()))

    def date_literal(self, day: date) -> str:
        return f"'{day.isoformat()}'"

    def is_rejected_sql(self, error: BaseException | None) -> bool:
        return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname == "SQLITE_ERROR"

    def parent_exists(self, pairs: Sequence[Pair], *, exact: bool) -> sa.ColumnElement[bool]:
        (theirs, ours), *others = pairs
        if exact and not others:
            return ours.in_(sa.select(theirs))  # uses the index, without a subquery per row
        return super().parent_exists(pairs, exact=exact)

    def to_stage(self, value: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        return value

    def from_stage(self, staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        return staged

    def differs(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool]:
        return stored_otherwise(staged, held)

    def differs_in_place(
        self, one: sa.ColumnElement[Any], other: sa.ColumnElement[Any], source: sa.Column[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool]:
        return stored_otherwise(one, other, alike=store_alike(source, target))

    def match_values(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> list[Pair]:
        return [(staged, held), (_stored(staged), _stored(held))]

    def binary(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.collate(sa.type_coerce(value, types.Text()), "BINARY")

    def placeholder(self, column: sa.Column[Any], row_id: sa.ColumnElement[int]) -> sa.ColumnElement[Any] | None:
        return sa.literal("~", sa.Text()) + sa.cast(row_id, sa.Text())

    def newest(self, table: sa.Table) -> sa.Select[Any]:
        return sa.select(sa.func.coalesce(sa.func.max(_rowid(table)), 0)).select_from(table)

    def inserted_since(self, table: sa.Table, newest: int) -> sa.ColumnElement[bool]:
        return _rowid(table) > newest

    def value_checks(
        self, staged: sa.ColumnElement[Any], source: sa.Column[Any], target: sa.Column[Any]
    ) -> Iterable[Check]:
        if (wrong := _wrong_storage(staged, target, self.logical_type(target))) is not None:
            yield Check(wrong, f"is not a valid {self.logical_type(target)}")
        yield from super().value_checks(staged, source, target)

    def too_large(self, number: sa.ColumnElement[Any], precision: int, scale: int) -> sa.ColumnElement[bool]:
        least, most = (sa.literal_column(f"{sign}{10 ** (precision - scale)}.0", sa.Numeric()) for sign in ("-", ""))
        return sa.or_(number <= least, number >= most)

    def too_precise(self, number: sa.ColumnElement[Any], scale: int) -> sa.ColumnElement[bool]:
        # SQLite rounds via text: a cheaper check settles most values.
        unit = sa.literal_column(f"{10**scale}.0", sa.Float())
        near = sa.cast(number * unit + sa.literal_column("0.5", sa.Float()), sa.BigInteger()).op("/")(unit)
        return sa.and_(number.is_distinct_from(near), _stored(number) != "integer", super().too_precise(number, scale))


DIALECT = SqliteDialect()


def _rowid(table: sa.Table) -> sa.ColumnElement[int]:
    return sa.literal_column(rowid_of(table) or "rowid", types.BigInteger())


def _is_number(text: sa.ColumnElement[Any], stored: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a value is text that SQLite takes for a number, which prints otherwise if `stored`."""
    reads_as_one = sa.and_(_stored(text) == "text", text == sa.cast(text, types.Numeric()))
    return sa.and_(reads_as_one, sa.cast(stored, types.Text()) != text)


def _declared(column: sa.Column[Any]) -> str:
    declared: str = column.info.get("declared", "")
    return declared


def stored_otherwise(
    one: sa.ColumnElement[Any], other: sa.ColumnElement[Any], *, alike: bool = False
) -> sa.ColumnElement[bool]:
    """Return the condition that two SQLite values differ in value or, unless `alike`, in storage class."""
    by_bytes = sa.collate(sa.type_coerce(other, types.Text()), "BINARY").is_distinct_from(one)
    return by_bytes if alike else sa.or_(by_bytes, sa.func.typeof(one) != sa.func.typeof(other))


def store_alike(one: sa.Column[Any], other: sa.Column[Any]) -> bool:
    """Whether two SQLite columns store equal values in one storage class: same affinity, other than BLOB."""
    affinities = {affinity(column) for column in (one, other)}
    return len(affinities) == 1 and "BLOB" not in affinities


def affinity(column: sa.Column[Any]) -> str:
    """Return a column's type affinity by SQLite's rules."""
    declared = _declared(column)
    for preferred, *parts in (
        ("INTEGER", "INT"),
        ("TEXT", "CHAR", "CLOB", "TEXT"),
        ("BLOB", "BLOB", "ANY"),  # in a strict table ANY converts nothing
        ("REAL", "REAL", "FLOA", "DOUB"),
    ):
        if any(part in declared.upper() for part in parts):
            return preferred
    return "NUMERIC" if declared else "BLOB"


def _wrong_storage(
    staged: sa.ColumnElement[Any], target: sa.Column[Any], kind: LogicalType
) -> sa.ColumnElement[bool] | None:
    """Return the condition that a value's storage class is not that of the column's type; null is valid.

    SQLite sorts any number before any text, and any text before any blob; a comparison costs less than typeof().
    """
    text: sa.ColumnElement[str] = sa.literal_column("''")
    blob: sa.ColumnElement[bytes] = sa.literal_column("x''")
    match kind:
        case LogicalType.INTEGER:
            return _stored(staged).not_in(["integer", "null"])
        case LogicalType.NUMERIC | LogicalType.FLOAT:
            return staged >= text
        case LogicalType.TEXT:
            return sa.or_(staged < text, staged >= blob)
        case LogicalType.BYTES:
            return staged < blob
        case LogicalType.BOOLEAN:
            neither = staged.not_in([0, 1])
            kept_alike = affinity(target) in ("INTEGER", "NUMERIC")  # 0 and 1 as text or real are stored as integers
            return neither if kept_alike else sa.or_(_stored(staged).not_in(["integer", "null"]), neither)
        case LogicalType.DATE:
            midnight = sa.func.time(staged) == "00:00:00"
            return _no_moment(staged, sa.func.date(staged, _AS_IT_IS), sa.and_(_is_a_day(staged), midnight))
        case LogicalType.TIMESTAMP:
            return _no_moment(staged, sa.func.datetime(staged, _AS_IT_IS), _is_a_day(staged))
    return None


_AS_IT_IS = "+0 days"


def _is_a_day(staged: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    # 30 February is 2 March to SQLite
    return sa.func.date(staged, _AS_IT_IS) == sa.func.substr(staged, 1, 10)


def _no_moment(
    staged: sa.ColumnElement[Any], usual: sa.ColumnElement[str], right: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    """Condition: value is not null and not valid date/time text.

    `usual` is a cheap pre-check for the canonical form.
    """
    unusual = sa.or_(staged.is_distinct_from(usual), staged < sa.literal_column("'/'"))  # or of a year before 0
    wrong = sa.or_(_stored(staged) != "text", right.is_not(sa.true()))
    return sa.and_(unusual, staged.is_not(None), wrong)


def _stored(staged: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.typeof(staged)


def _declare(connection: sa.Connection, table: sa.Table) -> None:
    for name, found in column_types(connection, table.name).items():
        if name in table.c:
            table.c[name].info["declared"] = found.declared
    for name, collated in connection.exec_driver_sql(_COLLATED, (table.name,)):
        if name in table.c:
            table.c[name].info["collation"] = collated
