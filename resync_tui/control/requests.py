"""Requests: queueing as one batch per district, cancellation, and the retry of failed batches."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import SCHEDULE
from resync_tui.control.alerts import announce
from resync_tui.control.batches import history_values, list_batches, plan_view, select_batches
from resync_tui.control.completion import alert_if_ended
from resync_tui.control.models import DISBatch, Tables
from resync_tui.control.progress import clip
from resync_tui.control.rows import instance_of, values_of
from resync_tui.errors import UsageError
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.plan import Plan, Request
from resync_tui.results import Batch, ObjectResult

ROWS_AT_ONCE = 10_000
"""Rows of DISBatchHistory in one statement."""


async def queue_request(connection: AsyncConnection, number: int, request: Request, now: datetime) -> list[Batch]:
    """Queue one batch per district, in the given order; the caller holds the queue lock, which gave the number."""
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
    numbers = (
        await connection.execute(adding, [{**values, "districtNumber": each} for each in request.districts])
    ).scalars()
    objects = [dict(history_values(each)) for each in plan.objects]
    rows = [
        {"batchID": batch_number, "districtNumber": district, "schoolYear": plan.year, **each}
        for batch_number, district in zip(numbers, request.districts, strict=True)
        for each in objects
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await connection.execute(Tables.history.insert(), rows[start : start + ROWS_AT_ONCE])
    resync = request.purpose is Purpose.RESYNC
    if request.initiator == "state" and resync and not request.requested_by.startswith(SCHEDULE):
        await announce(connection, request.districts, request=number, due=request.not_before, now=now)
    queued = tuple(ObjectResult(each.object, each.sequence, Status.QUEUED, Counts()) for each in plan.objects)
    of_it = select_batches().where(batch.c.requestID == number)
    return [replace(each, objects=queued) for each in await list_batches(connection, of_it, objects=False)]


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """The retry of the failed batches of a request."""

    request: Request
    """The request for the districts still to be retried, without those of `open_ones` or completed since."""
    open_ones: list[int]
    """Open batches that retry them already: requested since then, of the same objects."""


async def failed_of(connection: AsyncConnection, request: int, seen: ColumnElement[bool]) -> RetryPlan:
    """Return the retry of the failed batches of a request. Raises UsageError if none is left."""
    batch, history = Tables.batch, Tables.history
    failed = select(batch).where(batch.c.requestID == request, batch.c.status == Status.FAILED, seen)
    rows = (await connection.execute(failed.order_by(batch.c.batchID))).all()
    if not rows:
        raise UsageError(f"No batch of request {request} has failed", "See: resync-tui history")
    first = instance_of(DISBatch, rows[0])
    objects = select(history).where(history.c.batchID == first.batchID).order_by(history.c.sequence)
    plan = plan_view(first.schoolYear, (await connection.execute(objects)).all())
    alike = [batch.c[name] == getattr(first, name) for name in ("schoolYear", "purpose", "initiator")]
    since = [
        batch.c.requestID > request,
        batch.c.districtNumber.in_([row.districtNumber for row in rows]),
        *alike,
        seen,
    ]
    going = batch.c.status.in_([Status.QUEUED, Status.RUNNING]) & batch.c.cancelRequested.is_(False)
    done = select(func.max(batch.c.batchID)).where(*since, batch.c.status == Status.COMPLETED)
    open_ones = await _of_objects(connection, plan, select(batch.c.batchID).where(*since, going))
    completed = await _of_objects(connection, plan, done.group_by(batch.c.districtNumber))
    left = [row.districtNumber for row in rows if row.districtNumber not in completed]
    if not left:
        raise UsageError(f"All that failed of request {request} has completed since", "See: resync-tui board")
    again = Request(
        [each for each in left if each not in open_ones],
        plan,
        first.initiator,
        "",
        Purpose(first.purpose),
        first.reason,
        full=first.isFull,
        campaign=first.isCampaign,
        preview=first.preview,
    )
    return RetryPlan(again, [open_ones[each] for each in left if each in open_ones])


async def _of_objects(connection: AsyncConnection, plan: Plan, numbers: Select[Any]) -> dict[str, int]:
    """Return, by district, those of these batches whose objects are a plan's."""
    history = Tables.history
    names: dict[tuple[str, int], set[str]] = {}
    for row in await connection.execute(select(history).where(history.c.batchID.in_(numbers))):
        names.setdefault((row.districtNumber, row.batchID), set()).add(row.objectName)
    return {district: number for (district, number), of_it in sorted(names.items()) if of_it == set(plan.names)}


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
