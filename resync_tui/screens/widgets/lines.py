"""A few lines of text that repaint only after a change."""

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from resync_tui.screens.net import Netted
from resync_tui.screens.widgets.glyphs import glyphs_of
from resync_tui.screens.widgets.line import Line, strip


class Lines(Netted, Widget):
    """A fixed number of rows: headers, column titles, messages."""

    def __init__(self, *, id: str, height: int = 1) -> None:
        super().__init__(id=id)
        self.styles.height = height
        self._lines: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines shown."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Set the lines."""
        before, self._lines = self._lines, tuple(lines)
        for y in range(max(len(before), len(self._lines))):
            if before[y : y + 1] != self._lines[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        line = self._lines[y] if y < len(self._lines) else ()
        return strip(line, self.size.width, cut=glyphs_of(self.app).cut)
