"""URLs of databases: what one says, without its password, and the form that each kind gives them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A parsed URL; the password is no part of it."""

    place: str
    """Display name: the file, or user@host:port/name."""
    identity: tuple[str, ...]
    """Equal for two URLs of the same database, however they are spelled; without the user."""
    file: Path | None = None
    """The database's file; None: a server."""
    user: str | None = None
    """The login that it names; None: none."""


class UrlForm(ABC):
    """Form of the URLs of one kind of database; imports no driver, since each command checks URLs."""

    kind: ClassVar[str]
    """Name of the kind of database."""
    schemes: ClassVar[tuple[str, ...]]
    """What stands before `://`."""
    example: ClassVar[str]
    """A URL to show in messages."""
    is_file: ClassVar[bool] = False
    """Whether `scheme:///PATH` names a file, relative to the folder of resync.toml."""

    @abstractmethod
    def parse(self, url: str) -> DatabaseUrl:
        """Return what a URL says. Raises ConfigError, without any part of the URL that may be a password."""
