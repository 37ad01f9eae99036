"""Process Alerts: messages to the users of a district or of the state (documents: "State-Initiated Resync Requests").

An alert says that something happened, never which objects nor records: district users read it, too.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.clock import utc_now
from resync_tui.control.models import METADATA
from resync_tui.control.progress import clip

VERTICAL = "Vertical Interoperability"
"""The process under which the documents put these messages."""
REQUESTED = "State Resync Requested"

Audience = Literal["district", "state"]

_alert = METADATA.tables["ProcessAlert"]


async def post(
    connection: AsyncConnection,
    *,
    process: str,
    name: str,
    message: str,
    audience: Audience,
    district: str | None = None,
    recipient: str | None = None,
    request: int | None = None,
    batch: int | None = None,
    due: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """Post an alert within the caller's transaction.

    `audience` district needs `district`; `recipient` is one user of them, None all who have the right. `now` is the
    transaction's time where the caller knows it, else the database's.
    """
    posted = now or await _database_time(connection)
    about = {"districtNumber": district, "recipient": recipient, "requestID": request, "batchID": batch}
    said = {"process": process, "name": name, "message": clip(message), "audience": audience}
    await connection.execute(
        _alert.insert().values(**about, **said, postedAt=posted, dueAt=due, isRead=False, isDeleted=False)
    )


async def _database_time(connection: AsyncConnection) -> datetime:
    if connection.dialect.name == "sqlite":
        return utc_now()
    now: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return now
