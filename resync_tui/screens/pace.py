"""How fast something grows, and when it will be done; pure, the time is passed in."""

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=10)


class Pace:
    """A speed, from samples of the last ten seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[datetime, int]] = deque()

    def add(self, at: datetime, amount: int) -> None:
        """Note how much is done; an amount that shrinks (a batch that starts again) begins anew."""
        if self._samples and amount < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((at, amount))
        while at - self._samples[0][0] > WINDOW and len(self._samples) > 2:
            self._samples.popleft()

    @property
    def per_second(self) -> float | None:
        """The speed; None until there are two samples at least half a second apart."""
        if len(self._samples) < 2:
            return None
        (first_at, first), (last_at, last) = self._samples[0], self._samples[-1]
        seconds = (last_at - first_at) / timedelta(seconds=1)
        return (last - first) / seconds if seconds >= 0.5 else None

    def seconds_for(self, amount: int) -> float | None:
        """Return how long `amount` more will take; None where nothing moves."""
        speed = self.per_second
        return amount / speed if speed else None
