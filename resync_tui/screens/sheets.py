"""Modals: the base, sheets of text (legend, help), and the screen for too small terminals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from resync_tui.outcome import Color
from resync_tui.screens.gate import KeyDropped
from resync_tui.screens.keymap import by_task
from resync_tui.screens.marks import Mark
from resync_tui.screens.net import Netted
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, DOT, KEY, PLAIN, Line, broken, plain
from resync_tui.screens.widgets.lines import Lines
from resync_tui.screens.widgets.news import Announce, News
from resync_tui.screens.widgets.rows import Rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of one line."""

    key: str
    line: Line


def text_rows(lines: Sequence[Line]) -> list[TextRow]:
    """Return lines as rows, with their numbers as keys."""
    return [TextRow(str(number), line) for number, line in enumerate(lines)]


BOX = 80
"""Width of a box in cells, where the terminal has room for it."""


class Modal(Netted, ModalScreen[T]):
    """A box over the page, as high as its rows and the terminal allow; it answers once, and only in front."""

    AROUND: ClassVar[int] = 4
    """Rows of the box beside its list: border, title, hint."""

    _wanted_rows = 1
    _text: Sequence[Line] = ()
    _answered = False
    _lines: Callable[[], Sequence[Line]] | None = None

    def compose(self) -> ComposeResult:
        """Yield the box: what it holds, and the place for announcements."""
        with Vertical(id="box"):
            yield from self.content()
            yield News()

    def content(self) -> ComposeResult:
        """Yield what the box holds."""
        raise NotImplementedError

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close with a result; ignored after the first, and while another screen is in front."""
        if self._answered or not self.is_active:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    async def on_event(self, event: events.Event) -> None:
        """Drop the keys that arrive after the answer."""
        if self._answered and isinstance(event, events.Key):
            event.stop()
            self.app.post_message(KeyDropped())
        else:
            await super().on_event(event)

    def say(self, text: str) -> None:
        """Say in a line why a key does nothing."""
        self.app.post_message(Announce(text))

    @property
    def inner_width(self) -> int:
        """Width of the box in cells, within its border."""
        return min(BOX, self.app.size.width) - 4

    def follow(self, lines: Callable[[], Sequence[Line]]) -> None:
        """Show a text that is read anew whenever the page below has been."""
        self._lines = lines

    def relist(self) -> None:
        """Read the text anew, if it follows the page below."""
        if self._lines is not None:
            self.show_text(self._lines())

    def show_text(self, lines: Sequence[Line]) -> None:
        """List a text, broken between words to the width of the box, at its full height as far as it fits.

        A box that has no list yet, as it was opened a moment ago, shows it once it has.
        """
        self._text = lines
        if self.query(Rows):
            self.on_resize()

    def fit(self, wanted: int) -> None:
        """Set the list's height in rows, as far as they fit."""
        self._wanted_rows = wanted
        self.on_resize()

    @on(News.Resized)
    def on_resize(self) -> None:
        """Keep title, hint and announcements in sight."""
        if self._text:
            rows = text_rows([part for line in self._text for part in broken(line, self.inner_width - 2)])
            self._wanted_rows = len(rows)
            self.query_one(Rows).show(rows, at_once=True)
        room = self.app.size.height - self.AROUND - len(self.query_one(News).lines)
        self.query_one(Rows).styles.height = max(1, min(self._wanted_rows, room))


class Sheet(Modal[bool]):
    """A text to read; any of the usual keys closes it. True: by Enter, where that leads `onward`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,L,question_mark", "leave", "Close"),
        Binding("enter", "open", "Close, or go on"),
    ]

    def __init__(self, title: str, lines: Sequence[Line], onward: str = "") -> None:
        super().__init__(classes="over")
        self._titles = Lines(id="titles")
        self._hint = Lines(id="hint")
        self._title = title
        self._onward = onward
        self._rows = Rows[TextRow](lambda row, _: row.line, cursor=False)
        self._text = lines

    def content(self) -> ComposeResult:
        """Yield title, text and the closing keys."""
        yield self._titles
        yield self._rows
        yield self._hint

    def on_mount(self) -> None:
        """Show the text at its full height, as far as it fits."""
        self._titles.show([plain(self._title, BOLD)])
        self._hint.show([plain(f"Enter {self._onward}  " * bool(self._onward) + "Esc closes  Up Down scroll")])
        self.show_text(self._text)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(False)

    def action_open(self) -> None:
        """Close, and go on to where it leads."""
        self.dismiss(bool(self._onward))


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
    """Return the Legend, in the glyphs of this terminal."""
    plain_signs = not glyphs.cut.isascii()
    lines: list[Line] = [
        ((f" {glyphs.dot(color)}", DOT[color]), (f"  {text if plain_signs else text.replace('≤', '<=')}", PLAIN))
        for color, text in DOTS
    ]
    lines += [plain("A batch has the dot of its worst object; one that was cancelled has none."), plain("")]
    lines += [((f"{mark.value} ", BOLD), (text, PLAIN)) for mark, text in CHECKBOXES]
    lines += [plain(""), plain("Extra: records that the district does not have. v compares, X lists them.")]
    lines += [plain("While it runs the percentage is its progress, then its share of errors.")]
    lines += [plain("Results stay those of the last run that completed until the next one has.")]
    lines += [plain("Narrow lists leave out seconds first, then Processed: and Errors: in rows.")]
    return Sheet("Legend", lines)


ABOUT = (
    "Pushes what you choose of a district's records to the state again.",
    "It is asynchronous: a resync runs in an agent, leaving this program does not stop it, and you are told when it "
    "has completed.",
    "It is for a first load after a district goes live, for changes made by SQL outside the application, and for data "
    "as of now at reporting time.",
    "A resync may slow the systems down. [engine] max_records_per_second paces reading and writing, not rows only "
    "compared.",
    "Read is the right to look; with Write you also send and cancel. Both are for administrators who know the process.",
)
"""What the program is, for the help."""


def help_sheet(bound: Mapping[str, ActiveBinding]) -> Sheet:
    """Return the help: the keys of a screen with their meanings, by task."""
    lines: list[Line] = []
    for task, rows in by_task({key: each.binding.description for key, each in bound.items()}):
        lines.append(plain(task, BOLD))
        lines += [((f"{keys:<17}", KEY), (meaning, PLAIN)) for keys, meaning in rows]
    lines += [plain(""), plain("About", BOLD), *map(plain, ABOUT)]
    return Sheet("Help", lines)


def fact(name: str, text: str) -> list[Line]:
    """Return a named fact as the line of a sheet."""
    return [((f"{name:<13}", PLAIN), (text, BOLD))]


COLUMNS, ROWS = 60, 15


class SmallScreen(Netted, ModalScreen[None]):
    """The screen while the terminal is too small; the screens below stay as they are."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit")]

    def __init__(self) -> None:
        super().__init__()
        self._lines = Lines(id="small", height=3)

    def compose(self) -> ComposeResult:
        """Yield the two lines."""
        yield self._lines

    def on_resize(self) -> None:
        """Show the required and the present size."""
        size = self.app.size
        self._lines.show(
            [
                plain("Terminal too small"),
                plain(f"{size.width}x{size.height}, needs {COLUMNS}x{ROWS}"),
                plain("q quits"),
            ]
        )
