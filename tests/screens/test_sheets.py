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


@SIZES
async def test_help_says_what_the_program_is_and_is_for(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("question_mark", "end")
        await c.shows("who know the process")
        words = " ".join(" ".join(line.strip(" │█▇▆▅▄▃▂▁") for line in c.lines).split())
        for part in (
            "records to the state again",
            "It is asynchronous",
            "you are told when it has completed",
            "first load after a district goes live",
            "changes made by SQL outside the application",
            "as of now at reporting time",
            "may slow the systems down",
            "administrators who know the process",
        ):
            assert part in words
