"""A hang-up or a termination ends the program within seconds, however the terminal behaves."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

DEADLINE = 30.0
ROOT = Path(__file__).parent.parent.parent


class Terminal:
    """A pseudo-terminal with the screens in it; reads only when asked to."""

    def __init__(self) -> None:
        self.fd, inner = pty.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.screens.on_a_pty"],
            cwd=ROOT,
            env=os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            preexec_fn=partial(os.login_tty, inner),
        )
        os.close(inner)
        self.output = b""

    def read(self) -> None:
        """Take what has been written."""
        if select.select([self.fd], [], [], 0.05)[0]:
            with suppress(OSError):
                self.output += os.read(self.fd, 65536)

    def reads_until(self, part: bytes) -> None:
        """Read until something has been written."""
        end = monotonic() + DEADLINE
        while part not in self.output:
            assert monotonic() < end, self.output
            self.read()

    def ends(self, *, reading: bool) -> int:
        """Wait for the end, and return the exit code."""
        end = monotonic() + DEADLINE
        while reading and self.process.poll() is None:
            assert monotonic() < end
            self.read()
        return self.process.wait(DEADLINE)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    with suppress(OSError):
        os.close(made.fd)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_it_and_restores_the_terminal(terminal: Terminal, number: signal.Signals) -> None:
    terminal.reads_until(b"DIS Objects")
    terminal.process.send_signal(number)
    assert terminal.ends(reading=True) == 128 + number
    terminal.read()
    assert b"\x1b[?1049l" in terminal.output
    assert b"\x1b[?1000h" not in terminal.output


def test_q_restores_the_terminal(terminal: Terminal) -> None:
    terminal.reads_until(b"DIS Objects")
    os.write(terminal.fd, b"q")
    assert terminal.ends(reading=True) == 0
    assert b"\x1b[?1049l" in terminal.output


def test_a_closed_terminal_ends_it(terminal: Terminal) -> None:
    terminal.reads_until(b"DIS Objects")
    os.close(terminal.fd)
    terminal.ends(reading=False)


def test_a_terminal_that_stopped_reading_cannot_hold_it(terminal: Terminal) -> None:
    terminal.reads_until(b"DIS Objects")
    for _ in range(40):
        os.write(terminal.fd, b"L\x1b[27uG?\x1b[27ug")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ends(reading=False) == 128 + signal.SIGTERM
