"""Logical column types, what they have in common whatever the database, and constants of them."""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa


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


LARGEST_REAL, SMALLEST_REAL = 3.4028234e38, 1.5e-45
"""Sizes of numbers that PostgreSQL's real takes, but for zero and infinity."""

EQUAL_MEANS_SAME = frozenset(
    {
        LogicalType.INTEGER,
        LogicalType.BOOLEAN,
        LogicalType.DATE,
        LogicalType.TIME,
        LogicalType.TIMESTAMP,
        LogicalType.TIMESTAMPTZ,
        LogicalType.UUID,
        LogicalType.BYTES,
    }
)
"""Types of which equal values have the same text output."""


def text_literal(value: str) -> sa.ColumnElement[str]:
    """Return a bound text constant."""
    return sa.literal(value, sa.Text())


def collation(column: sa.Column[Any]) -> str | None:
    """Return the collation of a column or its key, if other than the default; it may equate different texts."""
    found: str | None = column.info.get("collation", getattr(column.type, "collation", None))
    return found
