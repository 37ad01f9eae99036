"""Claims: the next runnable batch in queue order, fair sharing among agents, requeueing."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.models import DISBatch, DISRunning, Tables
from resync_tui.control.progress import blank
from resync_tui.control.rows import among, instance_of
from resync_tui.outcome import Status

SHARE_PATIENCE = timedelta(seconds=3)
"""Time for which a batch is left to another, less busy agent."""
SHARE_AGAIN = timedelta(minutes=1)
"""Time without sharing after another agent has not claimed the batch left to it."""


def oldest(connection: AsyncConnection, districts: Iterable[str], now: datetime, window_open: bool) -> Select[Any]:
    """Select the next batch of these districts that may start, of a district without a running one.

    The state's come first: whatever a district's users have asked for, the state does not wait behind it.
    """
    batch, running = Tables.batch, Tables.running
    return (
        select(batch)
        .where(
            batch.c.status == Status.QUEUED,
            among(connection, batch.c.districtNumber, districts),
            batch.c.districtNumber.not_in(select(running.c.districtNumber)),
            may_start(now, window_open),
        )
        .order_by(batch.c.initiator != "state", batch.c.batchID)
        .limit(1)
    )


def may_start(now: datetime, window_open: bool) -> ColumnElement[bool]:
    """Return the condition on DISBatch for batches that may start; a cancelled one waits only for its clean-up."""
    batch = Tables.batch
    its_time = or_(batch.c.notBefore.is_(None), batch.c.notBefore <= now)
    if not window_open:
        its_time = and_(its_time, or_(batch.c.isScheduled.is_(False), batch.c.cancelRequested))
    return its_time


class Sharing:
    """Fair sharing: agents that serve the same districts take turns, so that one does not claim all that may run.

    Only a preference: nothing depends on it but which machine does the work.
    """

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._left: tuple[int, datetime] | None = None
        self._greedy_until: datetime | None = None

    def leaves(self, waiting: DISBatch, held: Iterable[Row[Any]], agents: Iterable[Row[Any]], now: datetime) -> bool:
        """Whether this agent leaves a batch to another one: alive, serving its district, and running fewer batches."""
        busy = Counter(row.owner for row in held)
        if not any(
            busy[row.agentID] < busy[self._agent]
            and waiting.districtNumber in row.districts
            and now - row.seenAt <= timedelta(seconds=row.leaseSeconds)
            for row in agents
        ):
            return False
        if self._greedy_until is not None and now < self._greedy_until:
            return False
        if self._left is None or self._left[0] != waiting.batchID:
            self._left = waiting.batchID, now
        if now - self._left[1] < SHARE_PATIENCE:
            return True
        self._greedy_until = now + SHARE_AGAIN
        return False


async def give_back(connection: AsyncConnection, now: datetime, dead: set[str]) -> None:
    """Requeue batches whose lease has lapsed. Skips locked rows: their own agent is renewing or ending them."""
    running, agent = Tables.running, Tables.agent
    lapsed = (
        select(running)
        .where(or_(running.c.expires <= now, running.c.owner.in_(dead)))
        .with_for_update(skip_locked=True)
    )
    for row in (await connection.execute(lapsed)).all():
        await free_district(connection, instance_of(DISRunning, row))
        await put_back(connection, row.batchID)
    await connection.execute(delete(agent).where(agent.c.agentID.in_(dead)))


async def free_district(connection: AsyncConnection, claim: DISRunning) -> None:
    """Delete a claim; its change count moves to the row DISGate, so that the sum never falls."""
    running, gate = Tables.running, Tables.gate
    await connection.execute(delete(running).where(running.c.districtNumber == claim.districtNumber))
    await connection.execute(update(gate).values(changes=gate.c.changes + claim.changes + 1))


async def put_back(connection: AsyncConnection, number: int, **values: Any) -> None:
    """Requeue a batch, without anything that its last attempt wrote."""
    batch = Tables.batch
    await connection.execute(
        update(batch).where(batch.c.batchID == number).values(status=Status.QUEUED.value, **values)
    )
    await blank(connection, number)
