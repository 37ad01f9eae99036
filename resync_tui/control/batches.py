"""Batches as screens and commands list them, with or without their objects; conversion of rows to records."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.models import Tables
from resync_tui.control.rows import known, known_color, required, unreadable
from resync_tui.errors import UsageError
from resync_tui.formatting import ran_for
from resync_tui.outcome import Counts, Detail, Finding, Kind, Purpose, Status
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.results import (
    NOTHING,
    Agent,
    Batch,
    ErrorRecord,
    FindingRecord,
    LastCompleted,
    LastResync,
    ObjectResult,
)
from resync_tui.rights import Rights

COUNTED = ("processed", "inserted", "updated", "unchanged", "excluded", "rejected", "blocked", "extra", "removed")
"""The columns of DISBatchHistory and DISBatch that make up Counts."""


def select_batches() -> Select[Any]:
    """Select batches, each with its agent's last heartbeat while it runs."""
    batch, running, agent = Tables.batch, Tables.running, Tables.agent
    return select(batch, agent.c.seenAt).select_from(
        batch.outerjoin(running, running.c.batchID == batch.c.batchID).outerjoin(
            agent, agent.c.agentID == running.c.owner
        )
    )


def select_agents(rights: Rights) -> Select[Any]:
    """Select agents; users learn by a function which of their own districts each serves, as the column names all."""
    agent = Tables.agent
    if rights.serve:
        return select(agent)
    served = func.dis_served(agent.c.agentID, type_=agent.c.districts.type).label("districts")
    return select(*(each for each in agent.c if each.name != "districts"), served)


def batch_view(row: Row[Any], objects: Iterable[Row[Any]], behind: Mapping[str, int] = MappingProxyType({})) -> Batch:
    """Convert a row of `select_batches`, with its rows of DISBatchHistory in order, to a batch.

    `behind` is the number of records that are blocked behind an exclusion, by object.
    """
    status = known(row.status, Status.FAILED)
    return Batch(
        request=row.requestID,
        batch=row.batchID,
        district=row.districtNumber,
        year=row.schoolYear,
        initiator=row.initiator,
        requested_by=row.requestedBy,
        status=status,
        attempts=row.attempts,
        requested=row.requestedAt,
        started=row.startedAt,
        finished=row.finishedAt,
        cancel_requested=row.cancelRequested,
        cancelled_by=row.cancelledBy,
        message=row.message,
        agent=row.agent,
        agent_seen=row.seenAt,
        objects=tuple(object_view(each, behind.get(each.objectName, 0)) for each in objects),
        reason=row.reason,
        purpose=known(row.purpose, Purpose.RESYNC),
        preview=row.preview,
        full=row.isFull,
        scheduled=row.isScheduled,
        not_before=row.notBefore,
        put_off=row.putOff,
        sums=counts_view(row, sum(behind.values())) if status.ended else NOTHING,
        dot=known_color(row.color),
    )


def counts_view(row: Row[Any], behind_exclusion: int = 0) -> Counts:
    """Convert a row of DISBatchHistory, or one of an ended batch in DISBatch, to counts."""
    return Counts(**{name: getattr(row, name) for name in COUNTED}, behind_exclusion=behind_exclusion)


def object_view(row: Row[Any], behind_exclusion: int = 0) -> ObjectResult:
    """Convert a row of DISBatchHistory to an object's result."""
    return ObjectResult(
        object=row.objectName,
        sequence=row.sequence,
        status=known(row.status, Status.FAILED),
        counts=counts_view(row, behind_exclusion),
        total=row.total,
        read=row.read,
        phase=row.phase,
        started=row.startedAt,
        finished=row.finishedAt,
        message=row.message,
    )


def error_view(row: Row[Any]) -> ErrorRecord:
    """Convert a row of DISBatchError to a refused record."""
    return ErrorRecord(
        row.objectName, row.tableName, row.key, known(row.kind, Kind.REJECTED), row.reason, _detail(row.detail or {})
    )


def _detail(told: Mapping[str, Any]) -> Detail:
    parent = told.get("parent", {})
    parent_table, parent_key = parent.get("table", ""), parent.get("key", {})
    return Detail(told.get("column", ""), told.get("size"), parent_table, parent_key, told.get("holder", {}))


def finding_view(row: Row[Any]) -> FindingRecord:
    """Convert a row of DISBatchFinding to a differing record."""
    return FindingRecord(row.objectName, row.tableName, known(row.finding, Finding.DIFFERENT), row.key)


def agent_view(row: Row[Any], *, alive: bool, running: tuple[int, ...]) -> Agent:
    """Convert a row of DISAgent to an agent."""
    return Agent(row.host, row.pid, row.startedAt, row.seenAt, alive, running, tuple(row.districts), row.isService)


def plan_view(year: int, objects: Iterable[Row[Any]]) -> Plan:
    """Convert rows of DISBatchHistory to the plan of their batch. Raises Unreadable."""
    plan = Plan(year, tuple(_planned(row) for row in objects))
    if len(set(plan.names)) < len(plan.names):
        raise unreadable("it names an object twice")
    return plan


def _planned(row: Row[Any]) -> PlannedObject:
    needs = row.requiredBy
    if not isinstance(needs, list) or not all(isinstance(each, str) for each in needs):
        raise unreadable(f"what requires {row.objectName} is no list of names")
    return PlannedObject(row.objectName, row.sequence, row.wave, required(Marked, row.marked), tuple(needs))


def history_values(planned: PlannedObject) -> Mapping[str, Any]:
    """Return the values of a row of DISBatchHistory for a planned object, queued."""
    return {
        "sequence": planned.sequence,
        "objectName": planned.object,
        "wave": planned.wave,
        "marked": planned.marked.value,
        "requiredBy": list(planned.required_by),
        **BLANK,
    }


BLANK: Mapping[str, Any] = {
    "status": Status.QUEUED.value,
    "phase": "",
    "startedAt": None,
    "finishedAt": None,
    "total": None,
    "read": 0,
    "errors": 0,
    "message": "",
    **dict.fromkeys(COUNTED, 0),
}
"""Values of an object that has not begun."""


async def list_batches(
    connection: AsyncConnection,
    wanted: Select[Any],
    *,
    newest_first: bool = False,
    limit: int | None = None,
    objects: bool = True,
) -> list[Batch]:
    """Return these batches; without `objects` running ones have theirs, the others only their sums."""
    batch, history = Tables.batch, Tables.history
    wanted = wanted.order_by(batch.c.batchID.desc() if newest_first else batch.c.batchID).limit(limit)
    rows = (await connection.execute(wanted)).all()
    of_them = history.c.batchID.in_(select(wanted.with_only_columns(batch.c.batchID).subquery().c.batchID))
    if not objects:
        of_them = history.c.batchID.in_([row.batchID for row in rows if row.status == Status.RUNNING])
    found: dict[int, list[Row[Any]]] = {}
    if objects or any(row.status == Status.RUNNING for row in rows):
        for row in await connection.execute(select(history).where(of_them).order_by(history.c.sequence)):
            found.setdefault(row.batchID, []).append(row)
    blocked = [row.batchID for row in rows if row.blocked or any(each.blocked for each in found.get(row.batchID, ()))]
    behind = await _behind_exclusion(connection, blocked)
    return [batch_view(row, found.get(row.batchID, ()), behind.get(row.batchID, {})) for row in rows]


async def _behind_exclusion(connection: AsyncConnection, batches: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return the number of records that are blocked behind an exclusion, by batch and object."""
    found: dict[int, dict[str, int]] = {}
    if batches:
        counted = Tables.error_count
        of_object = counted.c.batchID, counted.c.objectName
        wanted = select(*of_object, func.sum(counted.c.records).label("records")).group_by(*of_object)
        wanted = wanted.where(counted.c.batchID.in_(batches), counted.c.behindExclusion)
        for row in await connection.execute(wanted):
            found.setdefault(row.batchID, {})[row.objectName] = int(row.records)
    return found


async def one_batch(connection: AsyncConnection, number: int, seen: ColumnElement[bool]) -> Batch:
    """Return a batch with its objects. Raises UsageError for an unknown number."""
    found = await list_batches(connection, select_batches().where(Tables.batch.c.batchID == number, seen))
    if not found:
        raise no_batch(number)
    return found[0]


def no_batch(number: int) -> UsageError:
    """Return the error for an unknown batch number."""
    return UsageError(f"There is no batch #{number}", "See: resync-tui history")


def no_request(number: int) -> UsageError:
    """Return the error for an unknown request number."""
    return UsageError(f"There is no request {number}", "See: resync-tui history")


async def require_request(connection: AsyncConnection, number: int, seen: ColumnElement[bool]) -> None:
    """Require that a request exists. Raises UsageError."""
    wanted = select(Tables.batch.c.batchID).where(Tables.batch.c.requestID == number, seen).limit(1)
    if (await connection.execute(wanted)).first() is None:
        raise no_request(number)


@asynccontextmanager
async def of_batch(connection: AsyncConnection, number: int, seen: ColumnElement[bool]) -> AsyncIterator[None]:
    """Say in a UsageError about a batch how the request of that number is named, if it has other batches."""
    try:
        yield
    except UsageError as error:
        batch = Tables.batch
        others = select(batch.c.batchID).where(batch.c.requestID == number, batch.c.batchID != number, seen)
        if (await connection.execute(others.limit(1))).first() is None:
            raise
        raise UsageError(error.what, f"{error.do}; request {number} is another: --request {number}") from None


async def last_results(
    connection: AsyncConnection,
    district: str,
    year: int,
    purpose: Purpose,
    seen: ColumnElement[bool],
) -> dict[str, LastResync]:
    """Return, per object, its newest started result of a school year."""
    history, batch = Tables.history, Tables.batch
    started = seen & (batch.c.purpose == purpose) & history.c.startedAt.is_not(None)
    rows = (await connection.execute(_newest([district], year, started))).all()
    return {row.objectName: LastResync(row.batchID, object_view(row)) for row in rows}


async def last_results_of(
    connection: AsyncConnection, districts: Sequence[str], year: int, seen: ColumnElement[bool]
) -> dict[str, dict[str, LastResync]]:
    """Return, per district and object, the newest started resync of a school year."""
    history, batch = Tables.history, Tables.batch
    started = seen & (batch.c.purpose == Purpose.RESYNC) & history.c.startedAt.is_not(None)
    found: dict[str, dict[str, LastResync]] = {}
    for row in await connection.execute(_newest(districts, year, started)):
        found.setdefault(row.districtNumber, {})[row.objectName] = LastResync(row.batchID, object_view(row))
    return found


async def last_completed(
    connection: AsyncConnection, district: str, year: int, seen: ColumnElement[bool]
) -> LastCompleted:
    """Return each object's newest completed runs of a school year, by purpose, full batches apart from partial."""
    history, batch = Tables.history, Tables.batch
    completed = seen & (history.c.status == Status.COMPLETED)
    found = (await connection.execute(_newest([district], year, completed, batch.c.purpose, batch.c.isFull))).all()
    runs: dict[tuple[Purpose, bool], dict[str, LastResync]] = {}
    for row in found:
        kind = runs.setdefault((Purpose(row.purpose), row.isFull), {})
        kind[row.objectName] = LastResync(row.batchID, object_view(row))
    ended = {row.batchID: (row.batchStarted, row.batchFinished) for row in found if row.batchFinished}
    return LastCompleted(runs, {number: ran_for(*span, span[1]) for number, span in ended.items()})


def _newest(districts: Sequence[str], year: int, wanted: ColumnElement[bool], *by: ColumnElement[Any]) -> Select[Any]:
    """Return the query of each object's newest result of each district, and of each value of the columns `by`."""
    history, batch = Tables.history, Tables.batch
    of_year = history.c.districtNumber.in_(districts) & (history.c.schoolYear == year)
    newest = (
        select(history.c.objectName, func.max(history.c.batchID).label("batchID"), *by)
        .join(batch, batch.c.batchID == history.c.batchID)
        # Also a condition on the batches: a district's are few among all.
        .where(of_year, batch.c.districtNumber.in_(districts), wanted)
        .group_by(history.c.districtNumber, history.c.objectName, *by)
        .subquery()
    )
    # Repeated, so that the outer rows are found by DISBatchHistory_last as well.
    return (
        select(history, batch.c.startedAt.label("batchStarted"), batch.c.finishedAt.label("batchFinished"))
        .add_columns(*(newest.c[each.key] for each in by if each.key))
        .join(newest, (history.c.batchID == newest.c.batchID) & (history.c.objectName == newest.c.objectName))
        .join(batch, batch.c.batchID == history.c.batchID)
        .where(of_year)
    )
