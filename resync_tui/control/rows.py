"""Rows of the control database become views."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, Select, select

from resync_tui.control.models import Tables
from resync_tui.outcome import Color, Counts, Finding, Kind, Purpose, Status
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.results import NOTHING, Agent, Batch, ErrorRecord, FindingRecord, ObjectResult

COUNTED = ("processed", "inserted", "updated", "unchanged", "excluded", "rejected", "blocked", "extra", "removed")
"""The columns of DISBatchHistory, and of DISBatch, that make up Counts."""


def select_batches() -> Select[Any]:
    """Return batches with, where they run, when their agent was last heard of."""
    batch, running, agent = Tables.batch, Tables.running, Tables.agent
    return select(batch, agent.c.seenAt).select_from(
        batch.outerjoin(running, running.c.batchID == batch.c.batchID).outerjoin(
            agent, agent.c.agentID == running.c.owner
        )
    )


def batch_view(row: Row[Any], objects: Iterable[Row[Any]]) -> Batch:
    """Return a batch from a row of `select_batches` and its rows of DISBatchHistory in their order."""
    status = Status(row.status)
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
        objects=tuple(object_view(each) for each in objects),
        reason=row.reason,
        purpose=Purpose(row.purpose),
        preview=row.preview,
        full=row.isFull,
        scheduled=row.isScheduled,
        not_before=row.notBefore,
        put_off=row.putOff,
        sums=counts_view(row) if status.ended else NOTHING,
        dot=Color(row.color) if row.color else None,
    )


def counts_view(row: Row[Any]) -> Counts:
    """Return the counts of a row of DISBatchHistory, or of one of DISBatch that has ended."""
    return Counts(**{name: getattr(row, name) for name in COUNTED})


def object_view(row: Row[Any]) -> ObjectResult:
    """Return an object's result from a row of DISBatchHistory."""
    return ObjectResult(
        object=row.objectName,
        sequence=row.sequence,
        status=Status(row.status),
        counts=counts_view(row),
        total=row.total,
        read=row.read,
        phase=row.phase,
        started=row.startedAt,
        finished=row.finishedAt,
        message=row.message,
    )


def error_view(row: Row[Any]) -> ErrorRecord:
    """Return a refused record from a row of DISBatchError."""
    return ErrorRecord(row.objectName, row.tableName, row.key, Kind(row.kind), row.reason)


def finding_view(row: Row[Any]) -> FindingRecord:
    """Return a record that differs from a row of DISBatchFinding."""
    return FindingRecord(row.objectName, row.tableName, Finding(row.finding), row.key)


def agent_view(row: Row[Any], *, alive: bool, running: tuple[int, ...]) -> Agent:
    """Return an agent from a row of DISAgent."""
    return Agent(row.host, row.pid, row.startedAt, row.seenAt, alive, running, tuple(row.districts))


def plan_view(year: int, objects: Iterable[Row[Any]]) -> Plan:
    """Return the plan that a batch was sent with."""
    return Plan(
        year,
        tuple(
            PlannedObject(row.objectName, row.sequence, row.wave, Marked(row.marked), tuple(row.requiredBy))
            for row in objects
        ),
    )


def history_values(planned: PlannedObject) -> Mapping[str, Any]:
    """Return what a row of DISBatchHistory keeps of a planned object, queued."""
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
"""An object that has not begun."""
