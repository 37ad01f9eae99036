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
from resync_tui.widgets.line import BOLD, DOT, PLAIN, TITLE, WARN, WIDE, Line, left, plain, spread
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


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the columns are; a narrow terminal has no room for the number of objects."""

    width: int

    @property
    def wide(self) -> bool:
        """Whether there is room for everything."""
        return self.width >= WIDE

    @property
    def by(self) -> int:
        """Cells of the requester."""
        return 14 if self.wide else 6

    @property
    def place(self) -> int:
        """Cells that are left for the district."""
        return max(8, self.width - 6 - 8 - 17 - self.by - 1 - self.wide * 8 - 9 - 7 - 1 - len("● completed") - 1)

    def titles(self) -> Line:
        """Return the titles of the columns."""
        objects = f"{'Objects':>8}" if self.wide else ""
        text = f"{'Batch':<5} {left('District', self.place)} {'Year':<7} {'Requested':<16} {left('By', self.by)}"
        return plain(f"{text}{objects}{'Processed':>9}{'Errors':>7} Status", BOLD)

    def draw(self, row: HistoryRow, glyphs: Glyphs) -> Line:
        """Return the line of a batch."""
        objects = f"{row.objects:>8}" if self.wide else ""
        return (
            (f"#{row.key:<4} ", BOLD),
            (f"{left(row.place, self.place, glyphs.cut)} ", PLAIN),
            (f"{row.year} {row.requested} {left(row.by, self.by, glyphs.cut)}{objects}", PLAIN),
            (f"{row.processed:>9,}", PLAIN),
            (f"{row.errors:>7,} ", WARN if row.errors else PLAIN),
            (f"{glyphs.dot(row.color)} ", DOT[row.color]),
            (row.status, PLAIN),
        )


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
        self._list = Rows[HistoryRow](lambda row, width: Columns(width).draw(row, self.glyphs))

    def rows(self) -> Rows[HistoryRow]:
        """Return the batches."""
        return self._list

    async def load(self) -> None:
        """Read the newest batches, or those of one request."""
        store = await self.session.store()
        self._batches = await store.batches(request=self._request, limit=NEWEST)

    def draw(self) -> None:
        """Draw the batches."""
        what = f"Request {self._request}" if self._request is not None else "History"
        batches = self._batches or []
        running = sum(batch.status is Status.RUNNING for batch in batches)
        queued = sum(batch.status is Status.QUEUED for batch in batches)
        state = f"{words.plural(len(batches), 'batch', 'batches')}  {running} running  {queued} queued "
        self.header(spread(((f" {what} ", TITLE),), plain(state), self.size.width))
        self.titles(Columns(self._list.width).titles())
        self._list.show([history_row(batch, self.session.district_name(batch.district)) for batch in batches])

    def note(self) -> list[Line]:
        """Say so where there is nothing."""
        return [plain("Nothing has been sent yet.")] if self._batches == [] else []

    def action_open(self) -> None:
        """Open the batch under the cursor."""
        if self._list.current:
            self.app.push_screen(ProgressPage(self.session, self.glyphs, int(self._list.current.key)))
