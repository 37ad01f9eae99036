"""The question of a retry, and where the key is offered."""

import pytest

from resync_tui.outcome import Counts, Status
from resync_tui.screens.confirm import Question
from resync_tui.screens.picker import Picker
from tests.support.screens import tour
from tests.support.screens.comparing import compared
from tests.support.screens.console import Opener


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_question_says_what_is_retried_and_why(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.go("School")
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1, {"School": Counts(processed=9, unchanged=4, rejected=2, blocked=3, behind_exclusion=1)})
        await c.shows("COMPLETED")
        await c.press("r")
        await c.question(Question)
        await c.shows("Retry batch #1: 1 DIS object of school year 2025-26")
        assert "Only what failed is tried again, without what it depends on:" in c.text
        assert c.line("[x] School").split("School")[1].strip(" │█▁▔") == "2 rejected, 2 blocked"
        assert "Check dependencies" not in c.text.split("Retry batch")[1]
        assert "chosen" not in c.text
        await c.press("y")
        await c.sent(2)
        c.store.claim(2)
        c.store.finishes(2, Status.FAILED, "Cannot reach the district")
        await c.shows("FAILED")
        assert "r Retry failed" in c.text


async def test_nothing_to_retry_offers_no_key(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1)
        await c.shows("COMPLETED")
        assert "Retry failed" not in c.text
        await c.press("r")
        await c.shows("Nothing failed here")
        await c.press("B")
        await c.shows(" Board ")
        assert "Retry failed" not in c.text


async def test_a_comparison_offers_no_retry(console: Opener) -> None:
    async with console() as c:
        await compared(c)
        assert "Retry failed" not in c.text
        await c.press("r")
        await c.shows("Nothing failed here")


@pytest.mark.parametrize("key", ["D", "Y"])
async def test_help_opens_over_a_list_to_pick_from(console: Opener, key: str) -> None:
    async with console((120, 40), districts=tour.DISTRICTS) as c:
        await c.press(key)
        await c.question(Picker)
        await c.press("question_mark")
        await c.shows(" Help ")
        assert "Pick all" in c.text
        assert "Leave all as it was" in c.text
        assert "Mark all" not in c.text
        await c.press("escape")
        await c.shows("Esc leave")
