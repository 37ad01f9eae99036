"""What stands on a terminal that is too small."""

import pytest

from resync_tui.screens.widgets.rows import Rows
from tests.support.screens import tour
from tests.support.screens.console import Opener


async def test_nothing_of_the_screen_is_left_under_the_message(console: Opener) -> None:
    async with console() as c:
        await c.pilot.resize_terminal(50, 12)
        await c.shows("Terminal too small")
        assert c.text.split() == ["Terminal", "too", "small", "50x12,", "needs", "60x15", "q", "quits"]
        await c.pilot.resize_terminal(80, 24)
        await c.shows("Subscribed Data Elements")


@pytest.mark.parametrize("keys", [("a", "s"), ("L",), ("question_mark",), ("enter",)], ids="".join)
async def test_a_box_on_a_small_terminal_cuts_no_word(console: Opener, keys: tuple[str, ...]) -> None:
    async with console((60, 15), districts=tour.DISTRICTS) as c:
        c.app.session.choose("03", ("01", "02", "03"))
        await c.press(*keys)
        await c.until(lambda: c.app.screen.is_modal)
        rows = c.app.screen.query_one(Rows)
        assert all(sum(len(text) for text, _ in rows.line(each, rows.width)) <= rows.width for each in rows.values)
        await c.pilot.resize_terminal(100, 30)
        await c.until(lambda: c.app.screen.query_one(Rows).width > 60)
