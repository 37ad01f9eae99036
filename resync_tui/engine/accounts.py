"""Counts of one table of a batch, how much there is of it, and what of it differs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.buckets import Buckets
from resync_tui.outcome import Counts

FEW_ROWS = 5_000
"""So many are staged rather than looked at row by row."""


@dataclass(frozen=True, slots=True)
class TableStats:
    """How much there is of a table."""

    rows: int
    """The district's in scope."""
    whole: bool
    """Whether all the district's rows are in scope."""
    fresh: bool
    """Whether the state holds no row of this district at all."""
    low: int | None = None
    high: int | None = None
    """The smallest and the largest key, where it is a single integer."""

    @property
    def is_small(self) -> bool:
        """Whether a table costs less to look at than to ask about."""
        return self.rows <= FEW_ROWS


@dataclass(frozen=True)
class Difference:
    """What must be staged of a table; all else is known to be the same at both ends."""

    unchanged: int = 0
    """Records known to be the same."""
    differing: frozenset[int] | None = None
    """The buckets that differ; None: every row may differ."""
    by: Buckets | None = None
    extra: tuple[tuple[Any, ...], ...] | None = None
    """The keys of the state's records that the district does not have; None: not known.

    Always known of keys where the snapshot shows the state's rows: its reader writes the stages then, nobody else may.
    """
    rows: sa.ColumnElement[bool] | None = None
    """The condition that a row of the district differs, where its snapshot shows the state's rows too."""

    @property
    def nothing_more(self) -> bool:
        """Whether the state has no further rows, all of the district's being unchanged."""
        return not self.extra if self.extra is not None else self.differing is not None and not self.differing

    def candidates(self, row: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition that a row of either end may differ."""
        if self.rows is not None:
            return self.rows
        if self.differing is None or self.by is None:
            return sa.true()
        return self.by.among(row, self.differing)


@dataclass
class TableCounts:
    """What is known of one table so far; `changed` is called whenever its counts have grown."""

    changed: Callable[[], None]
    counts: Counts = field(default_factory=Counts)
    difference: Difference = field(default_factory=Difference)

    def add(self, **terms: int) -> None:
        """Add to some terms."""
        self.counts = self.counts + Counts(**terms)
        self.changed()
