"""What happened meanwhile takes rows of its own: it covers none, wherever the user is."""

import pytest

from resync_tui.outcome import Counts
from resync_tui.screens.confirm import Question
from resync_tui.screens.gate import SAID
from resync_tui.screens.page import Page
from resync_tui.screens.widgets.news import News
from tests.support.screens.console import Opener

SIZES = pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)], ids=["60x15", "80x24", "120x40"])
TOLD = "Resync of Abbott (01): done, 3 errors"


@SIZES
async def test_the_last_row_of_a_list_stays_in_sight(console: Opener, size: tuple[int, int]) -> None:
    async with console(size, announces=True) as c:
        await c.press("space", "s", "y")
        await c.sent()
        await c.press("escape", "G")
        page = c.app.screen
        assert isinstance(page, Page)
        last, rows = page.rows().values[-1].key, page.rows().size.height
        c.complete(1, {"District": Counts(processed=9, unchanged=6, rejected=3)})
        await c.shows(TOLD)
        await c.until(lambda: page.rows().size.height == rows - 1)
        told = next(y for y, line in enumerate(c.lines) if TOLD in line)
        assert any(last in line for line in c.lines[:told])
        assert "Spc Mark" in c.lines[told + 1]


async def test_it_goes_after_its_time_and_gives_its_rows_back(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(announces=True) as c:
        page = c.app.screen
        assert isinstance(page, Page)
        rows = page.rows().size.height
        c.app.announce("It has happened.", seconds=0.2)
        await c.shows("It has happened.")
        await c.until(lambda: "It has happened." not in c.text)
        await c.until(lambda: page.rows().size.height == rows)


async def test_it_follows_the_user_to_another_screen_and_into_a_question(console: Opener) -> None:
    async with console(announces=True) as c:
        c.app.announce("It has happened.", seconds=60)
        await c.press("H")
        await c.shows("It has happened.")
        await c.press("escape", "space", "s")
        await c.question(Question)
        await c.shows("It has happened.")
        await c.shows("any other key goes back")


async def test_what_nobody_could_see_waits_for_a_screen(console: Opener) -> None:
    async with console(announces=True) as c:
        await c.pilot.resize_terminal(50, 10)
        await c.shows("Terminal too small")
        c.app.announce("It has happened.", seconds=60)
        await c.pilot.resize_terminal(80, 24)
        await c.shows("It has happened.")


@SIZES
async def test_a_dropped_key_is_told_in_the_box_of_the_question(console: Opener, size: tuple[int, int]) -> None:
    async with console(size, announces=True) as c:
        await c.press("space")
        await c.burst("s", "y")
        await c.question(Question)
        await c.until(lambda: SAID in " ".join(c.text.replace("\u2502", " ").split()))
        await c.shows("any other key goes back")
        assert c.batches == []


async def test_of_many_the_newest_stand(console: Opener) -> None:
    async with console(announces=True) as c:
        for number in range(9):
            c.app.announce(f"Thing {number} has happened.", seconds=60)
        await c.shows("Thing 8 has happened.")
        assert [line[:7] for line in c.lines if "has happened" in line] == ["Thing 6", "Thing 7", "Thing 8"]
        assert len(c.app.screen.query_one(News).lines) == 3
