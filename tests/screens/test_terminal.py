"""Small terminals, poor ones, and what resizing leaves alone."""

import sys
import threading

import pytest

from resync_tui.outcome import Counts
from resync_tui.screens import terminal
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.confirm import Question
from resync_tui.screens.sheets import SmallScreen
from tests.support.screens.console import Opener


@pytest.mark.parametrize("size", [(59, 24), (80, 14), (20, 5)])
async def test_a_tiny_terminal_says_so_in_words(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.shows("Terminal too small")
        await c.shows(f"{size[0]}x{size[1]}")
        await c.press("space", "s", "y")
        assert c.batches == []
        await c.press("q")
        await c.until(lambda: c.app.return_code == 0)


async def test_60_by_15_is_enough(console: Opener) -> None:
    async with console((60, 15)) as c:
        await c.shows("Check dependencies ON")
        await c.shows("▼District")


async def test_growing_again_goes_on_where_it_was(console: Opener) -> None:
    async with console() as c:
        await c.go("Enrollment")
        await c.press("space", "s")
        await c.pilot.resize_terminal(40, 10)
        await c.until(lambda: isinstance(c.app.screen, SmallScreen))
        await c.press("y")
        assert c.batches == []
        await c.pilot.resize_terminal(80, 24)
        await c.until(lambda: isinstance(c.app.screen, Question))
        await c.press("y")
        await c.sent()


async def test_resizing_keeps_cursor_and_marks(console: Opener) -> None:
    async with console((120, 40)) as c:
        await c.go("Roster")
        await c.press("space")
        for size in ((80, 24), (60, 15), (200, 60), (80, 24)):
            await c.pilot.resize_terminal(*size)
            await c.pilot.pause()
            page = c.app.screen
            assert isinstance(page, ChecklistPage)
            assert (row := page.rows().current) is not None
            assert row.key == "Roster"
            assert page.marks.chosen == {"Roster"}
            await c.shows("Roster")


async def test_ascii_terminals_get_ascii_only(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    async with console() as c:
        for keys in (("space",), ("L",), ("escape", "question_mark"), ("escape", "s"), ("y",), ("escape", "H"), ("A",)):
            await c.press(*keys)
            assert c.text.isascii(), c.text
        await c.press("escape", "colon")
        await c.shows("Copy what is listed")
        assert c.text.isascii(), c.text


async def test_without_colour_everything_can_still_be_told(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console() as c:
        assert c.app.no_color
        assert c.app.native_ansi_color
        await c.press("L")
        assert [line.split("│")[1].split()[0] for line in c.lines if "completed with" in line] == ["●", "▲", "■"]


def test_no_terminal_is_declined_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    why = terminal.why_no_terminal()
    assert why is not None
    assert "\n" not in why
    assert "resync-tui objects" in why


def test_a_dumb_terminal_is_declined_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty:
        def isatty(self) -> bool:
            return True

    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, Tty())
    monkeypatch.setenv("TERM", "dumb")
    why = terminal.why_no_terminal()
    assert why is not None
    assert "dumb" in why
    monkeypatch.setenv("TERM", "xterm")
    assert terminal.why_no_terminal() is None


async def test_the_database_layer_is_imported_beside_the_event_loop(
    console: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing: list[str] = []
    monkeypatch.setattr(
        "resync_tui.screens.session.import_module",
        lambda name: importing.append(f"{name} {threading.current_thread().name}"),
    )
    async with console():
        assert len(importing) == 1
        assert importing[0].startswith("resync_tui.control.store ")
        assert threading.main_thread().name not in importing[0]


async def test_resizing_in_mid_run_keeps_cursor_marks_and_scroll(console: Opener) -> None:
    async with console((80, 24)) as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.store.claim(1)
        await c.press("escape")
        await c.press("G", *["k"] * 22, "space")
        page = c.app.screen
        assert isinstance(page, ChecklistPage)
        rows = page.rows()
        top, marked = rows.scroll_offset.y, page.marks.chosen
        assert top > 0
        assert rows.current is not None
        assert marked == {rows.current.key}
        for done, size in enumerate(((100, 24), (80, 28), (60, 15), (80, 24)), 1):
            await c.pilot.resize_terminal(*size)
            c.store.moves(1, "District", 100, 100, Counts(processed=done, unchanged=done))
            await c.until(lambda: [each.result.counts.processed for each in (page._last or {}).values()] == [done])  # noqa: B023
            assert {rows.current.key} == page.marks.chosen == marked
            await c.shows(f"{rows.current.key} needs ")
            await c.until(lambda: size[0] < 80 or rows.scroll_offset.y == top)  # noqa: B023
