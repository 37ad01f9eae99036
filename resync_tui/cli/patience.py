"""Patience with a control database that does not answer while a command waits for a batch: what runs there goes on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from resync_tui.errors import CannotRun
from resync_tui.results import Batch

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two attempts."""


class Patience:
    """Asks again until the control database answers; an outage is told once, and that it is over."""

    def __init__(self, batches: Sequence[Batch], tell: Callable[[str], None]) -> None:
        """`batches` are those that are waited for."""
        self._batches = batches
        self._tell = tell
        self._told = ""

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer. Raises what no other attempt can mend: UsageError, NoRight."""
        while True:
            try:
                answer = await ask()
            except CannotRun as error:
                if error.what != self._told:
                    self._told = error.what
                    self._tell(f"{self._name}: {error.what}. Trying again; it goes on by itself.")
                await anyio.sleep(PAUSE)
            else:
                if self._told:
                    self._told = ""
                    self._tell(f"{self._name}: the control database answers again.")
                return answer

    @property
    def _name(self) -> str:
        first, last = self._batches[0].batch, self._batches[-1].batch
        return f"Batch #{first}" if first == last else f"Batches #{first} to #{last}"
