"""Ranges: the cursor marks what it passes with Shift, in lists where several may be marked."""

import pytest

from resync_tui.screens.marking import MarkingPage
from resync_tui.screens.picker import Picker
from tests.support.screens import tour
from tests.support.screens.console import Console, Opener


def chosen(console: Console) -> set[str]:
    assert isinstance(console.app.screen, MarkingPage)
    return set(console.app.screen.marks.chosen)


@pytest.mark.parametrize(("down", "up"), [("J", "K"), ("shift+down", "shift+up")])
async def test_districts_are_picked_over_a_range(console: Opener, down: str, up: str) -> None:
    async with console(districts=tour.DISTRICTS) as c:
        await c.press("D", "g", "u", down, down)
        await c.shows("3 of ")
        await c.press(up)
        await c.shows("2 of ")
        await c.press("enter")
        await c.shows("+1 more")


async def test_a_range_keeps_what_was_picked_before(console: Opener) -> None:
    async with console(districts=tour.DISTRICTS) as c:
        await c.press("D", "g", "u", "G", "space", "g", "J")
        assert isinstance(c.app.screen, Picker)
        await c.shows("3 of ")
        await c.press("J")
        await c.press("K", "K")
        await c.shows("2 of ")


async def test_objects_are_marked_over_a_range(console: Opener) -> None:
    async with console() as c:
        await c.go("BehaviorType")
        await c.press("J", "J")
        await c.until(lambda: chosen(c) == {"BehaviorType", "BehaviorResolutionType", "BehaviorResponseType"})
        await c.press("K")
        await c.until(lambda: chosen(c) == {"BehaviorType", "BehaviorResolutionType"})
        await c.press("down", "down", "J")
        assert len(chosen(c)) == 4
