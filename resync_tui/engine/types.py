"""Kinds of column type: which fit each other, how a stage holds them, and when two values are the same.

*The same* means the same text output: 1.0 and 1.00, or interval '1 day' and '24 hours', are different values.
"""

import json
import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql

from resync_tui.engine.stored import affinity, stored_otherwise


class Family(StrEnum):
    """What a column holds, whatever the database calls it."""

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


NATIVE_IN_STAGE: dict[Family, str] = {
    Family.INTEGER: "bigint",
    Family.NUMERIC: "numeric",
    Family.FLOAT: "double precision",
    Family.TEXT: "text",
    Family.BOOLEAN: "boolean",
    Family.DATE: "date",
    Family.TIME: "time",
    Family.TIMESTAMP: "timestamp",
    Family.TIMESTAMPTZ: "timestamptz",
    Family.INTERVAL: "interval",
    Family.UUID: "uuid",
    Family.BYTES: "bytea",
}
"""How a PostgreSQL stage holds a family, wider than any column; families that are absent are held as text."""

LARGEST_REAL = 3.4028234e38

_EQUAL_MEANS_SAME = {
    Family.INTEGER,
    Family.BOOLEAN,
    Family.DATE,
    Family.TIME,
    Family.TIMESTAMP,
    Family.TIMESTAMPTZ,
    Family.UUID,
    Family.BYTES,
}

_ROUNDED_BY_TYPE = {Family.TIME, Family.TIMESTAMP, Family.TIMESTAMPTZ, Family.INTERVAL}

_SQLITE_NAMES: tuple[tuple[str, Family], ...] = (
    (r"TIMESTAMPTZ|TIMESTAMP WITH TIME ZONE", Family.TIMESTAMPTZ),
    (r"TIMESTAMP|DATETIME", Family.TIMESTAMP),
    (r"DATE$", Family.DATE),
    (r"TIME", Family.TIME),
    (r"BOOL", Family.BOOLEAN),
    (r"\w*INT", Family.INTEGER),
    (r"NUMERIC|DECIMAL", Family.NUMERIC),
    (r"REAL|FLOAT|DOUBLE", Family.FLOAT),
    (r"N?(VAR)?CHAR|CHARACTER|N?TEXT|CLOB", Family.TEXT),
    (r"BLOB", Family.BYTES),
    (r"JSON", Family.JSON),
    (r"UUID", Family.UUID),
)


def family(column: sa.Column[Any]) -> Family:
    """Return the family of a reflected column; SQLite's by the type's name as it was declared."""
    declared = column.info.get("declared")
    if declared is not None:
        for pattern, found in _SQLITE_NAMES:
            if re.match(pattern, declared, re.IGNORECASE):
                return found
        return Family.OTHER
    return _of_type(column.type)


def _of_type(kind: types.TypeEngine[Any]) -> Family:
    by_class: tuple[tuple[tuple[type, ...], Family], ...] = (
        ((postgresql.DOMAIN, types.ARRAY), Family.OTHER),
        ((types.Enum,), Family.ENUM),
        ((types.JSON,), Family.JSON),
        ((types.Uuid,), Family.UUID),
        ((types.Boolean,), Family.BOOLEAN),
        ((types.Integer,), Family.INTEGER),
        ((types.Float, types.REAL, types.DOUBLE), Family.FLOAT),
        ((types.Numeric,), Family.NUMERIC),
        ((postgresql.INTERVAL, types.Interval), Family.INTERVAL),
        ((types.Date,), Family.DATE),
        ((types.LargeBinary,), Family.BYTES),
        ((types.VARCHAR, types.CHAR, types.TEXT), Family.TEXT),
    )
    for classes, found in by_class:
        if isinstance(kind, classes):
            return found
    if isinstance(kind, types.DateTime):
        return Family.TIMESTAMPTZ if kind.timezone else Family.TIMESTAMP
    if isinstance(kind, types.Time):
        return Family.OTHER if kind.timezone else Family.TIME
    return Family.OTHER


def is_padded(column: sa.Column[Any]) -> bool:
    """Whether a column is PostgreSQL's char(n), to which blanks at the end mean nothing."""
    return isinstance(column.type, types.CHAR) and "declared" not in column.info


def takes(column: sa.Column[Any], text: str) -> bool:
    """Whether a column gives a short text back as it was given, and can be asked for it."""
    if "declared" in column.info:
        return affinity(column) in ("TEXT", "BLOB") or (affinity(column) != "REAL" and _is_plain_integer(text))
    length = column.info.get("length", getattr(column.type, "length", None))
    fits_in = length is None or len(text) <= length
    return fits_in and _is_text(column.type) and not (is_padded(column) and text.endswith(" "))


def _is_plain_integer(text: str) -> bool:
    """Whether it is an integer of 64 bits, written as SQLite writes it."""
    return re.fullmatch(r"0|-?[1-9]\d{0,17}", text, re.ASCII) is not None


def _is_text(kind: types.TypeEngine[Any]) -> bool:
    """Whether a type of PostgreSQL is text, by itself or as a domain."""
    if isinstance(kind, postgresql.DOMAIN):
        return _is_text(kind.data_type)
    return _of_type(kind) is Family.TEXT or str(kind).rpartition(".")[2].lower() in ("citext", "null")


def fits(source: sa.Column[Any], target: sa.Column[Any]) -> bool:
    """Whether values of the district's column can be the state's at all; single values may still be refused."""
    ours, theirs = family(source), family(target)
    sqlite = "declared" in source.info
    if Family.OTHER in (ours, theirs):
        same_type = str(source.type) == str(target.type)
        return sqlite or (ours == theirs and same_type)
    widening = {
        (Family.INTEGER, Family.NUMERIC),
        (Family.ENUM, Family.TEXT),
        (Family.TEXT, Family.ENUM),
    }
    loosely_typed = {(Family.TEXT, Family.UUID), (Family.TEXT, Family.JSON), (Family.TEXT, Family.INTERVAL)}
    pair = (ours, theirs)
    return ours == theirs or pair in widening or (sqlite and pair in loosely_typed)


def type_name(column: sa.Column[Any]) -> str:
    """Name a column's type as its database would."""
    declared: str | None = column.info.get("declared")
    return declared if declared is not None else str(column.type).lower()


def cast_for_stage(column: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a PostgreSQL column as the stage holds it: char(n) without the blanks that mean nothing in it."""
    if "declared" in target.info:
        return column
    staged = sa.cast(column, _stage_type(family(target)))
    return sa.func.rtrim(staged, " ") if isinstance(target.type, types.CHAR) else staged


def _stage_type(kind: Family) -> types.TypeEngine[Any]:
    match kind:
        case Family.INTEGER:
            return types.BigInteger()
        case Family.NUMERIC:
            return types.Numeric()
        case Family.FLOAT:
            return types.Double()
        case Family.BOOLEAN:
            return types.Boolean()
        case Family.DATE:
            return types.Date()
        case Family.TIME:
            return types.Time()
        case Family.TIMESTAMP:
            return types.DateTime()
        case Family.TIMESTAMPTZ:
            return types.DateTime(timezone=True)
        case Family.INTERVAL:
            return postgresql.INTERVAL()
        case Family.UUID:
            return types.Uuid()
        case Family.BYTES:
            return types.LargeBinary()
    return types.Text()


def value_for_target(staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a staged value as the state's column takes it."""
    if "declared" in target.info or family(target) in _EQUAL_MEANS_SAME | {Family.TEXT, Family.FLOAT, Family.NUMERIC}:
        return staged
    return sa.cast(staged, target.type)


def differs(
    staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
) -> sa.ColumnElement[bool]:
    """Return whether a value that the state holds in a column is another than the staged one."""
    if "declared" in target.info:
        return stored_otherwise(staged, held)
    if family(target) in _EQUAL_MEANS_SAME:
        return held.is_distinct_from(_as_target_writes(staged, target, family(target)))
    ((one, other),) = as_written(staged, held, target)
    return by_bytes(other, target).is_distinct_from(one)


def as_written(
    staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
) -> list[tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]]:
    """Return what two values of a column are the same by: pairs that are equal by their bytes, or both null."""
    if "declared" in target.info:
        return [(staged, held), (sa.func.typeof(staged), sa.func.typeof(held))]
    written = _as_target_writes(staged, target, family(target))
    return [(sa.cast(written, types.Text()), sa.cast(held, types.Text()))]


def by_bytes(value: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a text so that it is compared by its bytes, whatever the collation of the state's column."""
    return sa.collate(sa.type_coerce(value, types.Text()), "BINARY" if "declared" in target.info else "C")


def _as_target_writes(staged: sa.ColumnElement[Any], target: sa.Column[Any], kind: Family) -> sa.ColumnElement[Any]:
    """Return a staged value in the form that its column would give it; never an error, whatever was staged."""
    if isinstance(target.type, types.CHAR) or kind in _ROUNDED_BY_TYPE | {Family.JSON}:
        return sa.cast(staged, target.type)
    scale = getattr(target.type, "scale", None)
    if kind is Family.NUMERIC and scale is not None:
        return sa.func.round(sa.cast(staged, types.Numeric()), scale)
    if kind is Family.FLOAT and isinstance(target.type, types.REAL):
        return sa.case((sa.func.abs(staged) <= LARGEST_REAL, sa.cast(staged, target.type)))
    return staged


class Misfit(ValueError):
    """A single value that is not what its column must hold."""


def converter(target: sa.Column[Any]) -> Callable[[Any], Any]:
    """Return how SQLite's loosely typed values become what PostgreSQL's column takes; it raises Misfit."""
    convert: Callable[[Any], Any] = _CONVERTERS.get(family(target), _to_text)
    if isinstance(target.type, types.CHAR):
        convert = _to_char

    def checked(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except (ValueError, TypeError, InvalidOperation, OverflowError):
            raise Misfit(f"not a valid {type_name(target)}") from None

    return checked


def _to_integer(value: Any) -> int:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise ValueError
    return number


def _to_numeric(value: Any) -> Decimal:
    if not isinstance(value, int | float):  # SQLite would have made a number of a text that is one
        raise TypeError
    number = Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite():
        raise ValueError
    return number


def _to_float(value: Any) -> float:
    if not isinstance(value, int | float) or math.isnan(value):
        raise TypeError
    return float(value)


def _to_text(value: Any) -> str:
    if isinstance(value, bytes) or "\x00" in str(value):
        raise ValueError
    return str(value)


def _to_char(value: Any) -> str:
    """Leave the blanks out that mean nothing in char(n), or keys of it would not be found."""
    return _to_text(value).rstrip(" ")


def _to_boolean(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _to_date(value: Any) -> date:
    moment = datetime.fromisoformat(value)
    if moment.time() != time():
        raise ValueError
    return moment.date()


def _to_timestamp(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        raise ValueError
    return moment


def _to_timestamptz(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _to_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _to_json(value: Any) -> str:
    json.loads(value)
    return _to_text(value)


_CONVERTERS: dict[Family, Callable[[Any], Any]] = {
    Family.INTEGER: _to_integer,
    Family.NUMERIC: _to_numeric,
    Family.FLOAT: _to_float,
    Family.BOOLEAN: _to_boolean,
    Family.DATE: _to_date,
    Family.TIME: time.fromisoformat,
    Family.TIMESTAMP: _to_timestamp,
    Family.TIMESTAMPTZ: _to_timestamptz,
    Family.UUID: uuid.UUID,
    Family.BYTES: _to_bytes,
    Family.JSON: _to_json,
}
