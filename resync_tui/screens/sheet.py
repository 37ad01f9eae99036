"""A sheet of text over the screen: legend, help, detail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from resync_tui.widgets.line import BOLD, Line, plain
from resync_tui.widgets.lines import Lines
from resync_tui.widgets.rows import Rows


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row that is just a line."""

    key: str
    line: Line


def text_rows(lines: Sequence[Line]) -> list[TextRow]:
    """Return lines as rows, known by their number."""
    return [TextRow(str(number), line) for number, line in enumerate(lines)]


class Sheet(ModalScreen[None]):
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
        self._rows.styles.height = len(self._text)
        self._rows.show(self._text)
