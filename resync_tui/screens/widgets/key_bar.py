"""The key bar: the active keys; it wraps, as the stock Footer would cut."""

from collections.abc import Collection, Sequence

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from resync_tui.screens.net import Netted
from resync_tui.screens.widgets.line import FAINT, KEY, PLAIN, Line, strip, wrapped


class KeyBar(Netted, Widget):
    """One or two rows of `key Label`."""

    def __init__(self, keys: Sequence[tuple[str, str]], locked: Collection[str] = ()) -> None:
        super().__init__()
        self._words = _words(keys, locked)

    def show(self, keys: Sequence[tuple[str, str]], locked: Collection[str] = ()) -> None:
        """Set the keys; `locked` ones stand in parentheses, as they have no effect here."""
        words = _words(keys, locked)
        if words != self._words:
            self._words = words
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows that the keys take."""
        return len(wrapped(self._words, width))

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        rows = wrapped(self._words, self.size.width)
        return strip(rows[y] if y < len(rows) else (), self.size.width)


def _words(keys: Sequence[tuple[str, str]], locked: Collection[str]) -> tuple[Line, ...]:
    return tuple(
        ((f"({key} {label})", FAINT),) if key in locked else ((key, KEY), (f" {label}", PLAIN)) for key, label in keys
    )
