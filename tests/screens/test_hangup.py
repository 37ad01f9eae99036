"""A hang-up or a termination ends the program within seconds, however the terminal behaves."""

import signal
from collections.abc import Iterator

import pytest

from tests.screens import pseudo_terminal
from tests.screens.pseudo_terminal import Terminal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with pseudo_terminal.terminal("tests.screens.on_a_pty") as made:
        yield made


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
    terminal.press("q")
    assert terminal.ends(reading=True) == 0
    assert b"\x1b[?1049l" in terminal.output


def test_a_closed_terminal_ends_it(terminal: Terminal) -> None:
    terminal.reads_until(b"DIS Objects")
    terminal.close()
    terminal.ends(reading=False)


def test_a_terminal_that_stopped_reading_cannot_hold_it(terminal: Terminal) -> None:
    terminal.reads_until(b"DIS Objects")
    for _ in range(40):
        terminal.press("L\x1b[27uG?\x1b[27ug")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ends(reading=False) == 128 + signal.SIGTERM
