"""Requests from the command line: queue one, ensure a live agent, wait for the end."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import anyio
import click

from resync_tui import rights
from resync_tui.agent import start
from resync_tui.cli.options import Submission, hint, run_interruptibly
from resync_tui.config.school_years import allowed_by
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.errors import CannotRun, ConfigError
from resync_tui.formatting import batch_share, plural, when
from resync_tui.outcome import Status
from resync_tui.plan import Request
from resync_tui.results import Batch

POLL_SECONDS = 0.25
AGENT_POLLS = 20
"""Polls without any live agent after which another one is started."""
AGENT_STARTS = 3

Submit: TypeAlias = Callable[[Store], Awaitable[list[Batch]]]


def send(settings: Settings, request: Request, submission: Submission, *, detach: bool = False) -> list[Batch]:
    """Queue a request and ensure a live agent; return its batches: at once if `detach`, else ended.

    `submission` has them as soon as they are queued. Raises CannotRun if no agent stays alive.
    """
    return _carried_out(settings, lambda store: store.submit(request), submission, detach)


def send_again(settings: Settings, request: int, user: str, submission: Submission, *, detach: bool) -> list[Batch]:
    """Queue the failed batches of a request again, as `send` does. Raises UsageError if none failed."""
    return _carried_out(settings, lambda store: store.retry_failed(request, user), submission, detach)


def _carried_out(settings: Settings, submit: Submit, submission: Submission, detach: bool) -> list[Batch]:
    async def sent() -> list[Batch]:
        store = await Store.open(
            settings.control_url(), edition=rights.edition_of(settings), allowed=allowed_by(settings)
        )
        try:
            submission.batches = queued = await submit(store)
            if (line := await _see_to_agent(store, settings)) is not None:
                why = "and not all secrets can be read here" if store.rights.serve else "and this login is no agent's"
                click.echo(f"No agent is alive, {why}\nStart it: {line}", err=True)
            return queued if detach else await _end_of(store, settings, queued[0].request)
        finally:
            with anyio.CancelScope(shield=True):
                await store.close()

    return run_interruptibly(sent)


def start_agent(settings: Settings) -> str | None:
    """Start an agent if none is alive; return how to start the service if this user cannot read the secrets."""

    async def started() -> str | None:
        store = await Store.open(settings.control_url(), edition=rights.edition_of(settings))
        try:
            return await _see_to_agent(store, settings)
        finally:
            await store.close()

    return anyio.run(started)


async def _end_of(store: Store, settings: Settings, request: int) -> list[Batch]:
    """Return a request's batches once all have ended; meanwhile show one live line on a terminal."""
    live = sys.stderr.isatty()
    silent = starts = 0
    seen = -1
    told: set[tuple[int, int]] = set()
    try:
        while True:
            changes = await store.changes()
            if changes != seen or silent % AGENT_POLLS == 0:
                batches = await store.request(request)
                if all(batch.status.ended for batch in batches):
                    numbers = [batch.batch for batch in batches]
                    found = {each.batch: each for each in await store.batches(request=request)}
                    return [found[number] for number in numbers]
                _tell_put_off(batches, told, live)
                if live:
                    click.echo(f"\r\033[K{progress(batches)}", nl=False, err=True)
            silent = silent + 1 if changes == seen else 0
            seen = changes
            if silent >= AGENT_POLLS and not await _agent_alive(store):
                silent = 0
                if starts == AGENT_STARTS:
                    raise CannotRun(
                        f"No agent stays alive to run request {request}, which stays queued",
                        f"Start one and see what it says: resync-tui agent --config {settings.path}",
                    )
                starts += store.rights.serve and _start(settings) is None
            await anyio.sleep(POLL_SECONDS)
    finally:
        if live:
            click.echo("\r\033[K", nl=False, err=True)


def _tell_put_off(batches: Sequence[Batch], told: set[tuple[int, int]], live: bool) -> None:
    """Print each district that could not be reached, once per attempt."""
    for each in batches:
        if each.put_off and each.status is Status.QUEUED and (each.batch, each.put_off) not in told:
            told.add((each.batch, each.put_off))
            clear = "\r\033[K" if live else ""
            click.echo(f"{clear}District {each.district}: {each.message} Next try {when(each.not_before)}", err=True)


def progress(batches: Sequence[Batch]) -> str:
    """Return the progress of batches as one line."""
    done = sum(1.0 if batch.status.ended else batch_share(batch) for batch in batches) / len(batches)
    records = sum(batch.counts.processed for batch in batches)
    errors = sum(batch.counts.errors for batch in batches)
    running = [each.object for batch in batches for each in batch.objects if each.status is Status.RUNNING]
    what = ", ".join(running[:2]) + (" …" if len(running) > 2 else "") if running else "queued"
    return f"{done:4.0%}  {plural(records, 'record')}  {plural(errors, 'error')}  {what}"[:79]


async def _see_to_agent(store: Store, settings: Settings) -> str | None:
    if await _agent_alive(store):
        return None
    return _start(settings) if store.rights.serve else hint("resync-tui agent, as the control database's owner")


async def _agent_alive(store: Store) -> bool:
    return any(each.alive for each in await store.agents())


def _start(settings: Settings) -> str | None:
    try:
        rights.require_own(settings.files)
        settings.state_url()
        for district in settings.district:
            settings.district_url(district.id)
    except ConfigError:
        return _how_to_start(settings)
    start.start_detached(settings.path)
    return None


def _how_to_start(settings: Settings) -> str:
    return f"resync-tui agent --config {settings.path}"
