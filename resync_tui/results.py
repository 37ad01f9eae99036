"""What the control database tells screens and commands: frozen values, free of SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from resync_tui.outcome import (
    Color,
    Counts,
    Finding,
    KeyValue,
    Kind,
    Purpose,
    RemovalLimit,
    Status,
    color,
    removal_limit,
    worst,
)

NOTHING = Counts()


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


class Standing(StrEnum):
    """Where a district stands in a campaign."""

    DONE = "done"
    RUNNING = "running"
    FAILING = "failing"
    WAITING = "waiting"
    NOT_YET = "not yet"


def standing_of(status: Status, put_off: int) -> Standing:
    """Return where a district stands whose newest batch stands so."""
    if status is Status.QUEUED:
        return Standing.FAILING if put_off else Standing.WAITING
    known = {Status.RUNNING: Standing.RUNNING, Status.COMPLETED: Standing.DONE, Status.FAILED: Standing.FAILING}
    return known.get(status, Standing.NOT_YET)


@dataclass(frozen=True, slots=True)
class Batch:
    """One district's batch with its objects in the order of syncing.

    Where many are listed without their objects, `sums` and `dot` tell what an ended one came to.
    """

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
    reason: str = ""
    """Why it was asked for: one of the mandatory scenarios, or free text."""
    purpose: Purpose = Purpose.RESYNC
    preview: int | None = None
    """Of a removal: the comparison whose extra records may go."""
    full: bool = False
    """Whether it is of every object of that year's catalog."""
    scheduled: bool = False
    """Whether it starts by the clock, and so within the window only."""
    not_before: datetime | None = None
    """When it may start; while `put_off` when its district is tried again."""
    put_off: int = 0
    """How often its district could not be reached; `message` says why."""
    sums: Counts = NOTHING
    dot: Color | None = None

    @property
    def counts(self) -> Counts:
        """The sum over its objects."""
        return sum((each.counts for each in self.objects), Counts()) if self.objects else self.sums

    @property
    def color(self) -> Color | None:
        """The worst dot of its objects; gray while it runs."""
        if self.status is Status.RUNNING:
            return Color.GRAY
        if self.status is Status.FAILED:
            return Color.RED
        return worst([each.color for each in self.objects]) if self.objects else self.dot

    @property
    def standing(self) -> Standing:
        """Where its district stands by it."""
        return standing_of(self.status, self.put_off)


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
class FindingRecord:
    """A record that is not the same at both ends; `key` are its key columns only, never student data."""

    object: str
    table: str
    finding: Finding
    key: Mapping[str, KeyValue]


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """How many records of a table are missing, different or extra; `count` is exact however few keys are kept."""

    object: str
    table: str
    finding: Finding
    count: int


@dataclass(frozen=True, slots=True)
class DistrictStanding:
    """One district on the board of a school year, by its resyncs of that year; cancelled ones do not count."""

    district: str
    standing: Standing
    last_full: datetime | None = None
    """When its last full completed resync was started."""
    last_full_batch: int | None = None
    batch: int | None = None
    """Its newest one, which `standing` tells of."""
    request: int | None = None
    """That one's."""
    requested: datetime | None = None
    processed: int = 0
    errors: int = 0
    """Of its newest one that has ended; live numbers are on the batch's own screen."""
    color: Color | None = None
    message: str = ""
    """Why it failed, or could not be reached."""
    put_off: int = 0
    next_attempt: datetime | None = None
    """When a batch that waits may start."""

    def full_since(self, day: date | None) -> bool:
        """Whether a full resync has completed that was started on that day or later, by this host's calendar."""
        return day is not None and self.last_full is not None and self.last_full.astimezone().date() >= day


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
    districts: tuple[str, ...] = ()
    """Those it serves."""


@dataclass(frozen=True, slots=True)
class Present:
    """What all screens of a session show, as of one moment."""

    changes: int
    """Grows whenever something that a screen shows has changed."""
    active: tuple[Batch, ...]
    """Those that are queued or run, newest first, without their objects."""
    agents: tuple[Agent, ...]
    unread: int
    """Process Alerts that this user has not read."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A Process Alert as one user sees it. Times are UTC, aware."""

    alert: int
    process: str
    """The category: `Vertical Interoperability`."""
    name: str
    message: str
    posted: datetime
    due: datetime | None
    district: str | None
    """None: it is for the state's users."""
    request: int | None
    batch: int | None
    """None also where this edition does not see the batch."""
    read: bool


def held_back(compared: ObjectResult, largest_share: float) -> str:
    """Return why no extra record of an object can go, in words; empty where a removal may be tried.

    The state may hold fewer than are counted here, as refused records may be there or not: what is held back here is
    held back by the engine too.
    """
    counts = compared.counts
    if not counts.extra:
        return ""
    held = counts.unchanged + counts.updated + counts.errors + counts.extra
    match removal_limit(counts.extra, held, counts.processed, largest_share):
        case RemovalLimit.NO_SOURCE:
            return "the district has no such record at all"
        case RemovalLimit.SHARE:
            return f"{counts.extra} of at most {held} are over {largest_share:.0%} ([engine] extra_share)"
    return ""
