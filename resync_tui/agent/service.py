"""The agent: claims batches, runs the engine, writes progress, renews the leases.

Any number of agents may serve one control database, on any hosts that reach it; each runs its batches concurrently.
"""

import logging
import os
import platform
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import anyio
from anyio.abc import TaskGroup

from resync_tui.agent.garbage import collect_if_grown
from resync_tui.agent.housekeeping import Housekeeping
from resync_tui.agent.job import engine_work, load_engine
from resync_tui.agent.log import AgentLog, about
from resync_tui.agent.opening import is_hopeless, open_control, pause_after
from resync_tui.agent.run import BatchRun, StopReason, Timing, Work
from resync_tui.agent.settings import FollowedSettings
from resync_tui.config.load import load_catalog
from resync_tui.config.settings import Settings
from resync_tui.control.liveness import HostLock
from resync_tui.control.progress import Lease
from resync_tui.control.queue import LEASE_SECONDS, AgentIdentity, Queue
from resync_tui.errors import CannotRun, ConfigError, LeaseLost, UntrustedPath, one_line
from resync_tui.paths import log_path
from resync_tui.rights import edition_of
from resync_tui.schedule import window_open

_log = logging.getLogger(__name__)

LEASE_VARIABLE = "RESYNC_TUI_LEASE_SECONDS"
"""Environment variable: seconds until a silent agent's lease lapses; all agents of a control database should agree."""
HOUR = 3600.0

WorkOf = Callable[[Settings, Lease], Work]


async def run_agent(
    settings: Settings,
    *,
    once: bool,
    idle_seconds: float | None,
    work_of: WorkOf | None = None,
    timing: Timing | None = None,
) -> None:
    """Serve the queue until stopped, until nothing is queued (`once`), or after `idle_seconds` without work.

    `work_of` and `timing` are for tests: the work, and its intervals. Raises CannotRun, NoRight or ConfigError if the
    control database cannot be used at the start; one out of reach is tried until it answers, or for `idle_seconds`.
    """
    timing = timing or Timing(_lease_seconds())
    load_catalog(settings)  # told before anything is begun
    url = settings.control_url()
    with AgentLog(log_path(url)).attached() as log:
        districts = tuple(each.id for each in settings.district)
        service = not once and idle_seconds is None
        identity = AgentIdentity(uuid4().hex, platform.node(), os.getpid(), districts, service)
        patience = max(5, timing.lease_seconds / 3)
        database = await open_control(settings, patience, once=once, idle_seconds=idle_seconds)
        lock = HostLock(url, identity.id)
        try:
            housekeeping = Housekeeping(settings, database, log)
            await housekeeping.apply_grants()
            try:
                lock.take()
            except (OSError, UntrustedPath) as error:
                why = error.what if isinstance(error, UntrustedPath) else error.strerror
                _log.warning("no host lock, so only its lease tells whether this agent is dead: %s", why)
            queue = Queue(database, identity, timing.lease_seconds)
            agent = _Agent(FollowedSettings(settings), queue, work_of or engine_work, timing, housekeeping)
            await agent.serve(once, idle_seconds)
        finally:
            await database.close()
            lock.release()


def _lease_seconds() -> float:
    written = os.environ.get(LEASE_VARIABLE, "")
    try:
        seconds = float(written or LEASE_SECONDS)
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= 3600:
        raise ConfigError(f"{LEASE_VARIABLE} is {written}, not 1 to 3600 seconds", "Mend or unset that variable.")
    return seconds


class _Agent:
    """One agent process: its claims, its heartbeat, its end."""

    def __init__(
        self,
        followed: FollowedSettings,
        queue: Queue,
        work_of: WorkOf,
        timing: Timing,
        housekeeping: Housekeeping,
    ) -> None:
        self._followed = followed
        self._queue = queue
        self._work_of = work_of
        self._timing = timing
        self._housekeeping = housekeeping
        self._runs: dict[int, BatchRun] = {}
        self._stopping = False
        self._wake = anyio.Event()
        self._outage = ""
        self._gave_up: CannotRun | None = None

    @property
    def _settings(self) -> Settings:
        return self._followed.current

    @property
    def _districts(self) -> tuple[str, ...]:
        return tuple(each.id for each in self._settings.district)

    async def serve(self, once: bool, idle_seconds: float | None) -> None:
        # From here on: an agent seen as registered may be sent a signal.
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            try:
                await self._queue.register()
            except CannotRun:
                if not await self._end_stopped():
                    raise
                await self._queue.register()
            _log.info("agent %d on %s begins, %d districts", os.getpid(), platform.node(), len(self._districts))
            try:
                await self._serve(once, idle_seconds, signals)
            except CannotRun as error:
                _log.error(one_line(error))
                raise
            finally:
                _log.info("agent %d ends", os.getpid())

    async def _serve(self, once: bool, idle_seconds: float | None, signals: AsyncIterator[signal.Signals]) -> None:
        async with anyio.create_task_group() as background:
            background.start_soon(self._heartbeat)
            background.start_soon(self._wake_on_changes)
            background.start_soon(self._housekeeping.prune_for_ever)
            background.start_soon(self._stop_on_signal, signals)
            retired = await self._claim_and_run(once, idle_seconds)
            background.cancel_scope.cancel()
        if self._gave_up is not None:
            raise self._gave_up
        if not retired:
            await self._queue.unregister()

    async def _claim_and_run(self, once: bool, idle_seconds: float | None) -> bool:
        """Return whether this agent has retired already."""
        failures, idle_since, retired = 0, anyio.current_time(), False
        async with anyio.create_task_group() as batches:
            while not self._stopping and not retired:
                self._wake = anyio.Event()
                try:
                    await self._follow()
                    await self._housekeeping.run_due()
                    if self._runs or await self._claim(batches):
                        idle_since = anyio.current_time()
                        while not self._stopping and await self._claim(batches):
                            pass
                    elif once or (idle_seconds is not None and anyio.current_time() - idle_since >= idle_seconds):
                        retired = await self._queue.retire(
                            self._districts, due_only=once, window_open=self._window_open()
                        )
                    failures, self._outage = 0, ""
                except CannotRun as error:
                    failures += 1
                    self._tell_outage(error)
                    await self._end_stopped()
                    idle = anyio.current_time() - idle_since
                    hopeless = is_hopeless(failures, idle, once=once, idle_seconds=idle_seconds)
                    if hopeless and not self._runs:
                        self._gave_up = error
                        break
                if not retired:
                    await self._pause(failures)
            for run in self._runs.values():
                run.stop(StopReason.STOP)
        return retired

    async def _follow(self) -> None:
        """Reload resync.toml if it has changed."""
        if self._followed.changed():
            await self._queue.serves(self._districts)
            await self._housekeeping.reload(self._settings)

    async def _claim(self, batches: TaskGroup) -> bool:
        limit, is_open = self._settings.engine.districts, self._window_open()
        if not await self._queue.peek(self._districts, limit, window_open=is_open):
            load_engine()
            return False
        asked = anyio.current_time()
        lease = await self._queue.claim(self._districts, limit, window_open=is_open)
        if lease is None:
            return False
        if not lease.cancel_requested and (why := await self._queue.refusal(lease)) is not None:
            why = edition_of(self._settings).says(why)
            with _about(lease):
                _log.warning("refused: %s", why)
            with suppress(LeaseLost):
                await self._queue.refuse(lease, why)
            return True
        work = self._work_of(self._settings, lease)
        timing = replace(self._timing, reach_again=self._settings.engine.reach_again)
        run = self._runs[lease.batch] = BatchRun(self._queue, lease, work, timing, asked=asked)
        batches.start_soon(self._run, run)
        return True

    def _window_open(self) -> bool:
        """Whether scheduled batches may start, by this host's local time."""
        return window_open(self._settings.engine.window, datetime.now().astimezone())

    def _is_hidden(self, lease: Lease) -> bool:
        """Whether the log may only say that it ran: a district may read its agent's log, not the state's requests."""
        return self._settings.edition == "district" and lease.initiator == "state"

    async def _run(self, run: BatchRun) -> None:
        hidden, says = self._is_hidden(run.lease), edition_of(self._settings).says
        try:
            with _about(run.lease):
                if hidden:
                    _log.info(says("the state's request begins"))
                with about(hidden=hidden):
                    await run.run()
                if hidden:
                    _log.info(says("the state's request ends"))
        finally:
            del self._runs[run.lease.batch]
            self._wake.set()
        if run.ended and not hidden:
            await self._housekeeping.notify(run.lease.batch)
        collect_if_grown()

    async def _pause(self, failures: int) -> None:
        """Wait for the next poll of the queue; a batch's end or a signal ends the wait."""
        with anyio.move_on_after(pause_after(failures)):
            await self._wake.wait()

    async def _wake_on_changes(self) -> None:
        """End a pause as soon as the queue changes; without a word of it, polls go on."""
        while True:
            if await self._queue.wait(HOUR):
                self._wake.set()

    async def _heartbeat(self) -> None:
        last = anyio.current_time()
        while True:
            await anyio.sleep(self._timing.beat_seconds)
            asked, runs = anyio.current_time(), list(self._runs.values())
            if not runs and asked - last < self._timing.lease_seconds / 3:
                continue
            try:
                held = await self._queue.renew([run.lease for run in runs])
                last = asked
            except CannotRun as error:
                self._tell_outage(error)
                continue
            _log.debug("%d of %d leases renewed", len(held), len(runs))
            for run in runs:
                wanted = held.get(run.lease.batch)
                if wanted is None:
                    run.stop(StopReason.LOST)
                    continue
                run.renewed(asked)
                if wanted:
                    run.stop(StopReason.CANCEL)

    async def _stop_on_signal(self, signals: AsyncIterator[signal.Signals]) -> None:
        async for number in signals:
            _log.info("%s: batches go back into the queue", signal.Signals(number).name)
            self._stopping = True
            self._wake.set()

    async def _end_stopped(self) -> bool:
        """Kill stopped agents that may hold the control database's lock; return whether any was killed."""
        ended: list[int] = []
        with suppress(CannotRun):
            ended = await self._queue.end_stopped()
        for pid in ended:
            _log.warning("agent %d was stopped, and the control database out of reach: ended it", pid)
        return bool(ended)

    def _tell_outage(self, error: CannotRun) -> None:
        """Log an outage once, not at every attempt."""
        if self._outage != error.what:
            self._outage = error.what
            _log.warning(one_line(error))


def _about(lease: Lease) -> AbstractContextManager[None]:
    return about(f"batch {lease.batch}", f"district {lease.district}")
