"""Logical column types, their capacity, what they have in common whatever the database, and constants of them."""

from dataclasses import dataclass
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


LARGEST_REAL, SMALLEST_REAL = 3.4028235677973362e38, 7.006492321624086e-46
"""Sizes of numbers that PostgreSQL's real takes, but for zero and infinity: those that round to one of its own."""

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


@dataclass(frozen=True, slots=True)
class Capacity:
    """Capacity of a column as its type declares it; None: no bound of that sort."""

    length: int | None = None
    """Most characters of a text."""
    integers: tuple[int, int] | None = None
    """Least and greatest integer."""
    precision: int | None = None
    """Most digits of a decimal number."""
    scale: int = 0
    """How many of these digits are decimals."""
    labels: frozenset[str] | None = None
    """Values of an enum."""

    def refused(self, wider: "Capacity") -> str | None:
        """Return what a column of another capacity may hold that one of this refuses, in words; None: nothing."""
        if self.length is not None and not wider.has_texts_within(self.length):
            return f"texts of more than {self.length} characters"
        if self.integers is not None and not _within(wider.integers, self.integers):
            return f"numbers beyond {self.integers[0]} to {self.integers[1]}"
        if self.precision is not None and not self._has_digits_for(wider):
            return f"numbers of more digits than {self.precision},{self.scale}"
        if self.labels is not None and (wider.labels is None or not wider.labels <= self.labels):
            return "values that are none of its own"
        return None

    def has_texts_within(self, length: int) -> bool:
        """Whether no text is longer than `length`."""
        longest = self.length if self.labels is None else max(map(len, self.labels), default=0)
        return longest is not None and longest <= length

    def _has_digits_for(self, wider: "Capacity") -> bool:
        whole = (self.precision or 0) - self.scale
        if wider.integers is not None:
            return _within(wider.integers, (1 - 10**whole, 10**whole - 1))
        return wider.precision is not None and wider.scale <= self.scale and wider.precision - wider.scale <= whole


def signed_range(bits: int) -> tuple[int, int]:
    """Return the least and the greatest signed integer of so many bits."""
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _within(inner: tuple[int, int] | None, outer: tuple[int, int]) -> bool:
    return inner is not None and outer[0] <= inner[0] and inner[1] <= outer[1]


def text_literal(value: str) -> sa.ColumnElement[str]:
    """Return a bound text constant."""
    return sa.literal(value, sa.Text())


def collation(column: sa.Column[Any]) -> str | None:
    """Return the collation of a column or its key, if other than the default; it may equate different texts."""
    found: str | None = column.info.get("collation", getattr(column.type, "collation", None))
    return found
