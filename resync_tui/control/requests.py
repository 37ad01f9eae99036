"""Requests: queueing as one batch per district, and cancellation."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import SCHEDULE
from resync_tui.control.alerts import announce
from resync_tui.control.batches import history_values, list_batches, select_batches
from resync_tui.control.completion import alert_if_ended
from resync_tui.control.models import DISBatch, Tables
from resync_tui.control.progress import clip
from resync_tui.control.rows import values_of
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.plan import Plan, Request
from resync_tui.results import Batch, ObjectResult

ROWS_AT_ONCE = 10_000
"""Rows of DISBatchHistory in one statement."""


async def queue_request(
    connection: AsyncConnection,
    number: int,
    request: Request,
    now: datetime,
    partial: Mapping[str, Plan] = MappingProxyType({}),
) -> list[Batch]:
    """Queue one batch per district, in the given order; the caller holds the queue lock, which gave the number.

    `partial` are the plans of districts of which only a part of the request's plan is asked.
    """
    batch, plan = Tables.batch, request.plan
    if not request.districts:
        return []
    first = DISBatch(
        requestID=number,
        districtNumber=request.districts[0],
        schoolYear=plan.year,
        initiator=request.initiator,
        requestedBy=request.requested_by,
        reason=clip(request.reason),
        purpose=request.purpose.value,
        preview=request.preview,
        isFull=request.full,
        isScheduled=request.by_clock,
        isCampaign=request.is_campaign,
        notBefore=request.not_before,
        status=Status.QUEUED.value,
        requestedAt=now,
    )
    values = values_of(first)
    adding = batch.insert().returning(batch.c.batchID, sort_by_parameter_order=True)
    each_batch = [
        {**values, "districtNumber": each, "isFull": request.full and each not in partial} for each in request.districts
    ]
    numbers = (await connection.execute(adding, each_batch)).scalars()
    whole = [history_values(each) for each in plan.objects]
    parts = {district: [history_values(each) for each in part.objects] for district, part in partial.items()}
    rows = [
        {"batchID": batch_number, "districtNumber": district, "schoolYear": plan.year, **each}
        for batch_number, district in zip(numbers, request.districts, strict=True)
        for each in parts.get(district, whole)
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await connection.execute(Tables.history.insert(), rows[start : start + ROWS_AT_ONCE])
    resync = request.purpose is Purpose.RESYNC
    if request.initiator == "state" and resync and not request.requested_by.startswith(SCHEDULE):
        await announce(connection, request.districts, request=number, due=request.not_before, now=now)
    of_it = select_batches().where(batch.c.requestID == number)
    return [
        replace(each, objects=_queued(partial.get(each.district, plan)))
        for each in await list_batches(connection, of_it, objects=False)
    ]


def _queued(plan: Plan) -> tuple[ObjectResult, ...]:
    return tuple(ObjectResult(each.object, each.sequence, Status.QUEUED, Counts()) for each in plan.objects)


async def cancel(connection: AsyncConnection, which: Any, by: str, now: datetime) -> bool:
    """Cancel the open ones of these batches; return whether any was open. The caller holds the queue lock.

    A batch whose stage may be left stays open until an agent has cleaned up; only then its district is free.
    """
    batch, history = Tables.batch, Tables.history
    open_ones = batch.c.status.in_([Status.QUEUED, Status.RUNNING])
    marked = await connection.execute(
        update(batch)
        .where(which, open_ones)
        # The clean-up need not wait for the batch's time.
        .values(cancelRequested=True, cancelledBy=by, notBefore=None)
        .returning(batch.c.batchID)
    )
    numbers = [row.batchID for row in marked]
    at_once = (batch.c.status == Status.QUEUED) & ~batch.c.stageLeft
    ended = await connection.execute(
        update(batch)
        .where(batch.c.batchID.in_(numbers), at_once)
        .values(status=Status.CANCELLED, finishedAt=now)
        .returning(batch.c.batchID, batch.c.requestID)
    )
    gone = ended.all()
    mine = history.c.batchID.in_([row.batchID for row in gone])
    await connection.execute(update(history).where(mine).values(status=Status.CANCELLED))
    await alert_if_ended(connection, sorted({row.requestID for row in gone}), now)
    return bool(numbers)
