"""A range of days, and the box that asks for it."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from resync_tui.errors import UsageError
from resync_tui.screens.sheets import Modal, TextRow
from resync_tui.screens.widgets.line import BAD, BOLD, plain
from resync_tui.screens.widgets.lines import Lines
from resync_tui.screens.widgets.rows import Rows


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from the first to the last one; None: without that limit."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        """Return it as `2026-11-01 to 2026-11-30`; empty where it has no limit."""
        if self.first is None:
            return f"until {self.last}" if self.last else ""
        return f"{self.first} to {self.last}" if self.last else f"from {self.first}"


def date_range(first: str, last: str) -> DateRange:
    """Return the range of two typed days. Raises UsageError."""
    begin, end = (_day(text.strip()) for text in (first, last))
    if begin and end and begin > end:
        raise UsageError("It ends before it begins", "Change one of the days.")
    return DateRange(begin, end)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{text} is no day", "Write it as 2026-11-30.") from None


class DateRangeBox(Modal[DateRange | None]):
    """A box with a first and a last day; None if it is left."""

    AROUND: ClassVar[int] = 5

    def __init__(self, current: DateRange) -> None:
        super().__init__(classes="over")
        self._titles = Lines(id="titles")
        self._hint = Lines(id="hint")
        self._rows = Rows[TextRow](lambda row, _: row.line, cursor=False)
        self._rows.can_focus = False
        self._first, self._last = (
            Input(f"{day or ''}", placeholder="YYYY-MM-DD", id=id, compact=True)
            for day, id in ((current.first, "first"), (current.last, "last"))
        )
        for each in (self._first, self._last):
            each.cursor_blink = each.select_on_focus = False

    def content(self) -> ComposeResult:
        """Yield title, what to write, both days, and the keys."""
        yield self._titles
        yield self._rows
        with Horizontal(id="range"):
            yield self._first
            yield Lines(id="to")
            yield self._last
        yield self._hint

    def on_mount(self) -> None:
        """Begin with the first day."""
        self._titles.show([plain("Date Range", BOLD)])
        self.query_one("#to", Lines).show([plain(" to ")])
        self._hint.show([plain("Tab the other one  Enter done  Esc leave")])
        self.show_text([plain("Posted from and to, both included. An empty one is no limit.")])
        self._first.focus()

    @on(Input.Submitted, "#first")
    def _next(self) -> None:
        self._last.focus()

    @on(Input.Submitted, "#last")
    def _take(self) -> None:
        try:
            self.dismiss(date_range(self._first.value, self._last.value))
        except UsageError as error:
            self._hint.show([plain(f"{error.what}. {error.do}", BAD)])

    def on_key(self, event: events.Key) -> None:
        """Leave by Esc."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.dismiss(None)
