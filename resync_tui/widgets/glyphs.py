"""The few signs that are not letters, and what stands in for them on a terminal that lacks them."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

from resync_tui.outcome import Color


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Dots that differ in shape as well as in colour, folds and bars."""

    gray: str = "○"
    green: str = "●"
    yellow: str = "▲"
    red: str = "■"
    opened: str = "▼"
    closed: str = "►"
    full: str = "█"
    rest: str = "░"
    cut: str = "…"
    none: str = "·"

    def dot(self, color: Color | None) -> str:
        """Return the dot of a result; a faint sign where it has none."""
        return self.none if color is None else str(getattr(self, color.value))

    def bar(self, part: float, width: int) -> str:
        """Return a bar that is full by `part`, 0 to 1; only what is complete looks complete."""
        filled = int(part * width)
        return self.full * filled + self.rest * (width - filled)


UNICODE = Glyphs()
LINUX_CONSOLE = Glyphs(green="•")
ASCII = Glyphs(gray="o", green="*", yellow="^", red="#", opened="-", closed="+", full="#", rest=".", cut="~", none=".")


def glyphs_for(environ: Mapping[str, str], encoding: str) -> Glyphs:
    """Return what the terminal can show, by the encoding of its output and by TERM."""
    try:
        utf8 = codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        utf8 = False
    if not utf8:
        return ASCII
    return LINUX_CONSOLE if environ.get("TERM") == "linux" else UNICODE
