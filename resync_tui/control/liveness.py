"""Proof that an agent lives: a lock on a file named by its id, held until the kernel takes it away.

A process id proves nothing (it is reused, and means nothing in another container). Whoever can take a dead owner's
lock knows that it is dead, at once; a stopped process still holds its own, so only its lease ends it. A file that is
not here, or an owner under another kernel (another machine, or before a reboot), tells nothing: the lease decides.
"""

import fcntl
import os
import platform
from pathlib import Path

from resync_tui.paths import state_folder
from resync_tui.processes import end_if_stopped


def this_kernel() -> str:
    """Name the running kernel; the same within all its containers, another after a reboot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return platform.node()


class HostLock:
    """The lock of one agent, held from `take` until `release` or the end of the process, however it ends."""

    def __init__(self, control_url: str, agent: str) -> None:
        self._path = _path(control_url, agent)
        self._file: int | None = None

    def take(self) -> None:
        """Take it. Raises OSError where no such file can be made; then only the lease tells."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """Let go and leave no file behind."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def known_dead(control_url: str, agent: str, kernel: str) -> bool:
    """Whether an agent is dead for certain; False where that cannot be told from here."""
    if kernel != this_kernel():
        return False
    try:
        file = os.open(_path(control_url, agent), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who ask at once do not take each other for the owner.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(file)


def forget(control_url: str, agent: str) -> None:
    """Remove the file of an agent that is gone from the control database."""
    _path(control_url, agent).unlink(missing_ok=True)


def end_stopped_agent(control_url: str, agent: str, pid: int) -> bool:
    """End an agent's process where it is stopped (SIGSTOP, Ctrl-Z), and return whether it was.

    That the process holds the agent's lock file proves that the number is not another's by now.
    """
    path = str(_path(control_url, agent).resolve())
    return end_if_stopped(pid, lambda process: path in (file.path for file in process.open_files()))


def _path(control_url: str, agent: str) -> Path:
    return state_folder(control_url) / "agents" / f"{agent}.lock"
