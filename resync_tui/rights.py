"""Authorisation: the OS or database user, their Read/Write rights, and the edition they act for."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resync_tui.databases import forms
from resync_tui.errors import NoRight
from resync_tui.processes import user_name

if TYPE_CHECKING:
    from resync_tui.config.settings import Settings

_THE_STATE = re.compile(r"\b([Tt]he|SQLite|PostgreSQL) state\b")
"""The state in prose; a column may also be named `state`."""


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition: the state's, which sees all, or one district's, without the state's requests."""

    kind: str
    """`state` or `district`."""
    district: str = ""
    """Number of its district; empty for the state."""
    regional: bool = field(default=False, compare=False)
    """Whether the state calls itself a region."""

    @property
    def own_only(self) -> bool:
        """Whether only the district's own requests are visible."""
        return self.kind == "district"

    def sends(self, initiator: str, districts: Iterable[str]) -> bool:
        """Whether requests of this initiator for these districts may come from this edition."""
        return initiator == self.kind and (not self.own_only or set(districts) <= {self.district})

    def says(self, text: str) -> str:
        """Return a text about the state in this edition's words: a region is a state by another name."""
        return _THE_STATE.sub(r"\1 region", text) if self.regional else text

    def __str__(self) -> str:
        return f"district {self.district}" if self.own_only else self.says("the state")


@dataclass(frozen=True, slots=True)
class Rights:
    """A user's rights; Write counts only together with Read."""

    read: bool
    """The right to look."""
    write: bool
    """The right to mark, send and cancel."""
    user: str
    """User name: the OS user of this process by the kernel, or the role of a PostgreSQL session."""
    serve: bool = False
    """Whether an agent may run under this login."""

    def require_read(self) -> None:
        """Raise NoRight where this user may not look."""
        if not self.read:
            raise NoRight(f"{self.user} has no right to look here", 'Ask for Read: read = ["…"] under [rights].')

    def require_write(self) -> None:
        """Raise NoRight where this user may not send or cancel."""
        self.require_read()
        if not self.write:
            raise NoRight(
                f"{self.user} may look here, but neither send nor cancel",
                'Ask for Write: write = ["…"] under [rights].',
            )


def edition_of(settings: "Settings") -> Edition:
    """Return the edition that resync.toml names."""
    regional = settings.state.kind == "regional"
    if settings.edition == "state":
        return Edition("state", regional=regional)
    return Edition("district", settings.district[0].id, regional)


def require(control_url: str) -> str:
    """Return the requester's name if they may use this control database's file. Raises NoRight.

    A SQLite control database belongs to its owner alone, root included: files beside it must stay the owner's. In
    PostgreSQL a role's rights are checked when the database is opened.
    """
    asking = user_name()
    path = forms.parse(control_url).file
    if path is None:
        return asking
    try:
        owner = path.stat().st_uid
    except FileNotFoundError:
        return asking
    except PermissionError:
        raise NoRight(f"{asking} may not enter {path.parent}", "Log in as the owner of that folder.") from None
    except OSError:
        return asking
    if owner != os.getuid():
        raise NoRight(
            f"{path} belongs to {user_name(owner)}, and you are {asking}",
            f"Log in as {user_name(owner)}; for several users take a PostgreSQL control database.",
        )
    return asking
