"""Batches and their objects."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index, Integer
from sqlmodel import Field

from resync_tui.control.models.columns import NUMBER, ControlTable, UtcTime, batch_key, copied, counter

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

    batchID: int = Field(default=None, sa_column=Column("batchID", Integer, primary_key=True))
    """Without a gap: from a trigger (PostgreSQL) or AUTOINCREMENT (SQLite), both part of the transaction."""
    requestID: int = Field(sa_type=NUMBER)
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
    notBefore: datetime | None = Field(default=None, sa_type=UtcTime)
    """Earliest start: the requested time, or the next attempt while its district cannot be reached."""
    status: str
    attempts: int = 0
    putOff: int = 0
    """Number of put-offs because its district could not be reached."""
    requestedAt: datetime = Field(sa_type=UtcTime)
    startedAt: datetime | None = Field(default=None, sa_type=UtcTime)
    finishedAt: datetime | None = Field(default=None, sa_type=UtcTime)
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

    batchID: int = Field(sa_column=batch_key(primary_key=True))
    sequence: int = Field(sa_column=Column("sequence", Integer, primary_key=True, autoincrement=False))
    objectName: str
    districtNumber: str
    schoolYear: int
    wave: int
    marked: str
    requiredBy: list[str] = Field(sa_column=Column("requiredBy", JSON, nullable=False))
    status: str
    phase: str = ""
    startedAt: datetime | None = Field(default=None, sa_type=UtcTime)
    finishedAt: datetime | None = Field(default=None, sa_type=UtcTime)
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
    purpose: str = Field(default="", sa_column=copied("purpose"))
    """Like the next two the batch's own, for whoever queries this table alone."""
    initiator: str = Field(default="", sa_column=copied("initiator"))
    requestedBy: str = Field(default="", sa_column=copied("requestedBy"))
