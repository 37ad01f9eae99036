"""Find out which rows of a table can differ at all, before any is moved: cost follows the difference, not the table.

Both ends fingerprint their rows by bucket of keys, first coarse, then fine within what differs; a bucket is the same if
its count and two hashes agree. A value is hashed natively where equal hashes mean the same text output, else as text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import anyio
import sqlalchemy as sa
from sqlalchemy import types

from resync_tui.engine.ends import Source, Target
from resync_tui.engine.families import Family, family, stored_otherwise
from resync_tui.engine.scope import Scope
from resync_tui.engine.tables import TableSpec, shown_in

COARSE_ROWS, FINE_ROWS = 4_096, 8
WORTHWHILE = 0.5
"""Where more than this share of the fine buckets differs, the coarse ones are staged whole."""
SPARSE = 16
"""Integer keys that leave more than this many numbers unused for each row are bucketed by hash instead."""

_HASHED_NATIVELY = {Family.INTEGER, Family.BOOLEAN, Family.DATE, Family.TIMESTAMP, Family.UUID}


class Hashing(StrEnum):
    """How two databases can compare rows without moving them."""

    NATIVE = "native"
    TEXT = "text"
    OFF = "off"


@dataclass(frozen=True)
class Difference:
    """What must be staged of a table; all else is known to be the same at both ends."""

    unchanged: int = 0
    """Records known to be the same."""
    buckets: frozenset[int] | None = None
    """Those that differ; None: every row may differ."""
    bucket: Callable[[sa.FromClause], sa.ColumnElement[int]] | None = None
    """The bucket of a row of either end."""
    extra: tuple[tuple[Any, ...], ...] | None = None
    """The keys of the state's records that the district does not have, where that is known as well."""
    differing: sa.ColumnElement[bool] | None = None
    """The condition that a row of the district differs, where its snapshot shows the state's rows too."""

    @property
    def nothing_more(self) -> bool:
        """Whether the state has no further rows, all of the district's being unchanged."""
        return not self.extra if self.extra is not None else self.buckets is not None and not self.buckets

    def candidates(self, row: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition that a row of either end may differ."""
        if self.differing is not None:
            return self.differing
        if self.buckets is None or self.bucket is None:
            return sa.true()
        return _among(self.bucket(row), self.buckets)


async def prove(source: Source, target: Target) -> Hashing:
    """Return how both ends hash alike, tried on constant rows; OFF where one of them cannot."""
    if source.state_schema is not None:
        return Hashing.NATIVE
    proofs = {Hashing.NATIVE: _proof(_NATIVE_SAMPLE), Hashing.TEXT: _proof(_TEXT_SAMPLE)}
    if not (source.hashes and target.hashes):
        return Hashing.OFF
    for how, proof in proofs.items():
        if await source.fetch(proof) == await target.fetch(proof):
            return how
    return Hashing.OFF


_TEXT_SAMPLE = "'Zoë'::text COLLATE \"C\", NULL::text"
_NATIVE_SAMPLE = (
    f"{_TEXT_SAMPLE}, 1, -7::bigint, true, DATE '2026-02-28', TIMESTAMP '2026-02-28 23:59:59.25',"
    " 1.50, scale(1.50), 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid"
)


def _proof(sample: str) -> sa.Select[Any]:
    return sa.select(sa.literal_column(f"hash_record_extended(ROW({sample}), 0)"))


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of a table in the district."""

    rows: int
    """Those in scope."""
    whole: bool
    """Whether all its rows are in scope."""
    low: int | None = None
    high: int | None = None
    """The smallest and the largest key, where it is a single integer."""


async def measure(spec: TableSpec, source: Source, within: Scope) -> Extent:
    """Count a table in the district, under the snapshot."""
    in_scope = sa.func.sum(sa.case((within.of_source(spec), 1), else_=0)) if spec.year else sa.func.count()
    ends: list[Any] = []
    if _integer_key(spec):
        key = spec.row.c[spec.key[0]]
        ends = [sa.func.min(key), sa.func.max(key)]
    (found,) = await source.fetch(sa.select(sa.func.count(), in_scope, *ends).select_from(spec.row))
    rows = int(found[1] or 0)
    return Extent(rows, rows == found[0], *found[2:])


async def find(
    spec: TableSpec, extent: Extent, source: Source, target: Target, hashing: Hashing, within: Scope
) -> Difference:
    """Return what differs between both ends of a table; rows of the district that a rule forbids are left out."""
    if hashing is Hashing.OFF:
        return Difference()
    if source.state_schema is not None:
        if not spec.keyed_alike:  # a key that occurs twice in the district is the same as neither
            return Difference()
        return await _side_by_side(spec, source, within, source.state_schema)
    coarse, fine = _bucketing(spec, extent)
    return await _Comparison(spec, source, target, hashing, within).run(coarse, fine)


_Bucket = Callable[[sa.FromClause], sa.ColumnElement[int]]
_Fingerprints = dict[int, tuple[Any, ...]]


async def _side_by_side(spec: TableSpec, source: Source, within: Scope, schema: str) -> Difference:
    """Compare where one connection sees both ends: no fingerprints, the rows themselves."""
    held = shown_in(spec.target, schema).alias("held")
    other = sa.or_(sa.false(), *(stored_otherwise(spec.row.c[name], held.c[name]) for name in spec.updatable))
    same = sa.exists().where(spec.same_key(held, spec.row), sa.not_(other))
    counted = sa.select(sa.func.count()).select_from(spec.row).where(within.of_source(spec), same)
    if (forbidden := within.forbidden(spec)) is not None:
        counted = counted.where(forbidden.is_not(sa.true()))
    ((unchanged,),) = await source.fetch(counted)
    in_district = sa.exists().where(*(spec.row.c[name] == held.c[name] for name in spec.key))
    keys = sa.select(*(held.c[name] for name in spec.key)).where(
        within.of_shown(spec, held, schema), sa.not_(in_district)
    )
    extra = await source.fetch(keys)
    return Difference(int(unchanged), extra=tuple(extra), differing=sa.not_(same))


def _integer_key(spec: TableSpec) -> bool:
    """Whether keys are integers, none of them missing."""
    return spec.keyed_alike and len(spec.key) == 1 and family(spec.target.c[spec.key[0]]) is Family.INTEGER


def _bucketing(spec: TableSpec, extent: Extent) -> tuple[_Bucket, _Bucket]:
    """Return the coarse and the fine bucket of a row; every fine one lies within one coarse one."""
    dense = (
        extent.low is not None and extent.high is not None and extent.high - extent.low <= SPARSE * max(1, extent.rows)
    )
    if dense and _integer_key(spec):
        key = spec.key[0]
        return (
            lambda row: _shifted(row.c[key], (COARSE_ROWS - 1).bit_length()),
            lambda row: _shifted(row.c[key], (FINE_ROWS - 1).bit_length()),
        )
    wanted = max(1, extent.rows // COARSE_ROWS)
    coarse_bits = (wanted - 1).bit_length()
    fine_bits = coarse_bits + (COARSE_ROWS // FINE_ROWS - 1).bit_length()

    def by_hash(bits: int) -> _Bucket:
        def bucket(row: sa.FromClause) -> sa.ColumnElement[int]:
            values = [_as_text(row.c[name]) for name in spec.key]
            hashed = _hash(values, seed=1)
            return hashed.bitwise_and(sa.literal_column(str((1 << bits) - 1), types.BigInteger()))

        return bucket

    return by_hash(coarse_bits), by_hash(fine_bits)


@dataclass(frozen=True)
class _Comparison:
    spec: TableSpec
    source: Source
    target: Target
    hashing: Hashing
    scope: Scope

    async def run(self, coarse: _Bucket, fine: _Bucket) -> Difference:
        ours, theirs = await self._both(coarse, sa.true(), sa.true())
        differing = _differing(ours, theirs)
        same = sum(ours[bucket][0] for bucket in ours.keys() - differing)
        if not differing or not theirs:
            return Difference(same, differing, coarse)
        within = (_among(coarse(self.spec.row), differing), _among(coarse(self.spec.target), differing))
        fine_ours, fine_theirs = await self._both(fine, *within)
        fine_differing = _differing(fine_ours, fine_theirs)
        if len(fine_differing) > WORTHWHILE * len(fine_ours):
            return Difference(same, differing, coarse)
        same += sum(fine_ours[bucket][0] for bucket in fine_ours.keys() - fine_differing)
        return Difference(same, fine_differing, fine)

    async def _both(
        self, bucket: _Bucket, of_source: sa.ColumnElement[bool], of_target: sa.ColumnElement[bool]
    ) -> tuple[_Fingerprints, _Fingerprints]:
        """Return the fingerprints of both ends, asked side by side."""
        found: dict[Source | Target, _Fingerprints] = {}

        async def ask(end: Source | Target, row: sa.FromClause, condition: sa.ColumnElement[bool]) -> None:
            rows = await end.fetch(self._query(bucket, row, condition))
            found[end] = {each[0]: tuple(each[1:]) for each in rows}

        allowed = [of_source, self.scope.of_source(self.spec)]
        if (forbidden := self.scope.forbidden(self.spec)) is not None:
            allowed.append(forbidden.is_not(sa.true()))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, self.source, self.spec.row, sa.and_(*allowed))
            tasks.start_soon(ask, self.target, self.spec.target, sa.and_(self.scope.of_target(self.spec), of_target))
        return found[self.source], found[self.target]

    def _query(self, bucket: _Bucket, row: sa.FromClause, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
        names = (*self.spec.key, *self.spec.updatable)
        values = [part for name in names for part in self._hashed(row.c[name], name)]
        hashed = _hash(values, seed=0)
        hashes = sa.select(bucket(row).label("bucket"), hashed.label("h")).where(condition).subquery("hashes")
        return sa.select(
            hashes.c.bucket,
            sa.func.count(),
            sa.func.bit_xor(hashes.c.h),
            sa.cast(sa.func.sum(_shifted(hashes.c.h, 32)), types.BigInteger()),
        ).group_by(hashes.c.bucket)

    def _hashed(self, column: sa.ColumnElement[Any], name: str) -> list[sa.ColumnElement[Any]]:
        """Return what of a column goes into the hash; a number is written by its value, sign and decimals.

        PostgreSQL folds 64 bits into 32 before it hashes them, so that 2147483648 is hashed as -2147483648 is; of
        numerics it hashes neither sign nor decimals, and what is no finite number all alike.
        """
        source, target = self.spec.source.c[name], self.spec.target.c[name]
        ours, theirs = family(source), family(target)
        if self.hashing is Hashing.NATIVE and ours == theirs and ours in _HASHED_NATIVELY:
            if ours is Family.TIMESTAMP:
                return [column, sa.func.date_part(sa.literal_column("'epoch'"), column)]
            wide = isinstance(source.type, types.BigInteger) or isinstance(target.type, types.BigInteger)
            return [column, _shifted(column, 32)] if wide else [column]
        if self.hashing is Hashing.NATIVE and ours == theirs == Family.NUMERIC:
            not_a_number = sa.literal_column("'NaN'::numeric", types.Numeric())
            return [column, sa.func.scale(column), column < sa.literal_column("0"), column == not_a_number]
        return [_as_text(column)]


def _hash(values: Sequence[sa.ColumnElement[Any]], *, seed: int) -> sa.ColumnElement[int]:
    constant = sa.literal_column(str(seed), types.BigInteger())
    return sa.func.hash_record_extended(sa.func.row(*values), constant, type_=types.BigInteger())


def _shifted(number: sa.ColumnElement[int], bits: int) -> sa.ColumnElement[int]:
    """Return `number >> bits`; PostgreSQL takes the bits as a plain integer only."""
    return sa.cast(number, types.BigInteger()).op(">>")(sa.literal_column(str(bits)))


def _as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.collate(sa.cast(column, types.Text()), "C")


def _differing(ours: _Fingerprints, theirs: _Fingerprints) -> frozenset[int]:
    return frozenset(bucket for bucket in ours.keys() | theirs.keys() if ours.get(bucket) != theirs.get(bucket))


def _among(bucket: sa.ColumnElement[int], buckets: Iterable[int]) -> sa.ColumnElement[bool]:
    numbers = ",".join(map(str, sorted(buckets)))
    return bucket == sa.func.any(sa.literal_column(f"'{{{numbers}}}'::bigint[]"))
