"""Row hash in PostgreSQL: of native values if equal hashes imply equal text output, else of their text.

Each column is hashed separately with its own seeds and the hashes are XORed: two thirds of the time of
`hash_record_extended`, which has to form a row first.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import types

from resync_tui.engine.dialect import is_padded, logical_type
from resync_tui.engine.types import LogicalType

Form: TypeAlias = Callable[[sa.ColumnElement[Any], int], sa.ColumnElement[int]]
"""Hash expression of a column for a seed; it may use the following seed too."""

ROW_SEED, BUCKET_SEED = 0, 1_000_000
_SEEDS = 2
"""Seeds per column."""
_MINUTE: sa.ColumnClause[Any] = sa.literal_column("interval '1 minute'")
_MILLENNIUM: sa.ColumnClause[Any] = sa.literal_column("timestamp '2000-01-01'")
_DAY: sa.ColumnClause[Any] = sa.literal_column("date '2000-01-01'")
_NEVER = str(2**31 - 1)
"""Stands for infinity, in days: further from 2000 than any date."""


def hash_of(values: Iterable[tuple[sa.ColumnElement[Any], Form]], *, seed: int = ROW_SEED) -> sa.ColumnElement[int]:
    """Return a 64-bit hash of values in order; never NULL."""
    hashes = [_constant(seed)]
    for number, (value, form) in enumerate(values, start=1):
        own = seed + _SEEDS * number
        # Regardless of NOT NULL: PostgreSQL has ways for such a column to hold NULL.
        hashes.append(sa.func.coalesce(form(value, own), _constant(own)))
    while len(hashes) > 1:  # in pairs: for many columns a chain would nest too deeply to compile
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        hashes = [*(one.bitwise_xor(other) for one, other in pairs), *hashes[len(hashes) & ~1 :]]
    return hashes[0]


def mixed(hashed: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return the hash of a hash.

    Rows that have swapped values XOR to the same hashes, but not to the same hashes of hashes. Only the 53 highest bits
    are used, as a float: PostgreSQL would fold an integer's 64 bits into 32.
    """
    return _call("hashfloat8extended", sa.cast(hashed, types.Double()), ROW_SEED)


def xor(hashes: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return the XOR aggregate of hashes."""
    return sa.func.pg_catalog.bit_xor(hashes, type_=types.BigInteger())


def as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a value's text output, the same at both ends, compared by its bytes."""
    return sa.collate(sa.cast(column, types.Text()), "C")


def text_form(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Hash a value's text output."""
    return _call("hashtextextended", as_text(value), seed)


def native_form(source: sa.Column[Any], target: sa.Column[Any]) -> Form:
    """Return the fastest hash form by which both ends hash a column alike."""
    kind = logical_type(source)
    if kind != logical_type(target):
        return text_form
    if kind is LogicalType.INTEGER and any(isinstance(end.type, types.BigInteger) for end in (source, target)):
        return _bigint
    if kind is LogicalType.TEXT and is_padded(source) and is_padded(target):
        return _padded
    return NATIVE.get(kind, text_form)


def _integer(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    return _call("hashint4extended", sa.cast(value, types.Integer()), seed)


def _bigint(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Hash of a 64-bit integer and of its 53 highest bits.

    PostgreSQL folds the 64 bits into 32, so that -2147483648 collides with 2147483648.
    """
    number = sa.cast(value, types.BigInteger())
    highest = _call("hashfloat8extended", sa.cast(number, types.Double()), seed + 1)
    return _call("hashint8extended", number, seed).bitwise_xor(highest)


def _boolean(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    return _integer(sa.cast(value, types.Integer()), seed)


def _date(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Hash of the days since 2000; infinity is hashed as a constant."""
    days: sa.ColumnElement[int] = value.op("-", return_type=types.Integer())(_DAY)
    finite = sa.func.pg_catalog.isfinite(value)
    return _integer(
        sa.case(
            (finite, days), (value > _DAY, sa.literal_column(_NEVER)), (value < _DAY, sa.literal_column(f"-{_NEVER}"))
        ),
        seed,
    )


def _moment(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Hash of a timestamp and of its minute.

    PostgreSQL folds the 64-bit timestamp to 32 bits; colliding values are at least a minute apart, so the minute is
    hashed too.
    """
    minute = sa.func.pg_catalog.date_bin(_MINUTE, value, _MILLENNIUM)
    folded = _call("timestamp_hash_extended", value, seed)
    return folded.bitwise_xor(_call("timestamp_hash_extended", minute, seed + 1))


def _uuid(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    return _call("uuid_hash_extended", value, seed)


def _padded(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Hash of char(n), without its trailing blanks."""
    return _call("hashbpcharextended", sa.collate(value, "C"), seed)


NATIVE: dict[LogicalType, Form] = {
    LogicalType.INTEGER: _integer,
    LogicalType.BOOLEAN: _boolean,
    LogicalType.DATE: _date,
    LogicalType.TIMESTAMP: _moment,
    LogicalType.UUID: _uuid,
}

_TEXT_SAMPLE = ("getdatabaseencoding()", "'Zoe'", "NULL")
"""Sample texts and the encoding: in one encoding, equal text means equal bytes."""
_NATIVE_SAMPLE: tuple[tuple[str, Form], ...] = (
    ("1", _integer),
    ("-7::bigint", _bigint),
    ("true", _boolean),
    ("date '2026-02-28'", _date),
    ("date '-infinity'", _date),
    ("timestamp '1999-02-28 23:00:00'", _moment),
    ("timestamp '2026-02-28 23:59:59.25'", _moment),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", _uuid),
    ("'Zoe  '::char(6)", _padded),
)


def text_proof() -> sa.Select[Any]:
    """Return the hash of sample texts, to be compared between both ends."""
    return sa.select(xor(mixed(hash_of((sa.literal_column(each), text_form) for each in _TEXT_SAMPLE))))


def native_proof() -> sa.Select[Any]:
    """Return the hash of sample values of each native type, to be compared between both ends."""
    sample = [*((each, text_form) for each in _TEXT_SAMPLE), *_NATIVE_SAMPLE]
    return sa.select(xor(mixed(hash_of((sa.literal_column(each), form) for each, form in sample))))


def _call(function: str, value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Call a function of pg_catalog, even if another schema has one of the same name."""
    call: sa.ColumnElement[int] = getattr(sa.func.pg_catalog, function)(
        value, sa.literal_column(str(seed)), type_=types.BigInteger()
    )
    return call


def _constant(seed: int) -> sa.ColumnElement[int]:
    """Return the hash of NULL: 63 bits, so that PostgreSQL reads the literal as bigint."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    return sa.literal_column(str(int.from_bytes(digest) >> 2 | 1 << 62), types.BigInteger())
