"""What the engine reports while a batch runs; whoever listens decides what to do with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from resync_tui.outcome import Counts, Finding, KeyValue, Kind, Status


@dataclass(frozen=True, slots=True)
class ObjectStarted:
    """The engine has begun to read an object."""

    object: str


@dataclass(frozen=True, slots=True)
class ObjectProgress:
    """How far an object is; comes several times a second while it moves."""

    object: str
    phase: str
    """`reading`, `waiting` (for its parents or its turn) or `merging`."""
    read: int
    """Records read from the district so far."""
    total: int
    """Records in scope at the snapshot."""
    counts: Counts
    """What is known so far; `processed` grows up to `total`."""


@dataclass(frozen=True, slots=True)
class RecordsRefused:
    """Records that did not go in, of one table, kind and reason; `keys` are those kept of `count`."""

    object: str
    table: str
    kind: Kind
    reason: str
    count: int
    keys: tuple[Mapping[str, KeyValue], ...]


@dataclass(frozen=True, slots=True)
class RecordsFound:
    """Records that are not the same at both ends, of one table; `keys` are those kept of `count`."""

    object: str
    table: str
    finding: Finding
    count: int
    keys: tuple[Mapping[str, KeyValue], ...]


@dataclass(frozen=True, slots=True)
class ObjectEnded:
    """An object is through: completed, failed (`message` says why and what to do) or skipped."""

    object: str
    status: Status
    counts: Counts
    message: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the agent's log, such as that the snapshot was taken or let go."""

    text: str


Event: TypeAlias = ObjectStarted | ObjectProgress | RecordsRefused | RecordsFound | ObjectEnded | Note
Report: TypeAlias = Callable[[Event], None]
"""Called in the event loop; must return at once."""
