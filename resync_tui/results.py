"""Views of the control database for screens and commands: frozen values, free of SQLAlchemy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from resync_tui.outcome import (
    NO_DETAIL,
    Color,
    Counts,
    Detail,
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
    """The result of one object in one batch: a row of DISBatchHistory, live while it runs. Times are aware, in UTC."""

    object: str
    sequence: int
    status: Status
    counts: Counts
    total: int | None = None
    """Records in scope; None until they are counted."""
    read: int = 0
    phase: str = ""
    """Phase while it runs: `reading`, `waiting` or `merging`."""
    started: datetime | None = None
    finished: datetime | None = None
    message: str = ""

    @property
    def color(self) -> Color | None:
        """The status dot."""
        return color(self.status, self.counts)

    @property
    def to_retry(self) -> bool:
        """Whether a retry of its ended batch sends it: it did not complete, or records failed that may sync."""
        return self.status is not Status.COMPLETED or bool(self.counts.failures)


class Standing(StrEnum):
    """The standing of a district in a campaign."""

    DONE = "done"
    RUNNING = "running"
    FAILING = "failing"
    WAITING = "waiting"
    NOT_YET = "not yet"


def standing_of(status: Status, put_off: int) -> Standing:
    """Return a district's standing by its newest batch: its status, and how often it was put off."""
    if status is Status.QUEUED:
        return Standing.FAILING if put_off else Standing.WAITING
    known = {Status.RUNNING: Standing.RUNNING, Status.COMPLETED: Standing.DONE, Status.FAILED: Standing.FAILING}
    return known.get(status, Standing.NOT_YET)


@dataclass(frozen=True, slots=True)
class Batch:
    """One district's batch with its objects in the order of syncing.

    In lists without objects, `sums` and `dot` are the totals of an ended batch.
    """

    request: int
    batch: int
    district: str
    year: int
    initiator: str
    """Requesting edition: `district` or `state`."""
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
    """`host:pid` of the agent that runs it or ran it last."""
    agent_seen: datetime | None = None
    """Last heartbeat of that agent; None unless running."""
    objects: tuple[ObjectResult, ...] = ()
    reason: str = ""
    """Reason of the request: a campaign.Scenario, or free text."""
    purpose: Purpose = Purpose.RESYNC
    preview: int | None = None
    """For a removal: the comparison whose extra records may be removed."""
    full: bool = False
    """Whether it has every object of that year's catalog."""
    scheduled: bool = False
    """Whether it starts by the clock, and so only within the window."""
    not_before: datetime | None = None
    """Earliest start; after a put-off, the next attempt to reach its district."""
    put_off: int = 0
    """Number of failed attempts to reach its district; `message` says why."""
    sums: Counts = NOTHING
    dot: Color | None = None

    @property
    def counts(self) -> Counts:
        """The sum of its objects' counts."""
        return sum((each.counts for each in self.objects), Counts()) if self.objects else self.sums

    @property
    def color(self) -> Color | None:
        """The worst dot of its objects once it has completed; before, and otherwise, that of its status."""
        if self.status is not Status.COMPLETED:
            return color(self.status, NOTHING)
        return worst([each.color for each in self.objects]) if self.objects else self.dot

    @property
    def to_retry(self) -> frozenset[str]:
        """The objects that a retry sends."""
        return frozenset(each.object for each in self.objects if each.to_retry)

    @property
    def standing(self) -> Standing:
        """The standing of its district by this batch."""
        return standing_of(self.status, self.put_off)


@dataclass(frozen=True, slots=True)
class LastResync:
    """The newest result of one object, for the checklist."""

    batch: int
    result: ObjectResult


@dataclass(frozen=True, slots=True)
class WorstResync:
    """Of several districts the one that stands worst with an object, and its newest result; None: never resynced."""

    district: str
    last: LastResync | None

    @property
    def rank(self) -> int:
        """How bad it is: 0 is good; red before yellow, never, and what runs or was stopped."""
        if self.last is None:
            return 2
        color = self.last.result.color
        return {Color.RED: 4, Color.YELLOW: 3, Color.GREEN: 0}.get(color or Color.GRAY, 1)


def worst_of(
    districts: Sequence[str], results: Mapping[str, Mapping[str, LastResync]], objects: Iterable[str]
) -> dict[str, WorstResync]:
    """Return, per object, which of several districts stands worst, the first of them if several do.

    `results` are the districts' newest ones by object.
    """
    found = {}
    for name in objects:
        standings = [WorstResync(each, results.get(each, {}).get(name)) for each in districts]
        found[name] = max(standings, key=lambda standing: standing.rank)
    return found


@dataclass(frozen=True, slots=True)
class LastCompleted:
    """The newest completed runs of a district's objects in a school year, by purpose, full ones apart from partial."""

    runs: Mapping[tuple[Purpose, bool], Mapping[str, LastResync]] = field(default_factory=dict)
    seconds: Mapping[int, float] = field(default_factory=dict)
    """Durations of their batches, as their own pages show them."""

    def of_kind(self, purpose: Purpose, full: bool) -> Mapping[str, LastResync]:
        """Return the newest completed run per object, of full batches or of partial ones."""
        return self.runs.get((purpose, full), {})

    def of(self, purpose: Purpose) -> Mapping[str, LastResync]:
        """Return the newest completed run per object, of batches of either kind."""
        both = [*self.of_kind(purpose, False).items(), *self.of_kind(purpose, True).items()]
        return dict(sorted(both, key=lambda each: each[1].batch))


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """A record that did not reach the state; `key` holds its key columns only, never student data."""

    object: str
    table: str
    key: Mapping[str, KeyValue]
    kind: Kind
    reason: str
    detail: Detail = NO_DETAIL


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """The number of an object's records refused for one reason; `count` is exact even where fewer keys are kept."""

    object: str
    table: str
    kind: Kind
    reason: str
    count: int
    behind_exclusion: bool = False
    """Whether they are blocked as a rule excludes their parent records, or ones above them."""

    @property
    def is_failure(self) -> bool:
        """Whether such records may sync: neither they nor what they need is excluded by a rule."""
        return self.kind is not Kind.EXCLUDED and not self.behind_exclusion


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """A record that differs between district and state; `key` holds its key columns only, never student data."""

    object: str
    table: str
    finding: Finding
    key: Mapping[str, KeyValue]


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The number of a table's records of one finding; exact even where fewer keys are kept."""

    object: str
    table: str
    finding: Finding
    count: int


@dataclass(frozen=True, slots=True)
class DistrictStanding:
    """A district's row on the board of a school year, from its resyncs of that year; cancelled ones do not count."""

    district: str
    standing: Standing
    last_full: datetime | None = None
    """Start of its last completed full resync."""
    last_full_batch: int | None = None
    batch: int | None = None
    """Its newest batch, the one that `standing` describes."""
    request: int | None = None
    """Request of that batch."""
    requested: datetime | None = None
    processed: int = 0
    errors: int = 0
    """Errors of its newest ended batch; live counts are on the batch's own page."""
    color: Color | None = None
    message: str = ""
    """Why the batch failed, or why its district could not be reached."""
    put_off: int = 0
    next_attempt: datetime | None = None
    """Earliest start of a waiting batch."""
    last_full_color: Color | None = None
    """Dot of its last completed full resync; `color` may be a newer partial one's."""

    def full_since(self, day: date | None) -> bool:
        """Whether a full resync started on that day or later has completed, by this host's calendar."""
        return day is not None and self.last_full is not None and self.last_full.astimezone().date() >= day


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent process; `alive`: its last heartbeat is within its lease."""

    host: str
    pid: int
    started: datetime
    seen: datetime
    alive: bool
    running: tuple[int, ...] = ()
    """Batches under its leases."""
    districts: tuple[str, ...] = ()
    """Districts that it serves."""
    service: bool = False
    """Whether it serves until it is stopped, rather than until nothing is queued."""


@dataclass(frozen=True, slots=True)
class Present:
    """A snapshot of what all screens of a session show."""

    changes: int
    """Change counter: grows with every change of what a screen shows."""
    active: tuple[Batch, ...]
    """Queued and running batches, newest first, without their objects."""
    agents: tuple[Agent, ...]
    unread: int
    """Number of Process Alerts unread by this user."""
    now: datetime
    """Time of this reading, by the control database's clock."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A Process Alert as one user sees it. Times are aware, in UTC."""

    alert: int
    process: str
    """Category: `Vertical Interoperability`."""
    name: str
    message: str
    posted: datetime
    due: datetime | None
    district: str | None
    """Addressed district; None: the state's users."""
    request: int | None
    """None also where this edition sees no batch of the request."""
    batch: int | None
    """None also where this edition does not see the batch."""
    read: bool


def held_back(compared: ObjectResult, largest_share: float) -> str:
    """Return why no extra record of an object may be removed, in words; empty where a removal may be tried.

    The number of the state's records is an upper bound, as refused ones may or may not be among them; so the engine
    also holds back whatever is held back here.
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
