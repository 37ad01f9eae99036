"""The clock: the current time as an aware UTC datetime; a test passes its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return this host's current time."""
    return datetime.now(UTC)
