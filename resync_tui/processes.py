"""Processes of this host: whose one is, the environment of a child, and killing one that is stopped (SIGSTOP, Ctrl-Z).

A stopped process holds what others need.
"""

import os
import pwd
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


_PLAIN = frozenset({"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"})


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return of an environment what any program may know: user, paths, language, time zone."""
    return {name: value for name, value in environ.items() if name in _PLAIN or name.startswith("LC_")}


def user_name(uid: int | None = None) -> str:
    """Return the login name of a user, by default of this process; the number where it has no name."""
    number = os.getuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def end_if_stopped(pid: int, is_same: "Callable[[psutil.Process], bool]") -> bool:
    """Kill a process if it is stopped; return whether it was killed.

    `is_same` proves that the process id has not been reused; a psutil error in it counts as no.
    """
    import psutil  # only agents need it, and it takes long

    try:
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_STOPPED or not is_same(process):
            return False
        process.kill()
    except (psutil.Error, OSError):
        return False
    return True
