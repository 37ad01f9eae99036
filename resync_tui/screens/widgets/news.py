"""The lines for what has happened meanwhile: they take rows of their own, and cover none."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from rich.style import Style
from textual.message import Message
from textual.widget import Widget

from resync_tui import formatting
from resync_tui.screens.widgets.line import PLAIN, Line, plain
from resync_tui.screens.widgets.lines import Lines

STANDS = 5.0
"""Seconds for which an announcement stands, from its first paint."""
MOST = 3
"""Rows at most; older announcements give way."""


@dataclass(slots=True)
class Announcement:
    """A text about something that no key has asked for."""

    text: str
    style: Style = PLAIN
    seconds: float = STANDS
    of_key: bool = False
    """Whether it says why a key did nothing: the next one stands in its stead."""
    _ends: float = inf

    def begin(self, at: float) -> None:
        """Begin to stand, as of its first call."""
        if self._ends == inf:
            self._ends = at + self.seconds

    def left(self, at: float) -> float:
        """Return the seconds for which it still stands."""
        return self._ends - at


class Announce(Message):
    """A request to the app to say why a key did nothing."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class News(Lines):
    """A place for announcements on a screen; without any it has no rows."""

    class Resized(Message):
        """It has taken or left rows."""

    def __init__(self) -> None:
        super().__init__(id="news", height=0)

    def tell(self, announced: Sequence[Announcement]) -> None:
        """Show the newest announcements."""
        parent = self.parent
        width = parent.content_size.width if isinstance(parent, Widget) else 0
        rows: list[Line] = []
        for each in reversed(announced):
            lines = [plain(part, each.style) for part in formatting.folded(each.text, width)]
            if rows and len(rows) + len(lines) > MOST:
                break
            rows = [*lines[:MOST], *rows]
        if len(rows) != len(self.lines):
            self.styles.height = len(rows)
            self.post_message(self.Resized())
        self.show(rows)
