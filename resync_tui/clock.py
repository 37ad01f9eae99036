"""What time it is, as an aware UTC time; passed in where a test needs another."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return this host's time."""
    return datetime.now(UTC)
