"""Fingerprints: compare a table at both ends without moving its rows, by bucket, then by row hash.

A bucket is equal if its count and two hashes agree. A value is hashed natively if equal hashes imply equal text output,
else as text.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import TypeAlias

import sqlalchemy as sa

from resync_tui.databases.registry import driver_errors
from resync_tui.engine.accounts import FEW_ROWS
from resync_tui.engine.backends.base import Source, Target, ask_both
from resync_tui.engine.buckets import Buckets, KeyHashing
from resync_tui.engine.hashing import Columns, Hashing, RowHashing, Rows
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.scope import Scope

ROWS_AT_ONCE = 1 << 19
"""Rows compared in one query; each end returns 16 bytes per row."""
WORTHWHILE = 0.5
"""Share of differing rows in differing buckets above which these buckets are staged whole."""

_NO_ROWS: tuple[Sequence[int], Sequence[int]] = ((), ())


async def prove(source: Source, target: Target) -> Hashing:
    """Return the hash form that both ends share, tested on constant rows; OFF if an end cannot hash."""
    if source.state_schema is not None:
        return Hashing.NATIVE
    hashing = source.dialect.hashing
    if hashing is None or hashing is not target.dialect.hashing:
        return Hashing.OFF
    for how in (Hashing.NATIVE, Hashing.TEXT):
        proof = hashing.proof(how)
        ours, theirs = await _answer(source, proof), await _answer(target, proof)
        if ours is not None and ours == theirs:
            return how
    return Hashing.OFF


async def _answer(end: Source | Target, proof: str) -> Rows | None:
    """Return an end's proof; None if it lacks a function, as servers before PostgreSQL 14 do."""
    try:
        return await end.ask(proof)
    except driver_errors() as error:
        if not end.dialect.lacks_function(error):
            raise
        return None


def hashing_of_key(mapping: TableMapping, source: Source, how: Hashing) -> KeyHashing:
    """Return the hashing of a table's record key. The source can hash."""
    assert source.dialect.hashing is not None
    return KeyHashing(source.dialect.hashing, how, _columns(mapping, mapping.key))


def _columns(mapping: TableMapping, names: Sequence[str]) -> Columns:
    return {name: (mapping.source.c[name], mapping.target.c[name]) for name in names}


@dataclass(frozen=True)
class Compared:
    """Result of a comparison."""

    unchanged: int
    """Count of district records known to be equal."""
    rows: Mapping[int, int]
    """Differing buckets, each with the larger of both ends' row counts."""
    by: Buckets

    @property
    def differing(self) -> frozenset[int]:
        """Differing buckets."""
        return frozenset(self.rows)

    @property
    def rows_in_question(self) -> int:
        """Number of rows that may differ."""
        return sum(self.rows.values())


_Side: TypeAlias = tuple[sa.FromClause, sa.ColumnElement[bool]]
"""Table at one end, and the condition for its compared rows."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of one table; district rows that a rule excludes are left out."""

    mapping: TableMapping
    source: Source
    target: Target
    hashing: RowHashing
    how: Hashing
    scope: Scope
    buckets: Buckets

    async def run(self) -> Compared:
        """Compare by bucket, then by row if that avoids staging many equal rows."""
        coarse = self.judge(*await self._ask(*self.by_bucket()))
        if coarse.rows_in_question <= FEW_ROWS:
            return coarse
        same, found, looked_at = coarse.unchanged, set[int](), 0
        for chunk in _chunks(coarse.rows):
            unchanged, odd = self._compare(*await self._ask(*self._by_row(chunk)))
            same += unchanged
            found |= odd
            looked_at += sum(coarse.rows[bucket] for bucket in chunk)
            if len(found) > WORTHWHILE * looked_at:
                return coarse
        return Compared(same, dict.fromkeys(found, 1), self.buckets.single)

    def by_bucket(self) -> tuple[str, str]:
        """Return the questions for both ends: the fingerprint of each bucket."""
        ours, theirs = (self.hashing.by_bucket(self._hashes(*side, self.buckets)) for side in self._sides())
        return ours, theirs

    def judge(self, ours: Rows, theirs: Rows) -> Compared:
        """Return the result of both ends' answers to `by_bucket`."""
        mine, others = self.hashing.fingerprints(ours), self.hashing.fingerprints(theirs)
        differing = [each for each in mine.keys() | others.keys() if mine.get(each) != others.get(each)]
        rows = {each: max(end[each][0] for end in (mine, others) if each in end) for each in differing}
        return Compared(sum(mine[each][0] for each in mine.keys() - rows.keys()), rows, self.buckets)

    def _by_row(self, chunk: list[int]) -> tuple[str, str]:
        """Return the questions for the rows in these buckets: single bucket and hash of each."""
        ours, theirs = (
            self.hashing.by_row(
                self._hashes(row, sa.and_(self.buckets.among(row, chunk), condition), self.buckets.single)
            )
            for row, condition in self._sides()
        )
        return ours, theirs

    def _sides(self) -> tuple[_Side, _Side]:
        allowed = [self.scope.of_source(self.mapping)]
        if (forbidden := self.scope.forbidden(self.mapping)) is not None:
            allowed.append(forbidden.is_not(sa.true()))
        return (self.mapping.row, sa.and_(*allowed)), (self.mapping.target, self.scope.of_target(self.mapping))

    async def _ask(self, ours: str, theirs: str) -> tuple[Rows, Rows]:
        mapping = self.mapping
        found = await ask_both(self.source, {mapping: ours}, self.target, {mapping: theirs})
        return found[0][mapping], found[1][mapping]

    def _hashes(self, row: sa.FromClause, condition: sa.ColumnElement[bool], buckets: Buckets) -> str:
        """Return the query for the bucket and the hash of each row."""
        columns = _columns(self.mapping, (*self.mapping.key, *self.mapping.updatable))
        hashed = self.hashing.row_hash(row, columns, self.how)
        return self.hashing.rows(row, buckets.of(row), hashed, condition)

    def _compare(self, ours: Rows, theirs: Rows) -> tuple[int, set[int]]:
        """Return the count of equal district rows, and the single buckets of the differing ones."""
        mine, others = self.hashing.row_hashes(ours), self.hashing.row_hashes(theirs)
        unchanged, odd = 0, set[int]()
        for part in mine.keys() | others.keys():
            same, differing = _compare_part(mine.get(part, _NO_ROWS), others.get(part, _NO_ROWS))
            unchanged += same
            odd |= differing
        return unchanged, odd


def _compare_part(
    ours: tuple[Sequence[int], Sequence[int]], theirs: tuple[Sequence[int], Sequence[int]]
) -> tuple[int, set[int]]:
    (mine, my_hashes), (others, other_hashes) = ours, theirs
    by_number, other_by_number = dict(zip(mine, my_hashes, strict=True)), dict(zip(others, other_hashes, strict=True))
    odd = set(compress(by_number, map(ne, by_number.values(), map(other_by_number.get, by_number))))
    odd |= other_by_number.keys() - by_number.keys()
    for numbers, distinct in ((mine, by_number), (others, other_by_number)):
        if len(distinct) < len(numbers):  # rows with the same id
            odd |= {number for number, count in Counter(numbers).items() if count > 1}
    return len(mine) - sum(map(odd.__contains__, mine)), odd


def _chunks(rows: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield chunks of buckets in order, each of at least ROWS_AT_ONCE rows but for the last."""
    chunk, held = list[int](), 0
    for bucket in sorted(rows):
        chunk.append(bucket)
        held += rows[bucket]
        if held >= ROWS_AT_ONCE:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
