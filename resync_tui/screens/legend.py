"""The Legend of the status dots (documents: "Status column"), and of the checkboxes."""

from resync_tui.marks import Mark
from resync_tui.outcome import Color
from resync_tui.screens.sheet import Sheet
from resync_tui.widgets.glyphs import Glyphs
from resync_tui.widgets.line import BOLD, DOT, PLAIN, Line, plain

DOTS = (
    (Color.GREEN, "completed with no errors"),
    (Color.YELLOW, "completed with errors ≤ 1.0 %"),
    (Color.RED, "completed with errors > 1.0 %, or failed"),
    (Color.GRAY, "still processing"),
)
CHECKBOXES = (
    (Mark.CHOSEN, "chosen by you"),
    (Mark.REQUIRED, "required by what you chose"),
    (Mark.NONE, "not sent"),
)


def legend_sheet(glyphs: Glyphs) -> Sheet:
    """Return the Legend, in the signs of this terminal."""
    plain_signs = not glyphs.cut.isascii()
    lines: list[Line] = [
        ((f" {glyphs.dot(color)}", DOT[color]), (f"  {text if plain_signs else text.replace('≤', '<=')}", PLAIN))
        for color, text in DOTS
    ]
    lines += [plain("")]
    lines += [((f"{mark.value} ", BOLD), (text, PLAIN)) for mark, text in CHECKBOXES]
    lines += [plain(""), plain("Extra: records that the district does not have. v compares, X lists them.")]
    lines += [plain("While it runs the percentage is its progress, then its share of errors.")]
    return Sheet("Legend", lines)
