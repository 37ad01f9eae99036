"""What a PostgreSQL column alters of a value in silence, as SQL that never fails, whatever was staged."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql

from resync_tui.engine.backends.postgres.column_types import stage_type
from resync_tui.engine.dialect import is_padded, of, type_name
from resync_tui.engine.types import LARGEST_REAL, SMALLEST_REAL, LogicalType, text_literal

_MOMENTS = {LogicalType.TIME, LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ}
_ROUNDED_BY_TYPE = _MOMENTS | {LogicalType.INTERVAL}
NUL_IN_JSON = "\\u0000"
"""What json takes and jsonb does not."""
SECOND_DIGITS = 6
"""Digits of a second's fraction that a type keeps unless it says otherwise."""


def loss(source: sa.Column[Any], target: sa.Column[Any], kind: LogicalType) -> str | None:
    """Return what a target column of a logical type loses of a source column's values, in words; None: nothing."""
    ours = source.type if of(source) is of(target) else types.NullType()
    theirs = target.type
    if kind is LogicalType.FLOAT and isinstance(theirs, types.REAL):
        return None if isinstance(ours, types.REAL) else "real keeps about 7 digits"
    if kind in _MOMENTS and _second_digits(theirs) < _second_digits(ours):
        return f"{type_name(target)} rounds fractions of a second"
    if kind is LogicalType.INTERVAL and _is_narrow_interval(theirs) and type_name(source) != type_name(target):
        return f"{type_name(target)} cuts what is less"
    if is_padded(target) and not isinstance(source.type, types.CHAR):
        return f"{type_name(target)} drops trailing blanks"
    if isinstance(theirs, postgresql.JSONB) and not isinstance(ours, postgresql.JSONB):
        return "jsonb drops repeated keys and rewrites numbers and escapes"
    return None


def as_target_writes(staged: sa.ColumnElement[Any], target: sa.Column[Any], kind: LogicalType) -> sa.ColumnElement[Any]:
    """Return a staged value as its target column would store it; the SQL never fails, whatever was staged."""
    if isinstance(target.type, postgresql.JSONB):
        return sa.case((is_jsonb(staged), sa.cast(staged, target.type)))
    if isinstance(target.type, types.CHAR) or kind in _ROUNDED_BY_TYPE | {LogicalType.JSON}:
        return sa.cast(staged, target.type)
    scale = getattr(target.type, "scale", None)
    if kind is LogicalType.NUMERIC and scale is not None:
        return sa.func.round(sa.cast(staged, types.Numeric()), scale)
    if kind is LogicalType.FLOAT and isinstance(target.type, types.REAL):
        return sa.case((is_real(staged), sa.cast(staged, target.type)))
    return staged


def is_altered(staged: sa.ColumnElement[Any], target: sa.Column[Any], kind: LogicalType) -> sa.ColumnElement[bool]:
    """Return the condition that a staged value does not come back from its target column; the SQL never fails."""
    back: sa.ColumnElement[Any]
    if kind is LogicalType.FLOAT:
        real = sa.cast(staged, target.type)
        # 0.1 is no number of either type, and comes back; 16777216 prints differently, and is the same number.
        ways = (real, sa.cast(real, types.Text()))
        lost = sa.and_(*(sa.cast(each, types.Double()) != staged for each in ways))
        return sa.case((is_real(staged), lost), else_=sa.false())
    if kind is LogicalType.TEXT:
        return sa.func.octet_length(staged) != sa.func.octet_length(sa.cast(staged, types.Text()))
    if kind is LogicalType.JSON:
        back = sa.cast(sa.cast(staged, target.type), types.Text())
        return sa.case((is_jsonb(staged), _dense(back) != _dense(staged)), else_=sa.false())
    back = sa.cast(sa.cast(staged, target.type), stage_type(kind))
    return sa.cast(back, types.Text()) != sa.cast(staged, types.Text())


def _dense(json: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    """Return the length of a JSON text without its white space, which neither blanks nor the order of keys change."""
    return sa.func.length(sa.func.regexp_replace(json, r"\s", "", "g"))


def is_jsonb(staged: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition that jsonb takes a JSON text."""
    return sa.func.strpos(staged, text_literal(NUL_IN_JSON)) == 0


def is_real(staged: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a double becomes a real without an error; it may be rounded."""
    size: sa.ColumnElement[Any] = sa.func.abs(staged)
    endless: sa.ColumnElement[Any] = sa.literal_column("'Infinity'::float8")
    return sa.or_(size.between(SMALLEST_REAL, LARGEST_REAL), staged == 0, size >= endless)


def _second_digits(kind: types.TypeEngine[Any]) -> int:
    """Return how many digits of a second's fraction a type keeps."""
    found: int | None = getattr(kind, "precision", None)
    return SECOND_DIGITS if found is None else found


def _is_narrow_interval(kind: types.TypeEngine[Any]) -> bool:
    fields: str = getattr(kind, "fields", None) or "second"
    return not fields.endswith("second") or _second_digits(kind) < SECOND_DIGITS
