"""Requests that stay unclaimed, because no agent that is alive serves their districts: whoever asked is told once."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.alerts import VERTICAL, post
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.gate import pass_gate
from resync_tui.control.models import METADATA, Tables
from resync_tui.outcome import Status

UNCLAIMED = "Resync Not Started"
PATIENCE = timedelta(minutes=10)
"""How long a batch may wait for an agent, from when it may start, before somebody is told."""

_NAMED = 10
"""Districts that the alert names."""


async def alert_unclaimed(database: ControlDatabase) -> list[int]:
    """Post an alert for each request that nobody serves and that has none yet; return those requests' numbers."""
    async with database.read() as connection:
        if not await _unclaimed(connection, await database.now(connection)):
            return []
    async with database.write() as connection:
        await pass_gate(connection, changes=1)
        now = await database.now(connection)
        rows = await _unclaimed(connection, now)
        for request, batches in groupby(rows, key=lambda row: int(row.requestID)):
            await _tell(connection, request, list(batches), now)
        return sorted({int(row.requestID) for row in rows})


async def _unclaimed(connection: AsyncConnection, now: datetime) -> list[Row[Any]]:
    batch, agent, alert = Tables.batch, Tables.agent, METADATA.tables["ProcessAlert"]
    told = select(alert.c.requestID).where(alert.c.name == UNCLAIMED, alert.c.requestID.is_not(None))
    waiting = (
        select(batch)
        .where(batch.c.status == Status.QUEUED, batch.c.requestedAt <= now - PATIENCE)
        .where(batch.c.notBefore.is_(None) | (batch.c.notBefore <= now - PATIENCE), batch.c.requestID.not_in(told))
        .order_by(batch.c.requestID, batch.c.batchID)
    )
    rows = (await connection.execute(waiting)).all()
    served: set[str] = set()
    for row in (await connection.execute(select(agent))).all() if rows else ():
        if now - row.seenAt <= timedelta(seconds=row.leaseSeconds):
            served.update(row.districts)
    return [row for row in rows if row.districtNumber not in served]


async def _tell(connection: AsyncConnection, request: int, batches: Sequence[Row[Any]], now: datetime) -> None:
    one = batches[0]
    own = one.initiator == "district"
    await post(
        connection,
        process=VERTICAL,
        name=UNCLAIMED,
        message=f"Request {request} waits: no agent serves {_named([each.districtNumber for each in batches])}."
        " Start one where their URLs can be read: resync-tui agent",
        audience="district" if own else "state",
        district=one.districtNumber if own else None,
        request=request,
        now=now,
    )


def _named(districts: Collection[str]) -> str:
    names = ", ".join(list(districts)[:_NAMED])
    if len(districts) > _NAMED:
        return f"{len(districts)} districts, such as {names}"
    return f"{'district' if len(districts) == 1 else 'districts'} {names}"
