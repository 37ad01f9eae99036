"""Builders of the documents, from what the control database, the catalog and the settings say."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, overload

from resync_tui.analysis.checks import Check, Mark
from resync_tui.catalog import Catalog
from resync_tui.config.settings import DistrictSettings, ScheduleSettings
from resync_tui.outcome import Detail, Finding, Purpose
from resync_tui.plan import Plan
from resync_tui.results import (
    Agent,
    Alert,
    Batch,
    DistrictStanding,
    ErrorRecord,
    FindingGroup,
    FindingRecord,
    LastResync,
    ObjectResult,
)

if TYPE_CHECKING:
    # Types alone: no command waits for them to be made.
    from resync_tui.json_output import documents


@overload
def time(value: datetime) -> str: ...
@overload
def time(value: datetime | None) -> str | None: ...
def time(value: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, with Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def objects(catalog: Catalog, last: Mapping[str, LastResync]) -> "list[documents.Object]":
    """Return the checklist in screen order; an object that has never run has nulls."""
    return [_object(catalog, each.name, last.get(each.name)) for each in catalog.objects]


def _object(catalog: Catalog, name: str, last: LastResync | None) -> "documents.Object":
    result = last.result if last else None
    return {
        "object": name,
        "parents": catalog.parents(name),
        "children": catalog.children(name),
        "school_year": catalog[name].school_year,
        "last_resync": time(result.started) if result else None,
        "processed": result.counts.processed if result else None,
        "errors": result.counts.errors if result else None,
        "status": result.status if result else None,
        "color": result.color if result else None,
    }


def plan(plan: Plan) -> "documents.Plan":
    """Return a plan, in the order of syncing."""
    return {
        "year": plan.year,
        "objects": [
            {
                "object": each.object,
                "sequence": each.sequence,
                "wave": each.wave,
                "marked": each.marked,
                "required_by": each.required_by,
            }
            for each in plan.objects
        ],
    }


def batch(batch: Batch) -> "documents.Batch":
    """Return one district's batch with its objects, in the order of syncing.

    Purpose, preview, reason and earliest start are left out where they are empty, as in most batches.
    """
    unusual: documents.Unusual = {}
    if batch.purpose is not Purpose.RESYNC:
        unusual["purpose"] = batch.purpose
    if batch.preview is not None:
        unusual["preview"] = batch.preview
    if batch.reason:
        unusual["reason"] = batch.reason
    if batch.not_before:
        unusual["not_before"] = time(batch.not_before)
    return {
        "request": batch.request,
        "batch": batch.batch,
        "district": batch.district,
        "year": batch.year,
        "initiator": batch.initiator,
        "requested_by": batch.requested_by,
        "status": batch.status,
        "color": batch.color,
        "attempts": batch.attempts,
        **unusual,
        "objects": [_result(each) for each in batch.objects],
    }


def _result(result: ObjectResult) -> "documents.ObjectResult":
    counts = result.counts
    return {
        **_batch_object(result),
        "processed": counts.processed,
        "errors": counts.errors,
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "excluded": counts.excluded,
        "rejected": counts.rejected,
        "blocked": counts.blocked,
        "extra": counts.extra,
        "color": result.color,
        "started": time(result.started),
        "finished": time(result.finished),
    }


def verification(
    batch: Batch, groups: Sequence[FindingGroup], records: Sequence[FindingRecord] | None
) -> "documents.Verification":
    """Return the result of a comparison; with `records` also the keys of the records that differ."""
    keys: documents.Keys = {} if records is None else {"keys": [_difference(each) for each in records]}
    objects = [_compared(each, groups) for each in batch.objects]
    return {**_head(batch), "objects": objects, **keys}


def removal(batch: Batch) -> "documents.Removal":
    """Return the result of a removal of extra records."""
    return {**_head(batch), "objects": [_removed(each) for each in batch.objects]}


def _head(batch: Batch) -> "documents.ResultHead":
    return {
        "request": batch.request,
        "batch": batch.batch,
        "district": batch.district,
        "year": batch.year,
        "status": batch.status,
    }


def _batch_object(result: ObjectResult) -> "documents.BatchObject":
    return {"object": result.object, "sequence": result.sequence, "status": result.status}


def _compared(result: ObjectResult, groups: Sequence[FindingGroup]) -> "documents.ComparedObject":
    counts = result.counts
    return {
        **_batch_object(result),
        "processed": counts.processed,
        "matched": counts.unchanged,
        "different": counts.updated,
        "missing": counts.inserted,
        "expected": counts.errors,
        "extra": counts.extra,
        "moved": sum(each.count for each in groups if (each.object, each.finding) == (result.object, Finding.MOVED)),
    }


def _removed(result: ObjectResult) -> "documents.RemovedObject":
    counts = result.counts
    return {
        **_batch_object(result),
        "extra": counts.extra,
        "removed": counts.removed,
        "errors": counts.errors,
    }


def _difference(record: FindingRecord) -> "documents.Difference":
    return {
        "object": record.object,
        "table": record.table,
        "key": dict(record.key),
        "finding": record.finding,
    }


def schedule(schedule: ScheduleSettings, fires: datetime, starts: datetime, last: Batch | None) -> "documents.Schedule":
    """Return a schedule with its next firing, the earliest start of its batches, and a batch of its last firing."""
    return {
        "name": schedule.name,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "districts": schedule.districts,
        "objects": schedule.objects,
        "next_run": time(fires),
        "starts": time(starts),
        "last_run": time(last.requested) if last else None,
        "request": last.request if last else None,
    }


def alert(alert: Alert) -> "documents.Alert":
    """Return a Process Alert."""
    return {
        "alert": alert.alert,
        "process": alert.process,
        "name": alert.name,
        "message": alert.message,
        "posted": time(alert.posted),
        "due": time(alert.due),
        "district": alert.district,
        "request": alert.request,
        "batch": alert.batch,
        "read": alert.read,
    }


def standing(
    district: DistrictSettings, standing: DistrictStanding, opens: date | None, closes: date | None
) -> "documents.Standing":
    """Return a district's standing; `full_since_…` are null where that day is not configured or still to come."""
    return {
        "district": district.id,
        "name": district.name,
        "standing": standing.standing,
        "last_full": time(standing.last_full),
        "full_since_opens": standing.full_since(opens) if opens else None,
        "full_since_closes": standing.full_since(closes) if closes else None,
        "batch": standing.batch,
        "requested": time(standing.requested),
        "processed": standing.processed,
        "errors": standing.errors,
        "color": standing.color,
        "message": standing.message,
        "next_attempt": time(standing.next_attempt),
        "last_full_color": standing.last_full_color,
    }


def error(record: ErrorRecord) -> "documents.RefusedRecord":
    """Return one record that did not reach the state."""
    return {
        "object": record.object,
        "table": record.table,
        "key": dict(record.key),
        "kind": record.kind,
        "reason": record.reason,
        **_mending(record.detail),
    }


def _mending(detail: Detail) -> "documents.Mending":
    known: documents.Mending = {}
    if detail.column:
        known["column"] = detail.column
    if detail.size is not None:
        known["size"] = detail.size
    if detail.parent_table:
        known["parent"] = {"table": detail.parent_table, "key": dict(detail.parent_key)}
    if detail.holder_key:
        known["holder"] = dict(detail.holder_key)
    return known


def doctor(agents: Iterable[Agent], checks: Sequence[Check]) -> "documents.Doctor":
    """Return the report of `doctor`: agents, problems, and all checks."""
    return {
        "agents": [{"host": each.host, "pid": each.pid, "alive": each.alive} for each in agents],
        "problems": [{"what": each.what, "do": each.do} for each in checks if each.mark is Mark.PROBLEM],
        "checks": [{"what": each.what, "state": each.mark, "do": each.do} for each in checks],
    }
