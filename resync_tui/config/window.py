"""The window: the hours of the day in which scheduled batches may start."""

import re
from datetime import time

_WINDOW = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)\Z")


def window(text: str) -> tuple[time, time] | None:
    """Return the two ends of `22:00-05:00`; None for another text."""
    found = _WINDOW.match(text)
    try:
        return (time.fromisoformat(found[1]), time.fromisoformat(found[2])) if found else None
    except ValueError:
        return None
