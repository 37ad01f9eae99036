"""What a user is told of their requests that have ended; pure."""

from collections.abc import Sequence

from resync_tui import formatting
from resync_tui.outcome import Purpose, Status
from resync_tui.results import Batch


class Awaited:
    """The requests awaited by a user: their own ones seen queued or running."""

    def __init__(self) -> None:
        self._open: frozenset[int] = frozenset()

    def ended(self, active: Sequence[Batch], user: str) -> list[int]:
        """Return the user's requests ended since the last call; `active` are the queued and running batches."""
        still = frozenset(batch.request for batch in active)
        mine = frozenset(batch.request for batch in active if batch.requested_by == user)
        ended = sorted(self._open - still)
        self._open = (self._open & still) | mine
        return ended


def told(batches: Sequence[Batch], place: str) -> tuple[str, bool]:
    """Return the message about a finished request, and whether it went as it should; `place` is its district.

    Errors that follow from rules of the catalog alone are as they should be.
    """
    kind = formatting.kind_of(batches[0]).capitalize()
    compared = batches[0].purpose is Purpose.VERIFY
    counts = [batch.counts for batch in batches]
    errors = sum(each.updated + each.inserted if compared else each.errors for each in counts)
    expected = not compared and not any(each.failures for each in counts)
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
        rules = " by rule, as expected" if expected else ""
        how = f"done, {formatting.plural(errors, 'error')}{rules}" if errors else "done, no errors"
    return f"{what}: {how}", not failed and not cancelled and (expected or not errors)
