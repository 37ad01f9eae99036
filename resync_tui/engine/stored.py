"""SQLite's values as they are stored: any column may hold any kind of value, as its affinity makes it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import types


def stored_otherwise(
    one: sa.ColumnElement[Any], other: sa.ColumnElement[Any], *, alike: bool = False
) -> sa.ColumnElement[bool]:
    """Return whether two of SQLite's values are different, or of different kinds; `alike` columns store alike."""
    by_bytes = sa.collate(sa.type_coerce(other, types.Text()), "BINARY").is_distinct_from(one)
    return by_bytes if alike else sa.or_(by_bytes, sa.func.typeof(one) != sa.func.typeof(other))


def store_alike(one: sa.Column[Any], other: sa.Column[Any]) -> bool:
    """Whether two of SQLite's columns store equal values as the same kind: by the same affinity, other than none."""
    affinities = {affinity(column) for column in (one, other)}
    return len(affinities) == 1 and "BLOB" not in affinities


def affinity(column: sa.Column[Any]) -> str:
    """Return what a column prefers to store, by SQLite's own rules."""
    declared: str = column.info.get("declared", "")
    for preferred, *parts in (
        ("INTEGER", "INT"),
        ("TEXT", "CHAR", "CLOB", "TEXT"),
        ("BLOB", "BLOB", "ANY"),  # in a strict table ANY converts nothing
        ("REAL", "REAL", "FLOA", "DOUB"),
    ):
        if any(part in declared.upper() for part in parts):
            return preferred
    return "NUMERIC" if declared else "BLOB"
