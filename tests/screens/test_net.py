"""What a screen raises becomes a line and an entry of the log, without a value; the other screens go on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import work
from textual.screen import Screen

from resync_tui.errors import ResyncError
from resync_tui.screens.board import BoardPage
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.confirm import Question
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.net import with_sent
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import Sheet
from tests.support.screens import tour
from tests.support.screens.console import Opener
from tests.support.screens.pseudo_terminal import terminal

SECRET = "Ann Smith, 4711"


def fails(*_: object, **__: object) -> None:
    """Raise what may quote a record."""
    raise ValueError(SECRET)


async def fails_later(*_: object, **__: object) -> None:
    """Raise it from a coroutine."""
    fails()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Where it is written down; read it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return lambda: "".join(each.read_text() for each in tmp_path.rglob("errors.log"))


async def test_a_key_that_breaks_is_one_line_and_names_what_was_sent(
    console: Opener, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    monkeypatch.setattr(ChecklistPage, "action_errors", fails)
    async with console(caught=1, announces=True) as c:
        await c.press("space", "s", "y")
        await c.sent()
        await c.press("escape", "e")
        await c.shows("An unforeseen error: ValueError. The screens go on. Sent before, and goes on:")
        await c.shows("#1. Where it happened is in")
        assert "ValueError" in log()
        assert "test_net.py" in log()
        assert SECRET not in log() + c.text
        await c.press("H")
        await c.shows("1 batch ")


class Slow(Screen[None]):
    """A screen with a worker that looks for a widget when the screen has been closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()

    def on_mount(self) -> None:
        self.look()

    @work
    async def look(self) -> None:
        await asyncio.shield(self.closed.wait())
        self.query_one("#gone")


@pytest.mark.parametrize("close", [True, False])
async def test_worker_of_a_closed_screen_that_finds_nothing_is_no_fault(
    console: Opener, monkeypatch: pytest.MonkeyPatch, close: bool
) -> None:
    async with console(caught=0 if close else 1) as c:
        slow = Slow()
        await c.app.push_screen(slow)
        if close:
            # As the command palette does: its worker goes on for a moment.
            monkeypatch.setattr(c.app.workers, "cancel_node", lambda _: [])
            c.app.pop_screen()
        slow.closed.set()
        await c.pilot.pause(0.2)
        assert c.app.caught == (0 if close else 1)


@pytest.mark.parametrize(
    ("broken", "name", "how", "keys"),
    [
        (ChecklistPage, "load", fails_later, ("H", "escape")),
        (HistoryPage, "compose", fails, ("H",)),
        (HistoryPage, "on_mount", fails, ("H",)),
        (Sheet, "on_mount", fails, ("L",)),
        (Question, "on_mount", fails, ("space", "s")),
        (Question, "on_key", fails, ("space", "s", "y")),
        (ChecklistPage, "_chose_districts", fails, ("D", "enter")),
        (Session, "newest_batch", fails, ("p",)),
    ],
    ids=lambda each: getattr(each, "__name__", None) or str(each),
)
async def test_the_checklist_is_there_again_and_goes_on(
    console: Opener,
    monkeypatch: pytest.MonkeyPatch,
    log: Callable[[], str],
    broken: type[Any],
    name: str,
    how: Callable[..., object],
    keys: tuple[str, ...],
) -> None:
    async with console(districts=tour.DISTRICTS, caught=1, announces=True) as c:
        with monkeypatch.context() as patched:
            patched.setattr(broken, name, how)
            await c.press(*keys)
            await c.until(lambda: c.app.caught)
        await c.question(ChecklistPage)
        await c.shows("An unforeseen error: ValueError. The screens go on.")
        assert SECRET not in log() + c.text
        assert c.batches == []
        await c.press("B")
        await c.until(lambda: isinstance(c.app.screen, BoardPage))
        await c.shows("3 districts lack")


async def test_fault_recurring_by_itself_ends_the_screens(
    console: Opener, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    async with console(caught=5) as c:
        monkeypatch.setattr(ChecklistPage, "on_tick", fails)
        await c.until(lambda: c.app.return_code is not None)
        assert c.app.return_code == 3
        assert c.app.broken is not None
        assert c.app.broken.what == "An unforeseen error: ValueError"
        assert log().count("ValueError") >= 5
        assert SECRET not in log()


async def test_recurring_fault_takes_away_the_screen_that_has_it(
    console: Opener, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    async with console() as c:
        await c.press("H")
        await c.until(lambda: isinstance(c.app.screen, HistoryPage))
        monkeypatch.setattr(HistoryPage, "on_tick", fails)
        c.app.screen.set_interval(0.05, lambda: fails() if c.app.screen.is_active else None)
        await c.question(ChecklistPage)
        await c.pilot.pause(0.1)  # what was raised before that screen went is still caught
        caught = c.app.caught
        await c.pilot.pause(0.3)
        assert c.app.caught == caught >= 2
        c.app._net.caught = 0


async def test_what_a_worker_or_the_watch_raises_is_caught(
    console: Opener, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    async with console(caught=2) as c:
        with monkeypatch.context() as patched:
            patched.setattr(Session, "poll", fails)
            await c.until(lambda: c.app.caught)
        c.app._net.caught, c.app._net.since_key = 1, 0
        c.app.run_worker(fails_later())
        await c.until(lambda: c.app.caught == 2)
        assert await c.app.session.poll() in (True, False)
        await c.press("H")
        await c.until(lambda: isinstance(c.app.screen, HistoryPage))


def test_what_was_sent_is_named_in_a_line_however_much_that_was() -> None:
    error = ResyncError("What", "Do.")
    assert with_sent(error, []).do == "Do."
    assert with_sent(error, [3, 4]).do == "Sent before, and goes on: #3, #4. Do."
    assert (
        with_sent(error, range(1, 301)).do
        == "Sent before, and goes on: #296, #297, #298, #299, #300 and 295 before. Do."
    )


def test_a_real_terminal_sees_two_lines_and_no_variable(tmp_path: Path) -> None:
    with terminal("tests.support.screens.broken_on_a_pty", XDG_STATE_HOME=str(tmp_path)) as shown:
        assert shown.ends(reading=True) == 3
        assert b"An unforeseen error: ValueError" in shown.output
        assert b"Where it happened is in " in shown.output
        for part in (b"Traceback", b"Ann Smith", b"locals", b"broken("):
            assert part not in shown.output
