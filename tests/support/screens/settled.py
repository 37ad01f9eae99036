"""When a screen has dealt with what was pressed."""

import pytest
from textual.app import App
from textual.pilot import Pilot

from resync_tui.screens.guarded import GuardedApp

PAINTS = 100
TURNS = 6
"""A key goes from the app to the screen to a widget, and what comes of it the same way back, one turn each."""


async def settled(pilot: Pilot[None]) -> None:
    """Wait until every widget has dealt with its messages, and with those that came of them."""
    for _ in range(TURNS):
        await pilot.pause(0)
    for _ in range(PAINTS):
        if not unseen(pilot.app):
            break
        await pilot.pause(0)


def unseen(app: App[None]) -> bool:
    """Whether a question has not been painted yet; a person waits for that."""
    return isinstance(app, GuardedApp) and app.is_running and not app._exit and app.gate.closed


def settles(pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Textual wait so after each key; by itself it takes a program for idle that is only kept waiting."""
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", lambda *_: settled(pilot), raising=False)
