"""Requests from the command line: queue one, ensure a live agent, wait for the end."""

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import anyio

from resync_tui import rights
from resync_tui.agent import start
from resync_tui.cli.live import LiveLines
from resync_tui.cli.options import Submission, hint, run_interruptibly, show
from resync_tui.cli.patience import Patience
from resync_tui.cli.text.progress import Progress
from resync_tui.config.load import load_catalog, variables
from resync_tui.config.school_years import allowed_by
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.errors import CannotRun, ConfigError
from resync_tui.formatting import named_request, when
from resync_tui.outcome import Status
from resync_tui.plan import Request
from resync_tui.results import Batch
from resync_tui.screens.widgets.glyphs import glyphs_for

POLL_SECONDS = 0.25
READING_SHARE = 4
"""Times of a reading for which the next one is put off."""
AGENT_POLLS = 20
"""Polls without any live agent after which another one is started."""
AGENT_STARTS = 3

Submit: TypeAlias = Callable[[Store], Awaitable[list[Batch]]]
Read: TypeAlias = Callable[[], Awaitable[list[Batch]]]
"""Reads the batches that are waited for."""


def send(settings: Settings, request: Request, submission: Submission, *, detach: bool = False) -> list[Batch]:
    """Queue a request and ensure a live agent; return its batches: at once if `detach`, else ended.

    `submission` has them as soon as they are queued. Raises CannotRun if no agent stays alive.
    """
    return _carried_out(settings, lambda store: store.submit(request), submission, detach)


def retry(settings: Settings, number: int, user: str, submission: Submission, *, detach: bool) -> list[Batch]:
    """Queue what of a batch is to be retried, as `send` does. Raises UsageError if nothing is."""
    return _carried_out(settings, lambda store: store.retry(number, user), submission, detach)


def retry_request(settings: Settings, request: int, user: str, submission: Submission, *, detach: bool) -> list[Batch]:
    """Queue what of a request is to be retried, as `send` does. Raises UsageError if nothing is."""
    return _carried_out(settings, lambda store: store.retry_request(request, user), submission, detach)


def follow(settings: Settings, number: int, submission: Submission) -> list[Batch]:
    """Return a batch, alone in a list, once it has ended. Raises UsageError for an unknown number.

    It starts no agent, as whoever only looks may follow.
    """

    async def followed(store: Store) -> list[Batch]:
        async def read() -> list[Batch]:
            return [await store.batch(number)]

        submission.batches = found = await read()
        if found[0].status.ended:
            return found
        if not await _agent_alive(store):
            show(["No agent is alive", f"Start it: {_how_to_start(settings)}"], err=True)
        return await _end_of(store, settings, submission, read, read, may_start=False)

    return _with_store(settings, followed)


def _carried_out(settings: Settings, submit: Submit, submission: Submission, detach: bool) -> list[Batch]:
    async def sent(store: Store) -> list[Batch]:
        submission.batches = queued = await submit(store)
        if (line := await _see_to_agent(store, settings)) is not None:
            why = "and not all secrets can be read here" if store.rights.serve else "and this login is no agent's"
            show([f"No agent is alive, {why}", f"Start it: {line}"], err=True)
        if detach:
            return queued
        numbers = [each.batch for each in queued]
        requests = sorted({each.request for each in queued})

        async def read() -> list[Batch]:
            # Also of what was queued before, as part of a request of other batches too.
            return [batch for each in requests for batch in await store.request(each) if batch.batch in numbers]

        async def read_whole() -> list[Batch]:
            found = {batch.batch: batch for each in requests for batch in await store.batches(request=each)}
            return [found[number] for number in numbers]

        return await _end_of(store, settings, submission, read, read_whole, may_start=store.rights.serve)

    return _with_store(settings, sent)


def _with_store(settings: Settings, ask: Submit) -> list[Batch]:
    async def asked() -> list[Batch]:
        store = await Store.open(
            settings.control_url(), edition=rights.edition_of(settings), allowed=allowed_by(settings)
        )
        try:
            return await ask(store)
        finally:
            with anyio.CancelScope(shield=True):
                await store.close()

    return run_interruptibly(asked)


def start_agent(settings: Settings) -> str | None:
    """Start an agent if none is alive; return how to start the service if this user cannot read the secrets."""

    async def started() -> str | None:
        store = await Store.open(settings.control_url(), edition=rights.edition_of(settings))
        try:
            return await _see_to_agent(store, settings)
        finally:
            await store.close()

    return anyio.run(started)


async def _end_of(
    store: Store, settings: Settings, submission: Submission, read: Read, read_whole: Read, *, may_start: bool
) -> list[Batch]:
    """Return what `read_whole` reads once all batches of `read` have ended; meanwhile show progress on a terminal.

    An outage of the control database is outlasted.
    """
    watch = _Watch(settings)
    patience = Patience(submission.batches, watch.live.tell)
    silent = starts = 0
    seen = -1
    try:
        while True:
            changes = await patience.answer(store.changes)
            if changes != seen or silent % AGENT_POLLS == 0:
                began = anyio.current_time()
                batches = await patience.answer(read)
                if all(batch.status.ended for batch in batches):
                    return await patience.answer(read_whole)
                await patience.answer(partial(watch.show, store, batches))
                # Of many objects reading takes its time, and the agent may have no other processor.
                await anyio.sleep(min(POLL_SECONDS, READING_SHARE * (anyio.current_time() - began)))
            silent = silent + 1 if changes == seen else 0
            seen = changes
            if silent >= AGENT_POLLS and not await patience.answer(partial(_agent_alive, store)):
                silent = 0
                if starts == AGENT_STARTS:
                    named = named_request(batches[0].request, [each.batch for each in batches])
                    raise CannotRun(
                        f"No agent stays alive to run {named}; what is queued stays so",
                        f"Start one and see what it says: resync-tui agent --config {settings.path}",
                    )
                starts += may_start and _start(settings) is None
            await store.wait(POLL_SECONDS)
    finally:
        watch.live.clear()


class _Watch:
    """What is shown of batches while they are waited for; without a terminal only districts out of reach."""

    def __init__(self, settings: Settings) -> None:
        names = {each.id: each.name for each in settings.district}
        self.live = LiveLines()
        self._progress = Progress(names, glyphs_for(os.environ), settings.engine.districts)
        self._told: set[tuple[int, int]] = set()
        self._ended: set[int] = set()

    async def show(self, store: Store, batches: Sequence[Batch]) -> None:
        """Tell each district out of reach once per attempt, each one that has ended, and redraw the live lines."""
        for each in batches:
            if each.put_off and each.status is Status.QUEUED and (each.batch, each.put_off) not in self._told:
                self._told.add((each.batch, each.put_off))
                self.live.tell(f"District {each.district}: {each.message} Next try {when(each.not_before)}")
        if not self.live.shown:
            return
        for each in batches:
            if each.status.ended and each.batch not in self._ended:
                self._ended.add(each.batch)
                self.live.tell(self._progress.ended(each))
        present = await store.present()
        self.live.show(self._progress.lines(batches, present, present.now, self.live.width))


async def _see_to_agent(store: Store, settings: Settings) -> str | None:
    if await _agent_alive(store):
        return None
    return _start(settings) if store.rights.serve else hint("resync-tui agent, as the control database's owner")


async def _agent_alive(store: Store) -> bool:
    return any(each.alive for each in await store.agents())


def may_start(settings: Settings) -> bool:
    """Whether this user can read here what an agent needs: the configuration with all secrets."""
    try:
        load_catalog(settings)
        settings.state_url()
        for district in settings.district:
            settings.district_url(district.id)
    except ConfigError:
        return False
    return True


def _start(settings: Settings) -> str | None:
    if not may_start(settings):
        return _how_to_start(settings)
    start.start_detached(settings.path, variables(settings))
    return None


def _how_to_start(settings: Settings) -> str:
    return f"resync-tui agent --config {settings.path}"
