"""The one list widget of the program: checklist, progress, history and errors are all rows of it.

Stock lists repaint too much for a slow line; here a changed row is marked dirty and drawn at the next flush, if it is
in sight.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from resync_tui.screens.net import Netted
from resync_tui.screens.widgets.glyphs import glyphs_of
from resync_tui.screens.widgets.line import PLAIN, Line, strip

CURSOR = Style(reverse=True)
AROUND = 2
"""Rows kept in sight above and below the cursor."""


class Keyed(Protocol):
    """A frozen value of a row."""

    @property
    def key(self) -> str:
        """Identity of the row, stable when its value changes."""
        ...


V = TypeVar("V", bound=Keyed)
M = TypeVar("M")


_EXTENDING = ("shift+up", "shift+down", "J", "K")


class Rows(Netted, ScrollView, Generic[V], can_focus=True, inherit_bindings=False):
    """A list of frozen values, with a cursor that stays on its key through insertions and deletions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("shift+up,K", "extend(-1)", "Up, marking", show=False),
        Binding("shift+down,J", "extend(1)", "Down, marking", show=False),
        Binding("pageup,ctrl+b", "leap(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "leap(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000)", "First", show=False),
        Binding("end,G", "move(1000000)", "Last", show=False),
    ]

    class Moved(Message):
        """The user has moved the cursor to another row."""

    def __init__(self, draw: Callable[[V, int], Line], *, id: str = "rows", cursor: bool = True) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._values: tuple[V, ...] = ()
        self._dirty: set[int] = set()
        self._at = 0
        self._top = 0
        """First row in sight at the last move of the cursor."""
        self._has_cursor = cursor
        self.filter: Widget | None = None
        """The input that `/` opens; it gets the keys that follow in the same packet, before it has the focus."""
        self._marks: tuple[Callable[[], Any], Callable[[Any, Sequence[V]], None]] | None = None
        self._marked_before: Any = None
        """What was marked before the cursor was extended."""
        self._anchor: str | None = None
        """Key of the row from which the cursor is extended."""
        self._typing = False
        self._settled = False
        self._kept: list[Callable[[], None]] = []
        """What was asked of the list before it was read."""

    def mark_by(self, marked: Callable[[], M], mark: Callable[[M, Sequence[V]], None]) -> None:
        """Have the rows marked over which the cursor is extended, beside what was `marked` before that."""
        self._marks = marked, mark

    @property
    def values(self) -> tuple[V, ...]:
        """The values shown."""
        return self._values

    @property
    def current(self) -> V | None:
        """The value under the cursor."""
        return self._values[self._at] if self._values else None

    @property
    def width(self) -> int:
        """Width of a row in cells, without the scrollbar."""
        return self.scrollable_content_region.width

    def line(self, value: V, width: int) -> Line:
        """Return a row as it would be drawn."""
        return self._draw(value, width)

    def show(self, values: Sequence[V], *, at_once: bool = False) -> None:
        """Set the values; changed rows are drawn at the next flush, or at once after a key."""
        before, self._values = self._values, tuple(values)
        if [value.key for value in before] != [value.key for value in self._values]:
            self._rearranged(before)
        else:
            self._dirty.update(y for y, (old, new) in enumerate(zip(before, self._values, strict=True)) if old != new)
        if at_once:
            self.flush()

    def _rearranged(self, before: tuple[V, ...]) -> None:
        kept = before[self._at].key if before else None
        where = {value.key: y for y, value in enumerate(self._values)}
        at = where.get(kept, min(self._at, max(0, len(self._values) - 1))) if kept else 0
        self._at = at
        self._dirty.clear()
        self.virtual_size = Size(self.width, len(self._values))
        self.refresh()
        self._follow()

    def when_read(self, act: Callable[[], None]) -> None:
        """Call a function that moves or marks; once the list is read, if it is not yet."""
        if self._values or self._settled:
            act()
        else:
            self._kept.append(act)

    def settle(self) -> None:
        """Do what was asked before the list was read."""
        self._settled = True
        kept, self._kept = self._kept, []
        for act in kept:
            act()

    def redraw(self) -> None:
        """Redraw every row in sight, after a change around the values."""
        self._dirty.clear()
        self.refresh()

    def flush(self) -> None:
        """Draw the changed rows in sight; the others are drawn when they come into sight."""
        top = self.scroll_offset.y
        for y in self._dirty:
            if top <= y < top + self.size.height:
                self.refresh_line(y)
        self._dirty.clear()

    def on_key(self, event: Key) -> None:
        """Pass on to the filter what was typed for it."""
        if self.filter is not None and self._typing:
            event.stop()
            event.prevent_default()
            self.filter.post_message(Key(event.key, event.character))
        if event.key not in _EXTENDING:
            self._anchor = None
        if event.key in ("slash", "enter", "escape"):
            self._typing = event.key == "slash"

    def on_blur(self) -> None:
        """Stop passing keys on: from here on the filter gets them itself."""
        self._typing = False

    def go(self, key: str) -> None:
        """Move the cursor to the row of a key, if it exists."""
        for y, value in enumerate(self._values):
            if value.key == key:
                self._move_to(y)
                return

    def action_move(self, by: int) -> None:
        """Move the cursor by a number of rows, within the list; once it is read, if it is not yet."""
        self.when_read(partial(self._move, by))

    def _move(self, by: int) -> None:
        if self._has_cursor:
            self._move_to(self._at + by)
            self.post_message(self.Moved())
        else:
            self._top = max(0, min(self.max_scroll_y, self.scroll_offset.y + by))
            self.scroll_to(y=self._top, animate=False)

    def action_extend(self, by: int) -> None:
        """Move the cursor as `action_move`, and mark the rows from where that began."""
        self.when_read(partial(self._extend, by))

    def _extend(self, by: int) -> None:
        keys = [value.key for value in self._values]
        begins = self._anchor not in keys
        if begins and keys:
            self._anchor = keys[self._at]
        self._move(by)
        if self._marks is not None and keys:
            marked, mark = self._marks
            if begins:
                self._marked_before = marked()
            first, last = sorted((keys.index(self._anchor or ""), self._at))
            mark(self._marked_before, self._values[first : last + 1])

    def action_leap(self, pages: int) -> None:
        """Move the cursor by pages, less a row each."""
        self.action_move(pages * max(1, self.size.height - 1))

    def _move_to(self, y: int) -> None:
        y = max(0, min(len(self._values) - 1, y))
        if y != self._at and self._values:
            self.refresh_line(self._at)
            self.refresh_line(y)
            self._at = y
            self._follow()

    def _follow(self) -> None:
        """Scroll no further than needed to bring the cursor into sight, with a few rows around it."""
        self._top = self._nearest(self.scroll_offset.y)
        if self._top != self.scroll_offset.y:
            self.scroll_to(y=self._top, animate=False, force=True)

    def _nearest(self, top: int) -> int:
        """Return the first row in sight, as near to `top` as the cursor allows."""
        if not self._has_cursor:
            return top
        height = self.size.height
        around = min(AROUND, (height - 1) // 2)
        if self._at < top + around:
            return max(0, self._at - around)
        if height and self._at >= top + height - around:
            return self._at - height + 1 + around
        return top

    def on_resize(self) -> None:
        """Keep the rows as wide as the widget, and the same rows in sight, also after a moment of too little room."""
        self.virtual_size = Size(self.width, len(self._values))
        top = self._nearest(self._top)
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        row, width = y + self.scroll_offset.y, self.width
        if row >= len(self._values):
            return Strip.blank(width)
        under = CURSOR if self._has_cursor and row == self._at else PLAIN
        return strip(self._draw(self._values[row], width), width, under, glyphs_of(self.app).cut)
