"""Progress of an attempt: the engine's events summed up, and the part that is not yet written."""

from dataclasses import replace

from resync_tui.control.progress import Found, Progress, Reason
from resync_tui.engine.events import Event, ObjectEnded, ObjectProgress, ObjectStarted, RecordsFound, RecordsRefused
from resync_tui.outcome import NO_DETAIL, Counts, Status
from resync_tui.plan import Plan
from resync_tui.results import ErrorRecord, FindingRecord, ObjectResult

UNTOLD = "The engine did not say how it ended; send it again"


class Ledger:
    """The sums of one attempt's events."""

    def __init__(self, plan: Plan) -> None:
        self._objects = {
            each.object: ObjectResult(each.object, each.sequence, Status.QUEUED, Counts()) for each in plan.objects
        }
        self._refused: dict[Reason, int] = {}
        self._records: list[tuple[int, ErrorRecord]] = []
        self._kept = 0
        self._found: dict[Found, int] = {}
        self._found_records: list[tuple[int, FindingRecord]] = []
        self._found_kept = 0
        self._new_objects: set[str] = set()
        self._statuses = dict.fromkeys(self._objects, Status.QUEUED)
        """Statuses as they are written."""
        self._in_transition: set[str] = set()
        """Objects whose status is not yet written as it is."""
        self._new_reasons: set[Reason] = set()
        self._new_found: set[Found] = set()

    def add(self, event: Event) -> None:
        """Add an event of the engine."""
        match event:
            case ObjectStarted():
                self._set(replace(self._objects[event.object], status=Status.RUNNING))
            case ObjectProgress():
                known = replace(self._objects[event.object], status=Status.RUNNING, phase=event.phase)
                self._set(replace(known, read=event.read, total=event.total, counts=event.counts))
            case RecordsRefused():
                self._refuse(event)
            case RecordsFound():
                self._find(event)
            case ObjectEnded():
                known = replace(self._objects[event.object], status=event.status, phase="")
                self._set(replace(known, counts=event.counts, message=event.message))

    def _set(self, result: ObjectResult) -> None:
        self._objects[result.object] = result
        self._new_objects.add(result.object)
        self._compare(result.object)

    def _compare(self, name: str) -> None:
        is_written = self._objects[name].status is self._statuses[name]
        (self._in_transition.discard if is_written else self._in_transition.add)(name)

    def _refuse(self, event: RecordsRefused) -> None:
        reason = Reason(event.object, event.table, event.kind, event.reason, event.behind_exclusion)
        self._refused[reason] = self._refused.get(reason, 0) + event.count
        self._new_reasons.add(reason)
        details = event.details or (NO_DETAIL,) * len(event.keys)
        for key, detail in zip(event.keys, details, strict=True):
            self._kept += 1
            record = ErrorRecord(event.object, event.table, key, event.kind, event.reason, detail)
            self._records.append((self._kept, record))

    def _find(self, event: RecordsFound) -> None:
        found = Found(event.object, event.table, event.finding)
        self._found[found] = self._found.get(found, 0) + event.count
        self._new_found.add(found)
        for key in event.keys:
            self._found_kept += 1
            self._found_records.append((self._found_kept, FindingRecord(*found, key)))

    def end(self, status: Status, message: str) -> tuple[Status, str]:
        """End the open objects for a batch of this status; return the batch's status and message."""
        for result in list(self._objects.values()):
            if not result.status.ended:
                self._set(_ended(result, status, message))
        failed = next((each for each in self._objects.values() if each.status is Status.FAILED), None)
        if failed is None or status is Status.CANCELLED:
            return status, message
        return Status.FAILED, message or f"{failed.object}: {failed.message}"

    def pending(self) -> Progress:
        """Return the unwritten changes; they stay pending until `written`."""
        return Progress(
            tuple(self._objects[name] for name in self._objects if name in self._new_objects),
            {reason: self._refused[reason] for reason in self._new_reasons},
            tuple(self._records),
            {found: self._found[found] for found in self._new_found},
            tuple(self._found_records),
            self.transitions,
        )

    @property
    def transitions(self) -> int:
        """Number of objects whose status is not yet written as it is."""
        return len(self._in_transition)

    def written(self, progress: Progress) -> None:
        """Mark changes as written, except for what has changed since."""
        self._new_objects -= {each.object for each in progress.objects if self._objects[each.object] is each}
        for each in progress.objects:
            self._statuses[each.object] = each.status
            self._compare(each.object)
        self._new_reasons -= {reason for reason, total in progress.refused.items() if self._refused[reason] == total}
        del self._records[: len(progress.records)]
        self._new_found -= {found for found, total in progress.found.items() if self._found[found] == total}
        del self._found_records[: len(progress.found_records)]


def _ended(result: ObjectResult, batch: Status, message: str) -> ObjectResult:
    begun = result.status is Status.RUNNING
    if batch is Status.CANCELLED:
        return replace(result, status=Status.CANCELLED, phase="")
    if batch is Status.FAILED and not begun:
        return replace(result, status=Status.SKIPPED)
    return replace(result, status=Status.FAILED, phase="", message=message or UNTOLD)
