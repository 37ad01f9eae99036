"""Counts, stats and differences of one table of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.buckets import Buckets
from resync_tui.outcome import Counts, Kind

FEW_ROWS = 5_000
"""Number of rows up to which staging costs less than comparing row by row."""


@dataclass(frozen=True, slots=True)
class TableStats:
    """Stats of a table: row counts and key bounds."""

    rows: int
    """District rows in scope."""
    whole: bool
    """Whether every district row is in scope."""
    fresh: bool
    """Whether the state has no row of this district."""
    low: int | None = None
    high: int | None = None
    """Smallest and largest key if it is a single integer column; else None."""
    without_year: int = 0
    """District rows that lead to no school year."""

    @property
    def is_small(self) -> bool:
        """Whether the table has at most FEW_ROWS rows in scope; small tables share a comparison query."""
        return self.rows <= FEW_ROWS


@dataclass(frozen=True)
class Difference:
    """Difference of a table: the rows that must be staged; all others are known to be equal."""

    unchanged: int = 0
    """Count of records known to be equal."""
    differing: frozenset[int] | None = None
    """Buckets that differ; None: every row may differ."""
    by: Buckets | None = None
    extra: tuple[tuple[Any, ...], ...] | None = None
    """Keys of extra records; None: not known.

    Always known for a table with a key if the snapshot also shows the state: then only its reader may write stages.
    """
    moves: bool = False
    """Whether records have moved to another school year, if the snapshot also shows the state; else False."""
    rows: sa.ColumnElement[bool] | None = None
    """Condition under which a district row differs, if the snapshot also shows the state; else None."""

    @property
    def has_no_extra(self) -> bool:
        """Whether the state has no extra rows, given that every district row is unchanged."""
        return not self.extra if self.extra is not None else self.differing is not None and not self.differing

    def candidates(self, row: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition that a row of either end may differ."""
        if self.rows is not None:
            return self.rows
        if self.differing is None or self.by is None:
            return sa.true()
        return self.by.among(row, self.differing)


@dataclass(frozen=True, slots=True)
class Moved:
    """Records that the state has in the run's school year and the district in another; staged behind all others."""

    year: int
    """The district's school year of them."""
    first: int
    """Their smallest row id in the stage."""
    count: int


@dataclass
class TableCounts:
    """Running counts and difference of one table; `changed` is called after each change of the counts.

    Counts change by these methods alone.
    """

    changed: Callable[[], None]
    counts: Counts = field(default_factory=Counts)
    difference: Difference = field(default_factory=Difference)
    moved: list[Moved] = field(default_factory=list)
    """Ascending by row id."""

    def add(self, **terms: int) -> None:
        """Increase the given counts, then call `changed`."""
        self.counts = self.counts + Counts(**terms)
        self.changed()

    def set_refused(self, by_kind: Mapping[Kind, int]) -> None:
        """Set the counts of refused records, then call `changed`; a rejected record may be accepted later."""
        self.counts = replace(self.counts, **{kind.value: by_kind.get(kind, 0) for kind in Kind})
        self.changed()

    def set_written(self, inserted: int, updated: int) -> None:
        """Set the counts of written records, as they were read back, then call `changed`."""
        self.counts = replace(self.counts, inserted=inserted, updated=updated)
        self.changed()

    def begin_removal(self) -> None:
        """Reset every count but `extra`: a comparison preceded."""
        self.counts = Counts(extra=self.counts.extra)
