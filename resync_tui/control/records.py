"""Records of a batch by their keys: refused ones, and those that differ between district and state."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.batches import error_view, finding_view
from resync_tui.control.models import DISBatch, Tables
from resync_tui.control.rows import known
from resync_tui.outcome import Consent, Finding, Kind, Purpose, Status, key_text
from resync_tui.results import ErrorGroup, ErrorRecord, FindingGroup, FindingRecord


async def error_groups(
    connection: AsyncConnection, batch: int, object: str | None, seen: ColumnElement[bool]
) -> list[ErrorGroup]:
    """Return exact counts by object (in the order of syncing), table, kind and reason, the most frequent first."""
    counted, history = Tables.error_count, Tables.history
    wanted = (
        select(counted)
        .outerjoin(history, (history.c.batchID == counted.c.batchID) & (history.c.objectName == counted.c.objectName))
        .where(counted.c.batchID == batch, seen)
        .order_by(history.c.sequence, counted.c.records.desc(), counted.c.tableName, counted.c.kind, counted.c.reason)
    )
    if object is not None:
        wanted = wanted.where(counted.c.objectName == object)
    rows = (await connection.execute(wanted)).all()
    return [
        ErrorGroup(
            each.objectName,
            each.tableName,
            known(each.kind, Kind.REJECTED),
            each.reason,
            each.records,
            each.behindExclusion,
        )
        for each in rows
    ]


async def errors(
    connection: AsyncConnection,
    batch: int,
    object: str | None,
    kind: Kind | None,
    reason: str | None,
    limit: int | None,
    offset: int,
    seen: ColumnElement[bool],
) -> list[ErrorRecord]:
    """Return the kept refused records, in the order in which they were met."""
    error = Tables.error
    wanted = select(error).where(error.c.batchID == batch, seen).order_by(error.c.number).offset(offset).limit(limit)
    for column, value in ((error.c.objectName, object), (error.c.kind, kind), (error.c.reason, reason)):
        if value is not None:
            wanted = wanted.where(column == value)
    return [error_view(row) for row in (await connection.execute(wanted)).all()]


async def finding_groups(connection: AsyncConnection, batch: int, seen: ColumnElement[bool]) -> list[FindingGroup]:
    """Return exact counts by object (in the order of syncing), table and finding, the most frequent first."""
    counted, history = Tables.finding_count, Tables.history
    wanted = (
        select(counted)
        .outerjoin(history, (history.c.batchID == counted.c.batchID) & (history.c.objectName == counted.c.objectName))
        .where(counted.c.batchID == batch, seen)
        .order_by(history.c.sequence, counted.c.records.desc(), counted.c.tableName, counted.c.finding)
    )
    rows = (await connection.execute(wanted)).all()
    return [
        FindingGroup(row.objectName, row.tableName, known(row.finding, Finding.DIFFERENT), row.records) for row in rows
    ]


async def consent(connection: AsyncConnection, removal: DISBatch) -> Consent:
    """Return the consent of a removal: the extra records that its preview kept.

    Empty without a preview, or if that is no completed comparison of the same district, year and initiator.
    """
    batch, found = Tables.batch, Tables.finding
    same = [batch.c[name] == getattr(removal, name) for name in ("districtNumber", "schoolYear", "initiator")]
    kept = (
        select(found.c.tableName, found.c.key)
        .join(batch, batch.c.batchID == found.c.batchID)
        .where(batch.c.batchID == removal.preview, batch.c.purpose == Purpose.VERIFY, *same)
        .where(batch.c.status == Status.COMPLETED, found.c.finding == Finding.EXTRA)
    )
    keys: dict[str, set[str]] = {}
    for row in await connection.execute(kept):
        keys.setdefault(row.tableName, set()).add(key_text(row.key))
    return {table: frozenset(of_table) for table, of_table in keys.items()}


async def findings(
    connection: AsyncConnection,
    batch: int,
    object: str | None,
    finding: Finding | None,
    limit: int | None,
    offset: int,
    seen: ColumnElement[bool],
) -> list[FindingRecord]:
    """Return the kept differing records, in the order in which they were met."""
    found = Tables.finding
    wanted = select(found).where(found.c.batchID == batch, seen).order_by(found.c.number).offset(offset).limit(limit)
    for column, value in ((found.c.objectName, object), (found.c.finding, finding)):
        if value is not None:
            wanted = wanted.where(column == value)
    return [finding_view(row) for row in (await connection.execute(wanted)).all()]
