"""Kinds of columns that the tables of the control database are made of."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC; SQLite, which knows no offsets, keeps it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time that does not say its offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every time its offset back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def counter() -> Any:
    """A number that may grow large, from 0."""
    return Field(default=0, sa_type=BigInteger)


def time_of(*, required: bool = False) -> Any:
    """A time, or none unless `required`."""
    return Field(default=None, sa_type=UtcTime, nullable=not required)


def batch_key(*, ondelete: str | None = "CASCADE", **options: Any) -> Any:
    """A column of its own each time: a Column belongs to one table."""
    return Field(sa_column=Column("batchID", Integer, ForeignKey("DISBatch.batchID", ondelete=ondelete), **options))


class ControlTable(SQLModel, registry=registry()):
    """Keeps these tables in a MetaData of their own."""
