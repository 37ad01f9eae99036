"""Run a batch and keep what the engine reported."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from resync_tui.catalog import Catalog
from resync_tui.engine.batch import run_batch
from resync_tui.engine.events import Event, Note, ObjectEnded, ObjectProgress, ObjectStarted, RecordsRefused
from resync_tui.engine.job import Job, Limits
from resync_tui.outcome import NO_DETAIL, Counts, Detail, KeyValue, Status
from resync_tui.plan import make_plan
from tests.support import comparison

TODAY = date(2026, 3, 1)
YEAR = 2026
DISTRICT = "01"
"""Which one it is where the catalog has no tenant_column, unless the test says so."""

Key = tuple[KeyValue, ...]


@dataclass
class Heard:
    """Everything that a batch has reported."""

    events: list[Event] = field(default_factory=list)
    status: Status | None = None

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def ended(self) -> dict[str, ObjectEnded]:
        """How each object ended; none ends twice."""
        ends = [event for event in self.events if isinstance(event, ObjectEnded)]
        assert len({event.object for event in ends}) == len(ends)
        return {event.object: event for event in ends}

    @property
    def counts(self) -> dict[str, Counts]:
        """What each object came to."""
        return {name: event.counts for name, event in self.ended.items()}

    @property
    def statuses(self) -> dict[str, Status]:
        """How each object ended."""
        return {name: event.status for name, event in self.ended.items()}

    @property
    def refusals(self) -> list[RecordsRefused]:
        """What was refused."""
        return [event for event in self.events if isinstance(event, RecordsRefused)]

    @property
    def refused(self) -> Counter[tuple[str, Key, str, str]]:
        """Table, key, kind and reason of each refused record."""
        return Counter(
            (event.table, tuple(key.values()), str(event.kind), event.reason)
            for event in self.refusals
            for key in event.keys
        )

    @property
    def details(self) -> dict[tuple[str, KeyValue], Detail]:
        """What is known of each refused record, by table and the first column of its key."""
        return {
            (event.table, next(iter(key.values()))): detail
            for event in self.refusals
            for key, detail in zip(event.keys, event.details or [NO_DETAIL] * len(event.keys), strict=True)
        }

    def progress(self, name: str) -> list[ObjectProgress]:
        """How an object came along."""
        return [event for event in self.events if isinstance(event, ObjectProgress) and event.object == name]

    @property
    def started(self) -> list[str]:
        """The objects that were begun."""
        return [event.object for event in self.events if isinstance(event, ObjectStarted)]

    @property
    def notes(self) -> list[str]:
        """Lines for the log."""
        return [event.text for event in self.events if isinstance(event, Note)]


def make_job(
    source: str,
    target: str,
    catalog: Catalog,
    tenant: str | None,
    selected: Sequence[str] | None = None,
    *,
    token: int = 1,
    batch: int = 1,
    check_dependencies: bool = True,
    limits: Limits | None = None,
    district: str = "",
) -> Job:
    """Return a job for some objects of a catalog (None: all), compared as the test says."""
    names = [each.name for each in catalog.objects] if selected is None else selected
    return Job(
        source_url=source,
        target_url=target,
        catalog=catalog,
        plan=make_plan(catalog, names, YEAR, check_dependencies=check_dependencies),
        district=district or tenant or DISTRICT,
        tenant=tenant,
        batch=batch,
        token=token,
        limits=limits or Limits(),
        source_name="the district",
        target_name="the state",
        today=TODAY,
        hashing=comparison.HASHING,
    )


async def run(job: Job, also: Callable[[Event], None] | None = None) -> Heard:
    """Run a job to its end; `also` hears every event as it comes."""
    heard = Heard()

    def report(event: Event) -> None:
        heard(event)
        if also is not None:
            also(event)

    heard.status = await run_batch(job, report)
    return heard
