"""A console over a fake of the control database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.screens.console import Console, Opener, opener


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open a console: `console(size=(80, 24), edition="state", …)`; it ends with as many caught faults as expected."""
    opens = opener(monkeypatch)

    @asynccontextmanager
    async def opened(*arguments: Any, caught: int = 0, **chosen: Any) -> AsyncIterator[Console]:
        async with opens(*arguments, **chosen) as made:
            yield made
            assert made.app.caught == caught, made.text

    return opened
