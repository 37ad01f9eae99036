"""Buckets: partitions of a table's rows by key, equal at both ends and independent of text collations."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import sqlalchemy as sa

from resync_tui.engine.hashing import Columns, Hashing, RowHashing

BUCKET_ROWS = 32
MOST_BUCKETS = 1 << 15
"""Maximum number of buckets per table; those of a very large table hold more rows each."""
SPARSE = 16
"""Maximum span of an integer key per row; sparser keys are bucketed by hash."""
FEW_RANGES = 64
"""Maximum number of key ranges looked up by index; more are found by a table scan."""


@dataclass(frozen=True)
class Ranges:
    """Buckets of a dense integer key: ranges of 2**bits consecutive integers."""

    hashing: RowHashing
    key: str
    bits: int

    @property
    def single(self) -> "Ranges":
        """One bucket per key."""
        return replace(self, bits=0)

    def of(self, row: sa.FromClause) -> str:
        """Return the bucket of a row, as SQL text."""
        return self.hashing.shifted(row, self.key, self.bits)

    def among(self, row: sa.FromClause, buckets: Collection[int]) -> sa.ColumnElement[bool]:
        """Return the condition that a row is in one of the buckets, in a form that an index serves."""
        runs = list(_runs(sorted(buckets)))
        if len(runs) <= FEW_RANGES:
            return sa.or_(sa.false(), *(self._between(row, first, last) for first, last in runs))
        if not self.bits:
            return self.hashing.any_of(row.c[self.key], buckets)
        return sa.and_(self._between(row, runs[0][0], runs[-1][1]), self.hashing.any_of(_number(self.of(row)), buckets))

    def _between(self, row: sa.FromClause, first: int, last: int) -> sa.ColumnElement[bool]:
        low, high = first << self.bits, ((last + 1) << self.bits) - 1
        key = row.c[self.key]
        return sa.and_(key >= sa.literal_column(str(low)), key <= sa.literal_column(str(high)))


@dataclass(frozen=True)
class Hashed:
    """Buckets of any key: the last `bits` bits of its hash."""

    hashing: RowHashing
    how: Hashing
    key: Columns
    bits: int

    @property
    def single(self) -> "Hashed":
        """One bucket per key, except for hash collisions."""
        return replace(self, bits=63)

    def of(self, row: sa.FromClause) -> str:
        """Return the bucket of a row, as SQL text."""
        return self.hashing.key_hash(row, self.key, self.how, self.bits)

    def among(self, row: sa.FromClause, buckets: Collection[int]) -> sa.ColumnElement[bool]:
        """Return the condition that a row is in one of the buckets."""
        return self.hashing.any_of(_number(self.of(row)), buckets)


Buckets: TypeAlias = Ranges | Hashed


@dataclass(frozen=True)
class KeyHashing:
    """Hashing of a table's record key: its partitions."""

    hashing: RowHashing
    how: Hashing
    key: Columns

    def buckets(self, rows: int, low: int | None, high: int | None) -> Buckets:
        """Return the buckets for a number of rows; `low` and `high` are the bounds of a single integer key."""
        size = max(BUCKET_ROWS, rows // MOST_BUCKETS)
        if low is not None and high is not None and high - low <= SPARSE * max(1, rows):
            numbers = max(1, (high - low) // max(1, rows))
            return Ranges(self.hashing, next(iter(self.key)), (numbers * size - 1).bit_length())
        return Hashed(self.hashing, self.how, self.key, (max(0, rows - 1) // size).bit_length())

    def halves(
        self, row: sa.FromClause, low: int | None, high: int | None
    ) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        """Return the conditions for two halves of a table, split by key as evenly as known."""
        if low is not None and high is not None:
            column, middle = row.c[next(iter(self.key))], (low + high) // 2
            return column <= middle, column > middle
        parity = _number(self.hashing.key_hash(row, self.key, self.how, 1))
        return parity == 0, parity == 1


def _number(text: str) -> sa.ColumnElement[int]:
    return sa.literal_column(text, sa.BigInteger())


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last number of each run of consecutive numbers."""
    start = 0
    for here in range(1, len(numbers) + 1):
        if here == len(numbers) or numbers[here] != numbers[here - 1] + 1:
            yield numbers[start], numbers[here - 1]
            start = here
