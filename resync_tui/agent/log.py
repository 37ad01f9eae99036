"""The agent's log: a text file for people, one line per event, without student data or passwords."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

from resync_tui.clock import Clock, utc_now
from resync_tui.engine.events import Event, Note, ObjectEnded, ObjectStarted, RecordsFound, RecordsRefused
from resync_tui.errors import UntrustedPath
from resync_tui.files import own
from resync_tui.logs import OWN, TIME, LogFile, is_own, level, text_of

SIZE_LIMIT = 5_000_000
"""Bytes after which the file becomes `agent.log.1`, replacing the one before."""

_subject: ContextVar[tuple[str, ...]] = ContextVar("subject", default=())
"""What the lines of this task, and of the tasks that it starts, are about."""
_hidden: ContextVar[bool] = ContextVar("hidden", default=False)
_log: ContextVar["AgentLog | None"] = ContextVar("log", default=None)
"""The log of this task's agent; a library's own threads have none."""


class AgentLog(LogFile):
    """Handler of the agent's log; several agents may share the file."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        super().__init__(path, clock)
        self.addFilter(lambda record: _log.get() in (None, self) and not (_hidden.get() and is_own(record)))

    @contextmanager
    def attached(self) -> Iterator["AgentLog"]:
        """Take what this task, those that it starts, and libraries log.

        Raises ConfigError for an unknown level, UntrustedPath for a file that is not this program's own.
        """
        self.require_own()
        root, before, token = logging.getLogger(), OWN.level, _log.set(self)
        OWN.setLevel(level())
        root.addHandler(self)
        try:
            yield self
        finally:
            root.removeHandler(self)
            OWN.setLevel(before)
            _log.reset(token)

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line: local time, what it is about, then the record."""
        self.write(*_subject.get(), *text_of(record).split("  "))

    def make_room(self) -> None:
        """Move the file aside once it is long."""
        if self.path.exists() and self.path.stat().st_size > SIZE_LIMIT:
            # Two agents that rotate at once lose at most one old file.
            self.path.replace(self.path.with_suffix(".log.1"))

    def forget(self, days: int) -> None:
        """Delete lines older than this many days, none before half of that; 0: keep all."""
        if not days:
            return
        half = timedelta(days=days) / 2
        aside = self.path.with_suffix(".log.1")
        with suppress(OSError):
            if self.clock() - datetime.fromtimestamp(aside.stat().st_mtime, UTC) > half:
                aside.unlink()
        with suppress(OSError, ValueError, UntrustedPath):
            with open(own.open_private(self.path, os.O_RDONLY), encoding="utf-8") as lines:
                first = datetime.strptime(lines.readline()[:25], TIME)
            if self.clock() - first > half:
                self.path.replace(aside)


@contextmanager
def about(*parts: str, hidden: bool = False) -> Iterator[None]:
    """Begin lines with these parts; `hidden` drops them, as the log's readers may not know of what they tell."""
    subject, hiding = _subject.set((*_subject.get(), *parts)), _hidden.set(hidden)
    try:
        yield
    finally:
        _subject.reset(subject)
        _hidden.reset(hiding)


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
