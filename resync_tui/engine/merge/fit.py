"""Value checks: staged values that their columns cannot hold, by type, length, range, scale or enum."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.reflection import limits
from resync_tui.engine.types import LARGEST_REAL, LogicalType, affinity, logical_type, text_literal


def value_checks(staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> Iterable[tuple[sa.ColumnElement[bool], str]]:
    """Yield the conditions under which a column cannot hold a value, each with its reason."""
    kind = logical_type(target)
    if "declared" in target.info and (wrong := _wrong_storage(staged, target)) is not None:
        yield wrong, f"is not a valid {kind}"
    length = target.info.get("length", getattr(target.type, "length", None) if kind is LogicalType.TEXT else None)
    if length is not None:
        yield sa.func.length(staged) > length, f"is longer than {length}"
    if (bounds := limits(target)) is not None:
        yield sa.or_(staged < bounds[0], staged > bounds[1]), f"is out of range ({bounds[0]} to {bounds[1]})"
    of_domain = "precision" in target.info
    precision, scale = (
        target.info.get(each, getattr(target.type, each, None) if kind is LogicalType.NUMERIC else None)
        for each in ("precision", "scale")
    )
    if precision is not None:
        number = sa.cast(staged, sa.Numeric()) if of_domain else sa.type_coerce(staged, sa.Numeric())
        # A literal: no driver binds such an integer. And no abs(), which fails on SQLite's smallest integer.
        end = f"{10 ** (precision - (scale or 0))}{'.0' if 'declared' in target.info else ''}"
        least, most = (sa.literal_column(each, sa.Numeric()) for each in (f"-{end}", end))
        too_large = sa.or_(number <= least, number >= most)
        if "declared" not in target.info:  # NaN is above all numbers, and any numeric takes it
            too_large = sa.and_(too_large, number != sa.literal_column("'NaN'::numeric"))
        yield (
            too_large,
            f"is out of range (numeric {precision},{scale or 0})",
        )
        more = sa.func.round(number, scale or 0) != number
        if "declared" in target.info:  # SQLite rounds via text: a cheaper check settles most values
            unit = sa.literal_column(f"{10 ** (scale or 0)}.0", sa.Float())
            near = sa.cast(number * unit + sa.literal_column("0.5", sa.Float()), sa.BigInteger()).op("/")(unit)
            more = sa.and_(number.is_distinct_from(near), _stored(number) != "integer", more)
        yield more, f"has more than {scale or 0} decimals"
    if kind is LogicalType.FLOAT and isinstance(target.type, sa.REAL) and "declared" not in target.info:
        yield sa.func.abs(staged) > LARGEST_REAL, "is out of range (real)"
    if kind is LogicalType.ENUM and isinstance(target.type, sa.Enum):
        yield (
            sa.not_(staged.in_([text_literal(label) for label in target.type.enums])),
            "is not one of the state's values",
        )


def _wrong_storage(staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[bool] | None:
    """Return the condition that a value's storage class is not that of the column's type; null is valid.

    SQLite sorts any number before any text, and any text before any blob; a comparison costs less than typeof().
    """
    text: sa.ColumnElement[str] = sa.literal_column("''")
    blob: sa.ColumnElement[bytes] = sa.literal_column("x''")
    match logical_type(target):
        case LogicalType.INTEGER:
            return _stored(staged).not_in(["integer", "null"])
        case LogicalType.NUMERIC | LogicalType.FLOAT:
            return staged >= text
        case LogicalType.TEXT:
            return sa.or_(staged < text, staged >= blob)
        case LogicalType.BYTES:
            return staged < blob
        case LogicalType.BOOLEAN:
            neither = staged.not_in([0, 1])
            kept_alike = affinity(target) in ("INTEGER", "NUMERIC")  # 0 and 1 as text or real are stored as integers
            return neither if kept_alike else sa.or_(_stored(staged).not_in(["integer", "null"]), neither)
        case LogicalType.DATE:
            midnight = sa.func.time(staged) == "00:00:00"
            return _no_moment(staged, sa.func.date(staged, _AS_IT_IS), sa.and_(_is_a_day(staged), midnight))
        case LogicalType.TIMESTAMP:
            return _no_moment(staged, sa.func.datetime(staged, _AS_IT_IS), _is_a_day(staged))
    return None


_AS_IT_IS = "+0 days"


def _is_a_day(staged: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    # 30 February is 2 March to SQLite
    return sa.func.date(staged, _AS_IT_IS) == sa.func.substr(staged, 1, 10)


def _no_moment(
    staged: sa.ColumnElement[Any], usual: sa.ColumnElement[str], right: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    """Condition: value is not null and not valid date/time text.

    `usual` is a cheap pre-check for the canonical form.
    """
    unusual = sa.or_(staged.is_distinct_from(usual), staged < sa.literal_column("'/'"))  # or of a year before 0
    wrong = sa.or_(_stored(staged) != "text", right.is_not(sa.true()))
    return sa.and_(unusual, staged.is_not(None), wrong)


def _stored(staged: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.typeof(staged)
