"""A small real site."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from tests.support.screens import live


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
