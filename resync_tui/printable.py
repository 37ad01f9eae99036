"""Text from data, names and messages as it may be shown: on terminals, in logs, titles, copies and tables."""

import re
import unicodedata

LONGEST = 2000
"""Characters of a value that are shown; `--json` has all of them."""
_JOINERS = "\u200c\u200d"
"""Format characters that words of some scripts, and emoji, are spelled with."""
_SUSPECT = re.compile(r"[^\x20-\x7e\xa1-\xac\xae-\u02ff]")
_SHOWN = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    r"""Return a text in which what a terminal would obey, or hide, is shown as what it is: `\x1b`, `\n`, `\u202e`.

    That are control characters (C0, C1), line and paragraph separators, format characters (as for the direction of
    writing) but joiners, and halves of surrogate pairs. A backslash in the text stays one.
    """
    return text if text.isprintable() else _SUSPECT.sub(_shown, text)


def clipped(text: str, longest: int = LONGEST) -> str:
    """Return a printable text of at most so many characters and an ellipsis."""
    return printable(text) if len(text) <= longest else f"{printable(text[:longest])}…"


def _shown(found: "re.Match[str]") -> str:
    mark = found[0]
    kind = unicodedata.category(mark)
    if kind not in ("Cc", "Cf", "Cs", "Zl", "Zp") or mark in _JOINERS:
        return mark
    number = ord(mark)
    written = f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
    return _SHOWN.get(mark, written)
