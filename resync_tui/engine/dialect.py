"""Logical column types: which source type converts to which target type, how a stage stores it, when values are equal.

*Equal* means the same text output: 1.0 and 1.00, or interval '1 day' and '24 hours', are different values.
"""

import re
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql


class LogicalType(StrEnum):
    """Logical type of a column, independent of the database."""

    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "double precision"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamp with time zone"
    INTERVAL = "interval"
    UUID = "uuid"
    BYTES = "bytes"
    ENUM = "enum"
    JSON = "json"
    OTHER = "other"


NATIVE_IN_STAGE: dict[LogicalType, str] = {
    LogicalType.INTEGER: "bigint",
    LogicalType.NUMERIC: "numeric",
    LogicalType.FLOAT: "double precision",
    LogicalType.TEXT: "text",
    LogicalType.BOOLEAN: "boolean",
    LogicalType.DATE: "date",
    LogicalType.TIME: "time",
    LogicalType.TIMESTAMP: "timestamp",
    LogicalType.TIMESTAMPTZ: "timestamptz",
    LogicalType.INTERVAL: "interval",
    LogicalType.UUID: "uuid",
    LogicalType.BYTES: "bytea",
}
"""PostgreSQL stage type by logical type, wider than any column; types not listed are staged as text."""

LARGEST_REAL = 3.4028234e38

_EQUAL_MEANS_SAME = {
    LogicalType.INTEGER,
    LogicalType.BOOLEAN,
    LogicalType.DATE,
    LogicalType.TIME,
    LogicalType.TIMESTAMP,
    LogicalType.TIMESTAMPTZ,
    LogicalType.UUID,
    LogicalType.BYTES,
}

_ROUNDED_BY_TYPE = {LogicalType.TIME, LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ, LogicalType.INTERVAL}

_SQLITE_NAMES: tuple[tuple[str, LogicalType], ...] = (
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


def logical_type(column: sa.Column[Any]) -> LogicalType:
    """Return the logical type of a reflected column; for SQLite, by the declared type's name."""
    declared = column.info.get("declared")
    if declared is not None:
        for pattern, found in _SQLITE_NAMES:
            if re.match(pattern, declared, re.IGNORECASE):
                return found
        return LogicalType.OTHER
    return _of_type(column.type)


def _of_type(kind: types.TypeEngine[Any]) -> LogicalType:
    by_class: tuple[tuple[tuple[type, ...], LogicalType], ...] = (
        ((postgresql.DOMAIN, types.ARRAY), LogicalType.OTHER),
        ((types.Enum,), LogicalType.ENUM),
        ((types.JSON,), LogicalType.JSON),
        ((types.Uuid,), LogicalType.UUID),
        ((types.Boolean,), LogicalType.BOOLEAN),
        ((types.Integer,), LogicalType.INTEGER),
        ((types.Float, types.REAL, types.DOUBLE), LogicalType.FLOAT),
        ((types.Numeric,), LogicalType.NUMERIC),
        ((postgresql.INTERVAL, types.Interval), LogicalType.INTERVAL),
        ((types.Date,), LogicalType.DATE),
        ((types.LargeBinary,), LogicalType.BYTES),
        ((types.VARCHAR, types.CHAR, types.TEXT), LogicalType.TEXT),
    )
    for classes, found in by_class:
        if isinstance(kind, classes):
            return found
    if isinstance(kind, types.DateTime):
        return LogicalType.TIMESTAMPTZ if kind.timezone else LogicalType.TIMESTAMP
    if isinstance(kind, types.Time):
        return LogicalType.OTHER if kind.timezone else LogicalType.TIME
    return LogicalType.OTHER


def is_padded(column: sa.Column[Any]) -> bool:
    """Whether a column is PostgreSQL's char(n), which ignores trailing blanks."""
    return isinstance(column.type, types.CHAR) and "declared" not in column.info


def takes(column: sa.Column[Any], text: str) -> bool:
    """Whether a column returns a short text as it was stored, and can be queried by it."""
    if "declared" in column.info:
        return affinity(column) in ("TEXT", "BLOB") or (affinity(column) != "REAL" and _is_plain_integer(text))
    length = column.info.get("length", getattr(column.type, "length", None))
    fits_in = length is None or len(text) <= length
    return fits_in and _is_text(column.type) and not (is_padded(column) and text.endswith(" "))


def _is_plain_integer(text: str) -> bool:
    """Whether a text is a 64-bit integer as SQLite writes it."""
    return re.fullmatch(r"0|-?[1-9]\d{0,17}", text, re.ASCII) is not None


def _is_text(kind: types.TypeEngine[Any]) -> bool:
    """Whether a PostgreSQL type is text, directly or as a domain."""
    if isinstance(kind, postgresql.DOMAIN):
        return _is_text(kind.data_type)
    return _of_type(kind) is LogicalType.TEXT or str(kind).rpartition(".")[2].lower() in ("citext", "null")


def is_convertible(source: sa.Column[Any], target: sa.Column[Any]) -> bool:
    """Whether the source type converts to the target type; single values may still be refused."""
    ours, theirs = logical_type(source), logical_type(target)
    sqlite = "declared" in source.info
    if LogicalType.OTHER in (ours, theirs):
        same_type = str(source.type) == str(target.type)
        return sqlite or (ours == theirs and same_type)
    widening = {
        (LogicalType.INTEGER, LogicalType.NUMERIC),
        (LogicalType.ENUM, LogicalType.TEXT),
        (LogicalType.TEXT, LogicalType.ENUM),
    }
    loosely_typed = {
        (LogicalType.TEXT, LogicalType.UUID),
        (LogicalType.TEXT, LogicalType.JSON),
        (LogicalType.TEXT, LogicalType.INTERVAL),
    }
    pair = (ours, theirs)
    return ours == theirs or pair in widening or (sqlite and pair in loosely_typed)


def type_name(column: sa.Column[Any]) -> str:
    """Return the name of a column's type in its own database."""
    declared: str | None = column.info.get("declared")
    return declared if declared is not None else str(column.type).lower()


def cast_for_stage(column: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a PostgreSQL column cast to its stage type; char(n) without trailing blanks."""
    if "declared" in target.info:
        return column
    staged = sa.cast(column, _stage_type(logical_type(target)))
    return sa.func.rtrim(staged, " ") if isinstance(target.type, types.CHAR) else staged


def _stage_type(kind: LogicalType) -> types.TypeEngine[Any]:
    match kind:
        case LogicalType.INTEGER:
            return types.BigInteger()
        case LogicalType.NUMERIC:
            return types.Numeric()
        case LogicalType.FLOAT:
            return types.Double()
        case LogicalType.BOOLEAN:
            return types.Boolean()
        case LogicalType.DATE:
            return types.Date()
        case LogicalType.TIME:
            return types.Time()
        case LogicalType.TIMESTAMP:
            return types.DateTime()
        case LogicalType.TIMESTAMPTZ:
            return types.DateTime(timezone=True)
        case LogicalType.INTERVAL:
            return postgresql.INTERVAL()
        case LogicalType.UUID:
            return types.Uuid()
        case LogicalType.BYTES:
            return types.LargeBinary()
    return types.Text()


def value_for_target(staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a staged value cast to the target column's type."""
    if "declared" in target.info or logical_type(target) in _EQUAL_MEANS_SAME | {
        LogicalType.TEXT,
        LogicalType.FLOAT,
        LogicalType.NUMERIC,
    }:
        return staged
    return sa.cast(staged, target.type)


def differs(
    staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
) -> sa.ColumnElement[bool]:
    """Return the condition that the target's value `held` differs from the staged one."""
    if "declared" in target.info:
        return stored_otherwise(staged, held)
    if logical_type(target) in _EQUAL_MEANS_SAME:
        return held.is_distinct_from(_as_target_writes(staged, target, logical_type(target)))
    ((one, other),) = as_written(staged, held, target)
    return by_bytes(other, target).is_distinct_from(one)


def as_written(
    staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
) -> list[tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]]:
    """Return the pairs that decide equality of two values: each pair bytewise equal, or both null."""
    if "declared" in target.info:
        return [(staged, held), (sa.func.typeof(staged), sa.func.typeof(held))]
    written = _as_target_writes(staged, target, logical_type(target))
    return [(sa.cast(written, types.Text()), sa.cast(held, types.Text()))]


def text_literal(value: str) -> sa.ColumnElement[str]:
    """Return a bound text constant."""
    return sa.literal(value, sa.Text())


def by_bytes(value: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a text with bytewise collation instead of the target column's."""
    return sa.collate(sa.type_coerce(value, types.Text()), "BINARY" if "declared" in target.info else "C")


def _as_target_writes(
    staged: sa.ColumnElement[Any], target: sa.Column[Any], kind: LogicalType
) -> sa.ColumnElement[Any]:
    """Return a staged value as its target column would store it; the SQL never fails, whatever was staged."""
    if isinstance(target.type, types.CHAR) or kind in _ROUNDED_BY_TYPE | {LogicalType.JSON}:
        return sa.cast(staged, target.type)
    scale = getattr(target.type, "scale", None)
    if kind is LogicalType.NUMERIC and scale is not None:
        return sa.func.round(sa.cast(staged, types.Numeric()), scale)
    if kind is LogicalType.FLOAT and isinstance(target.type, types.REAL):
        return sa.case((sa.func.abs(staged) <= LARGEST_REAL, sa.cast(staged, target.type)))
    return staged


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
    declared: str = column.info.get("declared", "")
    for preferred, *parts in (
        ("INTEGER", "INT"),
        ("TEXT", "CHAR", "CLOB", "TEXT"),
        ("BLOB", "BLOB", "ANY"),  # in a strict table ANY converts nothing
        ("REAL", "REAL", "FLOA", "DOUB"),
    ):
        if any(part in declared.upper() for part in parts):
            return preferred
    return "NUMERIC" if declared else "BLOB"
