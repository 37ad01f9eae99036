"""The base of every page: a header, titles, rows, a message and the key bar."""

from collections.abc import Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from anyio import to_thread
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from resync_tui import formatting
from resync_tui.errors import ResyncError
from resync_tui.formatting import csv_text
from resync_tui.printable import printable
from resync_tui.results import Batch
from resync_tui.screens import unserved
from resync_tui.screens.export import write_file
from resync_tui.screens.net import Netted
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import Modal
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.key_bar import KeyBar
from resync_tui.screens.widgets.line import BAD, PLAIN, WARN, Line, Part, fitted, plain
from resync_tui.screens.widgets.lines import Lines
from resync_tui.screens.widgets.news import News
from resync_tui.screens.widgets.rows import Rows

READING = "The control database is still being read."
UNREADABLE = "Nothing could be read. It is read again after each change."
FILTER = 16
"""Cells that a filter keeps in a header."""
NAME = 8
"""Cells that a name keeps in a header."""


class Page(Netted, Screen[None], inherit_bindings=False):
    """A full screen that reads the control database after its changes, and redraws with the clock."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy what is listed"),
        Binding("escape", "back", "Back: what runs goes on"),
    ]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = ()
    """Keys of the key bar."""
    WRITE_KEYS: ClassVar[frozenset[str]] = frozenset()
    """Keys that need Write."""
    WAITS: ClassVar[bool] = True
    """Whether its note depends on what is read."""
    HEADER_ROWS: ClassVar[int] = 1
    MESSAGE_ROWS: ClassVar[int] = 2

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__()
        self.session = session
        self.glyphs = glyphs
        self._header = Lines(id="header", height=self.HEADER_ROWS)
        self._titles = Lines(id="titles")
        self._message = Lines(id="message", height=self.MESSAGE_ROWS)
        self._rows_of_header = self.HEADER_ROWS
        self.is_read = False
        """Whether the control database has answered: until then no list is empty and nothing is never."""
        self._unreadable = False
        self._wanted = False
        self._reading = False
        self._said: tuple[str, bool] = ("", False)

    def rows(self) -> Rows[Any]:
        """Return the list of this page."""
        raise NotImplementedError

    async def load(self) -> None:
        """Read this page's data from the control database. Raises ResyncError."""

    def draw(self) -> None:
        """Set header, titles and rows from the last reading and the clock."""

    def bar_keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the key bar."""
        return self.KEYS

    def note(self) -> list[Line]:
        """Return the lines above the key bar while there is no message."""
        return []

    def unserved(self) -> list[Line]:
        """Return what waits for an agent though none is alive, and how to start one."""
        return unserved.told(self.session)

    def compose(self) -> ComposeResult:
        """Yield header, titles, rows, message, the place for announcements, and key bar."""
        yield self._header
        yield self._titles
        yield from self.compose_list()
        yield from self.compose_filter()
        yield self._message
        yield News()
        yield KeyBar(self.bar_keys(), self._locked())

    def _locked(self) -> frozenset[str]:
        """Return the keys that this user may not use."""
        return frozenset() if self.session.may_write else self.WRITE_KEYS

    def compose_list(self) -> ComposeResult:
        """Yield the list, and what stands beside it."""
        yield self.rows()

    def compose_filter(self) -> ComposeResult:
        """Yield the input of a filter, above the message."""
        yield from ()

    def on_mount(self) -> None:
        """Draw what is known before the first reading."""
        self.refresh_all()

    def on_screen_resume(self) -> None:
        """Read again, as the data may have changed behind another screen."""
        self.reload()

    @property
    def subject(self) -> Hashable:
        """What it is about: pages of one class and subject are the same page."""
        return ()

    def on_resize(self) -> None:
        """Redraw: titles and header depend on the width."""
        self.refresh_all()

    def reload(self) -> None:
        """Read in the background; a request during another reading runs after it."""
        self._wanted = True
        if not self._reading:
            self._reading = True
            self.app.run_worker(self._read(), group="read")

    async def _read(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                try:
                    await self.session.shielded(self.load())
                    self.is_read, self._unreadable = True, False
                except ResyncError as error:
                    self._unreadable = True
                    self.show_error(error)
        finally:
            self._reading = False
        self.refresh_all()
        if isinstance(self.app.screen, Modal):
            self.app.screen.relist()

    def refresh_all(self) -> None:
        """Redraw at once: after a key, a resize or a reading."""
        bars = self.query(KeyBar)
        if bars and self.rows().is_attached and self.size.width:
            self.draw()
            if self.is_read:
                self.rows().settle()
            self.show_message()
            self.rows().flush()
            bars.first().show(self.bar_keys(), self._locked())

    def on_tick(self) -> None:
        """Redraw each second what depends on the clock, while a batch runs."""
        if self.session.active:
            self.refresh_all()

    def fitted(self, start: Sequence[Part], end: Sequence[Part] = ()) -> Line:
        """Return a line of the header; its parts give way by turn until they fit."""
        return fitted(start, end, self.size.width, self.glyphs.cut)

    def place(self, batch: Batch | None) -> tuple[Part, ...]:
        """Return a batch's district and school year as parts of a line; the name gives way last."""
        if batch is None:
            return ()
        name, year = self.session.district_name(batch.district), formatting.school_year(batch.year)
        return (Part(name, turn=3, least=NAME), Part(f"  {year} ", turn=2))

    def header(self, *lines: Line) -> None:
        """Set the header's lines."""
        if len(lines) != self._rows_of_header:
            self._rows_of_header = len(lines)
            self._header.styles.height = len(lines)
        self._header.show(lines)

    def titles(self, line: Line) -> None:
        """Set the titles of the columns."""
        self._titles.show([line])

    def show_status(self, text: str, *, bad: bool = False) -> None:
        """Show a message above the key bar, until the next key."""
        self._said = (text, bad)
        self.show_message()

    def show_error(self, error: ResyncError) -> None:
        """Show an error and what to do; a lost control database has a line of its own already."""
        if self.session.trouble is None:
            self.show_status(f"{error.what}. {error.do}", bad=True)

    def on_key(self) -> None:
        """Clear the message, which has been read."""
        if self._said[0]:
            self.show_status("")

    def show_message(self) -> None:
        """Show the pending message: trouble with the control database before all else."""
        trouble, (text, bad) = self.session.trouble, self._said
        if trouble is not None:
            as_of = self.session.as_of
            old = f"All is as of {formatting.since(as_of, self.session.now())}. " if as_of else ""
            lines = [plain(trouble.what, BAD), plain(f"{old}Trying again. {trouble.do}", WARN)]
        elif text:
            said = formatting.folded(text, self.size.width)
            lines = [*(plain(part, BAD if bad else PLAIN) for part in said), *self.unserved()]
        elif not self.is_read and self.WAITS:
            lines = [plain(UNREADABLE if self._unreadable else READING)]
        else:
            lines = self.unserved() or self.note()
        self._message.show(lines)

    def known(self, *parts: Part) -> tuple[Part, ...]:
        """Return what a header says of the list; before it is read, that it is being read."""
        return parts if self.is_read else (Part("reading "),)

    def under_cursor(self) -> Any:
        """Return the value under the cursor; None, with a message that says why, if there is none."""
        current = self.rows().current
        if current is None:
            self.show_status("Nothing is listed here." if self.is_read else READING)
        return current

    def pointed_batch(self) -> int | None:
        """Return the batch that a list of batches points at: under the cursor, or what runs; None on other pages."""
        return None

    def may_act(self) -> bool:
        """Whether this user may mark, send and cancel; if not, show why."""
        why = self.session.why_not
        if why:
            self.show_status(why, bad=True)
        return not why

    def copied(self) -> str:
        """Return the text that `c` copies: header, titles and all rows, also those out of sight."""
        rows, width = self.rows(), self.size.width
        lines = [*self._header.lines, *self._titles.lines, *(rows.line(value, width) for value in rows.values)]
        return "".join(f"{printable(''.join(text for text, _ in line)).rstrip()}\n" for line in lines)

    async def action_copy(self) -> None:
        """Copy the list."""
        await self.copy_text(self.copied())

    async def copy_text(self, text: str) -> None:
        """Copy a text; also into a file, as a terminal may ignore the clipboard silently."""
        self.app.copy_to_clipboard(text)
        await self._write("resync-copy.txt", text, "Copied, and written to", over=True)

    async def write_csv(self, name: str, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write a list as CSV, and show where."""
        await self._write(name, csv_text(titles, rows), f"{formatting.plural(len(rows), 'row')} written to")

    async def _write(self, name: str, text: str, done: str, *, over: bool = False) -> None:
        try:
            path: Path = await to_thread.run_sync(partial(write_file, name, text, over=over))
        except ResyncError as error:
            self.show_error(error)
        else:
            self.show_status(f"{done} {path}")

    def action_back(self) -> None:
        """Go back to the previous screen, unless another one is in front by now."""
        if self.is_active and len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        elif self.is_active:
            self.show_status("This is the first screen. q quits; what runs goes on.")


def open_page(app: App[Any], page: Page) -> None:
    """Open a page; where the same one is open already, go back to it."""
    same = (
        each
        for each in app.screen_stack
        if isinstance(each, Page) and (type(each), each.subject) == (type(page), page.subject)
    )
    there = next(same, None)
    if there is None:
        app.push_screen(page)
    else:
        return_to(app, there)


def return_to(app: App[Any], screen: Screen[Any]) -> None:
    """Close all that stands over a screen; where nothing does, say so."""
    if app.screen is screen and isinstance(screen, Page):
        screen.show_status("That is this screen.")
    with app.batch_update():
        while app.screen is not screen:
            app.pop_screen()
