"""The board of a school year: where each district stands, from rows of DISBatch alone."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.models import Tables
from resync_tui.outcome import Color, Purpose, Status
from resync_tui.results import DistrictStanding, Standing, standing_of

FEW = 10
"""Districts that are looked up one by one; of more all are read at once."""


async def board(
    connection: AsyncConnection, year: int, districts: Sequence[str] | None, seen: ColumnElement[bool]
) -> list[DistrictStanding]:
    """Return where districts stand, in the given order; None: all that have ever been asked, by number.

    Two statements, however many districts and however long their history; both find their rows by DISBatch_board.
    """
    if districts is not None and len(districts) <= FEW:
        seen &= Tables.batch.c.districtNumber.in_(districts)
    newest = {row.districtNumber: row for row in await connection.execute(newest_batches(year, seen))}
    full = {row.districtNumber: row for row in await connection.execute(full_batches(year, seen))}
    return [
        _standing(each, newest.get(each), full.get(each))
        for each in (sorted(newest) if districts is None else districts)
    ]


def newest_batches(year: int, seen: ColumnElement[bool]) -> Select[Any]:
    """Select each district's newest resync of a year that was not cancelled."""
    return _newest(year, seen & (Tables.batch.c.status != Status.CANCELLED))


def full_batches(year: int, seen: ColumnElement[bool]) -> Select[Any]:
    """Select each district's newest full resync of a year that has completed."""
    return _newest(year, seen & (Tables.batch.c.status == Status.COMPLETED) & Tables.batch.c.isFull)


def _newest(year: int, which: ColumnElement[bool]) -> Select[Any]:
    batch = Tables.batch
    numbers = (
        select(func.max(batch.c.batchID))
        .where(batch.c.schoolYear == year, batch.c.purpose == Purpose.RESYNC, which)
        .group_by(batch.c.districtNumber)
    )
    return select(batch).where(batch.c.batchID.in_(numbers))


def _standing(district: str, row: Row[Any] | None, full: Row[Any] | None) -> DistrictStanding:
    since = {"last_full": full.startedAt, "last_full_batch": full.batchID} if full is not None else {}
    if row is None:
        return DistrictStanding(district, Standing.NOT_YET, **since)
    return DistrictStanding(
        district,
        standing_of(Status(row.status), row.putOff),
        **since,
        batch=row.batchID,
        request=row.requestID,
        requested=row.requestedAt,
        processed=row.processed,
        errors=row.errors,
        color=Color(row.color) if row.color else None,
        message=row.message,
        put_off=row.putOff,
        next_attempt=row.notBefore if row.status == Status.QUEUED else None,
    )
