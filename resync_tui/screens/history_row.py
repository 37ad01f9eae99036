"""A row of the history, and the outcomes by which it is filtered; pure."""

from dataclasses import dataclass
from enum import StrEnum

from resync_tui import formatting
from resync_tui.outcome import Color, Status
from resync_tui.results import Batch
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, DOT, PLAIN, WARN, WIDE, Line, left, plain


class Outcome(StrEnum):
    """The outcomes by which the history is filtered."""

    GOING = "queued or running"
    CLEAN = "no errors"
    ERRORS = "with errors"
    FAILED = "failed"
    CANCELLED = "cancelled"


def outcome_of(batch: Batch) -> Outcome:
    """Return the outcome of a batch."""
    if not batch.status.ended:
        return Outcome.GOING
    if batch.status is Status.COMPLETED:
        return Outcome.ERRORS if batch.counts.errors else Outcome.CLEAN
    return Outcome.FAILED if batch.status is Status.FAILED else Outcome.CANCELLED


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """The row of one batch."""

    key: str
    place: str
    year: str
    requested: str
    by: str
    kind: str
    """Its purpose, formatted."""
    processed: int
    errors: int
    color: Color | None
    status: str
    outcome: Outcome


def history_row(batch: Batch, place: str) -> HistoryRow:
    """Return the row of a batch."""
    running = batch.status is Status.RUNNING
    return HistoryRow(
        key=str(batch.batch),
        place=place,
        year=formatting.school_year(batch.year),
        requested=formatting.when(batch.requested),
        by=batch.requested_by,
        kind=formatting.kind_of(batch),
        processed=batch.counts.processed,
        errors=batch.counts.errors,
        color=batch.color,
        status=f"{int(formatting.batch_share(batch) * 100)}%" if running else str(batch.status),
        outcome=outcome_of(batch),
    )


@dataclass(frozen=True, slots=True)
class HistoryColumns:
    """Column widths, in cells; a narrow terminal has no room for the purpose, so the note shows it."""

    width: int

    @property
    def wide(self) -> bool:
        """Whether all columns fit."""
        return self.width >= WIDE

    @property
    def by(self) -> int:
        """Width of the requester."""
        return 14 if self.wide else 6

    @property
    def place(self) -> int:
        """Width left for the district."""
        return max(8, self.width - 6 - 8 - 17 - self.by - 1 - self.wide * 14 - 9 - 7 - 1 - len("● completed") - 1)

    def titles(self) -> Line:
        """Return the titles of the columns."""
        kind = f" {'For':<13}" if self.wide else ""
        text = f"{'Batch':<5} {left('District', self.place)} {'Year':<7} {'Requested':<16} {left('By', self.by)}"
        return plain(f"{text}{kind}{'Processed':>9}{'Errors':>7} Status", BOLD)

    def draw(self, row: HistoryRow, glyphs: Glyphs) -> Line:
        """Return the line of a batch."""
        kind = f" {row.kind:<13}" if self.wide else ""
        return (
            (f"#{row.key:<4} ", BOLD),
            (f"{left(row.place, self.place, glyphs.cut)} ", PLAIN),
            (f"{row.year} {row.requested} {left(row.by, self.by, glyphs.cut)}{kind}", PLAIN),
            (f"{row.processed:>9,}", PLAIN),
            (f"{row.errors:>7,} ", WARN if row.errors else PLAIN),
            (f"{glyphs.dot(row.color)} ", DOT[row.color]),
            (row.status, PLAIN),
        )
