"""Bursts of random keys to every screen and every question, and the faults that the net caught meanwhile.

`python -m tests.support.screens.bursts` sends 200 to each at both sizes, 14,000 in all; `--times`, `--seed`.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
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
from resync_tui.screens.fields import FieldsPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.keys import KeysPage
from resync_tui.screens.page import Page
from resync_tui.screens.previous_run import ComparePage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.sheets import SmallScreen
from resync_tui.screens.verification import FindingKeysPage, FindingsPage
from resync_tui.screens.widgets.line import plain
from tests.support.screens import tour
from tests.support.screens.comparing import DIFFERENT
from tests.support.screens.console import Console, Opener, opener

SIZES = ((80, 24), (120, 40))
ROUNDS = 10
"""Times that a console takes each screen before a fresh one is opened, as each burst may send something."""
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
    "alert": (page(AlertsPage), ("enter",)),
    "delete": (page(AlertsPage), ("R",)),
    "dates": (page(AlertsPage), ("t",)),
    "board": (page(BoardPage), ()),
    "fields": (page(FieldsPage), ()),
    "fields' filter": (page(FieldsPage), ("slash",)),
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


@dataclass
class Tally:
    """How many bursts each screen has had, and which ones were followed by a fault."""

    bursts: Counter[tuple[str, tuple[int, int]]] = field(default_factory=Counter)
    """By the screen's name and the console's size."""
    kinds: set[str] = field(default_factory=set)
    """Classes of the screens that stood in front as a burst came."""
    faults: list[str] = field(default_factory=list)


def isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Keep all that the screens write in a folder, and the app open whatever is pressed."""

    async def stays(_: ResyncApp) -> None:
        pass

    patch.setenv("XDG_STATE_HOME", str(folder))
    patch.setattr("resync_tui.paths.log_path", lambda _: folder / "agent.log")
    patch.setattr(ResyncApp, "action_quit", stays)


async def bursts(console: Opener, size: tuple[int, int], times: int, random: Random, tally: Tally) -> None:
    """Send each screen so many bursts, each from its first state; a fault ends the console, and a fresh one goes on."""
    wanted = [name for _ in range(times) for name in SCREENS]
    while wanted:
        async with console(size, districts=tour.DISTRICTS, announces=True) as c:
            await everything(c)
            for name in wanted[: ROUNDS * len(SCREENS)]:
                wanted.pop(0)
                await _burst(c, name, size, random, tally)
                if c.app.caught or c.app.return_code is not None:
                    break


async def _burst(c: Console, name: str, size: tuple[int, int], random: Random, tally: Tally) -> None:
    opens, keys = SCREENS[name]
    await home(c)
    if opens is not None:
        await c.app.push_screen(opens(c))
        await c.pilot.pause(0)
    await c.press(*keys)
    tally.kinds.add(type(c.app.screen).__name__)
    pressed = some_keys(c, random)
    await c.burst(*pressed)
    tally.bursts[name, size] += 1
    if c.app.caught or c.app.return_code is not None:
        tally.faults.append(f"{name} at {c.app.size.width}x{c.app.size.height}: {' '.join(pressed)}")
    else:
        await c.until(lambda: not c.app.gate.closed)


def main() -> int:
    """Send the bursts, print what they came to, and return 1 after a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200, help="bursts for each screen, at each size")
    parser.add_argument("--seed", type=int, default=2026)
    chosen = parser.parse_args()
    tally = Tally()
    with TemporaryDirectory() as folder, chdir(folder), pytest.MonkeyPatch.context() as patch:
        isolate(patch, Path(folder))
        for number, size in enumerate(SIZES):
            asyncio.run(bursts(opener(patch), size, chosen.times, Random(chosen.seed + number), tally))
        log = Path(folder) / "resync-tui" / "errors.log"
        print(log.read_text("utf-8") if log.exists() else "", end="")
    least = min(tally.bursts[name, size] for name in SCREENS for size in SIZES)
    print(*tally.faults, sep="\n", end="\n" * bool(tally.faults))
    told = f"{tally.bursts.total():,} bursts, {least} or more for each of {len(SCREENS)} screens at each size"
    print(f"{told}: {len(tally.faults)} faults")
    return int(bool(tally.faults))


if __name__ == "__main__":
    sys.exit(main())
