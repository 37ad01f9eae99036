"""Run the engine in the benchmark, and say how long it took."""

import time
from dataclasses import dataclass
from datetime import date

from resync_tui.engine.batch import Job, Limits, run_batch
from resync_tui.engine.events import Event, Note, ObjectEnded
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.plan import make_plan
from tests.bench.enrollments import TENANT, Databases


@dataclass(frozen=True, slots=True)
class Ran:
    """A batch: its seconds, what became of its records, and when it said what."""

    seconds: float
    counts: Counts
    notes: tuple[tuple[float, str], ...]


async def resync(databases: Databases, *objects: str, purpose: Purpose = Purpose.RESYNC) -> Ran:
    """Run one batch of the objects. Raises AssertionError where it does not complete or its counts do not add up."""
    catalog = databases.catalog
    plan = make_plan(catalog, list(objects), 2026, check_dependencies=False)
    token = time.time_ns() // 1_000_000
    limits = Limits(errors_kept=100_000)
    job = Job(
        *(databases.district, databases.state, catalog, plan, TENANT, 1, token, limits),
        *("district", "the state", date(2026, 1, 31)),
        purpose=purpose,
    )
    counts, notes, begun = Counts(), [], time.perf_counter()

    def report(event: Event) -> None:
        nonlocal counts
        if isinstance(event, ObjectEnded):
            assert event.status is Status.COMPLETED, event.message
            counts += event.counts
        if isinstance(event, Note):
            notes.append((time.perf_counter() - begun, event.text))

    status = await run_batch(job, report)
    seconds = time.perf_counter() - begun
    assert status is Status.COMPLETED
    assert counts.processed == counts.accounted
    return Ran(seconds, counts, tuple(notes))
