"""The queue: its lock, claims of districts, agents, firings of schedules."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, false
from sqlmodel import Field

from resync_tui.control.models.columns import NUMBER, ControlTable, UtcTime, batch_key, counter

# ruff: noqa: N815  (the columns' names are the contract's)


class DISGate(ControlTable, table=True):
    """The queue lock: one row, updated first by every change of the queue, so that such changes are serialised."""

    __tablename__ = "DISGate"

    gateID: int = Field(sa_column=Column("gateID", Integer, primary_key=True, autoincrement=False))
    lastRequest: int = Field(default=0, sa_type=NUMBER)
    lastBatch: int = 0
    """On PostgreSQL the newest batch's number, counted by a trigger; SQLite's AUTOINCREMENT needs none."""
    requestTransaction: int = Field(
        default=0, sa_column=Column("requestTransaction", BigInteger, nullable=False, server_default="0")
    )
    """On PostgreSQL the transaction that took the newest request's number, written by a trigger."""
    lastToken: int = counter()
    changes: int = counter()


class DISRunning(ControlTable, table=True):
    """The claim of a district, inserted to claim and deleted to release it: one running batch per district."""

    __tablename__ = "DISRunning"

    districtNumber: str = Field(primary_key=True)
    batchID: int = Field(sa_column=batch_key(ondelete=None, nullable=False, unique=True))
    owner: str
    """Id of the agent."""
    token: int = Field(sa_type=BigInteger)
    """Fencing token, strictly increasing; a write with an older one is refused."""
    expires: datetime = Field(sa_type=UtcTime)
    changes: int = counter()
    """Number of writes under this claim, so that progress need not take the queue lock."""
    transitions: int = Field(default=0, sa_column=Column("transitions", BigInteger, nullable=False, server_default="0"))
    """Number of those that changed the status of an object: they wake agents and consoles."""


class DISAgent(ControlTable, table=True):
    """An agent process that is or recently was at work."""

    __tablename__ = "DISAgent"

    agentID: str = Field(primary_key=True)
    host: str
    kernel: str
    """Id of its running kernel; only under the same one its lock file proves whether it is dead."""
    pid: int
    startedAt: datetime = Field(sa_type=UtcTime)
    seenAt: datetime = Field(sa_type=UtcTime)
    leaseSeconds: float
    districts: list[str] = Field(sa_column=Column("districts", JSON, nullable=False))
    """Districts that it serves."""
    isService: bool = Field(default=False, sa_type=Boolean, sa_column_kwargs={"server_default": false()})
    """Whether it serves until it is stopped: started again where it runs, not by a console."""


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
    firedAt: datetime = Field(sa_type=UtcTime)
    requestID: int | None = Field(default=None, sa_type=NUMBER)
    """None: it was before the schedule was known, and was passed over."""
