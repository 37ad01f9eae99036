"""A console over a fake of the control database; and a small real site."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen

import resync_tui.screens.app
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.outcome import Counts
from resync_tui.results import Batch
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.widgets.rows import Rows
from tests.screens import fake_store, live
from tests.screens.settled import settled, settles

DEADLINE = 60.0


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
        end = monotonic() + DEADLINE
        while not condition():
            assert monotonic() < end, self.text
            await self.pilot.pause(0.02)

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


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open a console: `console(size=(80, 24), edition="state", …)`."""
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
        caught: int = 0,
        start: str | None = None,
        waits: bool = True,
        toasts: bool = False,
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
            start_agent=lambda: start,
            user="jdoe",
            clock=clock,
        )
        async with app.run_test(size=size, notifications=toasts) as pilot:
            settles(pilot, monkeypatch)
            made = Console(app, pilot, kept, clock)
            await settled(pilot)
            if waits and not kept.trouble:
                await made.until(lambda: app.session.ready)
            yield made
            assert app.caught == caught, made.text

    return opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A district whose one table is not yet in the state."""
    return live.build(tmp_path)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """The control database of that site; agents that were started on it end with the test."""
    opened = await Store.open(settings.control_url())
    try:
        yield opened
    finally:
        for agent in await opened.agents():
            with suppress(ProcessLookupError):
                os.kill(agent.pid, signal.SIGKILL)
        await opened.close()
