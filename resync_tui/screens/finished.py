"""Which of this user's requests have just ended, and how that is told; pure."""

from collections.abc import Sequence

from resync_tui import formatting
from resync_tui.outcome import Purpose, Status
from resync_tui.results import Batch


class Awaited:
    """The requests that this user waits for: those of theirs that were seen queued or running."""

    def __init__(self, user: str) -> None:
        self._user = user
        self._open: frozenset[int] = frozenset()

    def ended(self, active: Sequence[Batch]) -> list[int]:
        """Return the requests that have ended since the last look, by the batches that are queued or running."""
        still = frozenset(batch.request for batch in active)
        mine = frozenset(batch.request for batch in active if batch.requested_by == self._user)
        ended = sorted(self._open - still)
        self._open = (self._open & still) | mine
        return ended


def told(batches: Sequence[Batch], place: str) -> tuple[str, bool]:
    """Return how a request that has ended is told in a line, and whether all went well; `place` is its district."""
    kind = formatting.kind_of(batches[0]).capitalize()
    compared = batches[0].purpose is Purpose.VERIFY
    counts = [batch.counts for batch in batches]
    errors = sum(each.updated + each.inserted if compared else each.errors for each in counts)
    failed = [batch for batch in batches if batch.status is Status.FAILED]
    cancelled = sum(batch.status is Status.CANCELLED for batch in batches)
    what = f"{kind} of {place}" if len(batches) == 1 else f"{kind} of {len(batches)} districts"
    if failed:
        how = "failed" if len(batches) == 1 else f"failed in {len(failed)}"
    elif cancelled == len(batches):
        how = "cancelled"
    elif compared:
        how = f"{formatting.plural(errors, 'record')} different or missing" if errors else "no difference"
    else:
        how = f"done, {formatting.plural(errors, 'error')}" if errors else "done, no errors"
    return f"{what}: {how}", not failed and not errors and not cancelled
