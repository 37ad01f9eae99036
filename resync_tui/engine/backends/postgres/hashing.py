"""Row hashing in PostgreSQL: of native values if equal hashes imply equal text output, else of their text.

Each column is hashed separately with its own seeds and the hashes are XORed: two thirds of the time of
`hash_record_extended`, which has to form a row first. Functions are those of pg_catalog, even if another schema has
some of the same name.
"""

import hashlib
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.sql import visitors

from resync_tui.engine.backends.postgres.session import DIALECT, as_sql
from resync_tui.engine.dialect import is_padded, logical_type
from resync_tui.engine.hashing import Columns, Fingerprint, Hashing, RowHashing, Rows
from resync_tui.engine.types import LogicalType

Form: TypeAlias = Callable[[str, int], str]
"""Hash of a value for a seed, both as SQL; it may use the following seed too."""

_ROW_SEED, _KEY_SEED = 0, 1_000_000
_SEEDS = 2
"""Seeds per column."""
_NEVER = 2**31 - 1
"""Stands for infinity, in days: further from 2000 than any date."""
_PART_SHIFT, _PARTS = 10, 16
"""Partitions compared one at a time, to bound memory; a row's partition is some bits of its number."""


def _text(value: str, seed: int) -> str:
    """Hash a value's text output, the same at both ends, by its bytes."""
    return f'pg_catalog.hashtextextended({value}::text COLLATE "C", {seed})'


def _integer(value: str, seed: int) -> str:
    return f"pg_catalog.hashint4extended({value}::integer, {seed})"


def _bigint(value: str, seed: int) -> str:
    """Hash of a 64-bit integer and of its 53 highest bits.

    PostgreSQL folds the 64 bits into 32, so that -2147483648 collides with 2147483648.
    """
    highest = f"pg_catalog.hashfloat8extended({value}::bigint::float8, {seed + 1})"
    return f"(pg_catalog.hashint8extended({value}::bigint, {seed}) # {highest})"


def _boolean(value: str, seed: int) -> str:
    return _integer(f"{value}::integer", seed)


def _date(value: str, seed: int) -> str:
    """Hash of the days since 2000; infinity is hashed as a constant."""
    day = "date '2000-01-01'"
    infinite = f"WHEN {value} > {day} THEN {_NEVER} WHEN {value} < {day} THEN -{_NEVER}"
    return _integer(f"(CASE WHEN pg_catalog.isfinite({value}) THEN {value} - {day} {infinite} END)", seed)


def _moment(value: str, seed: int) -> str:
    """Hash of a timestamp and of its minute.

    PostgreSQL folds the 64-bit timestamp to 32 bits; colliding values are at least a minute apart, so the minute is
    hashed too.
    """
    minute = f"pg_catalog.date_bin(interval '1 minute', {value}, timestamp '2000-01-01')"
    hashed = "pg_catalog.timestamp_hash_extended"
    return f"({hashed}({value}, {seed}) # {hashed}({minute}, {seed + 1}))"


def _uuid(value: str, seed: int) -> str:
    return f"pg_catalog.uuid_hash_extended({value}, {seed})"


def _padded(value: str, seed: int) -> str:
    """Hash of char(n), without its trailing blanks."""
    return f'pg_catalog.hashbpcharextended({value} COLLATE "C", {seed})'


_NATIVE: dict[LogicalType, Form] = {
    LogicalType.INTEGER: _integer,
    LogicalType.BOOLEAN: _boolean,
    LogicalType.DATE: _date,
    LogicalType.TIMESTAMP: _moment,
    LogicalType.UUID: _uuid,
}

_TEXT_SAMPLE: tuple[tuple[str, Form], ...] = (
    ("pg_catalog.getdatabaseencoding()", _text),
    ("'Zoe'", _text),
    ("NULL", _text),
)
"""Sample texts and the encoding: in one encoding, equal text means equal bytes."""
_NATIVE_SAMPLE: tuple[tuple[str, Form], ...] = (
    ("1", _integer),
    ("(-7)::bigint", _bigint),
    ("true", _boolean),
    ("date '2026-02-28'", _date),
    ("date '-infinity'", _date),
    ("timestamp '1999-02-28 23:00:00'", _moment),
    ("timestamp '2026-02-28 23:59:59.25'", _moment),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", _uuid),
    ("'Zoe  '::char(6)", _padded),
)


def native_form(source: sa.Column[Any], target: sa.Column[Any]) -> Form:
    """Return the fastest hash form by which both ends hash a column alike."""
    kind = logical_type(source)
    if kind != logical_type(target):
        return _text
    if kind is LogicalType.INTEGER and any(isinstance(end.type, types.BigInteger) for end in (source, target)):
        return _bigint
    if kind is LogicalType.TEXT and is_padded(source) and is_padded(target):
        return _padded
    return _NATIVE.get(kind, _text)


class PostgresHashing(RowHashing):
    """Fingerprints by PostgreSQL's own hash functions, of release 14 and later."""

    def proof(self, how: Hashing) -> str:
        sample = (*_TEXT_SAMPLE, *_NATIVE_SAMPLE) if how is Hashing.NATIVE else _TEXT_SAMPLE
        return f"SELECT pg_catalog.bit_xor({_mixed(_hash_of(sample, _ROW_SEED))})"

    def row_hash(self, row: sa.FromClause, columns: Columns, how: Hashing) -> str:
        return _hash_of(_values(row, columns, how), _ROW_SEED)

    def key_hash(self, row: sa.FromClause, columns: Columns, how: Hashing, bits: int) -> str:
        return f"({_hash_of(_values(row, columns, how), _KEY_SEED)} & {(1 << bits) - 1}::bigint)"

    def shifted(self, row: sa.FromClause, column: str, bits: int) -> str:
        return f"({_named(row)}.{_QUOTED.quote(column)}::bigint >> {bits})"

    def any_of(self, number: sa.ColumnElement[int], numbers: Iterable[int]) -> sa.ColumnElement[bool]:
        listed = ",".join(map(str, sorted(numbers)))
        return number == sa.func.any(sa.literal_column(f"'{{{listed}}}'::bigint[]"))

    def size(self, table: sa.FromClause, key: str | None) -> str:
        rows = _listed(table)
        # As separate queries, the ends are answered by an index.
        ends = ("min", "max") if key is not None else ()
        bounds = [f"(SELECT {end}({_named(table)}.{_QUOTED.quote(key or '')}) FROM {rows})::bigint" for end in ends]
        return f"SELECT {', '.join(['count(*)', *(bounds or ['NULL::bigint'] * 2)])} FROM {rows}"

    def holds(self, table: sa.FromClause, condition: sa.ColumnElement[bool]) -> str:
        return f"SELECT EXISTS (SELECT FROM {_listed(table)} WHERE {as_sql(condition)})"

    def rows(self, row: sa.FromClause, number: str, hashed: str, condition: sa.ColumnElement[bool]) -> str:
        if not _is_plain(condition):
            columns: list[sa.ColumnElement[Any]] = [sa.literal_column(number), sa.literal_column(hashed)]
            return as_sql(sa.select(*columns).select_from(row).where(condition))
        return f"SELECT {number}, {hashed} FROM {_listed(row)} WHERE {as_sql(condition)}"

    def by_bucket(self, rows: str) -> str:
        """Return the question for four arrays: bucket, count, and two hashes of its rows' hashes."""
        hashes = f"pg_catalog.bit_xor(hash) AS own, pg_catalog.bit_xor({_mixed('hash')}) AS mixed"
        buckets = f"SELECT number, count(*) AS rows, {hashes} FROM {_kept(rows)} GROUP BY number ORDER BY number"
        arrays = ", ".join(f"array_agg({column}) AS {column}" for column in ("number", "rows", "own", "mixed"))
        return f"SELECT {arrays} FROM ({buckets}) buckets"

    def fingerprints(self, answer: Rows) -> dict[int, Fingerprint]:
        ((numbers, *fingerprints),) = answer  # the arrays of no rows are NULL
        return dict(zip(numbers or (), zip(*(each or () for each in fingerprints), strict=True), strict=True))

    def by_row(self, rows: str) -> str:
        """Return the question for 16 bytes a row: its number and its hash."""
        sent = ", ".join(f"string_agg(pg_catalog.int8send({column}), ''::bytea)" for column in ("number", "hash"))
        return f"SELECT number >> {_PART_SHIFT} & {_PARTS - 1} AS part, {sent} FROM {_kept(rows)} GROUP BY part"

    def row_hashes(self, answer: Rows) -> dict[int, tuple[Sequence[int], Sequence[int]]]:
        return {part: (_decoded(numbers), _decoded(hashes)) for part, numbers, hashes in answer}


HASHING = PostgresHashing()


_QUOTED = DIALECT.identifier_preparer


def _named(row: sa.FromClause) -> str:
    """Return the name of a table, or of its alias, as its columns are qualified by it."""
    return _QUOTED.format_table(row) if isinstance(row, sa.Table) else _QUOTED.quote(row.name)  # type: ignore[attr-defined]


def _listed(row: sa.FromClause) -> str:
    """Return a table as FROM lists it."""
    return f"{_QUOTED.format_table(row.element)} AS {_named(row)}" if isinstance(row, sa.Alias) else _named(row)


def _is_plain(condition: sa.ColumnElement[bool]) -> bool:
    """Whether a condition asks no other table: then it reads the same in any query."""
    return not any(isinstance(each, sa.SelectBase) for each in visitors.iterate(condition))


def _values(row: sa.FromClause, columns: Columns, how: Hashing) -> list[tuple[str, Form]]:
    of = _named(row)
    return [
        (f"{of}.{_QUOTED.quote(name)}", native_form(*ends) if how is Hashing.NATIVE else _text)
        for name, ends in columns.items()
    ]


def _hash_of(values: Iterable[tuple[str, Form]], seed: int) -> str:
    hashes = [str(_constant(seed))]
    for number, (value, form) in enumerate(values, start=1):
        own = seed + _SEEDS * number
        # Regardless of NOT NULL: PostgreSQL has ways for such a column to hold NULL.
        hashes.append(f"coalesce({form(value, own)}, {_constant(own)})")
    return _xor(hashes)


def _xor(hashes: Sequence[str]) -> str:
    """Combine hashes, in pairs: for many columns a chain would nest too deeply to parse."""
    if len(hashes) == 1:
        return hashes[0]
    middle = len(hashes) // 2
    return f"({_xor(hashes[:middle])} # {_xor(hashes[middle:])})"


def _mixed(hashed: str) -> str:
    """Return the hash of a hash.

    Rows that have swapped values XOR to the same hashes, but not to the same hashes of hashes. Only the 53 highest bits
    are used, as a float: PostgreSQL would fold an integer's 64 bits into 32.
    """
    return f"pg_catalog.hashfloat8extended(({hashed})::float8, {_ROW_SEED})"


def _constant(seed: int) -> int:
    """Return the hash of NULL: 63 bits, so that PostgreSQL reads the literal as bigint."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 2 | 1 << 62


def _kept(rows: str) -> str:
    """Return a subquery of numbers and hashes.

    OFFSET 0 keeps PostgreSQL from inlining it, which would hash once per aggregate.
    """
    return f"({rows} OFFSET 0) AS hashes (number, hash)"


def _decoded(sent: bytes) -> Sequence[int]:
    """Decode 64-bit integers in network byte order."""
    numbers = array("q", sent)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
