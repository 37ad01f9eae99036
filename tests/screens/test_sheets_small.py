"""What stands on a terminal that is too small."""

from tests.support.screens.console import Opener


async def test_nothing_of_the_screen_is_left_under_the_message(console: Opener) -> None:
    async with console() as c:
        await c.pilot.resize_terminal(50, 12)
        await c.shows("Terminal too small")
        assert c.text.split() == ["Terminal", "too", "small", "50x12,", "needs", "60x15", "q", "quits"]
        await c.pilot.resize_terminal(80, 24)
        await c.shows("Subscribed Data Elements")
