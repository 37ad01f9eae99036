"""Clocks: the current time as an aware UTC datetime; a test passes its own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]

SKEW = timedelta(seconds=1)
"""Difference of two clocks that counts as none: the answer that tells it takes its time."""


def utc_now() -> datetime:
    """Return this host's current time."""
    return datetime.now(UTC)


class CorrectedClock:
    """A host's clock, corrected by the time that another host has told."""

    def __init__(self, own: Clock) -> None:
        self.own = own
        self._skew = timedelta()

    def __call__(self) -> datetime:
        """Return the other host's current time."""
        return self.own() + self._skew

    def correct(self, told: datetime) -> None:
        """Correct the clock by the other host's time, as just told."""
        skew = told - self.own()
        if abs(skew - self._skew) >= SKEW:
            self._skew = skew
