"""Result types: record counts, their accounting identity, and the traffic-light status."""

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TypeAlias

KeyValue: TypeAlias = str | int | float | bool | None
"""A value of a record's key, as JSON can carry it."""


Consent: TypeAlias = Mapping[str, frozenset[str]]
"""The extra records whose removal was confirmed, by table, each as `key_text`."""


PLACE = "record"
"""Pseudo key column of a table without a key: the record's position in the read, by which no SQL finds it."""


def key_text(key: Mapping[str, KeyValue]) -> str:
    """Return a record's key as one text, equal for equal keys."""
    return json.dumps(dict(key), sort_keys=True)


class Status(StrEnum):
    """The status of a batch, or of one object of it; only an object is ever skipped."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self not in (Status.QUEUED, Status.RUNNING)


class Color(StrEnum):
    """The status dot: gray while in progress, green without errors, yellow up to 1 %, red above."""

    GRAY = "gray"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Kind(StrEnum):
    """The kind of a refusal: the record's own rule, its parent, or any other reason."""

    EXCLUDED = "excluded"
    REJECTED = "rejected"
    BLOCKED = "blocked"


class Purpose(StrEnum):
    """The purpose of a batch: to push records, only to compare, or to remove extra records."""

    RESYNC = "resync"
    VERIFY = "verify"
    REMOVE_EXTRA = "remove-extra"


class Finding(StrEnum):
    """The kind of a difference between district and state."""

    MISSING = "missing"
    DIFFERENT = "different"
    EXTRA = "extra"
    MOVED = "moved"
    """The state has it in the compared school year, the district in another; it may be different too."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Record counts of one object, or of a batch; each term is counted by itself, never by subtraction.

    `processed` is every record in scope; `extra` are records only the state has, outside the identity. In a comparison
    `inserted` and `updated` are those that a resync would write; in a removal `processed` are the extra records.
    """

    processed: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    excluded: int = 0
    rejected: int = 0
    blocked: int = 0
    extra: int = 0
    removed: int = 0
    behind_exclusion: int = 0
    """Of the blocked: those of which a rule excludes the parent record, or one above it."""

    @property
    def errors(self) -> int:
        """Number of records that did not reach the state, of any kind."""
        return self.excluded + self.rejected + self.blocked

    @property
    def failures(self) -> int:
        """Number of records that may sync and did not: errors that a retry may mend."""
        return self.rejected + self.blocked - self.behind_exclusion

    @property
    def accounted(self) -> int:
        """Number of records with a known outcome; equals `processed` once an object has completed."""
        return self.inserted + self.updated + self.unchanged + self.removed + self.errors

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*map(operator.add, _TERMS(self), _TERMS(other)))


_TERMS = operator.attrgetter(*(each.name for each in fields(Counts)))


@dataclass(frozen=True, slots=True)
class Detail:
    """What helps to mend a refused record, beyond its reason; never a value of it other than a key."""

    column: str = ""
    """Column, or columns, with the refused value."""
    size: int | None = None
    """Characters in which that value is written."""
    parent_table: str = ""
    """Table of the parent record that it lacks."""
    parent_key: Mapping[str, KeyValue] = field(default_factory=dict)
    """Key of that parent, as the record names it."""
    holder_key: Mapping[str, KeyValue] = field(default_factory=dict)
    """Key of the same table's record that holds the unique value it wants."""


NO_DETAIL = Detail()


def color(status: Status, counts: Counts) -> Color | None:
    """Return the status dot of an object or batch; None until it has run, and if it was cancelled or skipped."""
    if status is Status.RUNNING:
        return Color.GRAY
    if status is Status.FAILED:
        return Color.RED
    if status is not Status.COMPLETED:
        return None
    if counts.accounted != counts.processed:
        return Color.RED
    if counts.errors == 0:
        return Color.GREEN
    return Color.YELLOW if counts.errors * 100 <= counts.processed else Color.RED


_BADNESS = (None, Color.GREEN, Color.YELLOW, Color.RED)


def worst(colors: list[Color | None]) -> Color | None:
    """Return the worst dot; gray wins over all, as something is still in progress."""
    if Color.GRAY in colors:
        return Color.GRAY
    return max(colors, key=_BADNESS.index, default=None)


class RemovalLimit(StrEnum):
    """The reason why the number of extra records forbids their removal."""

    NO_SOURCE = "the district has no record of the table"
    SHARE = "they are too large a share of what the state holds"


def removal_limit(extra: int, held: int, of_district: int, largest_share: float) -> RemovalLimit | None:
    """Return why this number of the `held` records may not be removed; None if it may.

    Then the district rather than the state is taken to be wrong.
    """
    if not of_district:
        return RemovalLimit.NO_SOURCE
    return RemovalLimit.SHARE if extra > largest_share * held else None


def exit_code(statuses: list[Status], errors: int) -> int:
    """Return the exit code of a finished `run`: 3 failed, 4 cancelled, 1 errors, 0 none; the first that applies."""
    if Status.FAILED in statuses:
        return 3
    if Status.CANCELLED in statuses:
        return 4
    return 1 if errors else 0
