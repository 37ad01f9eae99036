"""Column types of the control database's tables."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, Integer, String, Table
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


NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A number that users can count up as often as they like; SQLite's INTEGER has 64 bits anyway."""


def counter() -> Any:
    """Return a large integer column that starts at 0."""
    return Field(default=0, sa_type=BigInteger)


def copied(name: str) -> Column[str]:
    """Return a text column that a trigger fills: statements leave it out, as users may not write it."""
    return Column(name, String, nullable=False, server_default="")


def identity_key(name: str) -> Any:
    """Return a key column whose numbers the database gives; None in a row that is not inserted yet."""
    return Field(default=None, sa_column=Column(name, NUMBER, Identity(), primary_key=True))


def batch_key(*, ondelete: str | None = "CASCADE", **options: Any) -> Column[int]:
    """Return a new foreign key column to DISBatch; a Column belongs to one table only."""
    return Column("batchID", Integer, ForeignKey("DISBatch.batchID", ondelete=ondelete), **options)


class ControlTable(SQLModel, registry=registry()):
    """The base of these tables, with a MetaData of its own."""

    __table__: ClassVar[Table]
