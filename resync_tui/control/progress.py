"""Progress of a batch: an agent's writes under its lease; without the lease nothing is written.

Every write may be repeated after a connection broke at its commit: values are absolute, rows are numbered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.batches import BLANK, COUNTED
from resync_tui.control.models import Tables
from resync_tui.control.models.columns import UtcTime
from resync_tui.control.rows import insert_of
from resync_tui.errors import LeaseLost
from resync_tui.outcome import Consent, Detail, Finding, Kind, Purpose, Status
from resync_tui.plan import Plan
from resync_tui.results import ErrorRecord, FindingRecord, ObjectResult

TEXT_LIMIT = 500
"""Characters of a reason or message that are kept; a PostgreSQL index limits its length."""


class Reason(NamedTuple):
    """The key by which refused records are counted."""

    object: str
    table: str
    kind: Kind
    reason: str
    behind_exclusion: bool = False


class Found(NamedTuple):
    """The key by which differing records are counted."""

    object: str
    table: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Lease:
    """An agent's lease of a batch, valid as long as its token."""

    batch: int
    district: str
    token: int
    attempt: int
    plan: Plan
    cancel_requested: bool = False
    """Whether it was cancelled while no agent could clean up: drop its stage, run nothing."""
    purpose: Purpose = Purpose.RESYNC
    campaign: bool = False
    """Whether its district is tried again later if it cannot be reached."""
    put_off: int = 0
    """Number of earlier put-offs."""
    initiator: str = "district"
    """Requesting edition: `district` or `state`."""
    requested_by: str = ""
    consent: Consent | None = None
    """For a removal: the records shown by its preview; None for any other purpose."""
    mark: str = ""
    """Keyed hash of the district, which tells nobody else which one it is."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The changes since the last write."""

    objects: tuple[ObjectResult, ...] = ()
    refused: Mapping[Reason, int] = field(default_factory=dict)
    """Totals of this attempt."""
    records: tuple[tuple[int, ErrorRecord], ...] = ()
    """Kept refused records, numbered from 1 in this attempt."""
    found: Mapping[Found, int] = field(default_factory=dict)
    """Totals of this attempt."""
    found_records: tuple[tuple[int, FindingRecord], ...] = ()
    """Kept differing records, numbered from 1 in this attempt."""
    transitions: int = 0
    """Number of objects whose status has changed."""


async def hold(connection: AsyncConnection, lease: Lease, *, transitions: int = 0) -> None:
    """Keep the lease until this transaction ends; count the transitions. Raises LeaseLost if another agent has it."""
    running = Tables.running
    held = await connection.execute(
        update(running)
        .where(running.c.districtNumber == lease.district, running.c.token == lease.token)
        .values(changes=running.c.changes + 1, transitions=running.c.transitions + transitions)
        .returning(running.c.batchID)
    )
    if held.one_or_none() is None:
        raise lost(lease)


def lost(lease: Lease) -> LeaseLost:
    """Return the error for a lost lease."""
    return LeaseLost(
        f"Batch #{lease.batch} of district {lease.district} is no longer this agent's", "Another agent runs it."
    )


async def cancel_requested(connection: AsyncConnection, lease: Lease) -> bool:
    """Whether the batch's cancellation was requested."""
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
    """Upsert totals."""
    if rows:
        counted = insert_of(connection)(table)
        total = {"records": counted.excluded.records}
        await connection.execute(
            counted.on_conflict_do_update(index_elements=list(table.primary_key), set_=total), rows
        )


async def _keep(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert records unless their numbers exist."""
    if rows:
        await connection.execute(insert_of(connection)(table).on_conflict_do_nothing(), rows)


async def blank(connection: AsyncConnection, batch: int) -> None:
    """Reset what an attempt wrote: a batch's counts are those of its last attempt."""
    await connection.execute(update(Tables.history).where(Tables.history.c.batchID == batch).values(**BLANK))
    for table in (Tables.error, Tables.error_count, Tables.finding, Tables.finding_count):
        await connection.execute(delete(table).where(table.c.batchID == batch))


def clip(text: str) -> str:
    """Return a text as one line, cut to a length that every database can store."""
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
        # An object that never began has not finished either.
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
        "behindExclusion": reason.behind_exclusion,
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
        "detail": _detail_values(record.detail),
    }


def _detail_values(detail: Detail) -> dict[str, Any] | None:
    known: dict[str, Any] = {}
    if detail.column:
        known["column"] = detail.column
    if detail.size is not None:
        known["size"] = detail.size
    if detail.parent_table:
        known["parent"] = {"table": detail.parent_table, "key": dict(detail.parent_key)}
    if detail.holder_key:
        known["holder"] = dict(detail.holder_key)
    return known or None
