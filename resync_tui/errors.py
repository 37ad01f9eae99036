"""Everything that can stop a command: what happened, what to do about it, and the exit code.

ResyncError
├── UsageError        2   a name, option or file that does not fit
│   └── ConfigError   2   resync.toml or objects.toml
├── CannotRun         3   a database, a table or an identity is not what it must be
│   ├── Unreachable    3  a database does not answer: what had begun starts again, a campaign tries it later
│   └── ConnectionLost 3  a connection broke in mid-batch: the batch starts again under a new snapshot
├── Cancelled         4   somebody cancelled it
├── NoRight           5   this user may not do that
└── LeaseLost         3   another agent has taken this batch over: stop at once, write nothing more
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ResyncError(Exception):
    """What happened (`what`) and what to do about it (`do`), a line each, without passwords or student data."""

    exit_code = 3

    def __init__(self, what: str, do: str) -> None:
        super().__init__(what)
        self.what = what
        self.do = do


class UsageError(ResyncError):
    """A name, an option or a file that does not fit."""

    exit_code = 2


class ConfigError(UsageError):
    """resync.toml or objects.toml cannot be used as it stands."""


class CannotRun(ResyncError):
    """A database, a table or an identity is not what it must be, so nothing was started."""

    exit_code = 3


class Unreachable(CannotRun):
    """A database does not answer, or takes nobody in: it may do so later."""


class ConnectionLost(CannotRun):
    """A connection broke in mid-batch; trying the whole batch again is safe."""


class LeaseLost(ResyncError):
    """Another agent has taken this batch over; whoever sees this stops at once and writes nothing more."""


class Cancelled(ResyncError):
    """Somebody cancelled the batch."""

    exit_code = 4


class NoRight(ResyncError):
    """This user may not do that."""

    exit_code = 5


def nearest(name: str, names: Iterable[str]) -> str:
    """Return `; nearest is X` where one of `names` looks like `name` (case aside), else an empty string."""
    by_folded = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; the nearest is {by_folded[close[0]]}" if close else ""


def one_line(error: Exception) -> str:
    """Return an error as one line; an unforeseen one says only where, as its text may quote a record."""
    if isinstance(error, ResyncError):
        return f"{error.what}. {error.do}"
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_globals.get('__name__', '?')}, line {place.tb_lineno}" if place else ""
    return f"An unforeseen {type(error).__name__}{where}. Please report it."


def flatten(error: Exception) -> list[Exception]:
    """Return the errors that came together."""
    if isinstance(error, ExceptionGroup):
        return [leaf for each in error.exceptions for leaf in flatten(each)]
    return [error]
