"""Run the engine in the benchmark, and say how long it took; as a program: how much memory an agent takes for it."""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from resync_tui.catalog import parse_catalog
from resync_tui.engine.batch import run_batch
from resync_tui.engine.events import Event, Note, ObjectEnded
from resync_tui.engine.job import Job, Limits
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.plan import make_plan
from tests.bench.enrollments import CATALOG, TENANT, Databases


@dataclass(frozen=True, slots=True)
class Ran:
    """A batch: its seconds, what became of its records, and when it said what."""

    seconds: float
    counts: Counts
    notes: tuple[tuple[float, str], ...]


async def resync(databases: Databases, objects: Sequence[str], purpose: Purpose = Purpose.RESYNC) -> Ran:
    """Run one batch of the objects. Raises AssertionError where it does not complete or its counts do not add up."""
    plan = make_plan(databases.catalog, objects, 2026, check_dependencies=False)
    job = Job(
        source_url=databases.district,
        target_url=databases.state,
        catalog=databases.catalog,
        plan=plan,
        district=TENANT,
        tenant=TENANT,
        batch=1,
        token=time.time_ns() // 1_000_000,
        limits=Limits(errors_kept=100_000),
        source_name="district",
        target_name="the state",
        today=date(2026, 1, 31),
        purpose=purpose,
    )
    counts, notes, begun = Counts(), list[tuple[float, str]](), time.perf_counter()

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


def peak_memory(databases: Databases) -> int:
    """Return the MB that an agent's process takes at most while it runs a batch of the enrollments."""
    urls = json.dumps([databases.district, databases.state])
    done = subprocess.run([sys.executable, "-m", "tests.bench.ours", urls], check=True, capture_output=True, text=True)
    return int(done.stdout)


def main() -> None:
    """Run a batch as an agent would, and print the largest size of this process in MB."""
    import resync_tui.agent.service  # noqa: F401 - its modules are part of what an agent takes
    from resync_tui.agent.garbage import collect_rarely

    collect_rarely()
    district, state = json.loads(sys.argv[1])
    asyncio.run(resync(Databases(district, state, parse_catalog(CATALOG, "bench"), 0), ["Enrollment"]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
