"""Interface of a kind of database: the form of its URLs, its engines, and the meaning of its errors."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from resync_tui.databases.url import UrlForm
from resync_tui.errors import CannotRun

Meaning: TypeAlias = Callable[[str], CannotRun]
"""Builds the error for users from its location, such as `the state (state.db)`."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """Type of a column, verbatim."""

    declared: str
    """Type as the database writes it."""
    base: str
    """Base type of a domain; else the same."""
    length: int | None = None
    """Length of a domain over varchar or char; else None."""
    precision: int | None = None
    """Precision, like `scale`, of a domain over numeric; else None."""
    scale: int | None = None


SHOW_ALL = 'Give that login BYPASSRLS; if policies are to be the border of that end, set policies = "trusted" there'
"""What to do where row-level security hides records."""
SEND_AGAIN = "Send it again; if it fails again, see: resync-tui doctor"
"""What to do where another attempt may succeed."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a database is opened; see the registry's `open_engine`."""

    application_name: str
    settings: Mapping[str, str]
    create: bool
    read_only: bool
    pooled: bool


class DatabaseKind(ABC):
    """Kind of database; the registry has one instance of each."""

    name: ClassVar[str]
    """SQLAlchemy dialect name."""
    form: ClassVar[UrlForm]
    """Form of its URLs."""
    label: ClassVar[str]
    """Its name for people."""
    feeds: ClassVar[tuple[str, ...]]
    """Names of the kinds of state into which a district of this kind can be sent."""
    errors: ClassVar[tuple[type[Exception], ...]]
    """Exception classes of its driver."""
    troubles: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """What an error in mid-work means that has no `meaning`, and what to do, by the beginning of its code."""
    all_rows: ClassVar[Mapping[str, str]] = {}
    """Session settings under which a query fails rather than leave out rows that its login may not see."""

    @abstractmethod
    def open_engine(self, url: str, options: EngineOptions) -> AsyncEngine:
        """Return an engine, not yet connected; see the registry's `open_engine`."""

    @abstractmethod
    def column_types(self, connection: Connection, name: str) -> dict[str, ColumnType]:
        """Return the column types of a table by column name."""

    @abstractmethod
    def code(self, error: BaseException) -> str:
        """Return the code of an error of the driver, as SQLSTATE; empty where it has none."""

    def trouble(self, error: BaseException) -> tuple[str, str] | None:
        """Return what `troubles` says of an error; None: not in the list."""
        code = self.code(error)
        return next((found for start, found in self.troubles.items() if code.startswith(start)), None)

    @abstractmethod
    def meaning(self, error: BaseException, where: str) -> CannotRun | None:
        """Return the error for users that a driver's error means; None if it is not a known one."""
