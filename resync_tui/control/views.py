"""What the control database tells screens and commands: frozen values, free of SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from resync_tui.outcome import Color, Counts, KeyValue, Kind, Status, color, worst


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """One object of one batch: a row of DISBatchHistory, live while it runs. Times are UTC, aware."""

    object: str
    sequence: int
    status: Status
    counts: Counts
    total: int | None = None
    """Records in scope, once they have been counted."""
    read: int = 0
    phase: str = ""
    """`reading`, `waiting` or `merging` while it runs."""
    started: datetime | None = None
    finished: datetime | None = None
    message: str = ""

    @property
    def color(self) -> Color | None:
        """The status dot."""
        return color(self.status, self.counts)


@dataclass(frozen=True, slots=True)
class Batch:
    """One district's batch with its objects in the order of syncing."""

    request: int
    batch: int
    district: str
    year: int
    initiator: str
    """`district` or `state`."""
    requested_by: str
    status: Status
    attempts: int
    requested: datetime
    started: datetime | None = None
    finished: datetime | None = None
    cancel_requested: bool = False
    cancelled_by: str = ""
    message: str = ""
    agent: str = ""
    """`host:pid` of the agent that runs it, or ran it last."""
    agent_seen: datetime | None = None
    """When that agent was last heard of; None unless running."""
    objects: tuple[ObjectResult, ...] = ()

    @property
    def counts(self) -> Counts:
        """The sum over its objects."""
        return sum((each.counts for each in self.objects), Counts())

    @property
    def color(self) -> Color | None:
        """The worst dot of its objects; gray while it runs."""
        if self.status is Status.RUNNING:
            return Color.GRAY
        if self.status is Status.FAILED:
            return Color.RED
        return worst([each.color for each in self.objects])


@dataclass(frozen=True, slots=True)
class LastResync:
    """The newest batch's result for one object, for the checklist."""

    batch: int
    result: ObjectResult


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """A record that did not reach the state; `key` are its key columns only, never student data."""

    object: str
    table: str
    key: Mapping[str, KeyValue]
    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """How many records of an object did not go in for one reason; `count` is exact however few rows are kept."""

    object: str
    table: str
    kind: Kind
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent process; `alive` means heard of within its lease."""

    host: str
    pid: int
    started: datetime
    seen: datetime
    alive: bool
    running: tuple[int, ...] = ()
    """Batches it holds."""
