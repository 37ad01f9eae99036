"""Column types of the control database's tables."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC; SQLite has no offsets, so it stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a stored time as aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def counter() -> Any:
    """Return a large integer column that starts at 0."""
    return Field(default=0, sa_type=BigInteger)


def time_of(*, required: bool = False) -> Any:
    """Return a time column, nullable unless `required`."""
    return Field(default=None, sa_type=UtcTime, nullable=not required)


def batch_key(*, ondelete: str | None = "CASCADE", **options: Any) -> Any:
    """Return a new foreign key column to DISBatch; a Column belongs to one table only."""
    return Field(sa_column=Column("batchID", Integer, ForeignKey("DISBatch.batchID", ondelete=ondelete), **options))


class ControlTable(SQLModel, registry=registry()):
    """The base of these tables, with a MetaData of its own."""
