"""Requests: queueing as one batch per district, cancellation, and the retry of batches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, case, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import SCHEDULE
from resync_tui.control.alerts import announce
from resync_tui.control.batches import history_values, list_batches, plan_view, select_batches
from resync_tui.control.completion import Asked, alert_if_ended
from resync_tui.control.models import DISBatch, Tables
from resync_tui.control.progress import clip
from resync_tui.control.rows import values_of
from resync_tui.errors import UsageError
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.plan import Marked, Plan, Request
from resync_tui.results import Batch, ObjectResult

ROWS_AT_ONCE = 10_000
"""Rows in one statement; its parameters have a limit."""


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


@dataclass(frozen=True, slots=True)
class Retry:
    """The retry of one or more batches of a request."""

    request: Request
    """The request for the districts still to be retried, without those of `open_ones`."""
    partial: Mapping[str, Plan]
    """Plans of the districts of which not all objects are retried."""
    open_ones: Sequence[int]
    """Queued and running batches that retry the other districts already."""


async def retry_of(
    connection: AsyncConnection, which: ColumnElement[bool], seen: ColumnElement[bool], named: str, only: str | None
) -> Retry:
    """Return the retry of the ended ones of these batches, of one request; `only`: of one object alone.

    Raises UsageError, with these batches as `named`, if nothing is left to retry.
    """
    ended = Tables.batch.c.status.not_in([Status.QUEUED, Status.RUNNING])
    batches = await list_batches(connection, select_batches().where(which, seen, ended))
    wanted = {each.batch: each.to_retry & ({only} if only else each.to_retry) for each in batches}
    failed = [each for each in batches if wanted[each.batch]]
    if not failed:
        raise UsageError(
            f"Nothing of {named} is to be retried",
            "What a rule excludes, and what follows from that, would be refused again. See: resync-tui history",
        )
    later = await _since(connection, failed, seen)
    again: dict[str, frozenset[str]] = {}
    open_ones: list[int] = []
    for batch in failed:
        since = [each for each in later if each.district == batch.district and each.batch > batch.batch]
        left = wanted[batch.batch] - _settled(since)
        there = [each.batch for each in since if not each.status.ended and left <= {o.object for o in each.objects}]
        if left and there:
            open_ones.append(max(there))
        elif left:
            again[batch.district] = left
    if not again and not open_ones:
        raise UsageError(f"All that failed of {named} has completed since", "See: resync-tui board")
    return await _retry(connection, failed, again, open_ones)


async def _since(connection: AsyncConnection, failed: Sequence[Batch], seen: ColumnElement[bool]) -> list[Batch]:
    """Return the later batches of the same kind for these districts that are open or have completed."""
    batch, first = Tables.batch, failed[0]
    going = batch.c.status.in_([Status.QUEUED, Status.RUNNING]) & batch.c.cancelRequested.is_(False)
    since = select_batches().where(
        batch.c.batchID > min(each.batch for each in failed),
        batch.c.districtNumber.in_([each.district for each in failed]),
        batch.c.schoolYear == first.year,
        batch.c.purpose == first.purpose,
        batch.c.initiator == first.initiator,
        going | (batch.c.status == Status.COMPLETED),
        seen,
    )
    return await list_batches(connection, since)


def _settled(since: Collection[Batch]) -> set[str]:
    """Return the objects that have completed in one of these batches with nothing left to retry."""
    return {
        each.object
        for batch in since
        for each in batch.objects
        if each.status is Status.COMPLETED and not each.to_retry
    }


async def _retry(
    connection: AsyncConnection, failed: Sequence[Batch], again: Mapping[str, frozenset[str]], open_ones: Sequence[int]
) -> Retry:
    plans = await _plans(connection, failed)
    # Districts of a retry may have different objects: the request's plan is that of most.
    plan = max(plans.values(), key=lambda each: len(each.objects))
    first = failed[0]
    is_campaign = select(Tables.batch.c.isCampaign).where(Tables.batch.c.batchID == first.batch)
    campaign = await connection.scalar(is_campaign)
    request = Request(
        list(again),
        plan,
        first.initiator,
        "",
        first.purpose,
        first.reason,
        full=any(each.full for each in failed),
        campaign=bool(campaign),
        preview=first.preview,
    )
    whole = set(plan.names)
    partial = {district: _part(plans[district], names) for district, names in again.items() if names != whole}
    return Retry(request, partial, open_ones)


async def _plans(connection: AsyncConnection, batches: Sequence[Batch]) -> dict[str, Plan]:
    """Return the plans of these batches, by district."""
    history = Tables.history
    objects = select(history).where(history.c.batchID.in_([each.batch for each in batches]))
    rows: dict[int, list[Row[Any]]] = {}
    for row in await connection.execute(objects.order_by(history.c.sequence)):
        rows.setdefault(row.batchID, []).append(row)
    return {each.district: plan_view(each.year, rows.get(each.batch, ())) for each in batches}


def _part(plan: Plan, names: Collection[str]) -> Plan:
    """Return the plan of these objects alone: what they need has gone in, or is among them."""
    kept = [each for each in plan.objects if each.object in names]
    waves = sorted({each.wave for each in kept})
    return Plan(
        plan.year,
        tuple(
            replace(each, sequence=place, wave=waves.index(each.wave) + 1, marked=Marked.SELECTED, required_by=())
            for place, each in enumerate(kept, 1)
        ),
    )


async def cancel(connection: AsyncConnection, which: Any, by: str, now: datetime) -> bool:
    """Cancel the open ones of these batches; return whether any was open. The caller holds the queue lock.

    A batch whose stage may be left stays open until an agent has cleaned up; only then its district is free.
    """
    batch, history = Tables.batch, Tables.history
    at_once = (batch.c.status == Status.QUEUED) & ~batch.c.stageLeft
    marked = await connection.execute(
        update(batch)
        .where(which, batch.c.status.in_([Status.QUEUED, Status.RUNNING]))
        # The clean-up need not wait for the batch's time.
        .values(cancelRequested=True, cancelledBy=by, notBefore=None)
        .values(status=case((at_once, Status.CANCELLED.value), else_=batch.c.status))
        .values(finishedAt=case((at_once, literal(now, batch.c.finishedAt.type)), else_=batch.c.finishedAt))
        .returning(batch.c.batchID, batch.c.requestID, batch.c.initiator, batch.c.districtNumber, batch.c.status)
    )
    open_ones = marked.all()
    gone = [row for row in open_ones if row.status == Status.CANCELLED]
    for start in range(0, len(gone), ROWS_AT_ONCE):
        mine = history.c.batchID.in_([row.batchID for row in gone[start : start + ROWS_AT_ONCE]])
        await connection.execute(update(history).where(mine).values(status=Status.CANCELLED))
    await alert_if_ended(connection, sorted(set(map(Asked.by, gone))), now)
    return bool(open_ones)
