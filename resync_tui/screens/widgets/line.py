"""A line of the screen: pieces of text, each in one style, cut and padded to the cell."""

from collections.abc import Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from resync_tui.outcome import Color

PLAIN = Style()
FAINT = Style(color="white")
"""Not bright_black, which many terminals show as black on black."""
BOLD = Style(bold=True)
TITLE = Style(bold=True, reverse=True)
GOOD = Style(color="green")
WARN = Style(color="yellow")
BAD = Style(color="red", bold=True)
KEY = Style(color="cyan", bold=True)

DOT: dict[Color | None, Style] = {
    None: FAINT,
    Color.GRAY: FAINT,
    Color.GREEN: GOOD,
    Color.YELLOW: WARN,
    Color.RED: BAD,
}

WIDE = 96
"""Columns from which there is room for more than what is required."""

Piece: TypeAlias = tuple[str, Style]
Line: TypeAlias = tuple[Piece, ...]


def plain(text: str, style: Style = PLAIN) -> Line:
    """Return a line of one piece."""
    return ((text, style),)


def left(text: str, width: int, cut: str = "…") -> str:
    """Pad text on its right to `width` cells, or cut it there and say so."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - len(cut))) + cut if width > 0 else ""


def right(text: str, width: int) -> str:
    """Pad text on its left to `width` cells."""
    return " " * (width - cell_len(text)) + text


def length(line: Line) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def spread(start: Line, end: Line, width: int) -> Line:
    """Set one line to the left and one to the right; where both do not fit, the right one goes."""
    room = width - length(start) - length(end)
    return (*start, (" " * room, PLAIN), *end) if room > 0 else start


def wrapped(words: Sequence[Line], width: int, gap: int = 2) -> list[Line]:
    """Set lines side by side, `gap` cells apart, and begin a new row where the next does not fit."""
    rows: list[Line] = []
    for word in words:
        if rows and length(rows[-1]) + gap + length(word) <= width:
            rows[-1] = (*rows[-1], (" " * gap, PLAIN), *word)
        else:
            rows.append(word)
    return rows


def strip(line: Line, width: int, under: Style = PLAIN) -> Strip:
    """Return a line as Textual draws it, exactly `width` cells wide; on a cursor row only dots keep their colour."""
    pieces = line if not under.reverse else tuple((text, under + _on_cursor(text, style)) for text, style in line)
    return Strip(Segment(text, style) for text, style in pieces if text).adjust_cell_length(width, under)


def _on_cursor(text: str, style: Style) -> Style:
    kept = style.color if len(text.strip()) == 1 and style in (GOOD, WARN, BAD) else None
    return Style(color=kept.name if kept else None, bold=style.bold)
