"""All batches, newest first; Enter opens one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui.control.views import Batch
from resync_tui.outcome import Color, Status
from resync_tui.screens import words
from resync_tui.screens.page import Page
from resync_tui.screens.progress import ProgressPage
from resync_tui.session import Session
from resync_tui.widgets.glyphs import Glyphs
from resync_tui.widgets.line import BOLD, DOT, PLAIN, TITLE, WARN, Line, left, plain, spread
from resync_tui.widgets.rows import Rows

NEWEST = 500
"""Batches that are listed."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One batch."""

    key: str
    place: str
    year: str
    requested: str
    by: str
    objects: int
    processed: int
    errors: int
    color: Color | None
    status: str


def history_row(batch: Batch, place: str) -> HistoryRow:
    """Return the row of a batch."""
    running = batch.status is Status.RUNNING
    return HistoryRow(
        key=str(batch.batch),
        place=place,
        year=words.school_year(batch.year),
        requested=words.when(batch.requested),
        by=batch.requested_by,
        objects=len(batch.objects),
        processed=batch.counts.processed,
        errors=batch.counts.errors,
        color=batch.color,
        status=f"{int(words.batch_share(batch) * 100)}%" if running else str(batch.status),
    )


def place_width(width: int) -> int:
    """Return the cells that are left for the district."""
    return max(8, width - len("#12345 ") - 8 - 17 - 9 - 4 - 11 - 8 - 12)


def draw_batch(row: HistoryRow, width: int, glyphs: Glyphs) -> Line:
    """Return the line of a batch."""
    return (
        (f"#{row.key:<5} ", BOLD),
        (f"{left(row.place, place_width(width) - 1, glyphs.cut)} ", PLAIN),
        (f"{row.year} {row.requested} {left(row.by, 8, glyphs.cut)} ", PLAIN),
        (f"{row.objects:>3}{row.processed:>11,}", PLAIN),
        (f"{row.errors:>8,} ", WARN if row.errors else PLAIN),
        (f"{glyphs.dot(row.color)} ", DOT[row.color]),
        (row.status, PLAIN),
    )


def history_titles(width: int) -> Line:
    """Return the titles of the columns."""
    text = f"{'Batch':<6} {left('District', place_width(width) - 1)} {'Year':<7} {'Requested':<16} {'By':<8} "
    return plain(f"{text}{'Obj':>3}{'Processed':>11}{'Errors':>8} Status", BOLD)


class HistoryPage(Page):
    """DISBatchHistory, a batch a row; while some run their rows live."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open the batch")]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Open"), ("Esc", "Back"), ("A", "Agents"), ("L", "Legend"), ("?", "Help")),
    )

    def __init__(self, session: Session, glyphs: Glyphs, request: int | None = None) -> None:
        super().__init__(session, glyphs)
        self._request = request
        self._batches: list[Batch] | None = None
        self._list = Rows[HistoryRow](lambda row, width: draw_batch(row, width, self.glyphs))

    def rows(self) -> Rows[HistoryRow]:
        """Return the batches."""
        return self._list

    async def load(self) -> None:
        """Read the newest batches, or those of one request."""
        self._batches = await self.session.store.batches(request=self._request, limit=NEWEST)

    def draw(self) -> None:
        """Draw the batches."""
        what = f"Request {self._request}" if self._request is not None else "History"
        batches = self._batches or []
        running = sum(batch.status is Status.RUNNING for batch in batches)
        queued = sum(batch.status is Status.QUEUED for batch in batches)
        state = f"{words.plural(len(batches), 'batch', 'batches')}  {running} running  {queued} queued "
        self.header(spread(((f" {what} ", TITLE),), plain(state), self.size.width))
        self.titles(history_titles(self._list.size.width or self.size.width))
        self._list.show([history_row(batch, self.session.district_name(batch.district)) for batch in batches])

    def note(self) -> list[Line]:
        """Say so where there is nothing."""
        return [plain("Nothing has been sent yet.")] if self._batches == [] else []

    def action_open(self) -> None:
        """Open the batch under the cursor."""
        if self._list.current:
            self.app.push_screen(ProgressPage(self.session, self.glyphs, int(self._list.current.key)))
