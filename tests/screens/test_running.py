"""What runs, on the checklist: a panel beside the list, or a strip above the keys."""

import pytest

from resync_tui.outcome import Counts
from resync_tui.screens.checklist import ChecklistPage
from tests.support.screens.console import Console, Opener

NARROW = pytest.mark.parametrize("size", [(60, 15), (80, 24), (109, 30)], ids=["60x15", "80x24", "109x30"])
WIDE = pytest.mark.parametrize("size", [(110, 30), (120, 40)], ids=["110x30", "120x40"])


async def begin(c: Console) -> None:
    """Send all objects of the district; District runs, at half, School waits for it."""
    await c.press("a", "s", "y")
    await c.sent()
    c.store.claim(1)
    c.store.moves(1, "District", 50, 100, Counts(processed=50, unchanged=49, rejected=1))
    c.clock.move(10)
    await c.press("escape")
    await c.until(lambda: isinstance(c.app.screen, ChecklistPage))


@NARROW
async def test_a_narrow_checklist_has_a_strip_of_what_runs(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        assert "#1" not in c.text
        await begin(c)
        await c.shows("#1 RUNNING")
        await c.shows("Errors: 1")
        assert "District 50%" in c.text
        assert "more: p shows all" not in c.text
        assert all(len(line) <= size[0] for line in c.lines)
        c.store.finishes(1)
        await c.until(lambda: "#1 RUNNING" not in c.text)


@WIDE
async def test_a_wide_checklist_has_a_panel_of_what_runs(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        before = c.lines[4]
        await begin(c)
        await c.shows("│ #1 RUNNING 00:00:10")
        await c.shows("Errors: 1")
        await c.shows("after District")
        await c.shows("more: p shows all")
        row = next(line for line in c.lines if "│ ○ District" in line)
        assert row.rstrip().endswith("████░░░░  50%")
        assert all(len(line) <= size[0] for line in c.lines)
        c.store.finishes(1)
        await c.until(lambda: "│" not in c.text)
        assert c.lines[4].split()[:3] == before.split()[:3]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_p_opens_the_whole_of_what_runs(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await begin(c)
        await c.press("p")
        await c.shows("Batch #1")
        await c.shows("Overall 0/")


async def test_a_cancel_is_seen_where_it_runs(console: Opener) -> None:
    async with console((120, 40)) as c:
        await begin(c)
        await c.press("p", "x", "y", "escape")
        await c.shows("#1 CANCELLING")
