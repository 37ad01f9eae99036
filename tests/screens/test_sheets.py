"""The detail of an object lists the fields that the state owns (documents: "Synchronization Field Settings")."""

import pytest

from tests.support.screens.console import Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])


@SIZES
async def test_the_fields_that_the_state_owns_are_listed(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.go("Enrollment")
        await c.press("enter")
        await c.shows("State's own")
        assert "Enrollment.stateNote" in c.line("State's own")
        await c.press("escape")
        await c.until(lambda: "State's own" not in c.text)
        await c.go("School")
        await c.press("enter")
        await c.shows("School year  ")
        assert "State's own" not in c.text
