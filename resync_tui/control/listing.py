"""Batches as screens and commands list them, with or without their objects."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.models import Tables
from resync_tui.control.rows import batch_view, object_view, select_batches
from resync_tui.errors import UsageError
from resync_tui.outcome import Purpose, Status
from resync_tui.results import Batch, LastResync


async def list_batches(
    connection: AsyncConnection,
    wanted: Select[Any],
    *,
    newest_first: bool = False,
    limit: int | None = None,
    objects: bool = True,
) -> list[Batch]:
    """Return these batches; without `objects` only those that run have theirs, the others their sums."""
    batch, history = Tables.batch, Tables.history
    wanted = wanted.order_by(batch.c.batchID.desc() if newest_first else batch.c.batchID).limit(limit)
    rows = (await connection.execute(wanted)).all()
    if objects:
        numbers = select(wanted.with_only_columns(batch.c.batchID).subquery().c.batchID)
        of_them = history.c.batchID.in_(numbers)
    else:
        running = [row.batchID for row in rows if row.status == Status.RUNNING]
        if not running:
            return [batch_view(row, ()) for row in rows]
        of_them = history.c.batchID.in_(running)
    found: dict[int, list[Row[Any]]] = {}
    for row in await connection.execute(select(history).where(of_them).order_by(history.c.sequence)):
        found.setdefault(row.batchID, []).append(row)
    return [batch_view(row, found.get(row.batchID, ())) for row in rows]


async def one_batch(connection: AsyncConnection, number: int, seen: ColumnElement[bool]) -> Batch:
    """Return a batch with its objects. Raises UsageError where there is none of that number."""
    found = await list_batches(connection, select_batches().where(Tables.batch.c.batchID == number, seen))
    if not found:
        raise no_batch(number)
    return found[0]


def no_batch(number: int) -> UsageError:
    """Return the error of one who asks for a batch that is not there."""
    return UsageError(f"There is no batch {number}", "See: resync-tui history")


async def last_results(
    connection: AsyncConnection, district: str, year: int, purpose: Purpose, seen: ColumnElement[bool]
) -> dict[str, LastResync]:
    """Return, per object, its newest result of a school year that has at least started."""
    history, batch = Tables.history, Tables.batch
    of_year = (history.c.districtNumber == district) & (history.c.schoolYear == year)
    newest = (
        select(history.c.objectName, func.max(history.c.batchID).label("batchID"))
        .join(batch, batch.c.batchID == history.c.batchID)
        # Said of the batches too: a district's are few among all.
        .where(of_year, batch.c.districtNumber == district, batch.c.purpose == purpose, seen)
        .where(history.c.startedAt.is_not(None))
        .group_by(history.c.objectName)
        .subquery()
    )
    # Said twice, so that the outer rows are found by DISBatchHistory_last as well.
    wanted = (
        select(history)
        .join(newest, (history.c.batchID == newest.c.batchID) & (history.c.objectName == newest.c.objectName))
        .where(of_year)
    )
    rows = (await connection.execute(wanted)).all()
    return {row.objectName: LastResync(row.batchID, object_view(row)) for row in rows}
