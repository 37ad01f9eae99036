"""The retry of batches: what of them failed, was refused, cancelled or skipped, and has not gone well since."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.batches import list_batches, plan_view, select_batches
from resync_tui.control.models import Tables
from resync_tui.errors import UsageError
from resync_tui.outcome import Status
from resync_tui.plan import Marked, Plan, Request
from resync_tui.results import Batch


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
    batch, history = Tables.batch, Tables.history
    first = failed[0]
    objects = select(history).where(history.c.batchID == first.batch).order_by(history.c.sequence)
    plan = plan_view(first.year, (await connection.execute(objects)).all())
    campaign = await connection.scalar(select(batch.c.isCampaign).where(batch.c.batchID == first.batch))
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
    partial = {district: _part(plan, names) for district, names in again.items() if names < whole}
    return Retry(request, partial, open_ones)


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
