"""Liveness of agents: a lock on a file named by the agent's id, held until the kernel releases it.

A process id proves nothing (it is reused, and means nothing in another container). An obtainable lock proves at once
that its owner is dead; a stopped process still holds its own, so only its lease ends it. A missing file, or an owner
under another kernel (another machine, or before a reboot), proves nothing: the lease decides.
"""

import fcntl
import os
import platform
from pathlib import Path

from resync_tui.errors import UntrustedPath
from resync_tui.files import own
from resync_tui.paths import state_folder
from resync_tui.processes import end_if_stopped


def this_kernel() -> str:
    """Return the running kernel's id: the same in all its containers, another after a reboot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return platform.node()


class HostLock:
    """The file lock of one agent, held from `take` until `release` or the end of the process, however it ends."""

    def __init__(self, control_url: str, agent: str) -> None:
        self._path = _path(control_url, agent)
        self._file: int | None = None

    def take(self) -> None:
        """Acquire the lock. Raises OSError, UntrustedPath if its file cannot be made; then only the lease decides."""
        self._file = own.open_private(self._path, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """Release the lock and remove its file."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def known_dead(control_url: str, agent: str, kernel: str) -> bool:
    """Whether an agent is certainly dead; False if that cannot be known on this host."""
    if kernel != this_kernel():
        return False
    try:
        file = own.open_private(_path(control_url, agent), os.O_RDWR)
    except (OSError, UntrustedPath):
        return False
    try:
        # Shared, so that two concurrent checks do not take each other for the owner.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(file)


def forget(control_url: str, agent: str) -> None:
    """Remove the lock file of an agent that has been removed from the control database."""
    _path(control_url, agent).unlink(missing_ok=True)


def end_stopped_agent(control_url: str, agent: str, pid: int) -> bool:
    """Kill an agent's process if it is stopped (SIGSTOP, Ctrl-Z); return whether it was.

    Its open lock file proves that the process id has not been reused.
    """
    path = str(_path(control_url, agent).resolve())
    return end_if_stopped(pid, lambda process: path in (file.path for file in process.open_files()))


def _path(control_url: str, agent: str) -> Path:
    return state_folder(control_url) / "agents" / f"{agent}.lock"
