"""Base class of the reference tables, and their column types.

Whether a column may be NULL is said by its annotation.
"""

from typing import Any

from sqlalchemy import CHAR, TIMESTAMP, MetaData, Numeric, SmallInteger, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import declared_attr, registry
from sqlmodel import Field, SQLModel

METADATA = MetaData(naming_convention={"ix": "%(table_name)s_%(column_0_name)s"})
"""The reference tables, with names for their indexes."""


class CampusTable(SQLModel, registry=registry(metadata=METADATA)):
    """Base of the reference tables; each is named as its class."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - SQLAlchemy passes the class
        return cls.__name__


def primary_key(references: str | None = None) -> Any:
    """Return an INTEGER column of the primary key; `references` is `Table.column` of a foreign key."""
    return Field(primary_key=True, foreign_key=references, sa_column_kwargs=NO_SEQUENCE)


def foreign_key(references: str, *, index: bool = False) -> Any:
    """Return an INTEGER column that references `Table.column`."""
    return Field(foreign_key=references, index=index)


def smallint(*, primary_key: bool = False) -> Any:
    """Return a SMALLINT column."""
    return Field(sa_type=SmallInteger, primary_key=primary_key, sa_column_kwargs=NO_SEQUENCE)


def varchar(length: int, *, primary_key: bool = False, unique: bool = False, index: bool = False) -> Any:
    """Return a VARCHAR column."""
    return Field(sa_type=String(length), primary_key=primary_key, unique=unique, index=index)


def char(length: int, *, unique: bool = False, default: str | None = None) -> Any:
    """Return a CHAR column; the database fills in the default."""
    return Field(sa_type=CHAR(length), unique=unique, sa_column_kwargs={"server_default": default})


def text() -> Any:
    """Return a TEXT column."""
    return Field(sa_type=Text)


def numeric(precision: int, scale: int) -> Any:
    """Return a NUMERIC column."""
    return Field(sa_type=Numeric(precision, scale))


def boolean(*, default: bool) -> Any:
    """Return a BOOLEAN column; the database fills in the default."""
    return Field(sa_column_kwargs={"server_default": sql(str(default).upper())})


def timestamp() -> Any:
    """Return a TIMESTAMP column, without a time zone."""
    return Field(sa_type=TIMESTAMP)


NO_SEQUENCE = {"autoincrement": False}
"""Options of a column of a key: keys are Campus's own, so neither SERIAL nor IDENTITY makes them."""
