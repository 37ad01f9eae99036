"""Conversion of loosely typed SQLite values to the types of PostgreSQL columns."""

import json
import math
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql

from resync_tui.engine.backends.postgres.alteration import NUL_IN_JSON
from resync_tui.engine.dialect import altered, is_padded, logical_type, type_name
from resync_tui.engine.types import LogicalType

_TIME_OF_DAY = r"\d\d:\d\d(?::\d\d(?P<fraction>\.\d+)?)?(?P<offset>Z|[+-]\d\d(?::?\d\d){0,2})?"
_CLOCK = re.compile(_TIME_OF_DAY, re.ASCII)
_MOMENT = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[ T]{_TIME_OF_DAY})?", re.ASCII)


class InvalidValue(ValueError):
    """Value that its target column cannot hold."""


def converter(source: sa.Column[Any], target: sa.Column[Any]) -> Callable[[Any], Any]:
    """Return the conversion of SQLite values for a PostgreSQL column; it raises InvalidValue.

    It takes what comes back the same from the column, or from its stage, which is wider.
    """
    convert: Callable[[Any], Any] = _CONVERTERS.get(logical_type(target), _to_text)
    if isinstance(target.type, postgresql.JSONB):
        convert = _to_jsonb
    if is_padded(target) and isinstance(source.type, types.CHAR):
        convert = _to_char

    def checked(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except InvalidValue:
            raise
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
    if (number := float(value)) != value:
        raise InvalidValue(altered("a double keeps about 15 digits"))
    return number


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


def _offset(form: re.Pattern[str], value: Any) -> str | None:
    """Return the offset of a date or time in ISO form. Raises ValueError, and InvalidValue beyond microseconds."""
    found = form.fullmatch(value)
    if found is None:
        raise ValueError
    if (found["fraction"] or "")[7:].strip("0"):
        raise InvalidValue(altered("a second keeps 6 decimals"))
    return found["offset"]


def _to_date(value: Any) -> date:
    moment = datetime.fromisoformat(value)
    if _offset(_MOMENT, value):
        raise InvalidValue(altered("a date drops the offset"))
    if moment.time() != time():
        raise ValueError
    return moment.date()


def _to_time(value: Any) -> time:
    found = time.fromisoformat(value)
    if _offset(_CLOCK, value):
        raise InvalidValue(altered("a time drops the offset"))
    return found


def _to_timestamp(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if _offset(_MOMENT, value):
        raise InvalidValue(altered("a timestamp drops the offset"))
    return moment


def _to_timestamptz(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if not _offset(_MOMENT, value):
        raise InvalidValue(altered("it has no offset, and would be given one"))
    return moment


def _to_uuid(value: Any) -> uuid.UUID:
    return uuid.UUID(_to_text(value))


def _to_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _to_json(value: Any) -> str:
    json.loads(value, parse_constant=_no_constant)
    return _to_text(value)


def _no_constant(_name: str) -> None:
    """Refuse NaN and Infinity, which Python takes for JSON."""
    raise ValueError


def _to_jsonb(value: Any) -> str:
    if NUL_IN_JSON in value:
        raise ValueError
    return _to_json(value)


_CONVERTERS: dict[LogicalType, Callable[[Any], Any]] = {
    LogicalType.INTEGER: _to_integer,
    LogicalType.NUMERIC: _to_numeric,
    LogicalType.FLOAT: _to_float,
    LogicalType.BOOLEAN: _to_boolean,
    LogicalType.DATE: _to_date,
    LogicalType.TIME: _to_time,
    LogicalType.TIMESTAMP: _to_timestamp,
    LogicalType.TIMESTAMPTZ: _to_timestamptz,
    LogicalType.UUID: _to_uuid,
    LogicalType.BYTES: _to_bytes,
    LogicalType.JSON: _to_json,
}
