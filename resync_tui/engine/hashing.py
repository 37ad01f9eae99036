"""The hash of a row in PostgreSQL: of its values where equal hashes mean the same text output, else of their text.

Each column is hashed by itself with seeds of its own, and a row's hash is all of them XORed: that takes two thirds of
the time of `hash_record_extended`, which needs a row to be formed first.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import types

from resync_tui.engine.types import LogicalType, is_padded, logical_type

Form: TypeAlias = Callable[[sa.ColumnElement[Any], int], sa.ColumnElement[int]]
"""How a column is hashed, by a seed and the one after it."""

ROW_SEED, BUCKET_SEED = 0, 1_000_000
_SEEDS = 2
"""Of each column."""
_MINUTE: sa.ColumnClause[Any] = sa.literal_column("interval '1 minute'")
_MILLENNIUM: sa.ColumnClause[Any] = sa.literal_column("timestamp '2000-01-01'")
_DAY: sa.ColumnClause[Any] = sa.literal_column("date '2000-01-01'")
_NEVER = str(2**31 - 1)
"""Days; the last of all dates is nearer to 2000."""


def hash_of(values: Iterable[tuple[sa.ColumnElement[Any], Form]], *, seed: int = ROW_SEED) -> sa.ColumnElement[int]:
    """Return 64 bits that are the same for the same values in the same order; never NULL."""
    hashes = [_constant(seed)]
    for number, (value, form) in enumerate(values, start=1):
        own = seed + _SEEDS * number
        # Whatever a column is declared as: PostgreSQL knows ways for a NULL into one that is NOT NULL.
        hashes.append(sa.func.coalesce(form(value, own), _constant(own)))
    while len(hashes) > 1:  # in pairs: of a table with many columns a chain would be too deep to be compiled
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        hashes = [*(one.bitwise_xor(other) for one, other in pairs), *hashes[len(hashes) & ~1 :]]
    return hashes[0]


def mixed(hashed: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return a hash of a hash: rows that have swapped values XOR to the same hashes, but not to the same of these.

    It is of the 53 highest bits, as a float has them: PostgreSQL would fold an integer's 64 into 32.
    """
    return _call("hashfloat8extended", sa.cast(hashed, types.Double()), ROW_SEED)


def xor(hashes: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return all of a group's hashes in one."""
    return sa.func.pg_catalog.bit_xor(hashes, type_=types.BigInteger())


def as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a value as the text that both ends write alike, compared by its bytes."""
    return sa.collate(sa.cast(column, types.Text()), "C")


def text_form(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Hash what a value is written as."""
    return _call("hashtextextended", as_text(value), seed)


def native_form(source: sa.Column[Any], target: sa.Column[Any]) -> Form:
    """Return how the columns of both ends are hashed quickest."""
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
    """64 bits folded into 32, by which -2147483648 is the same as 2147483648, and the 53 highest beside that."""
    number = sa.cast(value, types.BigInteger())
    highest = _call("hashfloat8extended", sa.cast(number, types.Double()), seed + 1)
    return _call("hashint8extended", number, seed).bitwise_xor(highest)


def _boolean(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    return _integer(sa.cast(value, types.Integer()), seed)


def _date(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """As a number of days; infinity has none."""
    days: sa.ColumnElement[int] = value.op("-", return_type=types.Integer())(_DAY)
    finite = sa.func.pg_catalog.isfinite(value)
    return _integer(
        sa.case(
            (finite, days), (value > _DAY, sa.literal_column(_NEVER)), (value < _DAY, sa.literal_column(f"-{_NEVER}"))
        ),
        seed,
    )


def _moment(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Microseconds folded into 32 bits: what is folded alike is minutes apart, so its minute is hashed beside it."""
    minute = sa.func.pg_catalog.date_bin(_MINUTE, value, _MILLENNIUM)
    folded = _call("timestamp_hash_extended", value, seed)
    return folded.bitwise_xor(_call("timestamp_hash_extended", minute, seed + 1))


def _uuid(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    return _call("uuid_hash_extended", value, seed)


def _padded(value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Of char(n), whose blanks at the end are not part of its text."""
    return _call("hashbpcharextended", sa.collate(value, "C"), seed)


NATIVE: dict[LogicalType, Form] = {
    LogicalType.INTEGER: _integer,
    LogicalType.BOOLEAN: _boolean,
    LogicalType.DATE: _date,
    LogicalType.TIMESTAMP: _moment,
    LogicalType.UUID: _uuid,
}

_TEXT_SAMPLE = ("getdatabaseencoding()", "'Zoe'", "NULL")
"""In one encoding the same text is the same bytes."""
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
    """Return the hash of constant texts, to be asked of both ends."""
    return sa.select(xor(mixed(hash_of((sa.literal_column(each), text_form) for each in _TEXT_SAMPLE))))


def native_proof() -> sa.Select[Any]:
    """Return the hash of constants of each kind, to be asked of both ends."""
    sample = [*((each, text_form) for each in _TEXT_SAMPLE), *_NATIVE_SAMPLE]
    return sa.select(xor(mixed(hash_of((sa.literal_column(each), form) for each, form in sample))))


def _call(function: str, value: sa.ColumnElement[Any], seed: int) -> sa.ColumnElement[int]:
    """Call PostgreSQL's own function, whatever else has its name."""
    call: sa.ColumnElement[int] = getattr(sa.func.pg_catalog, function)(
        value, sa.literal_column(str(seed)), type_=types.BigInteger()
    )
    return call


def _constant(seed: int) -> sa.ColumnElement[int]:
    """Return what stands for NULL, of 63 bits so that PostgreSQL takes it for a bigint."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    return sa.literal_column(str(int.from_bytes(digest) >> 2 | 1 << 62), types.BigInteger())
