"""Row hashing: fingerprints by which two databases of one kind compare rows without moving them.

A kind of database that can compute them has one `RowHashing` (`engine/dialect.py:Dialect.hashing`). Its questions are
SQL text: what hashes a row is the same for every table but for the names of its columns.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

import sqlalchemy as sa

Rows: TypeAlias = Sequence[tuple[Any, ...]]
"""Answer to a question."""
Columns: TypeAlias = Mapping[str, tuple[sa.Column[Any], sa.Column[Any]]]
"""Columns to hash by name: reflected at the source and at the target."""
Fingerprint: TypeAlias = tuple[int, ...]
"""Row count and hashes of a bucket."""


class Hashing(StrEnum):
    """Hash forms by which two databases compare rows without moving them."""

    NATIVE = "native"
    """Of native values, where equal hashes imply equal text output; else of their text."""
    TEXT = "text"
    OFF = "off"


class RowHashing(ABC):
    """Fingerprints in one kind of database."""

    @abstractmethod
    def proof(self, how: Hashing) -> str:
        """Return the question for the hash of sample values: two ends that answer alike hash alike."""

    @abstractmethod
    def row_hash(self, row: sa.FromClause, columns: Columns, how: Hashing) -> str:
        """Return the 64-bit hash of a row's columns in order; never NULL."""

    @abstractmethod
    def key_hash(self, row: sa.FromClause, columns: Columns, how: Hashing, bits: int) -> str:
        """Return the last bits of the hash of a row's key, from other seeds than `row_hash`."""

    @abstractmethod
    def shifted(self, row: sa.FromClause, column: str, bits: int) -> str:
        """Return `column >> bits` of a row, rounded towards minus infinity."""

    @abstractmethod
    def any_of(self, number: sa.ColumnElement[int], numbers: Iterable[int]) -> sa.ColumnElement[bool]:
        """Return the condition that a number is one of many."""

    @abstractmethod
    def size(self, table: sa.FromClause, key: str | None) -> str:
        """Return the question for a table's row count, and the least and the greatest value of an integer key."""

    @abstractmethod
    def holds(self, table: sa.FromClause, condition: sa.ColumnElement[bool]) -> str:
        """Return the question whether a table has a row that meets a condition."""

    @abstractmethod
    def rows(self, row: sa.FromClause, number: str, hashed: str, condition: sa.ColumnElement[bool]) -> str:
        """Return the query for number and hash of the rows that meet a condition."""

    @abstractmethod
    def by_bucket(self, rows: str) -> str:
        """Return the question for the fingerprint of each bucket; `rows` selects bucket and row hash."""

    @abstractmethod
    def fingerprints(self, answer: Rows) -> dict[int, Fingerprint]:
        """Return the answer to `by_bucket`."""

    @abstractmethod
    def by_row(self, rows: str) -> str:
        """Return the question for the hash of each row; `rows` selects its number and hash."""

    @abstractmethod
    def row_hashes(self, answer: Rows) -> dict[int, tuple[Sequence[int], Sequence[int]]]:
        """Return the answer to `by_row`: numbers and hashes by partition; a number has the same one at both ends."""
