"""Events that the engine reports while a batch runs; the caller decides how to handle them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from resync_tui.outcome import Counts, Detail, Finding, KeyValue, Kind, Status


@dataclass(frozen=True, slots=True)
class ObjectStarted:
    """Start of an object run."""

    object: str


@dataclass(frozen=True, slots=True)
class ObjectProgress:
    """Progress of an object run, several times a second while it advances."""

    object: str
    phase: str
    """`reading`, `waiting` (for its parents or its turn), `merging`, `comparing` or `removing`."""
    read: int
    """Records read from the district so far."""
    total: int
    """Records in scope at the snapshot."""
    counts: Counts
    """Counts so far; `processed` grows up to `total`."""


@dataclass(frozen=True, slots=True)
class RecordsRefused:
    """Refused records of one table, kind and reason; `keys` are those kept of `count`, `details` belong to these."""

    object: str
    table: str
    kind: Kind
    reason: str
    count: int
    keys: tuple[Mapping[str, KeyValue], ...]
    details: tuple[Detail, ...] = ()
    """One for each key; empty where none says more than the reason."""
    behind_exclusion: bool = False
    """Whether they are blocked as a rule excludes their parent records, or ones above them."""


@dataclass(frozen=True, slots=True)
class RecordsFound:
    """Missing, different or extra records of one table; `keys` are those kept of `count`."""

    object: str
    table: str
    finding: Finding
    count: int
    keys: tuple[Mapping[str, KeyValue], ...]


@dataclass(frozen=True, slots=True)
class ObjectEnded:
    """End of an object run: completed, failed (`message` gives the reason and the remedy) or skipped."""

    object: str
    status: Status
    counts: Counts
    message: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Line for the agent's log, for example when the snapshot is taken or closed."""

    text: str


Event: TypeAlias = ObjectStarted | ObjectProgress | RecordsRefused | RecordsFound | ObjectEnded | Note
Report: TypeAlias = Callable[[Event], None]
"""Event callback, called in the event loop; must return at once."""
