"""Completion: the end of a batch with its sums, and the alerts about it and about the end of its request."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import SCHEDULE
from resync_tui.control.alerts import VERTICAL, post
from resync_tui.control.batches import COUNTED, object_view
from resync_tui.control.models import DISBatch, ProcessAlert, Tables
from resync_tui.control.progress import clip
from resync_tui.control.rows import instance_of, known
from resync_tui.outcome import Color, Counts, Purpose, Status, color, worst

NAMES = {
    Purpose.RESYNC: "Resync",
    Purpose.VERIFY: "Verification",
    Purpose.REMOVE_EXTRA: "Removal of Extra Records",
}
"""Names of the alerts about an ended request, before how it ended."""


def _name(purpose: str, statuses: Iterable[str]) -> str:
    """Return the name of an alert: how all batches ended; Ended where some ended otherwise than others."""
    ways = set(statuses)
    return f"{NAMES[known(purpose, Purpose.RESYNC)]} {ways.pop().capitalize() if len(ways) == 1 else 'Ended'}"


async def end_batch(
    connection: AsyncConnection, number: int, status: Status, message: str, now: datetime, *, told: bool = False
) -> int:
    """Write the end of a batch after its last progress, and alert both sides; the caller holds the queue lock.

    `told`: its requester has an alert about it, so that none follows if it is all of their request. Returns its
    request's number.
    """
    batch, history = Tables.batch, Tables.history
    rows = (await connection.execute(select(history).where(history.c.batchID == number))).all()
    results = [object_view(row) for row in rows]
    counts = sum((each.counts for each in results), Counts())
    dot = worst([each.color for each in results]) if status is Status.COMPLETED else color(status, counts)
    # A full resync of no record at all settles no mandatory one.
    settles = counts.processed > 0 or status is not Status.COMPLETED
    sums = {name: getattr(counts, name) for name in COUNTED}
    row = (
        await connection.execute(
            update(batch)
            .where(batch.c.batchID == number)
            .values(status=status.value, message=clip(message), finishedAt=now, stageLeft=False, notBefore=None)
            .values(isFull=batch.c.isFull if settles else False)
            .values(**sums, errors=counts.errors, color=dot.value if isinstance(dot, Color) else "")
            .returning(batch)
        )
    ).one()
    ended = instance_of(DISBatch, row)
    if ended.initiator == "state" and not ended.requestedBy.startswith(SCHEDULE):
        # Nothing about its content: a district does not see the objects of the state's request.
        alert = ProcessAlert(
            process=VERTICAL,
            name=_name(ended.purpose, [status.value]),
            message=f"What the state requested on {ended.requestedAt:%Y-%m-%d} has ended: {status.value}.",
            postedAt=now,
            audience="district",
            districtNumber=ended.districtNumber,
            requestID=ended.requestID,
        )
        await post(connection, alert)
    await alert_if_ended(connection, [Asked.by(ended)], now, told=told)
    return ended.requestID


class Asked(NamedTuple):
    """What one side asked for in one request; nothing that another side gave the same number is told of it."""

    request: int
    initiator: str
    district: str
    """Empty for the state."""

    @classmethod
    def by(cls, batch: DISBatch | Row[Any]) -> "Asked":
        """Return whose request a batch is of."""
        own = batch.initiator == "district"
        return cls(batch.requestID, batch.initiator, batch.districtNumber if own else "")

    @property
    def batches(self) -> ColumnElement[bool]:
        """The condition on DISBatch for its batches."""
        batch = Tables.batch
        of_it = (batch.c.requestID == self.request) & (batch.c.initiator == self.initiator)
        return of_it & (batch.c.districtNumber == self.district) if self.district else of_it


async def alert_if_ended(
    connection: AsyncConnection, asked: Iterable[Asked], now: datetime, *, told: bool = False
) -> None:
    """Alert the requester of each given request that has no open batch left; if `told`, unless it has but one batch."""
    batch = Tables.batch
    for each in asked:
        totals = (func.count().label("batches"), func.sum(batch.c.processed), func.sum(batch.c.errors))
        groups = select(batch.c.status, *totals).where(each.batches).group_by(batch.c.status)
        rows = (await connection.execute(groups.order_by(batch.c.status))).all()
        if rows and all(known(row.status, Status.FAILED).ended for row in rows) and not (told and _of_one(rows)):
            one = (await connection.execute(select(batch).where(each.batches).limit(1))).one()
            await _tell_requester(connection, instance_of(DISBatch, one), rows, now)


def _of_one(groups: Sequence[Row[Any]]) -> bool:
    return int(sum(row.batches for row in groups)) == 1


async def _tell_requester(
    connection: AsyncConnection, one: DISBatch, groups: Sequence[Row[Any]], now: datetime
) -> None:
    """Post one alert per request, however many districts; one of the state's requests goes to all of its users."""
    batches = sum(row.batches for row in groups)
    of_one = _of_one(groups)
    what = f"Batch #{one.batchID} of district {one.districtNumber} has"
    if not of_one:
        what = f"Request {one.requestID}: {batches} districts have"
    how = ", ".join(row.status if of_one else f"{row.batches} {row.status}" for row in groups)
    processed, errors = (sum(int(row[place]) for row in groups) for place in (2, 3))
    own = one.initiator == "district"
    alert = ProcessAlert(
        process=VERTICAL,
        name=_name(one.purpose, [row.status for row in groups]),
        message=f"{what} ended: {how}. Processed {processed}, errors {errors}.",
        postedAt=now,
        audience="district" if own else "state",
        districtNumber=one.districtNumber if own else None,
        recipient=one.requestedBy if own and not one.requestedBy.startswith(SCHEDULE) else None,
        requestID=one.requestID,
        batchID=one.batchID if of_one else None,
    )
    await post(connection, alert)
