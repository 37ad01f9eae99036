"""Rows that are made or read one at a time, as instances of their classes; INSERTs; words of known lists in rows.

Without an ORM session, which would write columns that a user has no privilege for, and before the queue lock is taken.
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Insert, Row, String, any_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import class_mapper

from resync_tui.control.models.columns import ControlTable
from resync_tui.errors import CannotRun
from resync_tui.outcome import Color

Instance = TypeVar("Instance", bound=ControlTable)


def instance_of(model: type[Instance], row: Row[Any]) -> Instance:
    """Return a row as an instance of its class; other columns of the row are left out.

    Raises NoSuchColumnError if one of its columns was not read: it would look like a null.
    """
    # As the ORM loads one: its constructor takes thirty times as long, and each claim makes several.
    instance: Instance = class_mapper(model).class_manager.new_instance()
    vars(instance).update((column.name, row._mapping[column]) for column in model.__table__.c)
    return instance


def values_of(new: ControlTable) -> dict[str, Any]:
    """Return the values of a new row, without the number that the database gives it."""
    table = new.__table__
    return {column.name: getattr(new, column.name) for column in table.c if column is not table.autoincrement_column}


def insert_row(new: ControlTable) -> Insert:
    """Return the INSERT of one row, with all its values."""
    return new.__table__.insert().values(values_of(new))


def insert_of(connection: AsyncConnection) -> Any:
    """Return the dialect's INSERT with ON CONFLICT; a dialect takes long to import."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert
    from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

    return insert_into_sqlite


def among(connection: AsyncConnection, column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values: one parameter, however many there are.

    An IN is written out anew at each execution: with 300 districts it took a tenth of an agent's time.
    """
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(String)))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(each.c.value))


Word = TypeVar("Word", bound=StrEnum)


class Unreadable(CannotRun):
    """A batch that cannot be carried out as it is stored: an agent fails it, lists show its rest."""


def known(value: str, otherwise: Word) -> Word:
    """Return a stored word, or `otherwise` for one that this version does not know."""
    words = type(otherwise)
    return words(value) if value in set(words) else otherwise


def known_color(value: str) -> Color | None:
    """Return a stored dot; None for none and for an unknown one."""
    return Color(value) if value in set(Color) else None


def required(words: type[Word], value: str) -> Word:
    """Return a stored word that decides what is done. Raises Unreadable for an unknown one."""
    if value not in set(words):
        raise unreadable(f"{words.__name__.lower()} is {value}, which is none that this version knows")
    return words(value)


def unreadable(why: str) -> Unreadable:
    """Return the error for a batch that cannot be carried out."""
    return Unreadable(f"It cannot be carried out: {why}", "Ask for it again.")
