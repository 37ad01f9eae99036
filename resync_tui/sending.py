"""Sending a resync from the command line: queue it, see that an agent is there, wait for the end."""

import sys
from collections.abc import Sequence

import anyio
import click

from resync_tui import agent, rights
from resync_tui.config import Settings
from resync_tui.control.store import Store
from resync_tui.control.views import Batch
from resync_tui.errors import CannotRun, ConfigError
from resync_tui.outcome import Status
from resync_tui.plan import Plan
from resync_tui.screens.words import batch_share, plural

POLL_SECONDS = 0.25
AGENT_POLLS = 20
"""After so many polls with nothing heard of any agent, another one is started."""
AGENT_STARTS = 3


def send(
    settings: Settings, districts: Sequence[str], plan: Plan, user: str, queued: list[Batch], *, detach: bool
) -> list[Batch]:
    """Queue one request, see that an agent is there, return its batches: at once if `detach`, else ended.

    `queued` takes them as soon as they are, for whoever is interrupted. Raises CannotRun where no agent stays alive.
    """

    async def sent() -> list[Batch]:
        store = await Store.open(settings.control_url(), viewpoint=rights.viewpoint_of(settings))
        try:
            queued.extend(await store.submit(districts, plan, initiator=settings.edition, requested_by=user))
            if (line := await _see_to_agent(store, settings)) is not None:
                click.echo(f"No agent is alive, and not all secrets can be read here\nStart it: {line}", err=True)
            return queued if detach else await _end_of(store, settings, [each.batch for each in queued])
        finally:
            with anyio.CancelScope(shield=True):
                await store.close()

    return anyio.run(sent)


def start_agent(settings: Settings) -> str | None:
    """Start an agent where none is alive; return how to start the service where this user cannot read the secrets."""

    async def started() -> str | None:
        store = await Store.open(settings.control_url(), viewpoint=rights.viewpoint_of(settings))
        try:
            return await _see_to_agent(store, settings)
        finally:
            await store.close()

    return anyio.run(started)


async def _end_of(store: Store, settings: Settings, numbers: Sequence[int]) -> list[Batch]:
    """Return the batches once all have ended; meanwhile one live line on a terminal."""
    live = sys.stderr.isatty()
    silent = starts = 0
    seen = -1
    try:
        while True:
            changes = await store.changes()
            if changes != seen or silent % AGENT_POLLS == 0:
                batches = [await store.batch(number) for number in numbers]
                if all(batch.status.ended for batch in batches):
                    return batches
                if live:
                    click.echo(f"\r\033[K{progress(batches)}", nl=False, err=True)
            silent = silent + 1 if changes == seen else 0
            seen = changes
            if silent >= AGENT_POLLS and not await _agent_alive(store):
                silent = 0
                if starts == AGENT_STARTS:
                    raise CannotRun(
                        f"No agent stays alive to run batch {', '.join(map(str, numbers))}, which stays queued",
                        f"Start one and see what it says: resync-tui agent --config {settings.path}",
                    )
                starts += store.rights.serve and _start(settings) is None
            await anyio.sleep(POLL_SECONDS)
    finally:
        if live:
            click.echo("\r\033[K", nl=False, err=True)


def progress(batches: Sequence[Batch]) -> str:
    """Return one line that says how far some batches are."""
    done = sum(batch_share(batch) for batch in batches) / len(batches)
    records = sum(batch.counts.processed for batch in batches)
    errors = sum(batch.counts.errors for batch in batches)
    running = [each.object for batch in batches for each in batch.objects if each.status is Status.RUNNING]
    what = ", ".join(running[:2]) + (" …" if len(running) > 2 else "") if running else "queued"
    return f"{done:4.0%}  {plural(records, 'record')}  {plural(errors, 'error')}  {what}"[:79]


async def _see_to_agent(store: Store, settings: Settings) -> str | None:
    if await _agent_alive(store):
        return None
    return _start(settings) if store.rights.serve else _how_to_start(settings)


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
    agent.start_detached(settings.path)
    return None


def _how_to_start(settings: Settings) -> str:
    return f"resync-tui agent --config {settings.path}"
