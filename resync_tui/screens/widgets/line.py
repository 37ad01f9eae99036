"""A line of the screen: segments of text in one style each, cut and padded to the cell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from resync_tui.formatting import folded
from resync_tui.outcome import Color
from resync_tui.printable import clipped, printable

PLAIN = Style()
FAINT = Style(color="white")
"""Secondary text; not bright_black, which many terminals show as black on black."""
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
"""Columns from which there is room for more than the required."""

Piece: TypeAlias = tuple[str, Style]
Line: TypeAlias = tuple[Piece, ...]


def plain(text: str, style: Style = PLAIN) -> Line:
    """Return a line of one segment."""
    return ((clipped(text), style),)


def left(text: str, width: int, cut: str = "…") -> str:
    """Left-align text in `width` cells; longer text ends in `cut`."""
    shown = clipped(text)
    if cell_len(shown) <= width:
        return set_cell_size(shown, width)
    return set_cell_size(shown, max(0, width - len(cut))) + cut if width > 0 else ""


def right(text: str, width: int) -> str:
    """Right-align text in `width` cells."""
    shown = clipped(text)
    return " " * (width - cell_len(shown)) + shown


def length(line: Line) -> int:
    """Return the width of a line, in cells."""
    return sum(cell_len(text) for text, _ in line)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line, with its turn to give way on a narrow terminal."""

    text: str
    style: Style = PLAIN
    turn: int = 0
    """Order of giving way, the lowest first; a part without a turn (0) always stands."""
    least: int = 0
    """Cells to which it is cut at its turn; 0: it is left out. Without a turn it has them, and what room is left."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", clipped(self.text))

    @property
    def cells(self) -> int:
        """Width of the whole text."""
        return cell_len(self.text)

    @property
    def elastic(self) -> bool:
        """Whether it fills the room that is left."""
        return self.turn == 0 and 0 < self.least < self.cells


def fitted(start: Sequence[Part], end: Sequence[Part], width: int, cut: str = "…") -> Line:
    """Return a line with `start` on the left and `end` on the right; parts give way by turn until both fit."""
    parts = (*start, *end)
    cells = _shared_out(parts, width - bool(end))
    pieces = [(left(part.text.rstrip(), kept, cut), part.style) for part, kept in zip(parts, cells, strict=True)]
    room = ((" " * max(1, width - sum(cells)), PLAIN),) if end else ()
    return tuple(piece for piece in (*pieces[: len(start)], *room, *pieces[len(start) :]) if piece[0])


def _shared_out(parts: Sequence[Part], width: int) -> list[int]:
    """Return the cells of each part."""
    cells = [part.least if part.elastic else part.cells for part in parts]
    for at in sorted((at for at, part in enumerate(parts) if part.turn), key=lambda at: parts[at].turn):
        over = max(0, sum(cells) - width)
        least = parts[at].least
        if over:
            cells[at] = min(cells[at], max(least, cells[at] - over)) if least else 0
    for at in (at for at, part in enumerate(parts) if part.elastic):
        cells[at] += max(0, min(parts[at].cells - cells[at], width - sum(cells)))
    return cells


def wrapped(words: Sequence[Line], width: int, gap: int = 2) -> list[Line]:
    """Return rows of lines side by side, `gap` cells apart, wrapped to `width`."""
    rows: list[Line] = []
    for word in words:
        if rows and length(rows[-1]) + gap + length(word) <= width:
            rows[-1] = (*rows[-1], (" " * gap, PLAIN), *word)
        else:
            rows.append(word)
    return rows


def folded_to(text: str, width: int, rows: int, cut: str = "…", style: Style = PLAIN) -> list[Line]:
    """Return a text folded between words into at most so many rows; a longer one ends in `cut`."""
    lines = folded(text, width)
    shown = lines[: rows - 1] + ([" ".join(lines[rows - 1 :])] if len(lines) >= rows else [])
    return [plain(left(each, width, cut).rstrip(), style) for each in shown]


def broken(line: Line, width: int) -> list[Line]:
    """Return a line as lines of at most `width` cells, broken between words."""
    if length(line) <= width:
        return [line]
    rows: list[Line] = [()]
    for text, style in line:
        for word in re.findall(r"\s*\S+|\s+$", text):
            if rows[-1] and length(rows[-1]) + cell_len(word) > width:
                rows.append(())
            rows[-1] = (*rows[-1], (word if rows[-1] or len(rows) == 1 else word.lstrip(), style))
    return rows


def shortened(line: Line, width: int, cut: str = "…") -> Line:
    """Return a line that ends in `cut` where it has more than `width` cells, apart from spaces at its end."""
    if length(line) <= width or length(plain("".join(text for text, _ in line).rstrip())) <= width:
        return line
    kept: list[Piece] = []
    room = width
    for text, style in line:
        if cell_len(text) >= room:
            return (*kept, (left(f"{text}{cut}", room, cut), style))
        kept.append((text, style))
        room -= cell_len(text)
    return tuple(kept)


def strip(line: Line, width: int, under: Style = PLAIN, cut: str = "…") -> Strip:
    """Return a line as Textual's Strip, exactly `width` cells wide; on a cursor row only dots keep their colour."""
    line = shortened(line, width, cut)
    pieces = line if not under.reverse else tuple((text, under + _on_cursor(text, style)) for text, style in line)
    shown = (Segment(printable(text), style) for text, style in pieces if text)
    return Strip(shown).adjust_cell_length(width, under)


def _on_cursor(text: str, style: Style) -> Style:
    kept = style.color if len(text.strip()) == 1 and style in (GOOD, WARN, BAD) else None
    return Style(color=kept.name if kept else None, bold=style.bold)
