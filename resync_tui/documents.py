"""The JSON documents that scripts read: catalog, plan, batches and errors as plain dictionaries."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from resync_tui.catalog import Catalog
from resync_tui.control.views import Agent, Batch, ErrorRecord, LastResync, ObjectResult
from resync_tui.errors import ResyncError
from resync_tui.plan import Plan

Document: TypeAlias = dict[str, Any]


def time(value: datetime | None) -> str | None:
    """Return a time in UTC, as ISO 8601 with Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def objects(catalog: Catalog, last: Mapping[str, LastResync]) -> list[Document]:
    """Return the checklist in screen order; what has never run has nulls."""
    return [_checked(catalog, each.name, last.get(each.name)) for each in catalog.objects]


def _checked(catalog: Catalog, name: str, last: LastResync | None) -> Document:
    result = last.result if last else None
    return {
        "object": name,
        "parents": list(catalog.parents(name)),
        "children": list(catalog.children(name)),
        "school_year": catalog[name].school_year,
        "last_resync": time(result.started) if result else None,
        "processed": result.counts.processed if result else None,
        "errors": result.counts.errors if result else None,
        "status": result.status.value if result else None,
        "color": result.color.value if result and result.color else None,
    }


def plan(plan: Plan) -> Document:
    """Return a plan, in the order of syncing."""
    return {
        "year": plan.year,
        "objects": [
            {
                "object": each.object,
                "sequence": each.sequence,
                "wave": each.wave,
                "marked": each.marked.value,
                "required_by": list(each.required_by),
            }
            for each in plan.objects
        ],
    }


def batch(batch: Batch) -> Document:
    """Return one district's batch with its objects, in the order of syncing."""
    return {
        "request": batch.request,
        "batch": batch.batch,
        "district": batch.district,
        "year": batch.year,
        "initiator": batch.initiator,
        "requested_by": batch.requested_by,
        "status": batch.status.value,
        "color": batch.color.value if batch.color else None,
        "attempts": batch.attempts,
        "objects": [_result(each) for each in batch.objects],
    }


def _result(result: ObjectResult) -> Document:
    counts = result.counts
    return {
        "object": result.object,
        "sequence": result.sequence,
        "status": result.status.value,
        "processed": counts.processed,
        "errors": counts.errors,
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "excluded": counts.excluded,
        "rejected": counts.rejected,
        "blocked": counts.blocked,
        "extra": counts.extra,
        "color": result.color.value if result.color else None,
        "started": time(result.started),
        "finished": time(result.finished),
    }


def error(record: ErrorRecord) -> Document:
    """Return one record that did not reach the state."""
    return {
        "object": record.object,
        "table": record.table,
        "key": dict(record.key),
        "kind": record.kind.value,
        "reason": record.reason,
    }


def doctor(agents: Iterable[Agent], problems: Iterable[ResyncError]) -> Document:
    """Return what `doctor` found."""
    return {
        "agents": [{"host": each.host, "pid": each.pid, "alive": each.alive} for each in agents],
        "problems": [{"what": each.what, "do": each.do} for each in problems],
    }
