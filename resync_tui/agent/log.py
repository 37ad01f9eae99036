"""The agent's log: a text file for people, one line per event, without student data or passwords."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from resync_tui.clock import Clock, utc_now
from resync_tui.engine.events import Event, Note, ObjectEnded, ObjectStarted, RecordsFound, RecordsRefused

SIZE_LIMIT = 5_000_000
"""Bytes after which the file becomes `agent.log.1`, replacing the one before."""

_TIME = "%Y-%m-%d %H:%M:%S %z"

Write = Callable[..., None]
"""Writes the parts of a line."""


class AgentLog:
    """An append-only log; several agents may share the file, and a full disk never stops a batch."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self._path = path
        self._clock = clock

    def write(self, *parts: str) -> None:
        """Append a line: local time, then the parts."""
        time = self._clock().astimezone().strftime(_TIME)
        line = "  ".join((time, *(" ".join(part.split()) for part in parts)))
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > SIZE_LIMIT:
                # Two agents that rotate at once lose at most one old file.
                self._path.replace(self._path.with_suffix(".log.1"))
            # Opened for each line: another agent may have rotated the file.
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, f"{line}\n".encode())
            finally:
                os.close(file)

    def forget(self, days: int) -> None:
        """Delete lines older than this many days, none before half of that; 0: keep all."""
        if not days:
            return
        half = timedelta(days=days) / 2
        aside = self._path.with_suffix(".log.1")
        with suppress(OSError):
            if self._clock() - datetime.fromtimestamp(aside.stat().st_mtime, UTC) > half:
                aside.unlink()
        with suppress(OSError, ValueError):
            with self._path.open() as lines:
                first = datetime.strptime(lines.readline()[:25], _TIME)
            if self._clock() - first > half:
                self._path.replace(aside)

    def about(self, *parts: str) -> Write:
        """Return a writer of lines that begin with these parts."""
        return lambda *more: self.write(*parts, *more)


def line_of(event: Event) -> tuple[str, ...]:
    """Return the parts of an event's line, empty for an event without one; keys of records stay out of it."""
    match event:
        case ObjectStarted(name):
            return name, "started"
        case RecordsRefused():
            return event.object, f"{event.count} {event.kind} in {event.table}: {event.reason}"
        case RecordsFound():
            return event.object, f"{event.count} {event.finding} in {event.table}"
        case ObjectEnded():
            counts = event.counts
            told = f"processed {counts.processed}, errors {counts.errors}, inserted {counts.inserted}"
            told += f", updated {counts.updated}, unchanged {counts.unchanged}"
            told += f", removed {counts.removed}" if counts.removed else ""
            return tuple(filter(None, (event.object, event.status.value, told, event.message)))
        case Note(text):
            return (text,)
    return ()
