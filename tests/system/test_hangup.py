"""A hang-up or a termination ends the program within seconds, however the terminal behaves."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.screens import terminal
from tests.support.screens import pseudo_terminal
from tests.support.screens.live import completes, screens, send
from tests.support.screens.pseudo_terminal import Terminal, stall

TIMES = 10
ENDED_BY_TERM, ENDED_BY_HUP = (128 + number for number in (signal.SIGTERM, signal.SIGHUP))


@pytest.fixture
def shown() -> Iterator[Terminal]:
    """The screens in a terminal."""
    with pseudo_terminal.terminal("tests.support.screens.on_a_pty") as made:
        yield made


@pytest.fixture
def ten() -> Iterator[list[Terminal]]:
    """The screens in ten terminals at once."""
    with ExitStack() as opened:
        made = [opened.enter_context(pseudo_terminal.terminal("tests.support.screens.on_a_pty")) for _ in range(TIMES)]
        for each in made:
            each.reads_until(b"DIS Objects")
        yield made


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_it_and_restores_the_terminal(shown: Terminal, number: signal.Signals) -> None:
    before = shown.modes
    shown.reads_until(b"DIS Objects")
    assert shown.modes != before
    shown.process.send_signal(number)
    assert shown.ends(reading=True) == 128 + number
    restored(shown, before)


def test_q_restores_the_terminal(shown: Terminal) -> None:
    before = shown.modes
    shown.reads_until(b"DIS Objects")
    shown.press("q")
    assert shown.ends(reading=True) == 0
    restored(shown, before)


def restored(shown: Terminal, modes: list[object]) -> None:
    """See that the screen before is back, with its cursor, echo and lines, and that no mouse was ever asked for."""
    assert shown.output.rindex(b"\x1b[?1049l") > shown.output.rindex(b"\x1b[?1049h")
    assert shown.output.rindex(b"\x1b[?25h") > shown.output.rindex(b"\x1b[?25l")
    assert b"\x1b[?1000h" not in shown.output
    assert shown.modes == modes


def test_a_closed_terminal_ends_it_ten_times_out_of_ten(ten: list[Terminal]) -> None:
    for each in ten:
        each.close()
    assert {each.ends(reading=False) for each in ten} == {ENDED_BY_HUP}


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_signal_ends_it_though_its_terminal_stopped_reading(ten: list[Terminal], number: signal.Signals) -> None:
    for each in ten:
        stall(each)
        each.process.send_signal(number)
    assert {each.ends(reading=False) for each in ten} == {128 + number}


def test_closing_a_stalled_terminal_ends_it(ten: list[Terminal]) -> None:
    for each in ten:
        stall(each)
        each.close()
    assert {each.ends(reading=False) for each in ten} == {ENDED_BY_HUP}


def test_process_ends_two_seconds_after_a_signal_even_if_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """What bounds the end to three seconds, also where leaving hangs; told here by the clock that it sleeps by."""
    slept: list[float] = []
    monkeypatch.setattr(terminal, "sleep", slept.append)
    monkeypatch.setattr(os, "_exit", lambda code: slept.append(code))
    terminal._end(ENDED_BY_HUP)
    assert slept == [2, ENDED_BY_HUP]


async def test_batch_finishes_though_its_terminal_stalled_and_hung_up(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    with pseudo_terminal.terminal(*screens(settings), XDG_STATE_HOME=str(tmp_path)) as shown:
        send(shown)
        stall(shown)
        shown.process.send_signal(signal.SIGHUP)
        assert shown.ends(reading=False) == ENDED_BY_HUP
    await completes(store)
