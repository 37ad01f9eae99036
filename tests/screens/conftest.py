"""A console over a fake of the control database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import resync_tui.screens.app
from resync_tui.screens.app import ResyncApp
from tests.support.screens import fake_store
from tests.support.screens.console import Console, Opener
from tests.support.screens.settled import settled, settles


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open a console: `console(size=(80, 24), edition="state", …)`."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(resync_tui.screens.app, "POLL_IDLE", 0.05)
    monkeypatch.setattr(resync_tui.screens.app, "POLL_ACTIVE", 0.05)
    monkeypatch.setattr(resync_tui.screens.app, "REST", 0.0)
    monkeypatch.setattr(resync_tui.screens.app, "CLOCK", 0.05)

    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = (80, 24),
        store: fake_store.MemoryStore | None = None,
        caught: int = 0,
        start: str | None = None,
        waits: bool = True,
        toasts: bool = False,
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
            start_agent=lambda: start,
            user=user,
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
