"""Wake-ups: wait until the queue or the status of an object has changed, at most for as long as a poll would.

They only end a wait early: whoever waits reads the control database afterwards, woken or not.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

import anyio
from sqlalchemy import func, select

from resync_tui.control.models import Tables
from resync_tui.databases.registry import driver_errors
from resync_tui.errors import CannotRun

if TYPE_CHECKING:
    import asyncpg

QUEUE = "dis_queue"
PROGRESS = "dis_progress"
"""PostgreSQL's channels, which triggers notify of a batch that waits or has ended, and of a batch or object that has
begun or ended; the payload is empty, as LISTEN needs no right."""
PROOF_SECONDS = 1.0
"""Time in which a notification must arrive to be relied on; through a pooler none does."""
CLOSE_SECONDS = 1.0
LISTEN_AGAIN_SECONDS = 30.0
"""Pause before another attempt to listen, after the connection broke or could not be opened."""

LOOK_SECONDS = 0.1
EAGER_LOOK_SECONDS = 0.05
"""Time between looks at a SQLite file: usually, and for some seconds after a change of the queue."""
EAGER_SECONDS = 10.0
REST = 2.0
MOST_REST_SECONDS = 0.1
"""Pause before a wait, in times of what was done since the last one, and at most."""
AT_ONCE = 4
AT_ONCE_PER_SECOND = 2.0
"""Number of waits without that pause, and how soon there are more: a send and its first object take three."""
CLOCK_TICK_NS = 20_000_000
"""Resolution of a file's times, at the worst: within it a second write leaves them as they are."""

TRANSITIONS = select(
    Tables.gate.c.changes, select(func.coalesce(func.sum(Tables.running.c.transitions), 0)).scalar_subquery()
)
"""Two numbers, of which each change of the queue and of an object's status changes one; their sum may stay."""


class Wake(ABC):
    """Wake-ups of one control database; one task at a time waits."""

    def __init__(self) -> None:
        self._ended: float | None = None
        """When the last wait ended."""
        self._at_once, self._counted = float(AT_ONCE), time.monotonic()
        """Number of waits without a pause that are left, and when it was counted."""

    async def wait(self, seconds: float) -> bool:
        """Wait for a change since the last wait, at most for these seconds; return whether there may be one.

        The first wait ends early, as what came before it is unknown. Whoever is woken again and again rests between
        two waits. Raises nothing: an outage is for who reads.
        """
        rest = min(seconds, self._rest())
        await anyio.sleep(rest)
        with anyio.move_on_after(seconds - rest):
            await self._change()
        self._ended = time.monotonic()
        return self._taken()

    def _rest(self) -> float:
        """Return the pause before a wait, in seconds."""
        now = time.monotonic()
        self._at_once = min(AT_ONCE, self._at_once + (now - self._counted) * AT_ONCE_PER_SECOND)
        self._counted = now
        if self._ended is None or self._at_once >= 1:
            self._at_once -= 1
            return 0.0
        return min(REST * (now - self._ended), MOST_REST_SECONDS)

    @abstractmethod
    async def _change(self) -> None:
        """Wait for a change."""

    @abstractmethod
    def _taken(self) -> bool:
        """Return whether there was a change, which from now on counts as known."""

    @abstractmethod
    async def close(self) -> None:
        """Stop listening."""


State: TypeAlias = tuple[tuple[int, int], ...]
"""Time of the last write, in ns, and size of each file."""


class FileWake(Wake):
    """Wake-ups of a SQLite file: its times and sizes are looked at, and where they differ `transitions` are read."""

    def __init__(self, file: Path, transitions: Callable[[], Awaitable[tuple[int, ...]]]) -> None:
        super().__init__()
        self._files = (file, file.with_name(f"{file.name}-wal"))
        self._transitions = transitions
        self._state: State | None = None
        self._seen: tuple[int, ...] | None = None
        self._changed = False
        self._eager_until = 0.0

    async def _change(self) -> None:
        while not self._changed:
            await self._look()
            if not self._changed:
                eager = time.monotonic() < self._eager_until
                await anyio.sleep(EAGER_LOOK_SECONDS if eager else LOOK_SECONDS)

    def _taken(self) -> bool:
        changed, self._changed = self._changed, False
        return changed

    async def close(self) -> None:
        """Nothing to do: no file is kept open."""

    async def _look(self) -> None:
        state = tuple(_state(file) for file in self._files)
        if state == self._state:
            return
        settled = time.time_ns() - max(written for written, _ in state) > CLOCK_TICK_NS
        self._state = state if settled else None
        with suppress(CannotRun):  # an outage: the next look, or the poll
            transitions = await self._transitions()
            if transitions != self._seen:
                self._seen, self._changed = transitions, True
                self._eager_until = time.monotonic() + EAGER_SECONDS


def _state(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


class NotifiedWake(Wake):
    """Wake-ups by PostgreSQL's NOTIFY, on a connection of its own; without one each wait takes its time."""

    def __init__(
        self,
        connect: "Callable[[], Awaitable[asyncpg.Connection]]",
        notify: Callable[[str], Awaitable[None]],
        channels: Sequence[str] = (QUEUE, PROGRESS),
    ) -> None:
        """`notify` notifies a channel by another connection: what a pooler hands back to its own proves nothing."""
        super().__init__()
        self._connect = connect
        self._notify = notify
        self._channels = channels
        self._heard = anyio.Event()
        self._connection: asyncpg.Connection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def _change(self) -> None:
        while not self._heard.is_set():
            if self._opening is None and self._connection is None and time.monotonic() >= self._not_before:
                self._opening = asyncio.create_task(self._open())
            with anyio.move_on_after(LISTEN_AGAIN_SECONDS):
                await self._heard.wait()

    def _taken(self) -> bool:
        heard = self._heard.is_set()
        if heard:
            self._heard = anyio.Event()
        return heard

    async def close(self) -> None:
        self._not_before = float("inf")
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._connection is not None:
            with suppress(OSError, *driver_errors()):
                await self._connection.close(timeout=CLOSE_SECONDS)

    async def _open(self) -> None:
        """Listen, and wake whoever waits: what came before is not known of. A pooler is never asked again."""
        self._not_before = time.monotonic() + LISTEN_AGAIN_SECONDS
        try:
            with suppress(OSError, CannotRun, *driver_errors()):
                if not await self._listens():
                    self._not_before = float("inf")
        finally:
            self._opening = None

    async def _listens(self) -> bool:
        connection = await self._connect()
        try:
            if not await self._proven(connection):
                return False
            for channel in self._channels:
                await connection.add_listener(channel, self._hear)
            connection.add_termination_listener(self._lost)
            self._connection = connection
            self._hear()
            return True
        finally:
            if self._connection is not connection:
                connection.terminate()

    async def _proven(self, connection: "asyncpg.Connection") -> bool:
        channel, arrived = f"{QUEUE}_{uuid4().hex}", anyio.Event()

        def arrive(*_notification: Any) -> None:
            arrived.set()

        await connection.add_listener(channel, arrive)
        await self._notify(channel)
        with anyio.move_on_after(PROOF_SECONDS):
            await arrived.wait()
            await connection.remove_listener(channel, arrive)
        return arrived.is_set()

    def _hear(self, *_notification: Any) -> None:
        self._heard.set()

    def _lost(self, *_connection: Any) -> None:
        self._connection = None
        self._heard.set()
