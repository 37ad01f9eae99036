"""The history: all batches, newest first, filtered by district and outcome."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.outcome import Status
from resync_tui.results import Batch
from resync_tui.screens.filtering import FilteringPage
from resync_tui.screens.history_row import (
    PLACE,
    HistoryRow,
    Outcome,
    draw,
    history_row,
    history_rows,
    outcome_of,
    place_cells,
    request_of,
    titles,
)
from resync_tui.screens.page import FILTER, open_page
from resync_tui.screens.previous_run import ComparePage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import TITLE, WARN, Line, Part, plain
from resync_tui.screens.widgets.rows import Rows

NEWEST = 1000
"""Number of batches listed."""


class HistoryPage(FilteringPage):
    """The page of DISBatchHistory, a row per batch; rows of running batches are live."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open the batch"),
        Binding("o", "outcome", "Filter by outcome"),
        Binding("b", "compare", "Compare the batch with the run before"),
        Binding("w", "csv", "Write the list into a CSV file"),
    ]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Open"), ("/", "District"), ("o", "Outcome"), ("b", "Run before"), ("w", "CSV")),
        *(("c", "Copy"), ("Esc", "Back"), ("A", "Agents"), ("L", "Legend"), ("?", "Help")),
    )

    FILTERED: ClassVar[str] = "a district"
    MESSAGE_ROWS: ClassVar[int] = 3

    def __init__(self, session: Session, glyphs: Glyphs, request: int | None = None) -> None:
        super().__init__(session, glyphs)
        self._request = request
        self._batches: list[Batch] | None = None
        self._outcome: Outcome | None = None
        self._place = PLACE
        self._list = Rows[HistoryRow](lambda row, width: draw(row, width, self._place, self.glyphs))

    @property
    def subject(self) -> Hashable:
        """The request to which it is limited."""
        return self._request

    def rows(self) -> Rows[HistoryRow]:
        """Return the list of batches."""
        return self._list

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
        shown = self._shown()
        running = sum(batch.status is Status.RUNNING for batch in shown)
        queued = sum(batch.status is Status.QUEUED for batch in shown)
        many = formatting.plural(len(shown), "batch", "batches")
        filters = "  ".join(filter(None, (self.wanted_name, self._outcome or "")))
        heading = Part(f" {what} ", TITLE), Part(f"  Filter: {filters}" if filters else "", WARN, turn=2, least=FILTER)
        counts = Part(many, turn=1), Part(f"  {running} running  {queued} queued ")
        self.header(self.fitted(heading, self.known(*counts)))
        rows = history_rows(
            shown,
            self.session.district_name,
            whole=len(self._batches or []) < NEWEST,
            one_by_one=self._request is not None or len(shown) < len(self._batches or []),
        )
        if (place := place_cells(rows)) != self._place:
            self._place = place
            self._list.redraw()
        self.titles(titles(self._list.width, place))
        self._list.show(rows)

    def _shown(self) -> list[Batch]:
        return [each for each in self._batches or [] if self._shows(each)]

    def _shows(self, batch: Batch) -> bool:
        named = self.wanted_name.casefold() in self.session.district_name(batch.district).casefold()
        return named and self._outcome in (None, outcome_of(batch))

    def note(self) -> list[Line]:
        """Return what the batch under the cursor was for, its duration and why it failed."""
        if self._batches == []:
            return [plain("Nothing has been sent yet.")]
        current = self._list.current
        if current is None:
            return [plain("No batch is like that. Esc clears the filters.")] if self._batches else []
        if (request := request_of(current)) is not None:
            return self._about_request([each for each in self._batches or [] if each.request == request])
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

    def _about_request(self, batches: Sequence[Batch]) -> list[Line]:
        """Return what a request over several districts was for, and how many of its batches stand how."""
        first, stands = batches[0], Counter(formatting.status(each) for each in batches)
        text = f"{formatting.kind_of(first).capitalize()} asked for by {first.requested_by}"
        text += f", {first.reason}" if first.reason else ""
        text += ": " + ", ".join(f"{count} {status}" for status, count in stands.most_common())
        return [plain(part) for part in formatting.folded(f"{text}. Enter lists them.", self.size.width)]

    @on(Rows.Moved)
    def _moved(self) -> None:
        self.show_message()

    def action_open(self) -> None:
        """Open the batch or the request under the cursor."""
        if current := self.under_cursor():
            if (request := request_of(current)) is not None:
                open_page(self.app, HistoryPage(self.session, self.glyphs, request))
                return
            open_page(self.app, ProgressPage(self.session, self.glyphs, int(current.key)))

    def pointed_batch(self) -> int | None:
        """Return the batch under the cursor; of a request that which runs, else its newest."""
        current = self._list.current
        if current is None:
            return None
        if (request := request_of(current)) is None:
            return int(current.key)
        batches = [each for each in self._batches or [] if each.request == request]
        return max(batches, key=lambda each: (each.status is Status.RUNNING, each.batch)).batch

    def action_compare(self) -> None:
        """Show the differences from the previous run."""
        if (current := self.under_cursor()) and request_of(current) is not None:
            self.show_status("A request over several districts has a run before for each: Enter lists them.")
        elif current:
            open_page(self.app, ComparePage(self.session, self.glyphs, int(current.key)))

    def action_outcome(self) -> None:
        """Filter by the next outcome; after the last one show all."""
        kinds = (None, *Outcome)
        self._outcome = kinds[(kinds.index(self._outcome) + 1) % len(kinds)]
        self.refresh_all()

    @property
    def is_filtered(self) -> bool:
        """Whether a filter holds, or is being typed."""
        return super().is_filtered or self._outcome is not None

    def clear_filter(self) -> None:
        """List all again."""
        self._outcome = None
        super().clear_filter()
        self.refresh_all()

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
            for each in (history_row(batch, self.session.district_name(batch.district)) for batch in self._shown())
        ]
        await self.write_csv("resync-history.csv", titles, rows)
