"""A sheet of text over the screen: legend, help, detail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from resync_tui.net import Netted
from resync_tui.screens.gate import KeyDropped
from resync_tui.widgets.line import BOLD, Line, plain
from resync_tui.widgets.lines import Lines
from resync_tui.widgets.rows import Rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row that is just a line."""

    key: str
    line: Line


def text_rows(lines: Sequence[Line]) -> list[TextRow]:
    """Return lines as rows, known by their number."""
    return [TextRow(str(number), line) for number, line in enumerate(lines)]


class Over(Netted, ModalScreen[T]):
    """A box over the screen that is as high as its rows, as far as the terminal is; it answers once, and in front."""

    AROUND: ClassVar[int] = 4
    """Rows of the box beside its list: its border, the title, the hint."""

    _wanted_rows = 1
    _answered = False

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer and go; what comes after the answer is none, nor what comes while something else is in front."""
        if self._answered or not self.is_active:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    async def on_event(self, event: events.Event) -> None:
        """Drop the keys that came after the answer."""
        if self._answered and isinstance(event, events.Key):
            event.stop()
            self.app.post_message(KeyDropped())
        else:
            await super().on_event(event)

    def fit(self, wanted: int) -> None:
        """Make the list so many rows high, where there is room."""
        self._wanted_rows = wanted
        self.on_resize()

    def on_resize(self) -> None:
        """Keep title and hint in sight."""
        room = self.app.size.height - self.AROUND
        self.query_one(Rows).styles.height = max(1, min(self._wanted_rows, room))


class Sheet(Over[None]):
    """Text to read; any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,L,question_mark", "dismiss", "Close")]

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__(classes="over")
        self._titles = Lines(id="titles")
        self._hint = Lines(id="hint")
        self._title = title
        self._rows = Rows[TextRow](lambda row, _: row.line, cursor=False)
        self._text = text_rows(lines)

    def compose(self) -> ComposeResult:
        """Title, text, the way back."""
        with Vertical(id="box"):
            yield self._titles
            yield self._rows
            yield self._hint

    def on_mount(self) -> None:
        """Show the text, as high as it is."""
        self._titles.show([plain(self._title, BOLD)])
        self._hint.show([plain("Esc closes  Up Down scroll")])
        self.fit(len(self._text))
        self._rows.show(self._text)
