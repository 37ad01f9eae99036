"""A console over a fake of the control database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen

import resync_tui.screens.app
from resync_tui.outcome import Counts
from resync_tui.results import Batch
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.widgets.rows import Rows
from tests.support.screens import fake_store
from tests.support.screens.settled import settled, settles
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


def opener(monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Return what opens consoles: `console(size=(80, 24), edition="state", …)`."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(resync_tui.screens.app, "POLL_IDLE", 0.05)
    monkeypatch.setattr(resync_tui.screens.app, "POLL_ACTIVE", 0.05)
    monkeypatch.setattr(resync_tui.screens.app, "CLOCK", 0.05)

    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = (80, 24),
        store: fake_store.MemoryStore | None = None,
        start: str | None = None,
        waits: bool = True,
        announces: bool = False,
        start_agent: Callable[[], str | None] | None = None,
        user: str = "jdoe",
        **chosen: Any,
    ) -> AsyncIterator[Console]:
        clock = fake_store.Clock() if store is None else store.clock
        kept = store or fake_store.MemoryStore(clock)

        async def open_store() -> fake_store.MemoryStore:
            kept._answer()
            return kept

        app = ResyncApp(
            fake_store.settings(**chosen),
            fake_store.catalog(),
            open_store=open_store,
            start_agent=start_agent or (lambda: start),
            may_start=lambda: start_agent is not None,
            user=user,
            clock=clock,
        )
        if not announces:
            # They come and go with real time.
            monkeypatch.setattr(app, "announce", lambda *_: None)
        async with app.run_test(size=size) as pilot:
            settles(pilot, monkeypatch)
            made = Console(app, pilot, kept, clock)
            await settled(pilot)
            if waits and not kept.trouble:
                await made.until(lambda: app.session.ready)
            yield made

    return opened
