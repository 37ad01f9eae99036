"""Screens that are open are returned to, one key goes home, and a key without effect says why."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from resync_tui.campaign import Due, Scenario
from resync_tui.outcome import Status
from resync_tui.screens.checklist import ChecklistPage, due_line
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.progress import ProgressPage
from tests.support.screens import tour
from tests.support.screens.console import Console, Opener

SIZES = pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)], ids=["60x15", "80x24", "120x40"])


def stack(c: Console) -> list[str]:
    """Return the classes of the screens that are open."""
    return [type(each).__name__ for each in c.app.screen_stack]


async def ended(c: Console) -> None:
    """Two runs with errors, and the second one's screen in front."""
    await tour.two_runs(c)
    await c.until(lambda: isinstance(c.app.screen, ProgressPage))


async def test_an_open_screen_is_returned_to_not_stacked(console: Opener) -> None:
    async with console() as c:
        await ended(c)
        await c.press("e")
        await c.until(lambda: isinstance(c.app.screen, ErrorsPage))
        await c.press("H")
        await c.shows("2 batches")
        assert stack(c) == ["ChecklistPage", "ProgressPage", "ErrorsPage", "HistoryPage"]
        await c.press("enter")
        await c.until(lambda: stack(c) == ["ChecklistPage", "ProgressPage"])
        await c.shows("Batch #2")
        await c.press("H", "down", "enter")
        await c.shows("Batch #1")
        await c.press("p")
        await c.until(lambda: stack(c) == ["ChecklistPage", "ProgressPage"])
        await c.shows("Batch #2")
        await c.press("p")
        await c.shows("That is this screen.")


async def test_one_key_goes_home_from_anywhere(console: Opener) -> None:
    async with console() as c:
        await ended(c)
        await c.press("e", "H", "A", "O")
        await c.until(lambda: stack(c) == ["ChecklistPage"])
        await c.shows("DIS Objects")
        await c.press("O")
        await c.shows("That is this screen.")


@SIZES
@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (("r",), "r does nothing here. Progress, Errors, Board: Retry just what failed."),
        (("f5",), "f5 does nothing. ? lists the keys of this screen."),
        (("tab",), "tab does nothing."),
        (("H", "s"), "s does nothing here. DIS Objects, Compared: Send or request the resync."),
        (("H", "H"), "That is this screen."),
        (("G", "right"), "Nothing is under it."),
        (("h", "h"), "Nothing is above it."),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, tuple) else "",
)
async def test_a_key_without_effect_says_why(
    console: Opener, size: tuple[int, int], keys: Sequence[str], told: str
) -> None:
    async with console(size) as c:
        for key in keys:
            await c.press(key)
        await c.until(lambda: told in " ".join(c.text.split()))
        await c.press("j")
        await c.until(lambda: told not in " ".join(c.text.split()))


async def test_a_key_without_effect_in_a_box_says_why(console: Opener) -> None:
    async with console(announces=True, districts=tour.DISTRICTS) as c:
        await c.press("L", "z", "x")
        await c.shows("x does nothing here. Esc closes this.")
        assert "z does nothing" not in c.text
        await c.press("escape", "Y", "space")
        await c.shows("One is taken: by Enter, the one under the cursor.")


async def test_the_board_of_a_district_is_told_of(console: Opener) -> None:
    async with console(edition="district") as c:
        await c.press("B")
        await c.shows("The board is shown in the state's edition, over all districts.")


async def test_only_what_can_be_cancelled_offers_it(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        await c.shows("x Cancel")
        assert "Retry failed" not in c.text
        c.store.claim(1)
        await c.shows("RUNNING")
        await c.press("x")
        await c.shows("Cancel batch #1?")
        await c.press("y")
        await c.shows("CANCELLING")
        assert "x Cancel" not in c.text
        await c.press("x")
        await c.shows("It is being cancelled, as jdoe asked")
        c.store.finishes(1, Status.CANCELLED)
        await c.shows("CANCELLED")
        assert "x Cancel" not in c.text
        await c.press("x")
        await c.shows("nothing to cancel")
        assert isinstance(c.app.screen, ProgressPage)


@SIZES
async def test_a_district_filter_is_seen_while_it_holds(console: Opener, size: tuple[int, int]) -> None:
    async with console(size, districts=tour.DISTRICTS) as c:
        await c.press("D", "slash", *"unified")
        await c.shows("Filter: unified")
        await c.press("enter")
        await c.shows("Filter: unified")
        assert "Abbott" not in c.text
        await c.press("slash", *"xyz")
        await c.shows(": none is like that")
        await c.press("escape")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))
        await c.press("space", "s", "y")
        await c.sent()
        await c.press("H", "slash", *"xyz")
        await c.until(lambda: isinstance(c.app.screen, HistoryPage))
        await c.shows("No batch is like that. Esc clears the filters.")
        await c.shows("Filter: xyz")


async def test_a_pasted_filter_of_districts_picks_none(console: Opener) -> None:
    async with console(districts=tour.DISTRICTS) as c:
        await c.press("D")
        await c.burst("slash", *"camp", "enter")
        await c.shows("Filter: camp")
        await c.shows("1 of 3 picked")
        assert "Abbott" not in c.text


@SIZES
def test_when_the_last_full_resync_was_is_told_at_every_size(size: tuple[int, int]) -> None:
    owed, moment = Due(Scenario.END_OF_YEAR, date(2026, 6, 30)), datetime(2026, 3, 1, 12, tzinfo=UTC)
    for of_state, last, told in (
        (True, None, "Last full one: never"),
        (False, None, "from here: none yet"),
        (False, moment, "from here: 2026-03-01"),
    ):
        text = "".join(part for part, _ in due_line(owed, last, size[0], of_state=of_state)[0])
        assert text.endswith(told)
        assert len(text) <= size[0]
        assert ("Last full one asked for from here" in text) == (not of_state and size[0] > 60)
