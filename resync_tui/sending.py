"""Sending a resync from the command line: queue it, see that an agent is there, wait for the end."""

import sys
from collections.abc import Sequence
from functools import partial

import anyio
import click

from resync_tui import agent
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


def submit(settings: Settings, districts: Sequence[str], plan: Plan, user: str) -> list[Batch]:
    """Queue one request, a batch for each district."""

    async def queue() -> list[Batch]:
        store = await Store.open(settings.control_url())
        try:
            return await store.submit(districts, plan, initiator=settings.edition, requested_by=user)
        finally:
            await store.close()

    return anyio.run(queue)


def start_agent(settings: Settings) -> str | None:
    """Start an agent where none is alive; return how to start the service where this user cannot read the secrets."""

    async def alive() -> bool:
        store = await Store.open(settings.control_url())
        try:
            return await _agent_alive(store)
        finally:
            await store.close()

    return None if anyio.run(alive) else _start(settings)


def wait(settings: Settings, numbers: Sequence[int]) -> list[Batch]:
    """Return the batches once all have ended, with one live line on a terminal. Raises CannotRun without an agent."""
    return anyio.run(partial(_wait, settings, numbers))


async def _wait(settings: Settings, numbers: Sequence[int]) -> list[Batch]:
    store = await Store.open(settings.control_url())
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
                starts += 1
                silent = 0
                _start_again(settings, starts, numbers)
            await anyio.sleep(POLL_SECONDS)
    finally:
        if live:
            click.echo("\r\033[K", nl=False, err=True)
        with anyio.CancelScope(shield=True):
            await store.close()


def progress(batches: Sequence[Batch]) -> str:
    """Return one line that says how far some batches are."""
    done = sum(batch_share(batch) for batch in batches) / len(batches)
    records = sum(batch.counts.processed for batch in batches)
    errors = sum(batch.counts.errors for batch in batches)
    running = [each.object for batch in batches for each in batch.objects if each.status is Status.RUNNING]
    what = ", ".join(running[:2]) + (" …" if len(running) > 2 else "") if running else "queued"
    return f"{done:4.0%}  {plural(records, 'record')}  {plural(errors, 'error')}  {what}"[:79]


async def _agent_alive(store: Store) -> bool:
    return any(each.alive for each in await store.agents())


def _start(settings: Settings) -> str | None:
    try:
        settings.state_url()
        for district in settings.district:
            settings.district_url(district.id)
    except ConfigError:
        return f"resync-tui agent --config {settings.path}"
    agent.start_detached(settings.path)
    return None


def _start_again(settings: Settings, starts: int, numbers: Sequence[int]) -> None:
    """Replace an agent that has gone; give up where every new one goes at once."""
    if starts > AGENT_STARTS or _start(settings) is not None:
        raise CannotRun(
            f"No agent runs batch {', '.join(map(str, numbers))}, which stays queued",
            f"Start one and see what it says: resync-tui agent --config {settings.path}",
        )
