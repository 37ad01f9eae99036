"""A pseudo-terminal with a program in it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic

DEADLINE = 60.0
ROOT = Path(__file__).parent.parent.parent
ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=$]*[a-zA-Z]")


class Terminal:
    """A pseudo-terminal with a program in it; reads only when asked to."""

    def __init__(self, *module: str, size: tuple[int, int] = (80, 24), **environ: str) -> None:
        self.fd, inner = pty.openpty()
        self.resize(*size)
        self.process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environ,
            preexec_fn=partial(os.login_tty, inner),
        )
        os.close(inner)
        self.output = b""

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def modes(self) -> list[object]:
        """How the terminal is set: echo, line by line, and so on."""
        return termios.tcgetattr(self.fd)

    def read(self) -> None:
        """Take what has been written."""
        if select.select([self.fd], [], [], 0.05)[0]:
            with suppress(OSError):
                self.output += os.read(self.fd, 65536)

    def reads_until(self, part: bytes, since: int = 0) -> None:
        """Read until something has been written, after so many bytes."""
        end = monotonic() + DEADLINE
        while part not in self.output[since:]:
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
        os.write(self.fd, keys.encode())

    def ends(self, *, reading: bool) -> int:
        """Wait for the end, and return the exit code."""
        end = monotonic() + DEADLINE
        while reading and self.process.poll() is None:
            assert monotonic() < end
            self.read()
        return self.process.wait(DEADLINE)


def stall(shown: Terminal) -> None:
    """Make the program write more than a terminal that is not read can take."""
    for _ in range(40):
        shown.press("L\x1b[27uG?\x1b[27ug")


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
