"""A row of the history, and the outcomes by which it is filtered; pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from rich.style import Style

from resync_tui import formatting
from resync_tui.outcome import Color, Counts, Purpose, Status, worst
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
    """Number of the batch; of a request over several districts `request N`."""
    batch: str
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
REQUEST = "request "
"""Before the number in the key of a request's row."""


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
        batch=f"#{batch.batch}",
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


def request_row(batches: Sequence[Batch]) -> HistoryRow:
    """Return the row of a request over several districts."""
    first, counts = batches[0], sum((each.counts for each in batches), Counts())
    return HistoryRow(
        key=f"{REQUEST}{first.request}",
        batch="",
        place=formatting.named_request(first.request, [each.batch for each in batches]),
        year=formatting.school_year(first.year),
        requested=formatting.when(first.requested),
        by=first.requested_by,
        kind=formatting.kind_of(first),
        processed=counts.processed,
        errors=counts.errors,
        color=worst([None if _status(each) == COMPARED else each.color for each in batches]),
        status=_status_of_all(batches),
        outcome=outcome_of(first),
    )


def _status_of_all(batches: Sequence[Batch]) -> str:
    """Return the one status that all have, else how many have ended, else the worst."""
    each = {_status(batch) for batch in batches}
    if len(each) == 1:
        return each.pop()
    ended = sum(batch.status.ended for batch in batches)
    if ended < len(batches):
        return f"{ended}/{len(batches)}"
    return next(str(status) for status in (Status.FAILED, Status.CANCELLED) if status in each)


def history_rows(
    batches: Sequence[Batch], place: Callable[[str], str], *, whole: bool, one_by_one: bool
) -> list[HistoryRow]:
    """Return a row per batch; those of a request over several districts are one row, unless wanted `one_by_one`.

    Without `whole` the oldest request may have more batches than those listed, and they stay one by one too.
    """
    rows: list[HistoryRow] = []
    for request, group in groupby(batches, lambda each: each.request):
        of_request = list(group)
        partial = not whole and request == batches[-1].request
        if one_by_one or partial or len(of_request) == 1:
            rows += [history_row(each, place(each.district)) for each in of_request]
        else:
            rows.append(request_row(of_request))
    return rows


def request_of(row: HistoryRow) -> int | None:
    """Return the number of a row's request over several districts; None of a batch's row."""
    return int(row.key.removeprefix(REQUEST)) if row.key.startswith(REQUEST) else None


WIDEST = 48
"""Cells of a district's name at most."""
NUMBER = "#1234 "
PLACE, BY = 12, 7
"""Cells of a district's and a user's name at least."""
STATUS = len(" ● cancelling")
"""Cells of the dot and the status."""


def place_cells(rows: Sequence[HistoryRow]) -> int:
    """Return the cells that a district's name has at least, so that requests are named whole across two columns."""
    return max([PLACE, *(len(row.place) - len(NUMBER) for row in rows if not row.batch)])


def titles(width: int, least: int = PLACE) -> Line:
    """Return the titles of the columns; names have so many cells at least."""
    texts = "Batch", "District", "Year", "Requested", "By", "For", "Processed", "Errors"
    return _line(texts, (BOLD,) * len(texts), (Part(left(" Status", STATUS), BOLD),), width, least)


def draw(row: HistoryRow, width: int, least: int, glyphs: Glyphs) -> Line:
    """Return the line of a batch or of a request."""
    counts = f"{row.processed:,}", f"{row.errors:,}"
    texts = row.batch, row.place, row.year, row.requested, row.by, row.kind, *counts
    styles = BOLD, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, WARN if row.errors else PLAIN
    status = Part(f" {glyphs.dot(row.color)} ", DOT[row.color]), Part(left(row.status, STATUS - 3))
    return _line(texts, styles, status, width, least, glyphs.cut)


def _line(
    texts: Sequence[str], styles: Sequence[Style], status: Sequence[Part], width: int, least: int, cut: str = "…"
) -> Line:
    """Return a line of which who asked, what for, when and the year give way in this order."""
    batch, place, year, requested, by, kind, processed, errors = texts
    number = f"{batch:<5} " if batch else ""
    before = len(number) - len(NUMBER)
    cells = (
        (number, 0, 0),
        (left(place, WIDEST - before, cut), 0, least - before),
        (f" {year:<7}", 4, 0),
        (f" {requested:<16}", 3, 0),
        (f" {left(by, 14, cut)}", 1, BY),
        (f" {kind:<12}", 2, 0),
        (right(processed, 9), 0, 0),
        (right(errors, 7), 0, 0),
    )
    parts = [Part(text, style, *gives_way) for (text, *gives_way), style in zip(cells, styles, strict=True)]
    return fitted((*parts, *status), (), width, cut)
