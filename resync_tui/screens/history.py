"""The history: all batches, newest first, filtered by district and outcome."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from resync_tui import formatting
from resync_tui.outcome import Status
from resync_tui.results import Batch
from resync_tui.screens.history_row import PLACE, HistoryRow, Outcome, draw, history_row, outcome_of, titles
from resync_tui.screens.page import FILTER, Page
from resync_tui.screens.previous_run import ComparePage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import TITLE, WARN, Line, Part, plain
from resync_tui.screens.widgets.rows import Rows

NEWEST = 1000
"""Number of batches listed."""


class HistoryPage(Page):
    """The page of DISBatchHistory, a row per batch; rows of running batches are live."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open the batch"),
        Binding("slash", "filter", "Filter by district"),
        Binding("o", "outcome", "Filter by outcome"),
        Binding("b", "compare", "Compare the batch with the run before"),
        Binding("w", "csv", "Write the list into a CSV file"),
    ]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Open"), ("/", "District"), ("o", "Outcome"), ("b", "Run before"), ("w", "CSV")),
        *(("c", "Copy"), ("Esc", "Back"), ("A", "Agents"), ("L", "Legend"), ("?", "Help")),
    )

    MESSAGE_ROWS: ClassVar[int] = 3

    def __init__(self, session: Session, glyphs: Glyphs, request: int | None = None) -> None:
        super().__init__(session, glyphs)
        self._request = request
        self._batches: list[Batch] | None = None
        self._part = ""
        self._outcome: Outcome | None = None
        self._list = Rows[HistoryRow](lambda row, width: draw(row, width, self.glyphs))

    def rows(self) -> Rows[HistoryRow]:
        """Return the list of batches."""
        return self._list

    def compose_filter(self) -> ComposeResult:
        """Yield the input of the district filter."""
        asked = Input(id="filter", placeholder="part of a district; Enter keeps, Esc clears", compact=True)
        asked.cursor_blink = asked.select_on_focus = False
        self._list.filter = asked
        yield asked

    async def load(self) -> None:
        """Read the newest batches, or those of one request."""
        store = await self.session.store()
        self._batches = await store.batches(request=self._request, limit=NEWEST, objects=False)

    def draw(self) -> None:
        """Draw the batches that match the filters."""
        what = "History"
        if self._request is not None:
            numbers = [each.batch for each in self._batches or []]
            what = (
                formatting.named_request(self._request, numbers).capitalize() if numbers else f"Request {self._request}"
            )
        shown = [each for each in self._batches or [] if self._shows(each)]
        running = sum(batch.status is Status.RUNNING for batch in shown)
        queued = sum(batch.status is Status.QUEUED for batch in shown)
        many = formatting.plural(len(shown), "batch", "batches")
        filters = "  ".join(filter(None, (self._part, self._outcome or "")))
        heading = Part(f" {what} ", TITLE), Part(f"  Filter: {filters}" if filters else "", WARN, turn=2, least=FILTER)
        counts = Part(many, turn=1), Part(f"  {running} running  {queued} queued ")
        self.header(self.fitted(heading, self.known(*counts)))
        self.titles(titles(self._list.width))
        self._list.show([history_row(batch, self.session.district_name(batch.district)) for batch in shown])

    def _shows(self, batch: Batch) -> bool:
        named = self._part.casefold() in self.session.district_name(batch.district).casefold()
        return named and self._outcome in (None, outcome_of(batch))

    def note(self) -> list[Line]:
        """Return what the batch under the cursor was for, its duration and why it failed."""
        if self._batches == []:
            return [plain("Nothing has been sent yet.")]
        current = self._list.current
        if current is None:
            return [plain("No batch is like that. Esc clears the filters.")] if self._batches else []
        batch = next(each for each in self._batches or [] if str(each.batch) == current.key)
        place = self.session.district_name(batch.district)
        named = f"{place}, request" if cell_len(place) > PLACE else "Request"
        text = f"{named} {batch.request}: {formatting.kind_of(batch)} asked for by {batch.requested_by}"
        text += f", {batch.reason}" if batch.reason else ""
        if batch.started:
            text += (
                f", ran {formatting.short_span(formatting.ran_for(batch.started, batch.finished, self.session.now()))}"
            )
        if batch.not_before and batch.status is Status.QUEUED:
            text += f", not before {formatting.when(batch.not_before)}"
        told = [plain(part, WARN) for part in formatting.folded(batch.message, self.size.width)]
        return [*(plain(part) for part in formatting.folded(text, self.size.width)[:2]), *told]

    @on(Rows.Moved)
    def _moved(self) -> None:
        self.show_message()

    def action_open(self) -> None:
        """Open the batch under the cursor."""
        if current := self.under_cursor():
            self.app.push_screen(ProgressPage(self.session, self.glyphs, int(current.key)))

    def action_compare(self) -> None:
        """Show the differences from the previous run."""
        if current := self.under_cursor():
            self.app.push_screen(ComparePage(self.session, self.glyphs, int(current.key)))

    def action_outcome(self) -> None:
        """Filter by the next outcome; after the last one show all."""
        kinds = (None, *Outcome)
        self._outcome = kinds[(kinds.index(self._outcome) + 1) % len(kinds)]
        self.refresh_all()

    def action_filter(self) -> None:
        """Open the district filter."""
        self.add_class("filtering")
        self.set_focus(self.query_one("#filter", Input))

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self._part = event.value.strip()
        self.refresh_all()

    @on(Input.Submitted, "#filter")
    def _keep_filter(self) -> None:
        self.remove_class("filtering")
        self._list.focus()

    def action_back(self) -> None:
        """Clear the filters; without any go back."""
        if self._part or self._outcome or self.has_class("filtering"):
            self._outcome = None
            self.query_one("#filter", Input).value = ""
            self._keep_filter()
            self.refresh_all()
        else:
            super().action_back()

    async def action_csv(self) -> None:
        """Write the listed batches as CSV."""
        titles = ("batch", "district", "school_year", "requested", "by", "for", "processed", "errors", "status")
        rows = [
            (
                each.key,
                each.place,
                each.year,
                each.requested,
                each.by,
                each.kind,
                each.processed,
                each.errors,
                each.status,
            )
            for each in self._list.values
        ]
        await self.write_csv("resync-history.csv", titles, rows)
