"""The documents that commands print with `--json`, one a line; `docs/schema` has their JSON Schemas.

Scripts rely on every key here and on their order. `Batch` is also what the `[notify]` command reads.
"""

from typing import Annotated, Any, TypeAlias

from pydantic import ConfigDict, Field, WithJsonSchema, with_config
from typing_extensions import TypedDict

from resync_tui import outcome, plan, results
from resync_tui.analysis import checks

_TIME = {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}

Time: TypeAlias = Annotated[str, WithJsonSchema(_TIME)]
"""A time as ISO 8601 in UTC, to the millisecond, with Z."""

Year: TypeAlias = Annotated[int, Field(description="School year, by the year it ends in.")]

Key: TypeAlias = dict[str, outcome.KeyValue]
"""A record's key columns with their values."""


@with_config(ConfigDict(extra="forbid", use_attribute_docstrings=True))
class Document(TypedDict):
    """The base of all, for their schemas: no other keys, described by docstrings."""


class Object(Document):
    """A DIS object of the checklist with its last resync; null where it has never run."""

    object: str
    parents: tuple[str, ...]
    """Direct ones, like `children`."""
    children: tuple[str, ...]
    school_year: bool
    """Whether its records belong to a school year."""
    last_resync: Time | None
    """When it was started."""
    processed: int | None
    errors: int | None
    status: outcome.Status | None
    color: outcome.Color | None


class PlannedObject(Document):
    """One object of a plan."""

    object: str
    sequence: int
    """Position in the order of syncing, from 1."""
    wave: int
    """Length of the longest dependency path to it within the plan, from 1."""
    marked: plan.Marked
    required_by: tuple[str, ...]
    """Its direct children in the plan; empty if it was selected."""


class Plan(Document):
    """What a resync would send, in the order of syncing."""

    year: Year
    objects: list[PlannedObject]


class BatchObject(Document):
    """One object of a batch."""

    object: str
    sequence: int
    status: outcome.Status


class ObjectResult(BatchObject):
    """The result of one object of a batch.

    Once it has completed, `processed` is the sum of `inserted`, `updated`, `unchanged` and `errors`.
    """

    processed: int
    errors: int
    """The sum of `excluded`, `rejected` and `blocked`."""
    inserted: int
    updated: int
    unchanged: int
    excluded: int
    """Refused by a rule of their own."""
    rejected: int
    """Refused for any other reason."""
    blocked: int
    """Refused because their parent did not reach the state."""
    extra: int
    """Records that only the state has; not among `processed`."""
    color: outcome.Color | None
    """Null until it has run, and if it was cancelled or skipped."""
    started: Time | None
    finished: Time | None


class Unusual(Document, total=False):
    """What most batches lack."""

    purpose: outcome.Purpose
    preview: int
    reason: str
    not_before: Time


class Batch(Unusual):
    """One district's batch of a request, with its objects in the order of syncing.

    Left out where there is none: `purpose` of a resync, `preview` (the comparison whose extra records a removal may
    take), `reason`, `not_before` (the earliest start, or the next attempt to reach the district).
    """

    request: int
    batch: int
    district: str
    year: Year
    initiator: str
    """Requesting edition: `district` or `state`."""
    requested_by: str
    status: outcome.Status
    color: outcome.Color | None
    """The worst of its objects."""
    attempts: int
    objects: list[ObjectResult]


class Parent(Document):
    """The parent record that a refused one lacks."""

    table: str
    key: Key


class Mending(Document, total=False):
    """What is not known of every refused record."""

    column: str
    size: int
    parent: Parent
    holder: Key


class RefusedRecord(Mending):
    """A record that did not reach the state, by its key.

    Left out where it says nothing: `column` (or columns, with the refused value), `size` (characters in which that
    value is written), `parent`, `holder` (key of the same table's record that holds the unique value it wants).
    """

    object: str
    table: str
    key: Key
    kind: outcome.Kind
    reason: str


class ResultHead(Document):
    """The batch of a comparison or a removal."""

    request: int
    batch: int
    district: str
    year: Year
    status: outcome.Status


class ComparedObject(BatchObject):
    """The result of one object of a comparison."""

    processed: int
    matched: int
    different: int
    missing: int
    expected: int
    """Records that may not or cannot sync."""
    extra: int
    moved: int
    """Records that the state has in this school year and the district in another; each counts above too."""


class Difference(Document):
    """A record that is not the same at both ends, by its key."""

    object: str
    table: str
    key: Key
    finding: outcome.Finding


class Keys(Document, total=False):
    """What `--keys` adds."""

    keys: list[Difference]


class Verification(ResultHead, Keys):
    """The result of a comparison; the `keys` of records that differ with `--keys` only."""

    objects: list[ComparedObject]


class RemovedObject(BatchObject):
    """The result of one object of a removal: of `extra` records `removed` went and `errors` stayed."""

    extra: int
    removed: int
    errors: int


class Removal(ResultHead):
    """The result of a removal of extra records."""

    objects: list[RemovedObject]


class Schedule(Document):
    """A schedule with its next run."""

    name: str
    cron: str
    timezone: str
    districts: str | tuple[str, ...]
    """`*`: all of them; so with `objects`."""
    objects: str | tuple[str, ...]
    next_run: Time
    """Its next firing."""
    starts: Time
    """Earliest start of that firing's batches, within the window."""
    last_run: Time | None
    """Its last firing; null: none yet."""
    request: int | None
    """The request of that firing."""


class Alert(Document):
    """A Process Alert as one user sees it."""

    alert: int
    process: str
    name: str
    message: str
    posted: Time
    due: Time | None
    district: str | None
    """Null: the state's users are addressed."""
    request: int | None
    """Null also where this edition sees no batch of the request."""
    batch: int | None
    """Null also where this edition does not see the batch."""
    read: bool


class Standing(Document):
    """A district's row on the board of a school year, from its newest batch."""

    district: str
    name: str
    standing: results.Standing
    last_full: Time | None
    """Start of its last completed full resync."""
    full_since_opens: bool | None
    """Null where that day is not configured or still to come, like `full_since_closes`."""
    full_since_closes: bool | None
    batch: int | None
    requested: Time | None
    processed: int
    errors: int
    color: outcome.Color | None
    message: str
    next_attempt: Time | None
    last_full_color: outcome.Color | None
    """Dot of the last completed full resync; `color` is the newest batch's, which may be a partial one."""


class Agent(Document):
    """An agent process; `alive`: heard of within its lease."""

    host: str
    pid: int
    alive: bool


class Problem(Document):
    """What is wrong, and what to do about it."""

    what: str
    do: str


class Check(Document):
    """One thing that was looked at, and what to do about it."""

    what: str
    state: checks.Mark
    do: str


class Doctor(Document):
    """What `doctor` has looked at, and what is wrong."""

    agents: list[Agent]
    problems: list[Problem]
    checks: list[Check]


DOCUMENTS: dict[str, Any] = {
    "alerts": list[Alert],
    "batch": Batch,
    "board": list[Standing],
    "doctor": Doctor,
    "errors": list[RefusedRecord],
    "history": list[Batch],
    "objects": list[Object],
    "plan": Plan,
    "removal": Removal,
    "schedule": list[Schedule],
    "verification": Verification,
}
"""Every document that is printed, by the name of its schema."""
