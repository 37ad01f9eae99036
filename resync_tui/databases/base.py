"""What a kind of database is to everybody: its URLs, how it is opened, what its errors mean."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

from resync_tui.errors import CannotRun

Meaning: TypeAlias = Callable[[str], CannotRun]
"""Builds the error for people from where it happened, as in `the state (state.db)`."""


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
    def meaning(self, error: BaseException, where: str) -> CannotRun | None:
        """Return what an error of the driver means for a user, None where it is no known trouble."""
