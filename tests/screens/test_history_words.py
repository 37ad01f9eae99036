"""What lists say of a comparison, and of an outage."""

import pytest

from resync_tui.errors import CannotRun
from tests.support.screens.comparing import compared
from tests.support.screens.console import Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


@SIZES
async def test_a_comparison_is_no_red_resync_and_has_its_time(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await compared(c)
        await c.press("H")
        await c.shows("· compared")
        assert "■" not in c.text
        at = c.clock.now.astimezone()
        c.store.trouble = CannotRun("Cannot reach the control database", "Check the network.")
        c.clock.move(10)
        await c.shows(f"All is as of {at:%H:%M:%S}. Trying again. Check the network.")
