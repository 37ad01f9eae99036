"""Other processes of this machine: ending one that was stopped (SIGSTOP, Ctrl-Z) and holds what others need."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


def end_if_stopped(pid: int, is_same: "Callable[[psutil.Process], bool]") -> bool:
    """Kill a process where it is stopped; return whether it was killed.

    `is_same` proves that the number is not another process's by now; what psutil raises in it means no.
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
