"""The keys of the screen below, written from its bindings so that they cannot differ."""

from collections.abc import Iterable

from textual.binding import Binding

from resync_tui.screens.sheet import Sheet
from resync_tui.widgets.line import KEY, PLAIN, Line, plain

NAMES = {
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "left": "Left",
    "right": "Right",
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "colon": ":",
    "ctrl+p": "Ctrl+p",
}


def help_sheet(bindings: Iterable[Binding]) -> Sheet:
    """Return the keys and what they do."""
    by_action: dict[str, list[Binding]] = {}
    for binding in bindings:
        if binding.show:
            by_action.setdefault(f"{binding.action} {binding.description}", []).append(binding)
    rows = [(" ".join(NAMES.get(each.key, each.key) for each in group), group[0]) for group in by_action.values()]
    lines: list[Line] = [((f"{keys:<14}", KEY), (binding.description, PLAIN)) for keys, binding in rows]
    lines.append(((f"{'Up Down j k':<14}", KEY), ("Move; PgUp PgDn by a screen, g G to the first and last", PLAIN)))
    lines.append(plain(""))
    lines.append(plain("A resync runs in an agent: leaving this program does not stop it."))
    return Sheet("Help", lines)
