"""Progress of a batch while it runs: its work, its throughput, and what an object waits for; pure."""

from collections import deque
from datetime import datetime, timedelta

from resync_tui.catalog import Catalog
from resync_tui.results import Batch, ObjectResult

WINDOW = timedelta(seconds=10)


class Throughput:
    """A throughput, from samples of the last ten seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[datetime, int]] = deque()

    def add(self, at: datetime, amount: int) -> None:
        """Add a sample of the amount done; a smaller amount (a batch that starts again) resets it."""
        if self._samples and amount < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((at, amount))
        while at - self._samples[0][0] > WINDOW and len(self._samples) > 2:
            self._samples.popleft()

    @property
    def per_second(self) -> float | None:
        """The throughput; None until there are two samples at least half a second apart."""
        if len(self._samples) < 2:
            return None
        (first_at, first), (last_at, last) = self._samples[0], self._samples[-1]
        seconds = (last_at - first_at) / timedelta(seconds=1)
        return (last - first) / seconds if seconds >= 0.5 else None

    def seconds_for(self, amount: int) -> float | None:
        """Return the seconds for `amount` more; None without throughput."""
        speed = self.per_second
        return amount / speed if speed else None


def work(result: ObjectResult) -> tuple[int, int]:
    """Return the work done and the total work of an object: each record is read once and merged once."""
    total, settled = result.total or 0, result.counts.processed
    if result.status.ended:
        return 2 * total, 2 * total
    if result.phase == "merging":
        return total + min(total, settled), 2 * total
    return total if result.phase == "waiting" else min(total, result.read + settled), 2 * total


def handled(result: ObjectResult) -> int:
    """Return the number from which the throughput is sampled: records read, then records settled."""
    return result.counts.processed + (0 if result.phase == "merging" else result.read)


def waits_for(catalog: Catalog, batch: Batch, name: str) -> str:
    """Return the ancestor for which an object waits: the last open one in order; empty if none is."""
    if name not in catalog:
        return ""
    above = catalog.ancestors([name])
    open_ones = [each.object for each in batch.objects if each.object in above and not each.status.ended]
    return open_ones[-1] if open_ones else ""
