"""When a screen has dealt with what was pressed."""

import pytest
from textual.pilot import Pilot

TURNS = 6
"""A key goes from the app to the screen to a widget, and what comes of it the same way back, one turn each."""


async def settled(pilot: Pilot[None]) -> None:
    """Wait until every widget has dealt with its messages, and with those that came of them."""
    for _ in range(TURNS):
        await pilot.pause(0)


def settles(pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Textual wait so after each key; by itself it takes a program for idle that is only kept waiting."""
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", lambda *_: settled(pilot), raising=False)
