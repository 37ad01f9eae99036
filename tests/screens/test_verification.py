"""Comparing (verify) before and after, extra records, and their removal."""

import pytest

from resync_tui.outcome import Counts, Finding, Purpose
from resync_tui.screens.confirm import Question, TypedQuestion
from resync_tui.screens.extra import ExtraPage
from resync_tui.screens.verification import FindingsPage
from tests.support.screens.comparing import compared
from tests.support.screens.console import Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])


@SIZES
async def test_comparison_says_if_a_resync_is_needed_and_can_send_it(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await compared(c)
        await c.until(lambda: "Batch #1" in c.lines[0])
        await c.shows("different 3")
        await c.press("f")
        await c.until(lambda: isinstance(c.app.screen, FindingsPage))
        await c.shows("A resync is needed: 3 different, 2 missing in the state.")
        assert c.line("School ").split()[:7] == ["School", "95", "3", "2", "4", "0", "0"]
        await c.press("end", "enter")
        await c.shows("SchoolID 21")
        assert c.line("SchoolID 31").startswith("extra")
        await c.press("escape", "s")
        await c.until(lambda: isinstance(c.app.screen, Question))
        await c.press("y")
        await c.sent(2)
        assert c.batches[1].purpose is Purpose.RESYNC
        assert [each.object for each in c.batches[1].objects] == ["District", "School"]


async def test_where_nothing_differs_no_resync_is_needed(console: Opener) -> None:
    async with console() as c:
        await c.press("v", "y")
        await c.sent()
        assert [each.object for each in c.batches[0].objects] == ["District"]
        c.complete(1)
        await c.shows("COMPLETED")
        await c.press("f")
        await c.shows("No resync is needed")
        await c.press("s")
        await c.shows("nothing to send")


async def test_records_of_another_year_are_told_and_listed(console: Opener) -> None:
    async with console() as c:
        await c.press("v", "y")
        await c.sent()
        c.store.finds(1, "District", Finding.MOVED, 3, 4)
        c.complete(1)
        await c.shows("COMPLETED")
        await c.press("f")
        await c.shows("2 of the state's records moved to another year: send that year.")
        await c.press("enter")
        await c.shows("DistrictID 4")
        assert c.line("DistrictID 4").startswith("moved")


async def test_comparing_leaves_the_dots_and_the_marks(console: Opener) -> None:
    async with console() as c:
        await compared(c)
        await c.press("escape")
        await c.shows("1 marked + 1 required")
        assert "●" not in c.text


@SIZES
async def test_extra_records_are_removed_only_after_preview_and_typing(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("X")
        await c.shows("Compare first: v")
        await compared(c)
        await c.press("escape", "X")
        await c.until(lambda: isinstance(c.app.screen, ExtraPage))
        await c.shows("School: 4 extra records")
        await c.shows("SchoolID 34")
        await c.press("R")
        await c.until(lambda: isinstance(c.app.screen, TypedQuestion))
        await c.shows("deleted for good")
        await c.press("y", "enter")
        await c.press("R", *"remove 3", "enter")
        await c.press("R", "enter")
        assert len(c.batches) == 1
        await c.press("R", *"remove 4", "enter")
        await c.sent(2)
        assert (c.batches[1].purpose, c.batches[1].preview) == (Purpose.REMOVE_EXTRA, 1)
        assert [each.object for each in c.batches[1].objects] == ["School"]
        await c.shows("Batch #2")
        c.complete(2, {"School": Counts(processed=4, removed=4)})
        await c.shows("removed 4")


@SIZES
async def test_extra_records_show_in_the_results_and_the_detail(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.store.finds(1, "District", Finding.EXTRA, 77)
        c.complete(1, {"District": Counts(processed=5, unchanged=5, extra=1)})
        await c.shows("COMPLETED")
        await c.press("escape")
        await c.until(lambda: " 1 ●   ok" in c.line("▼District" if size[0] < 96 else "▼ District"))
        await c.shows("Errors Extra Status" if size[0] < 96 else " Extra: 1 ●")
        await c.press("enter")
        await c.shows("Batch #1")
        await c.press("end")
        await c.shows("Extra records, which only the state has")
        await c.shows("DistrictID 77")


@SIZES
async def test_moved_records_stand_beside_those_that_differ(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await compared(c)
        c.store.finds(1, "School", Finding.MOVED, 41, 42)
        await c.press("f")
        await c.shows("A resync is needed: 3 different, 2 missing, 2 moved to another year.")
        assert c.line("School  ").split()[1:7] == ["95", "3", "2", "2", "4", "0"]
