"""The board of a campaign: each district's standing in a school year, and the districts that lack a full resync."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.campaign import lacking, tally
from resync_tui.errors import ResyncError
from resync_tui.results import DistrictStanding, Standing
from resync_tui.screens.confirm import Question
from resync_tui.screens.page import FILTER, READING, Page, open_page
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.sending import Sent
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BAD, BOLD, DOT, PLAIN, TITLE, WARN, Line, Part, left, plain
from resync_tui.screens.widgets.rows import Rows

LACKING = "lacks a full resync"


@dataclass(frozen=True, slots=True)
class BoardRow:
    """The row of one district."""

    key: str
    place: str
    standing: DistrictStanding
    lacks: bool


def titles(width: int) -> Line:
    """Return the titles of the columns."""
    text = f"{left('District', _place(width))} {'Standing':<10}{'  Last full':<19}{'Processed':>10}{'Errors':>7}  Batch"
    return plain(text, BOLD)


def draw(row: BoardRow, width: int, glyphs: Glyphs) -> Line:
    """Return the line of a district."""
    each = row.standing
    return (
        (f"{left(row.place, _place(width), glyphs.cut)} ", PLAIN),
        (f"{glyphs.dot(each.color)} ", DOT[each.color]),
        (f"{each.standing:<8}", BAD if each.standing is Standing.FAILING else PLAIN),
        (f"{glyphs.dot(each.last_full_color)} ", DOT[each.last_full_color]),
        (f"{formatting.when(each.last_full):<16} ", WARN if row.lacks else PLAIN),
        (f"{each.processed:>10,}", PLAIN),
        (f"{each.errors:>7,}  ", WARN if each.errors else PLAIN),
        (f"#{each.batch}" if each.batch else "-", PLAIN),
    )


def _place(width: int) -> int:
    return max(12, width - 10 - 19 - 17 - 9)


class BoardPage(Page):
    """A row per district: done, failing, waiting or not yet; failed ones can be retried."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open the district's newest batch"),
        Binding("o", "narrow", "Filter by standing"),
        Binding("r", "retry", "Retry the failed districts"),
        Binding("w", "csv", "Write the board into a CSV file"),
    ]
    WRITE_KEYS: ClassVar[frozenset[str]] = frozenset("r")
    HEADER_ROWS: ClassVar[int] = 2

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._board: list[DistrictStanding] | None = None
        self._narrow = ""
        self._list = Rows[BoardRow](lambda row, width: draw(row, width, self.glyphs))

    def bar_keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the key bar, with `r` where a district has failed."""
        retry = [("r", "Retry failed")] if self._failed else []
        return [
            *(("Enter", "Open"), ("o", "Standing"), *retry, ("w", "CSV"), ("c", "Copy")),
            *(("Esc", "Back"), ("H", "History"), ("L", "Legend"), ("?", "Help")),
        ]

    @property
    def _failed(self) -> list[DistrictStanding]:
        """The districts that a retry asks again; one that is put off is tried again by itself."""
        return [each for each in self._board or () if each.standing is Standing.FAILING and not each.put_off]

    def rows(self) -> Rows[BoardRow]:
        """Return the list of districts."""
        return self._list

    @property
    def since(self) -> date:
        """First day of a full resync that counts: when the year closed, else when it opened, else its first day."""
        years, today = self.session.settings.years, self.session.now().astimezone().date()
        past = [each for each in (years.closes, years.opens) if each is not None and each <= today]
        return past[0] if past else date(self.session.year - 1, 7, 1)

    async def load(self) -> None:
        """Read the standings of the configured districts."""
        store = await self.session.store()
        self._board = await store.board(self.session.year, [each.id for each in self.session.districts])

    def draw(self) -> None:
        """Draw the districts that match the filter."""
        board, width = self._board or [], self.size.width
        lacks = set(lacking(board, self.since))
        counts = "  ".join(f"{count} {kind}" for kind, count in tally([each.standing for each in board]).items())
        year = formatting.school_year(self.session.year)
        heading = (
            Part(" Board ", TITLE),
            Part(f"  {year}", BOLD),
            Part(f"  Filter: {self._narrow}" * bool(self._narrow), WARN, turn=2, least=FILTER),
        )
        lack = f"{len(lacks)} of {formatting.plural(len(board), 'district')} lack a full resync since {self.since}"
        tallied = self.fitted(heading, self.known(Part(f"{counts} ", turn=3, least=FILTER)))
        self.header(tallied, plain(f" {lack}" if self.is_read else "", WARN if lacks else PLAIN))
        self.titles(titles(self._list.width or width - 1))
        self._list.show(
            [
                BoardRow(each.district, self.session.district_name(each.district), each, each.district in lacks)
                for each in board
                if self._narrow in ("", each.standing) or (self._narrow == LACKING and each.district in lacks)
            ]
        )

    def note(self) -> list[Line]:
        """Return why the district under the cursor failed, or when it is tried again."""
        current = self._list.current
        if current is None:
            return [plain("No district stands so. o changes the filter.")] if self._board else []
        each = current.standing
        text = each.message
        if each.next_attempt:
            text += f" Tried {formatting.plural(each.put_off, 'time')}, next at {formatting.when(each.next_attempt)}."
        return [plain(part, WARN) for part in formatting.folded(text, self.size.width)]

    def on_rows_moved(self) -> None:
        """Redraw the note, which follows the cursor."""
        self.show_message()

    def action_open(self) -> None:
        """Open the newest batch of the district under the cursor."""
        current = self.under_cursor()
        if current and current.standing.batch:
            open_page(self.app, ProgressPage(self.session, self.glyphs, current.standing.batch))
        elif current:
            self.show_status("Nothing has been sent for this district in this school year.")

    def pointed_batch(self) -> int | None:
        """Return the newest batch of the district under the cursor."""
        return self._list.current.standing.batch if self._list.current else None

    def action_narrow(self) -> None:
        """Filter by the next standing; after the last one show all."""
        kinds = ["", LACKING, *(kind.value for kind in Standing)]
        self._narrow = kinds[(kinds.index(self._narrow) + 1) % len(kinds)]
        self.refresh_all()

    async def action_retry(self) -> None:
        """Ask whether to retry the failed districts."""
        if not self.may_act():
            return
        if not self.is_read:
            self.show_status(READING)
            return
        failing = self._failed
        if not failing:
            self.show_status("No district has failed. One that cannot be reached is tried again by itself.")
            return
        lines = [plain(f"{self.session.district_name(each.district)}: {each.message}") for each in failing]
        question = Question(f"Retry {formatting.plural(len(failing), 'failed district')}?", lines, "Retry")
        self.app.push_screen(question, lambda yes: self._retry(failing) if yes else None)

    def _retry(self, failing: Sequence[DistrictStanding]) -> None:
        self.app.run_worker(self._ask_again(failing), group="send")

    async def _ask_again(self, failing: Sequence[DistrictStanding]) -> None:
        try:
            for request in sorted({each.request for each in failing if each.request}):
                districts = [each.district for each in failing if each.request == request]
                asked = self.session.retry_request(request, districts)
                self.app.post_message(Sent(await self.session.shielded(asked)))
        except ResyncError as error:
            self.show_error(error)

    async def action_csv(self) -> None:
        """Write the listed districts as CSV."""
        counts = ("processed", "errors", "batch", "message")
        titles = ("district", "name", "standing", "last_full", "lacks_full", *counts, "last_full_color")
        rows = [
            (
                each.district,
                row.place,
                each.standing.value,
                each.last_full,
                row.lacks,
                each.processed,
                each.errors,
                each.batch,
                each.message,
                each.last_full_color,
            )
            for row in self._list.values
            for each in (row.standing,)
        ]
        await self.write_csv(f"resync-board-{self.session.year}.csv", titles, rows)
