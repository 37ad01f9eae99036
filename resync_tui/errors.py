"""Exceptions that stop a command: what happened, what to do about it, and the exit code.

ResyncError
├── UsageError        2   a name, option or file that does not fit
│   └── ConfigError   2   resync.toml or objects.toml
│       └── UntrustedPath  2  a file, or a folder on the way to it, that another user owns or may write
├── CannotRun         3   a database, a table or an identity is not what it must be
│   ├── DiskFull       3  a database has no room left on its disk; it may have later
│   ├── Unreachable    3  a database does not answer: what had begun starts again, a campaign tries it later
│   └── ConnectionLost 3  a connection broke in mid-batch: the batch starts again under a new snapshot
├── Cancelled         4   the batch was cancelled
├── NoRight           5   this user may not do that
└── LeaseLost         3   another agent has taken this batch over: stop at once, write nothing more
    └── FenceAhead    3   the state has a greater token: taken over, unless this agent still holds the lease
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ResyncError(Exception):
    """Base of all errors: what happened (`what`), what to do (`do`), a line each, without passwords or student data."""

    exit_code = 3

    def __init__(self, what: str, do: str) -> None:
        super().__init__(what)
        self.what = what
        self.do = do


class UsageError(ResyncError):
    """A name, an option or a file that does not fit."""

    exit_code = 2


class ConfigError(UsageError):
    """A resync.toml or objects.toml that cannot be used as it stands."""


class UntrustedPath(ConfigError):
    """A file that another user could have chosen or changed: theirs, open to them, or reached through what is."""


class CannotRun(ResyncError):
    """A database, table or identity that is not what it must be; nothing was started."""

    exit_code = 3


class Unreachable(CannotRun):
    """A database that does not answer or accepts no connection; it may do so later."""


class DiskFull(CannotRun):
    """A database whose disk is full; it may have room later."""


class ConnectionLost(CannotRun):
    """A connection lost in mid-batch; retrying the whole batch is safe."""


class LeaseLost(ResyncError):
    """A lease that another agent has taken over; its former holder stops at once and writes nothing more."""


class FenceAhead(LeaseLost):
    """A state's fence with a greater token than a claim's; without a successor another control database wrote it."""

    def __init__(self, what: str, do: str, token: int) -> None:
        super().__init__(what, do)
        self.token = token


class Cancelled(ResyncError):
    """A cancellation, of a batch or of a command's question."""

    exit_code = 4


class NoRight(ResyncError):
    """A right that this user lacks."""

    exit_code = 5


def nearest(name: str, names: Iterable[str]) -> str:
    """Return `; nearest is X` for the one of `names` that resembles `name` (without case), else an empty string."""
    by_folded = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; the nearest is {by_folded[close[0]]}" if close else ""


def one_line(error: Exception) -> str:
    """Return an error as one line; of the program's own only its place, as its text may quote a record."""
    if isinstance(error, ResyncError):
        return f"{error.what}. {error.do}"
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_globals.get('__name__', '?')}, line {place.tb_lineno}" if place else ""
    return (
        f"The program failed by {type(error).__name__}{where}. Send it again; if it fails again, tell its developers."
    )


def flatten(error: Exception) -> list[Exception]:
    """Return the leaves of an exception group; of any other error itself."""
    if isinstance(error, ExceptionGroup):
        return [leaf for each in error.exceptions for leaf in flatten(each)]
    return [error]
