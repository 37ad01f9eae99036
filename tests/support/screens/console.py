"""A console over a fake of the control database."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen

from resync_tui.outcome import Counts
from resync_tui.results import Batch
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.widgets.rows import Rows
from tests.support.screens import fake_store
from tests.support.screens.settled import settled
from tests.support.waiting import until


@dataclass
class Console:
    """A running TUI: press keys, read the screen, and do what an agent would do."""

    app: ResyncApp
    pilot: Pilot[None]
    store: fake_store.MemoryStore
    clock: fake_store.Clock

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, row by row."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return [strip.text for strip in strips]

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.lines)

    def line(self, part: str) -> str:
        """Return the first row that contains a text."""
        return next((line for line in self.lines if part in line), "")

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other; each is dealt with before the next one comes."""
        await self.pilot.press(*keys)
        await settled(self.pilot)

    async def burst(self, *keys: str) -> None:
        """Press keys that arrive in one read: nothing is dealt with before the last one is there."""
        for key in keys:
            event = Key(key, key if len(key) == 1 else " " if key == "space" else None)
            event.set_sender(self.app)
            self.app.post_message(event)
        await settled(self.pilot)

    async def question(self, kind: type[Screen[Any]]) -> None:
        """Wait until such a question stands on the screen."""
        await self.until(lambda: isinstance(self.app.screen, kind) and not self.app.gate.closed)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds; say what stands on the screen where it never does."""
        await until(condition, partial(self.pilot.pause, 0.02), lambda: self.text)

    async def shows(self, part: str) -> None:
        """Wait until a text stands on the screen."""
        await self.until(lambda: part in self.text)

    async def sent(self, count: int = 1) -> None:
        """Wait until so many batches have been sent, and the screen that follows the newest is in front."""
        followed = ProgressPage, HistoryPage
        await self.until(lambda: len(self.batches) == count and isinstance(self.app.screen, followed))

    async def go(self, name: str) -> None:
        """Put the cursor of the checklist on an object."""
        self.app.screen.query_one(Rows).go(name)
        await settled(self.pilot)

    @property
    def batches(self) -> list[Batch]:
        """What has been sent."""
        return list(self.store._batches)

    def complete(self, number: int, errors: dict[str, Counts] | None = None) -> None:
        """Let an agent run a batch to its end."""
        self.store.claim(number)
        for each in self.batches[number - 1].objects:
            counts = (errors or {}).get(each.object, Counts(processed=5, unchanged=5))
            self.store.moves(number, each.object, counts.processed, counts.processed, counts)
            self.store.ends(number, each.object, counts)
        self.store.finishes(number)


Opener = Callable[..., AbstractAsyncContextManager[Console]]
