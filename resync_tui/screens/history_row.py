"""A row of the history, and the outcomes by which it is filtered; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.style import Style

from resync_tui import formatting
from resync_tui.outcome import Color, Purpose, Status
from resync_tui.results import Batch
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, DOT, PLAIN, WARN, Line, Part, fitted, left, right


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


COMPARED = "compared"


def _status(batch: Batch) -> str:
    """Return a batch's status: its progress while it runs; a comparison has no dot of errors, it is compared."""
    if batch.purpose is Purpose.VERIFY and batch.status is Status.COMPLETED:
        return COMPARED
    if batch.status is Status.RUNNING and not batch.cancel_requested:
        return formatting.percent(formatting.batch_share(batch))
    return formatting.status(batch)


def history_row(batch: Batch, place: str) -> HistoryRow:
    """Return the row of a batch."""
    compared = _status(batch) == COMPARED
    return HistoryRow(
        key=str(batch.batch),
        place=place,
        year=formatting.school_year(batch.year),
        requested=formatting.when(batch.requested),
        by=batch.requested_by,
        kind=formatting.kind_of(batch),
        processed=batch.counts.processed,
        errors=batch.counts.errors,
        color=None if compared else batch.color,
        status=_status(batch),
        outcome=outcome_of(batch),
    )


WIDEST = 48
"""Cells of a district's name at most."""
PLACE, BY = 12, 7
"""Cells of a district's and a user's name at least."""
STATUS = len(" ● cancelling")
"""Cells of the dot and the status."""


def titles(width: int) -> Line:
    """Return the titles of the columns."""
    texts = "Batch", "District", "Year", "Requested", "By", "For", "Processed", "Errors"
    return _line(texts, (BOLD,) * len(texts), (Part(left(" Status", STATUS), BOLD),), width)


def draw(row: HistoryRow, width: int, glyphs: Glyphs) -> Line:
    """Return the line of a batch."""
    counts = f"{row.processed:,}", f"{row.errors:,}"
    texts = f"#{row.key}", row.place, row.year, row.requested, row.by, row.kind, *counts
    styles = BOLD, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, WARN if row.errors else PLAIN
    status = Part(f" {glyphs.dot(row.color)} ", DOT[row.color]), Part(left(row.status, STATUS - 3))
    return _line(texts, styles, status, width, glyphs.cut)


def _line(texts: Sequence[str], styles: Sequence[Style], status: Sequence[Part], width: int, cut: str = "…") -> Line:
    """Return a line of which who asked, what for, when and the year give way in this order."""
    batch, place, year, requested, by, kind, processed, errors = texts
    cells = (
        (f"{batch:<5} ", 0, 0),
        (left(place, WIDEST, cut), 0, PLACE),
        (f" {year:<7}", 4, 0),
        (f" {requested:<16}", 3, 0),
        (f" {left(by, 14, cut)}", 1, BY),
        (f" {kind:<12}", 2, 0),
        (right(processed, 9), 0, 0),
        (right(errors, 7), 0, 0),
    )
    parts = [Part(text, style, *gives_way) for (text, *gives_way), style in zip(cells, styles, strict=True)]
    return fitted((*parts, *status), (), width, cut)
