"""Every key of every screen's help: pressed, and what it shows. A key without a line here fails."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.screen import Screen

from resync_tui.screens.agents import AgentLogPage, AgentsPage
from resync_tui.screens.alerts import AlertsPage
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.board import BoardPage
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.extra import ExtraPage
from resync_tui.screens.fields import FieldsPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.keys import KeysPage
from resync_tui.screens.page import Page
from resync_tui.screens.previous_run import ComparePage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.verification import FindingKeysPage, FindingsPage
from tests.support.screens import tour
from tests.support.screens.comparing import compared
from tests.support.screens.console import Console, Opener

UNDO: dict[tuple[type[Page], str], tuple[str, ...]] = {
    (ChecklistPage, "space"): ("space",),
    (ChecklistPage, "a"): ("u",),
    (ChecklistPage, "d"): ("d",),
    (ChecklistPage, "left"): ("right",),
    (ChecklistPage, "h"): ("l",),
    (ChecklistPage, "right"): ("g",),
    (ChecklistPage, "l"): ("g",),
    (ChecklistPage, "slash"): ("escape",),
    (AlertsPage, "slash"): ("escape",),
    (HistoryPage, "slash"): ("escape",),
    (FieldsPage, "slash"): ("escape",),
    (ErrorsPage, "slash"): ("escape",),
    (ErrorsPage, "o"): ("escape",),
    (KeysPage, "slash"): ("escape",),
    (HistoryPage, "o"): ("escape",),
}
"""What takes back a key that changed the screen it was pressed on."""

Reach = Callable[[Console], Awaitable[None]]

EVERYWHERE = {
    "c": "Copied, and written to",
    "O": "That is this screen.",
    "p": "Batch #",
    "H": " History ",
    "exclamation_mark": " Process Alerts ",
    "B": " Board ",
    "A": " Agent Queue ",
    "F": " Synchronization Field Settings ",
    "S": "Nothing waits for an agent",
    "L": "completed with no errors",
    "colon": "part of a command",
    "question_mark": "Move in a list",
}
CHECKLIST = EVERYWHERE | {
    "space": "1 marked + 0 required",
    "a": "all 49 marked: full resync",
    "u": "0 marked + 0 required",
    "d": "Check dependencies OFF",
    "slash": "part of a name; Enter keeps",
    "n": "Nothing to find",
    "N": "Nothing to find",
    "left": "►District",
    "h": "►District",
    "right": "School needs District",
    "l": "School needs District",
    "s": "Nothing is marked",
    "v": "Only compares: nothing is changed",
    "enter": "Parents      no parent dependencies",
    "e": "No record was refused",
    "D": "Select Districts  1 of",
    "Y": "Resync Data For The Current School Year (2025-2026)",
    "X": "Compare first: v",
}


async def ended(c: Console) -> None:
    """The second of two runs, as it ended."""
    await tour.two_runs(c)


def then(first: Reach, *keys: str) -> Reach:
    """Go somewhere, and press keys there."""

    async def reach(c: Console) -> None:
        await first(c)
        for key in keys:
            before = c.app.screen
            await c.press(key)
            await c.until(lambda: c.app.screen is not before)  # noqa: B023
            await c.pilot.pause(0.1)

    return reach


async def checklist(c: Console) -> None:
    """The checklist after two runs."""
    await tour.two_runs(c)
    await tour.back(c)
    await c.press("g")


async def alerts(c: Console) -> None:
    """One alert."""
    c.store.alerts.post("State Resync Requested")
    await c.press("exclamation_mark")
    await c.shows("1 alert, 1 unread")


async def found(c: Console) -> None:
    """What a comparison of School found."""
    await compared(c)
    await c.press("f")
    await c.shows("A resync is needed")
    await c.press("end")


SCREENS: list[tuple[type[Page], Reach, dict[str, str]]] = [
    (ChecklistPage, checklist, CHECKLIST),
    (
        ProgressPage,
        ended,
        {
            "e": "5 records refused",
            "f": "This is no comparison",
            "r": "[x] School",
            "b": "1 error more",
            "x": "nothing to cancel",
        },
    ),
    (
        ErrorsPage,
        then(ended, "e"),
        {
            "enter": "new schoolID 6",
            "slash": "part of an object, table, reason or key",
            "o": "Filter: excluded",
            "r": "[x] School",
            "w": "2 rows written to",
        },
    ),
    (
        KeysPage,
        then(ended, "e", "enter"),
        {
            "enter": "SELECT",
            "slash": "part of a key; Enter keeps",
            "w": "2 rows written to",
            "C": "Copied, and written to",
        },
    ),
    (ComparePage, then(ended, "b"), {"w": "3 rows written to"}),
    (
        HistoryPage,
        then(checklist, "H"),
        {
            "enter": "Batch #2",
            "slash": "part of a district; Enter keeps",
            "o": "Filter: queued or running",
            "b": "1 error more",
            "w": "2 rows written to",
        },
    ),
    (AgentsPage, then(ended, "A"), {"enter": " Agent Log "}),
    (FieldsPage, then(checklist, "F"), {"slash": "part of an object, table, column or rule"}),
    (AgentLogPage, then(ended, "A", "enter"), {}),
    (
        AlertsPage,
        alerts,
        {
            "space": "1 alert, 1 marked, 1 unread",
            "u": "1 alert, 1 unread",
            "a": "1 alert, 1 marked, 1 unread",
            "R": "Delete this alert from your list?",
            "o": "Filter: Vertical Interoperability",
            "t": "Date Range",
            "slash": "part of a name; Enter keeps",
            "enter": "Esc closes",
            "m": "0 unread",
        },
    ),
    (
        BoardPage,
        then(checklist, "B"),
        {"enter": "Batch #2", "o": "Filter: lacks", "r": "No district has failed", "w": "3 rows written to"},
    ),
    (
        FindingsPage,
        found,
        {"enter": "SchoolID 11", "s": "[x] School", "X": "4 extra records", "w": "9 rows written to"},
    ),
    (FindingKeysPage, then(found, "enter"), {}),
    (ExtraPage, then(found, "X"), {"R": "deleted for good"}),
]


def keys_of(page: Page) -> set[str]:
    """Return the keys that the help of a screen lists."""
    bindings = [active.binding for active in page.active_bindings.values()]
    return {each.key for each in bindings if each.show} - {"escape", "q", "ctrl+p"}


async def home(c: Console, page: Screen[Any]) -> None:
    """Close what opened over a screen."""
    while c.app.screen is not page:
        before = c.app.screen
        await c.press("escape")
        await c.until(lambda: c.app.screen is not before)  # noqa: B023


@pytest.mark.parametrize(("kind", "reach", "shows"), SCREENS, ids=lambda each: getattr(each, "__name__", ""))
async def test_every_key_of_the_help_does_what_it_says(
    console: Opener,
    kind: type[Page],
    reach: Reach,
    shows: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("resync_tui.paths.log_path", lambda _: tmp_path / "agent.log")
    async with console(districts=tour.DISTRICTS) as c:
        await reach(c)
        page = c.app.screen
        assert isinstance(page, kind)
        assert keys_of(page) == set(EVERYWHERE) | set(shows)
        for key, text in shows.items():
            await c.press(key)
            await c.shows(text)
            await home(c, page)
            await c.press(*UNDO.get((kind, key), ()))


async def test_escape_and_q_leave(console: Opener) -> None:
    async with console() as c:
        await c.press("H", "escape")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))
        await c.press("q")
        await c.until(lambda: c.app.return_code is not None)


async def test_the_keys_that_move_reach_every_row(console: Opener) -> None:
    async with console() as c:
        page = c.app.screen
        assert isinstance(page, ChecklistPage)
        rows, names = page.rows(), [row.key for row in page.rows().values]
        high = rows.size.height - 1
        for keys, at in (
            (("down", "j"), 2),
            (("up", "k"), 0),
            (("G",), len(names) - 1),
            (("g",), 0),
            (("end",), len(names) - 1),
            (("home",), 0),
            (("pagedown",), high),
            (("ctrl+f",), 2 * high),
            (("ctrl+b",), high),
            (("pageup",), 0),
        ):
            await c.press(*keys)
            assert rows.current is not None
            assert rows.current.key == names[at]


def test_no_key_is_bound_without_a_description() -> None:
    for bindings in (ResyncApp.BINDINGS, *(kind.BINDINGS for kind, _, _ in SCREENS)):
        assert all(isinstance(each, Binding) and each.description for each in bindings)
