"""Conversion of loosely typed SQLite values to the types of PostgreSQL columns."""

import json
import math
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types

from resync_tui.engine.dialect import logical_type, type_name
from resync_tui.engine.types import LogicalType


class InvalidValue(ValueError):
    """Value that its target column cannot hold."""


def converter(target: sa.Column[Any]) -> Callable[[Any], Any]:
    """Return the conversion of SQLite values for a PostgreSQL column; it raises InvalidValue."""
    convert: Callable[[Any], Any] = _CONVERTERS.get(logical_type(target), _to_text)
    if isinstance(target.type, types.CHAR):
        convert = _to_char

    def checked(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except (ValueError, TypeError, InvalidOperation, OverflowError):
            raise InvalidValue(f"not a valid {type_name(target)}") from None

    return checked


def _to_integer(value: Any) -> int:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise ValueError
    return number


def _to_numeric(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, int | float):  # SQLite would have stored a numeric text as a number
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
    """Strip trailing blanks, which char(n) ignores: keys would not be found otherwise."""
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


_CONVERTERS: dict[LogicalType, Callable[[Any], Any]] = {
    LogicalType.INTEGER: _to_integer,
    LogicalType.NUMERIC: _to_numeric,
    LogicalType.FLOAT: _to_float,
    LogicalType.BOOLEAN: _to_boolean,
    LogicalType.DATE: _to_date,
    LogicalType.TIME: time.fromisoformat,
    LogicalType.TIMESTAMP: _to_timestamp,
    LogicalType.TIMESTAMPTZ: _to_timestamptz,
    LogicalType.UUID: uuid.UUID,
    LogicalType.BYTES: _to_bytes,
    LogicalType.JSON: _to_json,
}
