"""What one value of a district becomes in the state, or why the state cannot hold it (docs/accounting.md)."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from tests.support.oracle.shape import Column

_BITS = {"smallint": 16, "integer": 32, "bigint": 64}


class Flaw(Exception):
    """Why a value does not fit: one of the document's words."""


def in_state(value: Any, column: Column, source: str, target: str) -> Any:
    """Return a district's value as a dump of the state shows it once it is in. Raises Flaw."""
    if value is None:
        if column.required:
            raise Flaw("missing")
        return None
    read = _READERS.get(column.kind)
    parsed = value if read is None else _parsed(read, value, source)
    _check_text(parsed, column, target)
    # PostgreSQL prints its own char(n) without blanks at the end; those of a varchar are part of it.
    if column.kind == "char" and source == "postgresql" and parsed.endswith(" "):
        raise Flaw("altered")
    _check_number(parsed, column, target)
    if column.kind == "enum" and parsed not in column.labels:
        raise Flaw("not one of")
    return value if target == "sqlite" else _printed(parsed, column)


def _parsed(read: Any, value: Any, source: str) -> Any:
    try:
        return read(value, source)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise Flaw("not valid") from None


def _check_text(value: Any, column: Column, target: str) -> None:
    if not isinstance(value, str) or column.kind not in ("varchar", "char", "text"):
        return
    if target == "postgresql" and "\x00" in value:
        raise Flaw("not valid")
    length = len(value.rstrip(" ") if column.kind == "char" else value)
    if column.length is not None and length > column.length:
        raise Flaw("longer")


def _check_number(value: Any, column: Column, target: str) -> None:
    bits = _BITS.get(column.kind)
    if bits and (target == "postgresql" or bits == 16) and not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise Flaw("out of range")
    if column.kind == "numeric" and column.size:
        precision, scale = column.size if len(column.size) == 2 else (column.size[0], 0)
        if not value.is_nan():
            if abs(value) >= Decimal(10) ** (precision - scale):
                raise Flaw("out of range")
            if value != round(value, scale):
                raise Flaw("more decimals")


def _printed(value: Any, column: Column) -> str:
    match column.kind:
        case "boolean":
            return "true" if value else "false"
        case "numeric" if column.size and not value.is_nan():
            scale = column.size[1] if len(column.size) == 2 else 0
            return f"{value:.{scale}f}" if value else f"{abs(value):.{scale}f}"
        case "numeric":
            return f"{value:f}"
        case "double":
            return as_double(value)
        case "char":
            return str(value).rstrip(" ")
        case "timestamp" | "timestamptz":
            text = str(value.replace(tzinfo=None))
            text = text.rstrip("0") if "." in text else text
            return text + ("+00" if column.kind == "timestamptz" else "")
        case "bytea":
            return "\\x" + bytes(value).hex()
    return str(value)


def as_double(value: Any) -> str:
    """Return a float so that every two different ones differ, zeros' signs included."""
    return float(value).hex()


def same_by_equality(value: Any, column: Column) -> Any:
    """Return a dumped value as keys are compared: by the database's equality, not by its text."""
    if value is None:
        return None
    if column.kind in _BITS and not isinstance(value, bytes):
        return Decimal(value) if isinstance(value, int | float) or value.lstrip("-").isdigit() else value
    if column.kind == "numeric":
        return Decimal(str(value))
    if column.kind == "uuid":
        return str(value).lower()
    if column.kind == "boolean":
        return {"true": 1, "false": 0}.get(value, value)
    return value


def comparable(value: Any, column: Column) -> Any:
    """Return a dumped value so that two are equal exactly when their text output (in SQLite also their type) is."""
    if value is None:
        return None
    if column.kind == "double" and isinstance(value, str | float) and not str(value).startswith(("0x", "-0x")):
        return as_double(value)
    return value if isinstance(value, str) else (type(value).__name__, value)


def same(one: Any, other: Any, column: Column) -> bool:
    """Whether two dumped values of a column are the same."""
    return bool(comparable(one, column) == comparable(other, column))


# --- reading: PostgreSQL's text, or what SQLite stored ---


def _integer(value: Any, source: str) -> int:
    if source == "postgresql":
        return int(value)
    if isinstance(value, str | bytes) or value != int(value) or not -(2**63) <= value < 2**63:
        raise ValueError
    return int(value)


def _numeric(value: Any, source: str) -> Decimal:
    if source == "postgresql":
        return Decimal(value)
    if isinstance(value, str | bytes) or not math.isfinite(value):
        raise ValueError
    return Decimal(repr(value))


def _double(value: Any, source: str) -> float:
    if source == "sqlite" and isinstance(value, str | bytes):
        raise ValueError
    return float(value)


def _text(value: Any, _source: str) -> str:
    if isinstance(value, bytes):
        raise ValueError
    text = str(value)
    text.encode()
    return text


def _boolean(value: Any, source: str) -> bool:
    if source == "postgresql":
        return bool(value == "true")
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _date(value: Any, source: str) -> Any:
    if source == "postgresql":
        return value
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value)
    raise ValueError


def _timestamp(value: Any, _source: str) -> datetime:
    return datetime.fromisoformat(value)


def _timestamptz(value: Any, _source: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bytea(value: Any, source: str) -> bytes:
    if source == "postgresql":
        return bytes.fromhex(value.removeprefix("\\x"))
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _uuid(value: Any, _source: str) -> UUID:
    return UUID(value)


_READERS = {
    "smallint": _integer, "integer": _integer, "bigint": _integer, "numeric": _numeric, "double": _double,
    "varchar": _text, "char": _text, "text": _text, "boolean": _boolean, "date": _date, "timestamp": _timestamp,
    "timestamptz": _timestamptz, "bytea": _bytea, "uuid": _uuid,
}  # fmt: skip
