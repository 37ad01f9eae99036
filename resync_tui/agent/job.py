"""The engine's job under a lease: the only place where agent, settings and engine meet."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from resync_tui.agent.run import Work
from resync_tui.config.load import load_catalog
from resync_tui.config.school_years import require_plan
from resync_tui.config.settings import Settings
from resync_tui.control.progress import Lease
from resync_tui.engine.events import Event, Note, ObjectEnded, RecordsRefused, Report
from resync_tui.errors import ResyncError, flatten
from resync_tui.outcome import Kind, Status
from resync_tui.rights import edition_of

Say = Callable[[str], str]
"""Rewords a text of the engine about the state for the edition."""


def load_engine() -> None:
    """Import the engine: once, and best while nothing waits for it."""
    importlib.import_module("resync_tui.engine.batch")


def engine_work(settings: Settings, lease: Lease) -> Work:
    """Return the engine's work under a lease; secrets are read when it runs, not before."""
    from resync_tui.engine.batch import clear_stage, run_batch
    from resync_tui.engine.job import Job, Limits
    from resync_tui.engine.years import YearStart

    say = edition_of(settings).says

    def job() -> Job:
        district, limits = settings.district_by_id(lease.district), settings.engine
        catalog = load_catalog(settings)
        return Job(
            source_url=settings.district_url(district.id),
            target_url=settings.state_url(),
            catalog=catalog,
            plan=lease.plan,
            district=district.id,
            tenant=district.id if catalog.tenant_column else None,
            batch=lease.batch,
            token=lease.token,
            mark=lease.mark,
            limits=Limits(
                concurrency=limits.concurrency,
                max_records_per_second=limits.max_records_per_second,
                errors_kept=limits.errors_kept,
                extra_share=limits.extra_share,
                snapshot_minutes=limits.snapshot_minutes,
            ),
            source_name=f"district {district.name} ({district.id})",
            target_name="the state",
            today=datetime.now().astimezone().date(),
            current_year=settings.years.current,
            year_start=YearStart.of(settings.years.opens, settings.years.closes),
            purpose=lease.purpose,
            consent=lease.consent,
            tenants=tuple(each.id for each in settings.district),
            trusts_source_policies=district.policies == "trusted",
            trusts_target_policies=settings.state.policies == "trusted",
        )

    async def run(report: Report) -> Status:
        with _retold(say):
            # These settings may differ from the requester's, or from those at the time of the request.
            require_plan(settings, [lease.district], lease.plan)
            return await run_batch(job(), lambda event: report(retold(event, say)))

    async def clear() -> None:
        with _retold(say):
            await clear_stage(job())

    return Work(run, clear)


def retold(event: Event, say: Say) -> Event:
    """Return an event reworded for the edition; a rule's reason stays, as it is the catalog's own."""
    match event:
        case RecordsRefused() if event.kind is not Kind.EXCLUDED:
            return replace(event, reason=say(event.reason))
        case ObjectEnded():
            return replace(event, message=say(event.message))
        case Note(text):
            return Note(say(text))
    return event


@contextmanager
def _retold(say: Say) -> Iterator[None]:
    """Reword raised errors for the edition."""
    try:
        yield
    except Exception as error:
        for leaf in flatten(error):
            if isinstance(leaf, ResyncError):
                leaf.what, leaf.do = say(leaf.what), say(leaf.do)
        raise
