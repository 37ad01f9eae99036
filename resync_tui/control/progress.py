"""What an agent writes of a batch while it holds its lease; one who does not hold it writes nothing.

Every write may be tried again after a connection broke at its commit: values are absolute, rows carry numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.batches import BLANK, COUNTED
from resync_tui.control.columns import UtcTime
from resync_tui.control.models import Tables
from resync_tui.errors import LeaseLost
from resync_tui.outcome import Consent, Finding, Kind, Purpose, Status
from resync_tui.plan import Plan
from resync_tui.results import ErrorRecord, FindingRecord, ObjectResult

TEXT_LIMIT = 500
"""Characters of a reason or message that are kept; an index of PostgreSQL does not take any length."""


class Reason(NamedTuple):
    """What refused records are counted by."""

    object: str
    table: str
    kind: Kind
    reason: str


class Found(NamedTuple):
    """What records that are not the same at both ends are counted by."""

    object: str
    table: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Lease:
    """One agent's hold on one batch, as good as its token."""

    batch: int
    district: str
    token: int
    attempt: int
    plan: Plan
    cancel_requested: bool = False
    """It was cancelled while no agent could clean up: drop its stage, run nothing."""
    purpose: Purpose = Purpose.RESYNC
    campaign: bool = False
    """Whether its district is tried again later where it cannot be reached."""
    put_off: int = 0
    """How often that was so already."""
    initiator: str = "district"
    """`district` or `state`."""
    requested_by: str = ""
    consent: Consent | None = None
    """Of a removal: the records that its preview showed; None: of any other purpose."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What has changed since the last write."""

    objects: tuple[ObjectResult, ...] = ()
    refused: Mapping[Reason, int] = field(default_factory=dict)
    """Totals of this attempt."""
    records: tuple[tuple[int, ErrorRecord], ...] = ()
    """Refused records that are kept, numbered from 1 in this attempt."""
    found: Mapping[Found, int] = field(default_factory=dict)
    """Totals of this attempt."""
    found_records: tuple[tuple[int, FindingRecord], ...] = ()
    """Those that are kept, numbered from 1 in this attempt."""


async def hold(connection: AsyncConnection, lease: Lease) -> None:
    """Keep the lease from being taken until this transaction ends. Raises LeaseLost where it has been."""
    running = Tables.running
    held = await connection.execute(
        update(running)
        .where(running.c.districtNumber == lease.district, running.c.token == lease.token)
        .values(changes=running.c.changes + 1)
        .returning(running.c.batchID)
    )
    if held.one_or_none() is None:
        raise lost(lease)


def lost(lease: Lease) -> LeaseLost:
    """Return the error of one whose lease is another's."""
    return LeaseLost(
        f"Batch {lease.batch} of district {lease.district} is no longer this agent's", "Another agent runs it."
    )


async def cancel_requested(connection: AsyncConnection, lease: Lease) -> bool:
    """Whether somebody wants the batch to end."""
    wanted = select(Tables.batch.c.cancelRequested).where(Tables.batch.c.batchID == lease.batch)
    return bool(await connection.scalar(wanted))


async def record(connection: AsyncConnection, lease: Lease, progress: Progress, now: datetime) -> None:
    """Write progress; the caller holds the lease."""
    if progress.objects:
        await connection.execute(_UPDATE_OBJECT, [_object_values(lease.batch, each, now) for each in progress.objects])
    totals: dict[Reason, int] = {}
    for reason, count in progress.refused.items():
        clipped = reason._replace(reason=clip(reason.reason))
        totals[clipped] = totals.get(clipped, 0) + count
    await _count(connection, Tables.error_count, [_count_values(lease.batch, *each) for each in totals.items()])
    await _keep(connection, Tables.error, [_record_values(lease.batch, *each) for each in progress.records])
    found = [_found_values(lease.batch, *each) for each in progress.found.items()]
    await _count(connection, Tables.finding_count, found)
    kept = [_finding_values(lease.batch, *each) for each in progress.found_records]
    await _keep(connection, Tables.finding, kept)


async def _count(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write totals over earlier ones."""
    if rows:
        counted = insert_of(connection)(table)
        total = {"records": counted.excluded.records}
        await connection.execute(
            counted.on_conflict_do_update(index_elements=list(table.primary_key), set_=total), rows
        )


async def _keep(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Add records whose numbers are not there yet."""
    if rows:
        await connection.execute(insert_of(connection)(table).on_conflict_do_nothing(), rows)


def insert_of(connection: AsyncConnection) -> Any:
    """Return the kind of INSERT that knows what to do on a conflict; a dialect takes long to import."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert
    from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

    return insert_into_sqlite


async def blank(connection: AsyncConnection, batch: int) -> None:
    """Take back whatever an attempt wrote: its counts are those of the last attempt."""
    await connection.execute(update(Tables.history).where(Tables.history.c.batchID == batch).values(**BLANK))
    for table in (Tables.error, Tables.error_count, Tables.finding, Tables.finding_count):
        await connection.execute(delete(table).where(table.c.batchID == batch))


def clip(text: str) -> str:
    """Return a text as one line that every database can keep."""
    line = " ".join(text.replace("\0", " ").split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"


_began = func.coalesce(Tables.history.c.startedAt, bindparam("began", type_=UtcTime()))

_UPDATE_OBJECT = (
    update(Tables.history)
    .where(
        Tables.history.c.batchID == bindparam("of_batch"),
        Tables.history.c.objectName == bindparam("of_object"),
    )
    .values(
        status=bindparam("status"),
        phase=bindparam("phase"),
        total=bindparam("total"),
        read=bindparam("read"),
        errors=bindparam("errors"),
        message=bindparam("message"),
        startedAt=_began,
        # What never began has not finished either.
        finishedAt=case((_began.is_(None), None), else_=bindparam("ended", type_=UtcTime())),
        **{name: bindparam(name) for name in COUNTED},
    )
)


def _object_values(batch: int, result: ObjectResult, now: datetime) -> dict[str, Any]:
    return {
        "of_batch": batch,
        "of_object": result.object,
        "status": result.status.value,
        "phase": result.phase,
        "total": result.total,
        "read": result.read,
        "errors": result.counts.errors,
        "message": clip(result.message),
        "began": now if result.status in (Status.RUNNING, Status.COMPLETED, Status.FAILED) else None,
        "ended": now if result.status.ended else None,
        **{name: getattr(result.counts, name) for name in COUNTED},
    }


def _count_values(batch: int, reason: Reason, count: int) -> dict[str, Any]:
    return {
        "batchID": batch,
        "objectName": reason.object,
        "tableName": reason.table,
        "kind": reason.kind.value,
        "reason": reason.reason,
        "records": count,
    }


def _found_values(batch: int, found: Found, count: int) -> dict[str, Any]:
    table = {"objectName": found.object, "tableName": found.table}
    return {"batchID": batch, **table, "finding": found.finding.value, "records": count}


def _finding_values(batch: int, number: int, record: FindingRecord) -> dict[str, Any]:
    table = {"objectName": record.object, "tableName": record.table}
    return {"batchID": batch, "number": number, **table, "finding": record.finding.value, "key": dict(record.key)}


def _record_values(batch: int, number: int, record: ErrorRecord) -> dict[str, Any]:
    return {
        "batchID": batch,
        "number": number,
        "objectName": record.object,
        "tableName": record.table,
        "key": dict(record.key),
        "kind": record.kind.value,
        "reason": clip(record.reason),
    }
