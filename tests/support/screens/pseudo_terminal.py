"""A pseudo-terminal with a program in it."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from tests.support.forks import ROOT, Popen
from tests.support.waiting import DEADLINE

ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=$]*[a-zA-Z]")


def is_runnable(pid: int) -> bool:
    """Whether a thread of this process runs or waits for a processor: being silent, it may just be kept from it."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[0] in "RD":
                return True
    return False


class Terminal:
    """A pseudo-terminal with a program in it; reads only when asked to."""

    def __init__(self, *module: str, size: tuple[int, int] = (80, 24), **environ: str) -> None:
        self.fd, inner = pty.openpty()
        self.resize(*size)
        self.process = Popen[bytes](
            [sys.executable, "-m", *module],
            terminal=inner,
            cwd=ROOT,
            env=os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environ,
        )
        os.close(inner)
        self.output = b""
        self._pressed_at = 0

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def modes(self) -> list[object]:
        """How the terminal is set: echo, line by line, and so on."""
        return termios.tcgetattr(self.fd)

    def read(self, patience: float = 0.05) -> bool:
        """Take what has been written; return whether there was something."""
        if not select.select([self.fd], [], [], patience)[0]:
            return False
        with suppress(OSError):
            self.output += (came := os.read(self.fd, 65536))
            return bool(came)
        return False

    def read_all(self) -> None:
        """Take all that has been written so far."""
        while self.read(0):
            pass

    def settles(self) -> None:
        """Read until nothing more is written, as somebody does who looks before the next key."""
        while self.read(0.3) or is_runnable(self.process.pid):
            pass

    def reads_until(self, part: bytes) -> None:
        """Read until something has been written since the last key."""
        self.reads_while(lambda: part not in self.output[self._pressed_at :])

    def reads_while(self, lacking: Callable[[], bool]) -> None:
        """Read as long as something is lacking."""
        end = monotonic() + DEADLINE
        while lacking():
            assert monotonic() < end, self.text[-4000:]
            self.read()

    @property
    def text(self) -> str:
        """All that has been written, without what only moves or colours."""
        return ESCAPES.sub(b"\n", self.output).decode(errors="replace")

    def close(self) -> None:
        """Hang up."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def press(self, keys: str) -> None:
        """Press keys."""
        self.read_all()
        self._pressed_at = len(self.output)
        os.write(self.fd, keys.encode())

    def ends(self, *, reading: bool) -> int:
        """Wait for the end, and return the exit code."""
        end = monotonic() + DEADLINE
        while reading and self.process.poll() is None:
            assert monotonic() < end
            self.read()
        if reading:
            self.read_all()
        return self.process.wait(DEADLINE)


def stall(shown: Terminal) -> None:
    """Make the program write more than a terminal that is not read can take."""
    os.write(shown.fd, b"H\x1b[27uA\x1b[27u" * 40)


@contextmanager
def terminal(*module: str, size: tuple[int, int] = (80, 24), **environ: str) -> Iterator[Terminal]:
    """Run a program of this project in a terminal, and leave nothing of it behind."""
    made = Terminal(*module, size=size, **environ)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
        made.close()
