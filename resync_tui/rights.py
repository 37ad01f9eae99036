"""Who is asking, told by the kernel and never by the environment, and what they may do."""

import os
import pwd
from pathlib import Path

from resync_tui.errors import NoRight

_SQLITE = "sqlite:///"


def user_name(uid: int | None = None) -> str:
    """Return the login name of a user, by default of who runs this process; the number where it has no name."""
    number = os.getuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def require(control_url: str) -> str:
    """Return who is asking, if they may use this control database. Raises NoRight.

    A SQLite control database is its owner's alone, root included: files beside it must stay the owner's.
    """
    asking = user_name()
    if not control_url.startswith(_SQLITE):
        return asking
    path = Path(control_url.removeprefix(_SQLITE).partition("?")[0])
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
