"""Which batch `p` opens: the one that a list points at, else the picked districts' newest, one that runs first."""

import pytest

from resync_tui.outcome import Counts, Status
from resync_tui.plan import Request
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.progress import ProgressPage
from tests.support.plans import make_plan
from tests.support.screens.console import Console, Opener


async def three(c: Console) -> None:
    """An ended batch of the listed district, one of the other that runs, and a queued one of the other."""
    for district in ("01", "02", "02"):
        await c.store.submit(Request([district], make_plan("School"), initiator="state", requested_by="jdoe"))
    c.complete(1)
    c.store.claim(2)
    await c.until(lambda: c.app.session.running_batch())


async def opened(c: Console) -> int:
    await c.press("p")
    await c.until(lambda: isinstance(c.app.screen, ProgressPage))
    number: int = c.app.screen.number  # type: ignore[attr-defined]
    await c.press("escape")
    return number


async def test_the_checklist_opens_the_newest_of_the_picked(console: Opener) -> None:
    async with console() as c:
        await c.press("p")
        await c.shows("Nothing has been sent for this district yet.")
        await three(c)
        assert await opened(c) == 1
        await c.press("D", "a", "enter")
        assert await opened(c) == 2
        c.store.finishes(2)
        await c.until(lambda: not c.app.session.running_batch())
        assert await opened(c) == 3


@pytest.mark.parametrize(("key", "number"), [("A", 2), ("B", 1), ("H", 3)])
async def test_a_list_opens_what_it_points_at(console: Opener, key: str, number: int) -> None:
    async with console() as c:
        await three(c)
        await c.press(key)
        await c.shows("#3" if key != "B" else "#1")
        assert await opened(c) == number


async def test_a_request_over_districts_opens_what_runs(console: Opener) -> None:
    async with console() as c:
        await c.press("D", "a", "enter", "space", "s", "y")
        await c.sent(2)
        c.store.claim(1)
        await c.until(lambda: c.app.session.running_batch())
        await c.press("escape", "H")
        await c.until(lambda: isinstance(c.app.screen, HistoryPage))
        await c.shows("request 1: 2 districts")
        assert await opened(c) == 1


async def test_a_cancelled_batch_has_no_dot(console: Opener) -> None:
    async with console() as c:
        await c.go("School")
        await c.press("space", "s", "y")
        await c.sent()
        c.store.claim(1)
        c.store.ends(1, "District", Counts(processed=5, rejected=5))
        c.store.finishes(1, Status.CANCELLED)
        await c.press("H")
        await c.shows("· cancelled")
