"""Bursts of random keys, to every screen and every question: whatever they do, none of them breaks.

`RESYNC_TUI_TEST_BURSTS` is how many each gets, `RESYNC_TUI_TEST_SEED` which ones.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from textual.screen import Screen

from resync_tui.outcome import Finding, Kind
from resync_tui.results import ErrorGroup
from resync_tui.screens.agents import AgentLogPage, AgentsPage
from resync_tui.screens.alerts import AlertsPage
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.board import BoardPage
from resync_tui.screens.confirm import TypedQuestion
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.extra import ExtraPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.keys import KeysPage
from resync_tui.screens.page import Page
from resync_tui.screens.previous_run import ComparePage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.sheets import SmallScreen
from resync_tui.screens.verification import FindingKeysPage, FindingsPage
from resync_tui.screens.widgets.line import plain
from tests.support.every_screen import pages
from tests.support.screens import tour
from tests.support.screens.comparing import DIFFERENT
from tests.support.screens.console import Console, Opener

BURSTS = int(os.environ.get("RESYNC_TUI_TEST_BURSTS", "2"))
SEED = int(os.environ.get("RESYNC_TUI_TEST_SEED", "2026"))
LONGEST = 12
COMMON = ("y", "n", "q", "escape", "enter", "space", "tab", "up", "down", "j", "k", "G", "a", "x", "1", "backspace")
GROUP = ErrorGroup("School", "School", Kind.REJECTED, tour.REASON, 2)

Opens = Callable[[Console], Screen[Any]]


def page(kind: Callable[..., Page], *about: object) -> Opens:
    """Return what makes a full screen."""
    return lambda c: kind(c.app.session, c.app.glyphs, *about)


SCREENS: dict[str, tuple[Opens | None, Sequence[str]]] = {
    "checklist": (None, ()),
    "filter": (None, ("slash",)),
    "send": (None, ("a", "s")),
    "compare": (None, ("v",)),
    "districts": (None, ("D",)),
    "its filter": (None, ("D", "slash")),
    "years": (None, ("Y",)),
    "legend": (None, ("L",)),
    "help": (None, ("question_mark",)),
    "detail": (None, ("enter",)),
    "palette": (None, ("colon",)),
    "typed": (lambda _: TypedQuestion("Remove 2 records?", [plain("For good.")], "remove 2"), ()),
    "small": (lambda _: SmallScreen(), ()),
    "history": (page(HistoryPage), ()),
    "history's filter": (page(HistoryPage), ("slash",)),
    "request": (page(HistoryPage, 1), ()),
    "progress": (page(ProgressPage, 2), ()),
    "cancel": (page(ProgressPage, 4), ("x",)),
    "retry": (page(ProgressPage, 2), ("r",)),
    "errors": (page(ErrorsPage, 2), ()),
    "keys": (page(KeysPage, 2, GROUP, 1), ()),
    "run before": (page(ComparePage, 2), ()),
    "findings": (page(FindingsPage, 3), ()),
    "finding's keys": (page(FindingKeysPage, 3, "School"), ()),
    "extra": (page(ExtraPage, 3), ()),
    "remove": (page(ExtraPage, 3), ("R",)),
    "agents": (page(AgentsPage), ()),
    "agent log": (page(AgentLogPage), ()),
    "alerts": (page(AlertsPage), ()),
    "delete": (page(AlertsPage), ("x",)),
    "board": (page(BoardPage), ()),
}


def some_keys(c: Console, random: Random) -> list[str]:
    """Return a burst of the keys that do something here, and of answers."""
    bound = sorted(each for each in {*c.app.screen.active_bindings, *COMMON} if each != "ctrl+c")
    return random.choices([*bound, *COMMON], k=random.randint(2, LONGEST))


async def everything(c: Console) -> None:
    """Two runs with errors, a comparison that found something, a batch that waits, and an alert."""
    await tour.two_runs(c)
    await tour.back(c)
    await c.go("School")
    await c.press("space", "v", "y")
    await c.sent(3)
    c.store.finds(3, "School", Finding.DIFFERENT, 11, 12)
    c.store.finds(3, "School", Finding.EXTRA, 31, 32)
    c.complete(3, {"School": DIFFERENT})
    await c.shows("COMPLETED")
    await tour.back(c)
    await c.press("u", "space", "s", "y")
    await c.sent(4)
    c.store.alerts.post("State Resync Requested")
    await tour.back(c)


async def home(c: Console) -> None:
    """Take away all that stands over the checklist, and its filter."""
    while len(c.app.screen_stack) > 1:
        await c.app.pop_screen()
    await c.pilot.pause(0)
    await c.press("escape")


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_no_burst_of_keys_breaks_a_screen(
    console: Opener, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stays(_: ResyncApp) -> None:
        pass

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("resync_tui.paths.log_path", lambda _: tmp_path / "agent.log")
    monkeypatch.setattr(ResyncApp, "action_quit", stays)
    random, seen = Random(SEED), set[str]()
    async with console(size, districts=tour.DISTRICTS) as c:
        await everything(c)
        for name, (opens, keys) in SCREENS.items():
            await home(c)
            if opens is not None:
                await c.app.push_screen(opens(c))
                await c.pilot.pause(0)
            await c.press(*keys)
            seen.add(type(c.app.screen).__name__)
            for _ in range(BURSTS):
                burst = some_keys(c, random)
                await c.burst(*burst)
                assert c.app.caught == 0, (name, burst)
                assert c.app.return_code is None, (name, burst)
                await c.until(lambda: not c.app.gate.closed)
        assert {each.__name__ for each in pages()} - seen == {"MarkingPage", "SendingPage"}
