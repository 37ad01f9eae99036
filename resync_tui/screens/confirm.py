"""Questions that only `y` answers: what is sent, what is cancelled."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from resync_tui.marks import Marks
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.screens import words
from resync_tui.screens.sheet import TextRow, text_rows
from resync_tui.session import Session
from resync_tui.widgets.line import BAD, BOLD, KEY, PLAIN, WARN, Line, plain, wrapped
from resync_tui.widgets.lines import Lines
from resync_tui.widgets.rows import Rows

WIDTH = 74
SCROLL = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -10, "pagedown": 10, "home": -1000, "end": 1000}
"""Keys that only move the list, and by how many rows."""


class Question(ModalScreen[bool]):
    """A question over the screen: `y` says yes, the arrows scroll, every other key says no.

    Enter and the key that asked are no answer: they have cost others a night's data.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self, title: str, lines: Sequence[Line], yes: str) -> None:
        super().__init__(classes="over")
        self._titles = Lines(id="titles")
        self._hint = Lines(id="hint")
        self._title = title
        self._text = text_rows(lines)
        self._yes = yes
        self._rows = Rows[TextRow](lambda row, _: row.line, cursor=False)

    def compose(self) -> ComposeResult:
        """Title, what it is about, the keys."""
        with Vertical(id="box"):
            yield self._titles
            yield self._rows
            yield self._hint

    def on_mount(self) -> None:
        """Show it, as high as it is."""
        keys: Line = (("y", KEY), (f" {self._yes}", BOLD), ("   any other key goes back   Up Down scroll", PLAIN))
        self._titles.show([plain(self._title, BOLD)])
        self._hint.show([keys])
        self._rows.styles.height = len(self._text)
        self._rows.show(self._text)

    def on_key(self, event: events.Key) -> None:
        """Answer."""
        event.stop()
        event.prevent_default()
        if event.key in SCROLL:
            self._rows.action_move(SCROLL[event.key])
        else:
            self.dismiss(event.key == "y")


class ConfirmSend(Question):
    """Lists what will be sent, in order."""

    def __init__(self, session: Session, plan: Plan, districts: Sequence[str], marks: Marks) -> None:
        places = [session.district_name(each) for each in districts]
        count = words.plural(len(plan.objects), "DIS object")
        title = f"{session.send_words}: {count} of school year {words.school_year(plan.year)}"
        super().__init__(title, confirm_lines(plan, places, marks), session.send_words)


def confirm_lines(plan: Plan, places: Sequence[str], marks: Marks) -> list[Line]:
    """Return what is sent and where to, in order, with what is left out; chosen and required apart."""
    noun = "Districts" if len(places) > 1 else "District"
    lines = _words(f"{noun}: {', '.join(places)}", BOLD)
    if marks.full:
        lines.append(plain("A full resync: every object.", WARN))
    lines.append(plain("A manual resync may slow system performance.", WARN))
    if marks.left_out:
        lines.append(plain("Check dependencies is off. These parents are left out; records may be refused:", BAD))
        lines += _words(", ".join(marks.left_out), WARN)
    lines.append(plain(""))
    wide = max(len(each.object) for each in plan.objects)
    return lines + [_object_line(each, wide) for each in plan.objects]


def _object_line(planned: PlannedObject, wide: int) -> Line:
    number = f"{planned.sequence:>3} "
    if planned.marked is Marked.SELECTED:
        return ((number, PLAIN), ("[x] ", BOLD), (f"{planned.object:<{wide}}", BOLD), ("  chosen", PLAIN))
    by = ", ".join(planned.required_by)
    text = f"  required by {by}" if len(by) < WIDTH - wide - 22 else f"  required by {len(planned.required_by)} objects"
    return ((number, PLAIN), ("[+] ", PLAIN), (f"{planned.object:<{wide}}", PLAIN), (text, PLAIN))


def _words(text: str, style: Style) -> list[Line]:
    return wrapped([plain(word, style) for word in text.split()], WIDTH, gap=1)
