"""One batch under one lease: its attempts, its progress, its end."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import partial
from typing import TypeAlias

import anyio

from resync_tui.agent.log import line_of
from resync_tui.agent.progress import Ledger
from resync_tui.control.progress import Lease, Progress
from resync_tui.control.queue import Queue
from resync_tui.engine.events import Event, Report
from resync_tui.errors import (
    CannotRun,
    ConnectionLost,
    FenceAhead,
    LeaseLost,
    ResyncError,
    Unreachable,
    flatten,
    one_line,
)
from resync_tui.outcome import Status

_log = logging.getLogger(__name__)

PAUSES = (1, 2, 5, 15, 60)
"""Minutes until a campaign tries an unreachable district again, per put-off; the last one repeats."""

MAX_ATTEMPTS = 5
"""Attempts per claim of a batch that loses its connections or databases."""


@dataclass(frozen=True, slots=True)
class Work:
    """The engine's work under a lease; both callables raise ResyncError."""

    run: Callable[[Report], Awaitable[Status]]
    """Run the batch once; a cancelled one cleans up first."""
    clear: Callable[[], Awaitable[None]]
    """Drop what earlier claims of the district left in the state."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Intervals and limits; short in tests."""

    lease_seconds: float
    flush_seconds: float = 0.25
    """Interval between writes of progress."""
    apart_seconds: float = 0.1
    """The least such interval: an object's new status is not kept waiting longer."""
    retry_seconds: float = 2.0
    """Pause before the second attempt, in seconds; it doubles each time."""
    reach_again: int = 0
    """Number of put-offs of a campaign's unreachable district."""

    @property
    def work_seconds(self) -> float:
        """Seconds after a renewal in which data may be written: less than the lease, so that the clean-up fits in."""
        return self.lease_seconds * 5 / 6

    @property
    def beat_seconds(self) -> float:
        """Seconds between renewals of the lease."""
        return self.lease_seconds / 15


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The end of an attempt at an unreachable district: its batch is requeued for after a pause."""

    message: str
    pause: timedelta


Result: TypeAlias = tuple[Status, str] | RetryLater


class StopReason(Enum):
    """The reason why a batch is stopped from outside."""

    CANCEL = "cancelled"
    STOP = "the agent is asked to stop"
    LOST = "its lease is another agent's"


class BatchRun:
    """The run of one claimed batch; it never raises, so that no batch affects another."""

    def __init__(self, queue: Queue, lease: Lease, work: Work, timing: Timing, *, asked: float) -> None:
        """`asked`: when the claim was requested, in the event loop's time; the lease counts from then."""
        self.lease = lease
        self._queue = queue
        self._work = work
        self._timing = timing
        self._ledger = Ledger(lease.plan)
        self._writing = anyio.Lock()
        self._transition = anyio.Event()
        self._why: StopReason | None = None
        self._scope = anyio.CancelScope()
        self._at_work = True
        self._begun = lease.attempt > 1 and not lease.put_off
        self.ended = False
        """Whether the batch has ended, and its end was written."""
        self.renewed(asked)

    def renewed(self, asked: float) -> None:
        """Count the lease from the request for its renewal; the work stops by itself before the lease lapses."""
        self._scope.deadline = asked + self._timing.work_seconds

    def stop(self, why: StopReason) -> None:
        """Stop the work; the first reason counts, except that a lost lease overrides it."""
        if self._why is None or why is StopReason.LOST:
            self._why = why
        if self._at_work:
            self._scope.cancel()

    async def run(self) -> None:
        """Do the work, then write its end."""
        _log.info("attempt %d begins, %d objects", self.lease.attempt, len(self.lease.plan.objects))
        ending: Result | None = None
        with self._scope:
            if self.lease.cancel_requested:
                await self._clear()
                self.stop(StopReason.CANCEL)
            else:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._flush_for_ever)
                    ending = await self._attempts()
                    tasks.cancel_scope.cancel()
        self._at_work = False
        with anyio.CancelScope(shield=True):
            await self._write_end(ending)

    async def _clear(self) -> None:
        try:
            await self._work.clear()
        except ResyncError as error:
            _log.warning("the stage stays until the district's next batch: %s", one_line(error))

    async def _attempts(self) -> Result | None:
        pause = self._timing.retry_seconds
        troubles: list[str] = []
        for attempt in range(1, MAX_ATTEMPTS + 1):
            trouble = await self._attempt()
            if isinstance(trouble, Status):
                return trouble, ""
            if isinstance(trouble, LeaseLost):
                return await self._taken_over(trouble)
            troubles.append(one_line(trouble))
            if not self._may_retry(trouble) or attempt == MAX_ATTEMPTS:
                return self._give_up(trouble, " Before that: ".join(dict.fromkeys(reversed(troubles))))
            _log.warning("%s Another attempt in %g s", one_line(trouble), pause)
            await anyio.sleep(pause)
            pause *= 2
            if not await self._begin_again(one_line(trouble)):
                return None
        raise AssertionError("the last attempt returns")

    async def _taken_over(self, trouble: LeaseLost) -> Result | None:
        """Return the failure of a batch that no agent of this queue has taken over; else stop it."""
        if isinstance(trouble, FenceAhead):
            async with self._writing:
                if await self._persist(lambda: self._queue.exceed(self.lease, trouble.token)):
                    return Status.FAILED, one_line(trouble)
        self.stop(StopReason.LOST)
        return None

    def _may_retry(self, trouble: Exception) -> bool:
        """Whether another attempt may succeed; a database unreachable from the start is a failure at once."""
        return isinstance(trouble, ConnectionLost) or (isinstance(trouble, Unreachable) and self._begun)

    def _give_up(self, trouble: Exception, message: str) -> Result:
        times = self.lease.put_off
        out_of_reach = isinstance(trouble, Unreachable | ConnectionLost)
        if not (out_of_reach and self.lease.campaign and times < self._timing.reach_again):
            return Status.FAILED, message
        return RetryLater(message, timedelta(minutes=PAUSES[min(times, len(PAUSES) - 1)]))

    async def _attempt(self) -> Status | Exception:
        try:
            return await self._work.run(self._report)
        except Exception as error:  # noqa: BLE001 - a batch's trouble, whatever it is, is that batch's end only
            return _cause(error)

    async def _begin_again(self, message: str) -> bool:
        async with self._writing:
            self._ledger = Ledger(self.lease.plan)
            return await self._persist(lambda: self._queue.retry(self.lease, message))

    def _report(self, event: Event) -> None:
        self._begun = True
        self._ledger.add(event)
        if self._ledger.transitions:
            self._transition.set()
        if parts := line_of(event):
            _log.info("  ".join(parts))

    async def _flush_for_ever(self) -> None:
        timing = self._timing
        pause = timing.flush_seconds
        while True:
            with anyio.move_on_after(max(0, timing.flush_seconds - timing.apart_seconds)):
                await self._transition.wait()
            try:
                await self._flush()
                pause = timing.flush_seconds
                await anyio.sleep(timing.apart_seconds)
            except LeaseLost:
                self.stop(StopReason.LOST)
            except CannotRun:
                # The heartbeat reports the outage; pending changes stay pending.
                await anyio.sleep(pause)
                pause = min(pause * 2, timing.work_seconds / 4)

    async def _flush(self) -> None:
        self._transition = anyio.Event()
        async with self._writing:
            progress = self._ledger.pending()
            if progress == Progress():
                return
            if await self._queue.write(self.lease, progress):
                self.stop(StopReason.CANCEL)
            self._ledger.written(progress)

    async def _write_end(self, ending: Result | None) -> None:
        """Write the end: the engine's result, or the one that the stop demands."""
        lease = self.lease
        if self._why is StopReason.LOST:
            _log.warning("stopped, nothing more is written: %s", StopReason.LOST.value)
        elif ending is None and self._why is not StopReason.CANCEL:
            why = self._why.value if self._why else "its lease could not be renewed in time"
            _log.info("stopped and put back into the queue: %s", why)
            self._ledger.end(Status.CANCELLED, "")
            await self._persist(lambda: self._queue.release(lease, self._ledger.pending()))
        elif isinstance(ending, RetryLater) and self._why is not StopReason.CANCEL:
            _log.warning("%s Another try in %g min", ending.message, ending.pause.total_seconds() / 60)
            self._ledger.end(Status.CANCELLED, "")
            put_off = partial(self._queue.put_off, lease, ending.message, ending.pause)
            await self._persist(lambda: put_off(self._ledger.pending()))
        else:
            told_end = ending if isinstance(ending, tuple) else (Status.CANCELLED, "")
            status, message = self._ledger.end(*told_end)
            progress = self._ledger.pending()
            if await self._persist(lambda: self._queue.finish(lease, status, message, progress)):
                self.ended = True
                _log.info("  ".join(filter(None, (status.value, message))))

    async def _persist(self, write: Callable[[], Awaitable[None]]) -> bool:
        """Write until it succeeds or the lease is over; return whether it did."""
        pause = self._timing.flush_seconds
        while True:
            try:
                await write()
            except LeaseLost as error:
                self.stop(StopReason.LOST)
                _log.warning(one_line(error))
                return False
            except CannotRun as error:
                if anyio.current_time() + pause > self._scope.deadline:
                    _log.warning("left as it is, to be taken over: %s", one_line(error))
                    return False
                await anyio.sleep(pause)
                pause = min(pause * 2, self._timing.work_seconds / 8)
            else:
                return True


def _cause(error: Exception) -> Exception:
    """Return the decisive leaf of an exception group: a lost lease before a lost connection before any other error."""
    found = flatten(error)
    for kind in (LeaseLost, ConnectionLost, Unreachable, ResyncError):
        for leaf in found:
            if isinstance(leaf, kind):
                return leaf
    return found[0]
