"""What a kind of database is to everybody: its URLs, how it is opened, what its errors mean."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from resync_tui.errors import CannotRun

Meaning: TypeAlias = Callable[[str], CannotRun]
"""Builds the error for people from where it happened, as in `the state (state.db)`."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type, word for word."""

    declared: str
    """As the database writes it."""
    base: str
    """The type under a domain; else the same."""
    length: int | None = None
    """Of a domain over varchar or char."""
    precision: int | None = None
    """Of a domain over numeric, as is `scale`."""
    scale: int | None = None


class DatabaseKind(ABC):
    """One kind of database; the registry has one instance of each."""

    name: ClassVar[str]
    """Its dialect's name in SQLAlchemy."""
    schemes: ClassVar[tuple[str, ...]]
    """With which its URLs begin."""
    errors: ClassVar[tuple[type[BaseException], ...]]
    """What its driver raises."""

    @abstractmethod
    def place(self, url: str) -> str:
        """Name a database for people, never with the password."""

    @abstractmethod
    def open_engine(
        self,
        url: str,
        *,
        application_name: str,
        settings: Mapping[str, str],
        create: bool,
        read_only: bool,
        pooled: bool,
    ) -> AsyncEngine:
        """Return an engine; nothing is connected yet. See the registry's `open_engine`."""

    @abstractmethod
    def column_types(self, connection: Connection, name: str) -> dict[str, ColumnType]:
        """Return the types of a table's columns, by the columns' names."""

    @abstractmethod
    def meaning(self, error: BaseException, where: str) -> CannotRun | None:
        """Return what an error of the driver means for a user, None where it is no known trouble."""
