"""Values of both kinds of database: at random, as SQL literals, and as what they mean."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

TYPES = {
    "integer": {"postgresql": "integer", "sqlite": "INTEGER"},
    "bigint": {"postgresql": "bigint", "sqlite": "BIGINT"},
    "text": {"postgresql": "text", "sqlite": "TEXT"},
    "varchar": {"postgresql": "varchar(24)", "sqlite": "VARCHAR(24)"},
    "numeric": {"postgresql": "numeric(9,2)", "sqlite": "NUMERIC(9,2)"},
    "double": {"postgresql": "double precision", "sqlite": "DOUBLE PRECISION"},
    "boolean": {"postgresql": "boolean", "sqlite": "BOOLEAN"},
    "date": {"postgresql": "date", "sqlite": "DATE"},
    "timestamp": {"postgresql": "timestamp", "sqlite": "TIMESTAMP"},
    "time": {"postgresql": "time", "sqlite": "TIME"},
}
"""By the kind of a value: a type that holds all of them."""

_TEXTS = ("00501", "1E5", "0007", "7", "7.0", "x ", " x", "X", "x", "", "true", "2026", "Zoë", "a'b", 'a"b', "-0",
          "漢字", "1.10", "12345678901234567890", "2026-03-01", "NaN", "null", "a\tb", "%s", "\\")  # fmt: skip


def invent(random: Random, kind: str) -> Any:
    """Return a value of a kind, often one that a narrower type would change."""
    match kind:
        case "integer":
            return random.choice((0, 1, -1, 7, 99, 70_000, 2**31 - 1, random.randint(0, 10**6)))
        case "bigint":
            return random.choice((0, 1, 2**31, 2**53 + 1, -(2**63), random.randint(0, 10**12)))
        case "text" | "varchar":
            return random.choice(_TEXTS)
        case "numeric":
            return random.choice(
                (Decimal("0.00"), Decimal("1.25"), Decimal("1.10"), Decimal(random.randint(0, 10**9)) / 100)
            )
        case "double":
            return random.choice((0.0, 0.1, 1.0, 16777217.0, 123456789.12, 1e22, random.random()))
        case "boolean":
            return random.random() < 0.5
        case "date":
            return date(2025, 7, 1) + timedelta(random.randint(0, 360))
        case "time":
            return random.choice((time(8, 30), time(23, 59, 59, 700_000), time(0, 0)))
    moment = datetime(2025, 7, 1) + timedelta(seconds=random.randint(0, 30_000_000))
    return moment.replace(microsecond=random.choice((0, 700_000, 123_456)))


def literal(value: Any, dialect: str) -> str:
    """Return a value as it is written in SQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper() if dialect == "postgresql" else str(int(value))
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value)
        case datetime():
            text = value.isoformat(" ")
        case date() | time():
            text = value.isoformat()
        case _:
            text = str(value)
    return "'" + text.replace("'", "''") + "'"


def canonical(kind: str, value: Any) -> Any:
    """Return what a value means, equal for equal meanings, whichever kind of database it was read from."""
    if value is None:
        return None
    try:
        return _canonical(kind, value)
    except (TypeError, ValueError, ArithmeticError):
        return f"unreadable {value!r}"


def _canonical(kind: str, value: Any) -> Any:
    match kind:
        case "integer" | "bigint":
            if isinstance(value, str | bytes) or value != int(value):
                raise ValueError
            return int(value)
        case "numeric":
            if isinstance(value, str | bytes):
                raise ValueError
            return Decimal(repr(value) if isinstance(value, float) else value).normalize()
        case "double":
            if isinstance(value, str | bytes):
                raise ValueError
            return float(value)
        case "boolean":
            return {0: False, 1: True}[value]
        case "date":
            return value if type(value) is date else date.fromisoformat(value)
        case "timestamp":
            return value if isinstance(value, datetime) else datetime.fromisoformat(value)
        case "time":
            return value if isinstance(value, time) else time.fromisoformat(value)
    if not isinstance(value, str):
        raise TypeError
    return value


def written(value: Any) -> str:
    """Return a key's value as any report of it may write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def meant_year(value: Any) -> int | None:
    """Return the school year that a value stands for, in any form that the worlds write; None where it is none."""
    text = str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        day = date.fromisoformat(text)
        return day.year + (day.month > 6)
    if ends := re.fullmatch(r"(?:\d{4}[-:])?(?:\d\d)?(\d\d)", text.strip("FSY ?")):
        return 2000 + int(ends[1])
    return None
