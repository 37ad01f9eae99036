"""Fingerprints: compare a table at both ends without moving its rows, by bucket, then by row hash.

A bucket is equal if its count and two hashes agree. A value is hashed natively if equal hashes imply equal text output,
else as text.
"""

import sys
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import types

from resync_tui.databases.registry import driver_errors
from resync_tui.engine.accounts import FEW_ROWS
from resync_tui.engine.backends.base import Source, Target, ask_both
from resync_tui.engine.buckets import Buckets, shifted
from resync_tui.engine.hashing import Form, hash_of, mixed, native_form, native_proof, text_form, text_proof, xor
from resync_tui.engine.job import Hashing
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.scope import Scope

ROWS_AT_ONCE = 1 << 19
"""Rows compared in one query; each end returns 16 bytes per row."""
_PART_SHIFT, _PARTS = 10, 16
"""Partitions compared one at a time, to bound memory; a row's partition is some bits of its id."""
WORTHWHILE = 0.5
"""Share of differing rows in differing buckets above which these buckets are staged whole."""

_Rows: TypeAlias = Sequence[tuple[Any, ...]]
_ZERO = sa.literal_column("0", types.Integer())


async def prove(source: Source, target: Target) -> Hashing:
    """Return the hash form that both ends share, tested on constant rows; OFF if an end cannot hash."""
    if source.state_schema is not None:
        return Hashing.NATIVE
    if not (source.hashes and target.hashes):
        return Hashing.OFF
    for how, proof in ((Hashing.NATIVE, native_proof()), (Hashing.TEXT, text_proof())):
        ours, theirs = await _answer(source, proof), await _answer(target, proof)
        if ours is not None and ours == theirs:
            return how
    return Hashing.OFF


async def _answer(end: Source | Target, proof: sa.Select[Any]) -> _Rows | None:
    """Return an end's proof; None if it lacks a function, as servers before PostgreSQL 14 do."""
    try:
        return await end.fetch(proof)
    except driver_errors() as error:
        if not end.dialect.lacks_function(error):
            raise
        return None


def key_forms(mapping: TableMapping, hashing: Hashing) -> tuple[tuple[str, Form], ...]:
    """Return the key columns of a table, each with its hash form."""
    return tuple((name, _form(mapping, name, hashing)) for name in mapping.key)


def _form(mapping: TableMapping, column: str, hashing: Hashing) -> Form:
    return native_form(mapping.source.c[column], mapping.target.c[column]) if hashing is Hashing.NATIVE else text_form


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
    hashing: Hashing
    scope: Scope
    buckets: Buckets

    async def run(self) -> Compared:
        """Compare by bucket, then by row if that avoids staging many equal rows."""
        coarse = self.judge(*await self._ask(*self.by_bucket()))
        if coarse.rows_in_question <= FEW_ROWS:
            return coarse
        same, found, looked_at = coarse.unchanged, set[int](), 0
        for chunk in _chunks(coarse.rows):
            unchanged, odd = _compare(*await self._ask(*self._by_row(chunk)))
            same += unchanged
            found |= odd
            looked_at += sum(coarse.rows[bucket] for bucket in chunk)
            if len(found) > WORTHWHILE * looked_at:
                return coarse
        return Compared(same, dict.fromkeys(found, 1), self.buckets.single)

    def by_bucket(self) -> tuple[sa.Select[Any], sa.Select[Any]]:
        """Return the queries for both ends, each returning four arrays: bucket, count and two hashes."""
        ours, theirs = self._sides()
        return self._of_buckets(*ours), self._of_buckets(*theirs)

    def judge(self, ours: _Rows, theirs: _Rows) -> Compared:
        """Return the result of both ends' answers to `by_bucket`."""
        if ours == theirs:
            return Compared(sum(ours[0][1] or ()), {}, self.buckets)
        mine, others = _fingerprints(ours), _fingerprints(theirs)
        differing = [each for each in mine.keys() | others.keys() if mine.get(each) != others.get(each)]
        rows = {each: max(end[each][0] for end in (mine, others) if each in end) for each in differing}
        return Compared(sum(mine[each][0] for each in mine.keys() - rows.keys()), rows, self.buckets)

    def _by_row(self, chunk: list[int]) -> tuple[sa.Select[Any], sa.Select[Any]]:
        """Return the queries for the rows in these buckets: single bucket and hash of each."""
        (row, allowed), (held, of_target) = self._sides()
        return (
            self._of_rows(row, sa.and_(self.buckets.among(row, chunk), allowed)),
            self._of_rows(held, sa.and_(self.buckets.among(held, chunk), of_target)),
        )

    def _sides(self) -> tuple[_Side, _Side]:
        allowed = [self.scope.of_source(self.mapping)]
        if (forbidden := self.scope.forbidden(self.mapping)) is not None:
            allowed.append(forbidden.is_not(sa.true()))
        return (self.mapping.row, sa.and_(*allowed)), (self.mapping.target, self.scope.of_target(self.mapping))

    async def _ask(self, ours: sa.Select[Any], theirs: sa.Select[Any]) -> tuple[_Rows, _Rows]:
        mapping = self.mapping
        found = await ask_both(self.source, {mapping: ours}, self.target, {mapping: theirs})
        return found[0][mapping], found[1][mapping]

    def _of_buckets(self, row: sa.FromClause, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
        hashes = self._hashes(row, condition, self.buckets)
        number, hashed = hashes.c.number, hashes.c.hash
        both = (xor(hashed).label("own"), xor(mixed(hashed)).label("mixed"))
        found = sa.select(number, sa.func.count().label("rows"), *both).group_by(number).order_by(number).subquery()
        arrays: list[sa.ColumnElement[Any]] = [sa.func.array_agg(column) for column in found.c]
        return sa.select(*arrays)

    def _of_rows(self, row: sa.FromClause, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
        hashes = self._hashes(row, condition, self.buckets.single)
        part = shifted(hashes.c.number, _PART_SHIFT).bitwise_and(sa.literal_column(str(_PARTS - 1)))
        nothing: sa.ColumnClause[bytes] = sa.literal_column("''::bytea")
        sent = [sa.func.string_agg(sa.func.int8send(column), nothing) for column in hashes.c]
        return sa.select(part, *sent).group_by(part)

    def _hashes(self, row: sa.FromClause, condition: sa.ColumnElement[bool], buckets: Buckets) -> sa.Subquery:
        names = (*self.mapping.key, *self.mapping.updatable)
        hashed = hash_of((row.c[name], _form(self.mapping, name, self.hashing)) for name in names)
        rows = sa.select(buckets.of(row).label("number"), hashed.label("hash")).where(condition)
        # OFFSET 0 keeps PostgreSQL from inlining this subquery, which would hash once per aggregate.
        return rows.offset(_ZERO).subquery("hashes")


def _fingerprints(answer: _Rows) -> dict[int, tuple[int, int, int]]:
    """Return the count and hashes of each bucket; the arrays of no rows are NULL."""
    ((numbers, *fingerprints),) = answer
    return dict(zip(numbers or (), zip(*(each or () for each in fingerprints), strict=True), strict=True))


def _compare(ours: _Rows, theirs: _Rows) -> tuple[int, set[int]]:
    """Return the count of equal district rows, and the single buckets of the differing ones."""
    mine, others = ({part: sent for part, *sent in end} for end in (ours, theirs))
    unchanged, odd = 0, set[int]()
    for part in mine.keys() | others.keys():
        same, differing = _compare_part(_rows_of(mine.get(part)), _rows_of(others.get(part)))
        unchanged += same
        odd |= differing
    return unchanged, odd


def _rows_of(sent: Sequence[bytes] | None) -> tuple[Sequence[int], ...]:
    """Return the ids and hashes of a partition's rows; empty if an end has none."""
    return tuple(map(_numbers, sent or (b"", b"")))


def _compare_part(ours: tuple[Sequence[int], ...], theirs: tuple[Sequence[int], ...]) -> tuple[int, set[int]]:
    (mine, my_hashes), (others, other_hashes) = ours, theirs
    by_number, other_by_number = dict(zip(mine, my_hashes, strict=True)), dict(zip(others, other_hashes, strict=True))
    odd = set(compress(by_number, map(ne, by_number.values(), map(other_by_number.get, by_number))))
    odd |= other_by_number.keys() - by_number.keys()
    for numbers, distinct in ((mine, by_number), (others, other_by_number)):
        if len(distinct) < len(numbers):  # rows with the same id
            odd |= {number for number, count in Counter(numbers).items() if count > 1}
    return len(mine) - sum(map(odd.__contains__, mine)), odd


def _numbers(sent: bytes) -> Sequence[int]:
    """Decode 64-bit integers in network byte order."""
    numbers = array("q", sent)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


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
