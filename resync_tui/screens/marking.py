"""Marking: the objects as a tree with checkboxes, folds and a filter; independent of results."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.screens.checklist_row import ChecklistRow
from resync_tui.screens.filtering import FilteringPage
from resync_tui.screens.marks import Mark, Marks
from resync_tui.screens.sending import SendingPage
from resync_tui.screens.session import Session
from resync_tui.screens.tree import Node, Tree
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import WARN, Line, plain
from resync_tui.screens.widgets.rows import Rows


class MarkingPage(FilteringPage, SendingPage):
    """A page with marks that survive folds, filters and a change of the school year."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark or unmark the object"),
        Binding("a", "all", "Mark all: a full resync"),
        Binding("u", "none", "Unmark all"),
        Binding("d", "check", "Check dependencies on or off"),
        Binding("n", "match(1)", "Next match of the filter"),
        Binding("N", "match(-1)", "Match before"),
        Binding("left,h", "fold", "Fold, or go up"),
        Binding("right,l", "unfold", "Unfold, or go down"),
    ]

    WAITS: ClassVar[bool] = False

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self.marks = Marks(session.catalog)
        self._tree = Tree(session.catalog)
        self._folded: frozenset[str] = frozenset()

    def rows(self) -> Rows[ChecklistRow]:
        """Return the tree's rows."""
        raise NotImplementedError

    def nodes(self) -> list[Node]:
        """Return the visible objects, after folds and filter."""
        return self._tree.shown(self._folded, self.wanted_name, self.marks.required)

    def widest(self, indent: int) -> int:
        """Return the width of the widest name with its indent, in cells."""
        return self._tree.widest(indent)

    def list_objects(self) -> None:
        """List the objects of another district or year; marks stay on objects that it has too."""
        self.marks = self.marks.within(self.session.catalog)
        self._tree = Tree(self.session.catalog)
        self.refresh_all()

    def note(self) -> list[Line]:
        """Return why the object under the cursor is required, what it needs, and the catalog's hint."""
        current = self.rows().current
        if current is None:
            return [plain("No DIS object has such a name. Esc clears the filter." if self.wanted_name else "")]
        hint = self.session.catalog[current.key].hint
        if hint and self.marks[current.key] is not Mark.NONE:
            return [plain(part, WARN) for part in formatting.folded(hint, self.size.width)]
        return [plain(part) for part in formatting.folded(self.marks.why(current.key), self.size.width)]

    @on(Rows.Moved)
    def _moved(self) -> None:
        self.show_message()

    def remark(self, marks: Marks) -> None:
        """Apply other marks."""
        self.marks = marks
        self.refresh_all()

    def mark_range(self, marks: Marks, rows: Sequence[ChecklistRow]) -> None:
        """Mark the objects over which the cursor has been extended, beside those that were marked before."""
        if self.may_act():
            for each in rows:
                marks = marks if marks[each.key] is Mark.CHOSEN else marks.toggled(each.key)
            self.remark(marks)

    def action_mark(self) -> None:
        """Toggle the mark of the object under the cursor."""
        if self.may_act() and (current := self.rows().current) is not None:
            self.remark(self.marks.toggled(current.key))

    def action_all(self) -> None:
        """Mark all objects: a full resync."""
        if self.may_act():
            self.remark(self.marks.all())

    def action_none(self) -> None:
        """Unmark all objects."""
        self.remark(self.marks.none())

    def action_check(self) -> None:
        """Toggle Check dependencies."""
        if self.may_act():
            self.remark(self.marks.with_check(not self.marks.check_dependencies))

    def action_fold(self) -> None:
        """Fold the object under the cursor; if it cannot be folded, go to its parent row."""
        current = self.rows().current
        if current and current.open and not self.wanted_name:
            self._folded |= {current.key}
            self.refresh_all()
        elif current and (above := self._tree.above[current.key]):
            self.rows().go(above)
            self.show_message()
        else:
            self.show_status("Nothing is above it.")

    def action_unfold(self) -> None:
        """Unfold the object under the cursor; if it is open, go to its first child row."""
        current = self.rows().current
        if current and current.open is False:
            self._folded -= {current.key}
            self.refresh_all()
        elif current and current.open:
            self.rows().action_move(1)
        else:
            self.show_status("Nothing is under it.")

    def filtered(self) -> None:
        """Redraw, with the cursor on a match."""
        super().filtered()
        current = self.rows().current
        if self.wanted_name and current is not None and not current.matches:
            self.action_match(1)

    def action_match(self, step: int) -> None:
        """Go to the next or the previous match of the filter, wrapping around."""
        found = next_match(self.rows().values, self.rows().current, step)
        if found:
            self.rows().go(found)
            self.show_message()
        else:
            self.show_status("Nothing to find. / filters by a part of a name.")


def next_match(values: Sequence[ChecklistRow], current: ChecklistRow | None, step: int) -> str:
    """Return the key of the next or previous match from a row, wrapping around; empty without a match."""
    at = values.index(current) if current in values else 0
    ahead = [*values[at + 1 :], *values[: at + 1]] if step > 0 else [*values[:at][::-1], *values[at:][::-1]]
    return next((value.key for value in ahead if value.matches), "")
