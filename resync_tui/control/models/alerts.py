"""Process Alerts, and what each user has done with them."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, String
from sqlmodel import Field

from resync_tui.control.models.columns import NUMBER, ControlTable, UtcTime, identity_key

# ruff: noqa: N815  (the columns' names are the contract's)


class ProcessAlert(ControlTable, table=True):
    """A message to the users of a district or of the state."""

    __tablename__ = "ProcessAlert"
    __table_args__ = (Index("ProcessAlert_posted", "districtNumber", "audience", "postedAt"),)

    alertID: int = identity_key("alertID")
    process: str
    """Category, as in `Vertical Interoperability`."""
    name: str
    message: str = ""
    postedAt: datetime = Field(sa_type=UtcTime)
    dueAt: datetime | None = Field(default=None, sa_type=UtcTime)
    audience: str
    """`district` or `state`."""
    postedBy: str = Field(default="", sa_column=Column("postedBy", String, nullable=False, server_default=""))
    """The district's user who posted it, written by a trigger; empty for an agent's and the state's."""
    districtNumber: str | None = None
    recipient: str | None = None
    """One user; None: all of the audience with the right."""
    requestID: int | None = Field(default=None, sa_type=NUMBER)
    batchID: int | None = Field(
        default=None, sa_column=Column("batchID", Integer, ForeignKey("DISBatch.batchID", ondelete="SET NULL"))
    )


class ProcessAlertUser(ControlTable, table=True):
    """One user's read and deleted flags of an alert."""

    __tablename__ = "ProcessAlertUser"

    alertID: int = Field(
        sa_column=Column("alertID", NUMBER, ForeignKey("ProcessAlert.alertID", ondelete="CASCADE"), primary_key=True)
    )
    userName: str = Field(primary_key=True)
    isRead: bool
    isDeleted: bool
