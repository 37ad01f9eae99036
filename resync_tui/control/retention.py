"""Retention: old error keys and history, deleted after a number of days in small transactions.

None of them takes the queue lock, and what somebody else has locked is left for the next day: no user's open
transaction makes an agent wait here, and nobody waits for this.

Of each object, district, school year and purpose the newest started and the newest completed result stay with their
errors; so does the newest completed full resync.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.connection import ControlDatabase, lock_queue
from resync_tui.control.models import Tables
from resync_tui.control.overview import full_batches
from resync_tui.outcome import Status

BATCHES_AT_ONCE = 20
ROWS_AT_ONCE = 5_000


async def prune(database: ControlDatabase, *, errors_days: int, history_days: int) -> int:
    """Delete what is older than these numbers of days (0: nothing); return the number of rows."""
    gone = 0
    for days, forget in ((errors_days, _forget_errors), (history_days, _forget_history)):
        after = 0
        while days:
            async with database.write() as connection:
                before = await database.now(connection) - timedelta(days=days)
                numbers = await _old(connection, before, after)
                free = await _unlocked(connection, Tables.history.c.batchID, numbers)
                deleted = await forget(connection, free) if free else 0
            gone += deleted
            if not numbers:
                break
            if deleted < ROWS_AT_ONCE:
                after = numbers[-1]
    if history_days:
        gone += await _forget_alerts(database, history_days)
    if gone:
        async with database.write() as connection:
            await lock_queue(connection, changes=1)
    return gone


async def _old(connection: AsyncConnection, before: datetime, after: int) -> list[int]:
    batch = Tables.batch
    ended = batch.c.status.not_in([Status.QUEUED, Status.RUNNING]) & (batch.c.finishedAt < before)
    wanted = select(batch.c.batchID).where(batch.c.batchID > after, ended).order_by(batch.c.batchID)
    wanted = wanted.limit(BATCHES_AT_ONCE).with_for_update(skip_locked=True)
    return list((await connection.execute(wanted)).scalars())


async def _unlocked(connection: AsyncConnection, column: ColumnElement[int], numbers: Sequence[int]) -> list[int]:
    """Lock the rows with these numbers in a column; return the numbers of which nobody else holds a row."""
    of_them = select(column).where(column.in_(numbers))
    every = Counter((await connection.execute(of_them)).scalars())
    locked = Counter((await connection.execute(of_them.with_for_update(skip_locked=True))).scalars())
    return [each for each in numbers if locked[each] >= every[each]]


def _replaced() -> ColumnElement[bool]:
    """Return the condition on DISBatchHistory for results neither newest started nor newest completed."""
    history, batch = Tables.history, Tables.batch

    def newer(condition: Any) -> ColumnElement[bool]:
        later, of_later = history.alias(), batch.alias()
        same = [later.c[name] == history.c[name] for name in ("districtNumber", "schoolYear", "objectName")]
        mine = select(batch.c.purpose).where(batch.c.batchID == history.c.batchID).correlate(history).scalar_subquery()
        return exists(
            select(later.c.batchID)
            .join(of_later, of_later.c.batchID == later.c.batchID)
            .where(*same, later.c.batchID > history.c.batchID, of_later.c.purpose == mine, condition(later))
            .correlate(history)
        )

    started = newer(lambda later: later.c.startedAt.is_not(None))
    completed = newer(lambda later: later.c.status == Status.COMPLETED)
    return or_(history.c.startedAt.is_(None), and_(started, or_(history.c.status != Status.COMPLETED, completed)))


async def _forget_errors(connection: AsyncConnection, numbers: list[int]) -> int:
    """Delete the kept keys of results that newer ones have replaced; their counts stay."""
    history = Tables.history
    gone = 0
    for table in (Tables.error, Tables.finding):
        replaced = select(history.c.batchID, history.c.objectName).where(history.c.batchID.in_(numbers), _replaced())
        of_them = tuple_(table.c.batchID, table.c.objectName).in_(replaced)
        some = select(table.c.batchID, table.c.number).where(table.c.batchID.in_(numbers), of_them)
        some = some.limit(ROWS_AT_ONCE - gone)
        gone += await _deleted(connection, table, tuple_(table.c.batchID, table.c.number).in_(some))
    return gone


async def _forget_history(connection: AsyncConnection, numbers: list[int]) -> int:
    """Delete results that newer ones have replaced, and batches without any result left."""
    history, batch = Tables.history, Tables.batch
    gone = await _forget_errors(connection, numbers)
    if gone >= ROWS_AT_ONCE:
        return gone
    replaced = select(history.c.batchID, history.c.objectName).where(history.c.batchID.in_(numbers), _replaced())
    objects = (await connection.execute(replaced)).all()
    for table in (Tables.error_count, Tables.finding_count, history):
        for row in objects:
            mine = (table.c.batchID == row.batchID) & (table.c.objectName == row.objectName)
            gone += await _deleted(connection, table, mine)
    empty = batch.c.batchID.in_(numbers) & ~exists().where(history.c.batchID == batch.c.batchID)
    years = (await connection.execute(select(batch.c.schoolYear).where(empty).distinct())).scalars().all()
    last_full = [row.batchID for year in years for row in await connection.execute(full_batches(year, true()))]
    return gone + await _deleted(connection, batch, empty & batch.c.batchID.not_in(last_full))


async def _deleted(connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> int:
    return int((await connection.execute(delete(table).where(which))).rowcount)


async def _forget_alerts(database: ControlDatabase, days: int) -> int:
    alert, gone, after = Tables.alert, 0, 0
    while True:
        async with database.write() as connection:
            before = await database.now(connection) - timedelta(days=days)
            old = select(alert.c.alertID).where(alert.c.alertID > after, alert.c.postedAt < before)
            old = old.order_by(alert.c.alertID).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
            numbers = list((await connection.execute(old)).scalars())
            free = await _unlocked(connection, Tables.alert_user.c.alertID, numbers)
            gone += await _deleted(connection, alert, alert.c.alertID.in_(free))
        if not numbers:
            return gone
        after = numbers[-1]
