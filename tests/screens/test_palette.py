"""Keys that come faster than the list of commands closes."""

from resync_tui.screens.history import HistoryPage
from resync_tui.screens.sheets import Sheet
from tests.support.screens.console import Opener


async def test_a_held_enter_runs_a_command_once(console: Opener) -> None:
    async with console() as c:
        await c.press("H", "colon", *"legend")
        await c.shows("Legend")
        await c.burst("enter", "enter", "enter")
        await c.until(lambda: isinstance(c.app.screen, Sheet))
        assert [type(each) for each in c.app.screen_stack[1:]] == [HistoryPage, Sheet]
        assert c.app.caught == 0
