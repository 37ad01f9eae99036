"""Glyphs: the few symbols beside letters, and their ASCII replacements on a terminal without them."""

from collections.abc import Mapping
from dataclasses import dataclass

from resync_tui.analysis.checks import Mark
from resync_tui.outcome import Color


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The symbols of dots (different in shape as well as in colour), folds and bars."""

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
    ok: str = "✓"
    problem: str = "✗"

    def dot(self, color: Color | None) -> str:
        """Return the dot of a result; a faint one without colour."""
        return self.none if color is None else str(getattr(self, color.value))

    def mark(self, mark: Mark) -> str:
        """Return the mark of a check."""
        return {Mark.OK: self.ok, Mark.ADVICE: "!", Mark.PROBLEM: self.problem}[mark]

    def bar(self, part: float, width: int) -> str:
        """Return a progress bar for `part`, 0 to 1; only 1 looks complete."""
        filled = int(part * width)
        return self.full * filled + self.rest * (width - filled)


UNICODE = Glyphs()
LINUX_CONSOLE = Glyphs(green="•", ok="√", problem="x")
ASCII = Glyphs(
    gray="o",
    green="*",
    yellow="^",
    red="#",
    opened="-",
    closed="+",
    full="#",
    rest=".",
    cut="~",
    none=".",
    ok="+",
    problem="x",
)


def glyphs_for(environ: Mapping[str, str]) -> Glyphs:
    """Return the glyphs for a terminal, by its locale and TERM."""
    if not _speaks_utf8(environ):
        return ASCII
    return LINUX_CONSOLE if environ.get("TERM") == "linux" else UNICODE


def glyphs_of(app: object) -> Glyphs:
    """Return the glyphs that an app has chosen for its terminal."""
    return getattr(app, "glyphs", UNICODE)


def _speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the user's locale is UTF-8; Python itself turns LC_CTYPE into C.UTF-8 without one (PEP 538)."""
    if environ.get("LC_ALL"):
        named = environ["LC_ALL"]
    elif environ.get("LC_CTYPE") == "C.UTF-8" and environ.get("LANG", "") in ("", "C", "POSIX"):
        return False
    else:
        named = environ.get("LC_CTYPE") or environ.get("LANG", "")
    return named.casefold().replace("-", "").endswith("utf8")
