"""The tables of the control database; column names are part of the contract with scripts that read them.

A change of a table needs a revision in `schema/migrations/versions`; a test holds the two together.
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
)
from sqlmodel import Field

from resync_tui.control.columns import ControlTable, batch_key, counter, time_of
from resync_tui.outcome import KeyValue

# ruff: noqa: N815  (the columns' names are the contract's)


class DISBatch(ControlTable, table=True):
    """One district's batch of a request."""

    __tablename__ = "DISBatch"
    __table_args__ = (
        Index("DISBatch_district", "districtNumber", "batchID"),
        Index("DISBatch_request", "requestID"),
        Index("DISBatch_status", "status", "batchID"),
        # All columns that the board of a year needs to find each district's newest and newest full resync.
        Index("DISBatch_board", "schoolYear", "purpose", "districtNumber", "status", "isFull", "batchID"),
        # A number is never reused, even after old batches were pruned.
        {"sqlite_autoincrement": True},
    )

    batchID: int = Field(sa_column=Column("batchID", Integer, Identity(), primary_key=True))
    requestID: int
    districtNumber: str
    schoolYear: int
    initiator: str
    """Requesting edition: `district` or `state`."""
    requestedBy: str
    reason: str = ""
    purpose: str = "resync"
    preview: int | None = None
    """For a removal: the comparison whose extra records may be removed."""
    isFull: bool = False
    """Whether it has every object of that year's catalog."""
    isScheduled: bool = False
    """Whether it starts by the clock, and so only within the window."""
    isCampaign: bool = False
    """Whether its district is tried again later if it cannot be reached."""
    notBefore: datetime | None = time_of()
    """Earliest start: the requested time, or the next attempt while its district cannot be reached."""
    status: str
    attempts: int = 0
    putOff: int = 0
    """Number of put-offs because its district could not be reached."""
    requestedAt: datetime = time_of(required=True)
    startedAt: datetime | None = time_of()
    finishedAt: datetime | None = time_of()
    cancelRequested: bool = False
    cancelledBy: str = ""
    message: str = ""
    agent: str = ""
    """`host:pid` of the agent that ran it last."""
    stageLeft: bool = False
    """Whether a stage may be left in the state: an agent has begun it without reporting its clean-up."""
    color: str = ""
    """Its dot once it has ended, stored like the sums of its counts: a list of many batches reads no objects."""
    processed: int = counter()
    errors: int = counter()
    inserted: int = counter()
    updated: int = counter()
    unchanged: int = counter()
    excluded: int = counter()
    rejected: int = counter()
    blocked: int = counter()
    extra: int = counter()
    removed: int = counter()


class DISBatchHistory(ControlTable, table=True):
    """One object of one batch: its live progress while it runs, its history afterwards."""

    __tablename__ = "DISBatchHistory"
    __table_args__ = (Index("DISBatchHistory_last", "districtNumber", "schoolYear", "objectName", "batchID"),)

    batchID: int = batch_key(primary_key=True)
    sequence: int = Field(sa_column=Column("sequence", Integer, primary_key=True, autoincrement=False))
    objectName: str
    districtNumber: str
    schoolYear: int
    wave: int
    marked: str
    requiredBy: list[str] = Field(sa_column=Column("requiredBy", JSON, nullable=False))
    status: str
    phase: str = ""
    startedAt: datetime | None = time_of()
    finishedAt: datetime | None = time_of()
    total: int | None = Field(default=None, sa_type=BigInteger)
    read: int = counter()
    processed: int = counter()
    errors: int = counter()
    inserted: int = counter()
    updated: int = counter()
    unchanged: int = counter()
    excluded: int = counter()
    rejected: int = counter()
    blocked: int = counter()
    extra: int = counter()
    removed: int = counter()
    message: str = ""


class DISBatchError(ControlTable, table=True):
    """A record that did not reach the state; up to the configured number, key columns only."""

    __tablename__ = "DISBatchError"
    __table_args__ = (Index("DISBatchError_reason", "batchID", "objectName", "kind", "reason"),)

    batchID: int = batch_key(primary_key=True)
    number: int = Field(sa_column=Column("number", Integer, primary_key=True, autoincrement=False))
    """From 1 within a batch, so that a repeated write adds nothing twice."""
    objectName: str
    tableName: str
    key: dict[str, KeyValue] = Field(sa_column=Column("key", JSON, nullable=False))
    kind: str
    reason: str


class DISBatchErrorCount(ControlTable, table=True):
    """The number of records refused for one reason, exact even where fewer are kept."""

    __tablename__ = "DISBatchErrorCount"

    batchID: int = batch_key(primary_key=True)
    objectName: str = Field(primary_key=True)
    tableName: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    records: int = counter()


class DISBatchFinding(ControlTable, table=True):
    """A record that differs between district and state; up to the configured number, key columns only."""

    __tablename__ = "DISBatchFinding"
    __table_args__ = (Index("DISBatchFinding_finding", "batchID", "objectName", "finding"),)

    batchID: int = batch_key(primary_key=True)
    number: int = Field(sa_column=Column("number", Integer, primary_key=True, autoincrement=False))
    objectName: str
    tableName: str
    finding: str
    """`missing`, `different` or `extra`."""
    key: dict[str, KeyValue] = Field(sa_column=Column("key", JSON, nullable=False))


class DISBatchFindingCount(ControlTable, table=True):
    """The number of records per finding, exact even where fewer are kept."""

    __tablename__ = "DISBatchFindingCount"

    batchID: int = batch_key(primary_key=True)
    objectName: str = Field(primary_key=True)
    tableName: str = Field(primary_key=True)
    finding: str = Field(primary_key=True)
    records: int = counter()


class DISScheduleFiring(ControlTable, table=True):
    """A handled firing, by the schedule's local date and time: the inserted row makes it fire once."""

    __tablename__ = "DISScheduleFiring"

    owner: str = Field(primary_key=True)
    """Owner of the schedule: `state`, or a district's number."""
    schedule: str = Field(primary_key=True)
    localTime: str = Field(primary_key=True)
    """As `2026-03-08T02:30` in the schedule's own time zone; counts once even where clocks are set back."""
    cron: str
    timezone: str
    firedAt: datetime = time_of(required=True)
    requestID: int | None = None
    """None: it was before the schedule was known, and was passed over."""


class DISRunning(ControlTable, table=True):
    """The claim of a district, inserted to claim and deleted to release it: one running batch per district."""

    __tablename__ = "DISRunning"

    districtNumber: str = Field(primary_key=True)
    batchID: int = batch_key(ondelete=None, nullable=False, unique=True)
    owner: str
    """Id of the agent."""
    token: int = Field(sa_type=BigInteger)
    """Fencing token, strictly increasing; a write with an older one is refused."""
    expires: datetime = time_of(required=True)
    changes: int = counter()
    """Number of writes under this claim, so that progress need not take the queue lock."""


class DISAgent(ControlTable, table=True):
    """An agent process that is or recently was at work."""

    __tablename__ = "DISAgent"

    agentID: str = Field(primary_key=True)
    host: str
    kernel: str
    """Id of its running kernel; only under the same one its lock file proves whether it is dead."""
    pid: int
    startedAt: datetime = time_of(required=True)
    seenAt: datetime = time_of(required=True)
    leaseSeconds: float
    districts: list[str] = Field(sa_column=Column("districts", JSON, nullable=False))
    """Districts that it serves."""


class DISGate(ControlTable, table=True):
    """The queue lock: one row, updated first by every change of the queue, so that such changes are serialised."""

    __tablename__ = "DISGate"

    gateID: int = Field(sa_column=Column("gateID", Integer, primary_key=True, autoincrement=False))
    lastRequest: int = 0
    lastToken: int = counter()
    changes: int = counter()


class ProcessAlert(ControlTable, table=True):
    """A message to the users of a district or of the state."""

    __tablename__ = "ProcessAlert"
    __table_args__ = (Index("ProcessAlert_posted", "districtNumber", "audience", "postedAt"),)

    alertID: int = Field(sa_column=Column("alertID", Integer, Identity(), primary_key=True))
    process: str
    """Category, as in `Vertical Interoperability`."""
    name: str
    message: str = ""
    postedAt: datetime = time_of(required=True)
    dueAt: datetime | None = time_of()
    audience: str
    """`district` or `state`."""
    districtNumber: str | None = None
    recipient: str | None = None
    """One user; None: all of the audience with the right."""
    requestID: int | None = None
    batchID: int | None = Field(
        default=None, sa_column=Column("batchID", Integer, ForeignKey("DISBatch.batchID", ondelete="SET NULL"))
    )


METADATA: MetaData = ControlTable.metadata


class Tables:
    """The same tables for SQLAlchemy statements."""

    batch: ClassVar[Table] = METADATA.tables["DISBatch"]
    history: ClassVar[Table] = METADATA.tables["DISBatchHistory"]
    error: ClassVar[Table] = METADATA.tables["DISBatchError"]
    error_count: ClassVar[Table] = METADATA.tables["DISBatchErrorCount"]
    finding: ClassVar[Table] = METADATA.tables["DISBatchFinding"]
    finding_count: ClassVar[Table] = METADATA.tables["DISBatchFindingCount"]
    firing: ClassVar[Table] = METADATA.tables["DISScheduleFiring"]
    running: ClassVar[Table] = METADATA.tables["DISRunning"]
    agent: ClassVar[Table] = METADATA.tables["DISAgent"]
    gate: ClassVar[Table] = METADATA.tables["DISGate"]


class DISRight(ControlTable, table=True):
    """A right of a PostgreSQL role and all its members; on SQLite the file's owner has all."""

    __tablename__ = "DISRight"
    __table_args__ = (
        CheckConstraint("\"right\" IN ('read', 'write')", name="DISRight_right"),
        CheckConstraint(
            "edition = 'state' AND \"districtNumber\" = '' OR edition = 'district' AND \"districtNumber\" <> ''",
            name="DISRight_edition",
        ),
    )

    roleName: str = Field(primary_key=True)
    edition: str = Field(primary_key=True)
    """`state` or `district`."""
    districtNumber: str = Field(primary_key=True)
    """Empty for the state."""
    right: str = Field(primary_key=True)
    """`read` or `write`; write counts only together with read."""


class DISEdition(ControlTable, table=True):
    """The one edition that a SQLite control database serves, as every reader of the file can read all of it."""

    __tablename__ = "DISEdition"

    editionID: int = Field(sa_column=Column("editionID", Integer, primary_key=True, autoincrement=False))
    edition: str
    districtNumber: str


class ProcessAlertUser(ControlTable, table=True):
    """One user's read and deleted flags of an alert."""

    __tablename__ = "ProcessAlertUser"

    alertID: int = Field(
        sa_column=Column("alertID", Integer, ForeignKey("ProcessAlert.alertID", ondelete="CASCADE"), primary_key=True)
    )
    userName: str = Field(primary_key=True)
    isRead: bool
    isDeleted: bool
