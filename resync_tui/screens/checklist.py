"""The checklist: the DIS objects as a tree, what is marked, and how each object's last resync ended."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from resync_tui.control.views import Batch, LastResync
from resync_tui.errors import ResyncError
from resync_tui.marks import Mark, Marks
from resync_tui.plan import Plan
from resync_tui.screens import words
from resync_tui.screens.checklist_row import ChecklistRow, Columns, checklist_row
from resync_tui.screens.confirm import ConfirmSend
from resync_tui.screens.detail import detail_sheet
from resync_tui.screens.districts import district_picker
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.page import Page
from resync_tui.screens.picker import Picked
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.tree import Tree
from resync_tui.screens.years import year_picker
from resync_tui.session import Session
from resync_tui.widgets.glyphs import Glyphs
from resync_tui.widgets.line import BOLD, PLAIN, TITLE, WARN, Line, plain, spread
from resync_tui.widgets.rows import Rows


class ChecklistPage(Page):
    """Mark objects, send them, and see the dots of the last resync."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark or unmark the object"),
        Binding("a", "all", "Mark all: a full resync"),
        Binding("u", "none", "Unmark all"),
        Binding("d", "check", "Check dependencies on or off"),
        Binding("s", "send", "Send or request the resync"),
        Binding("slash", "filter", "Filter by name"),
        Binding("n", "match(1)", "Next match of the filter"),
        Binding("N", "match(-1)", "Match before"),
        Binding("enter", "detail", "Detail of the object"),
        Binding("left,h", "fold", "Fold, or go up"),
        Binding("right,l", "unfold", "Unfold, or go down"),
        Binding("e", "errors", "Errors of the object's last resync"),
        Binding("D", "districts", "Select Districts"),
        Binding("Y", "years", "School year"),
        Binding("escape", "leave_filter", "Leave the filter", show=False),
    ]
    HEADER_ROWS: ClassVar[int] = 2

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self.marks = Marks(session.catalog)
        self._tree = Tree(session.catalog)
        self._folded: frozenset[str] = frozenset()
        self._wanted_name = ""
        self._last: Mapping[str, LastResync] = {}
        self._columns = Columns(80)
        self._list = Rows[ChecklistRow](lambda row, _: self._columns.draw(row, self.glyphs))

    def rows(self) -> Rows[ChecklistRow]:
        """Return the tree's rows."""
        return self._list

    def compose_filter(self) -> ComposeResult:
        """What asks for a part of a name."""
        yield Input(id="filter", placeholder="part of a name; Enter keeps, Esc clears", compact=True)

    def bar_keys(self) -> Sequence[tuple[str, str]]:
        """Return what the key bar shows."""
        districts = [("D", "Select Districts")] if len(self.session.districts) > 1 else []
        years = [("Y", "Year")] if len(self.session.years) > 1 else []
        return [
            *(("Spc", "Mark"), ("a", "All"), ("u", "None"), ("d", "Deps"), ("s", self.session.send_words)),
            *(("/", "Filter"), ("Enter", "Detail"), ("e", "Errors"), ("p", "Progress"), ("H", "History")),
            *(*districts, *years, ("L", "Legend"), ("?", "Help"), ("q", "Quit")),
        ]

    async def load(self) -> None:
        """Read the newest result of each object."""
        self._last = await self.session.store.last_resyncs(self.session.district, self.session.year)

    def draw(self) -> None:
        """Draw the header, and each row by its mark and its newest result."""
        width, at = self._list.width or self.size.width, self.session.now()
        counts = [known.result.counts for known in self._last.values()]
        columns = Columns(
            width,
            max([5, *(len(str(each.processed)) for each in counts)]),
            max([3, *(len(str(each.errors)) for each in counts)]),
        )
        self.header(*heading(self.session, self.marks, self._wanted_name, self.size.width))
        self.titles(columns.titles())
        nodes = self._tree.shown(self._folded, self._wanted_name)
        if columns != self._columns:
            self._columns = columns
            self._list.redraw()
        self._list.show([checklist_row(each, self.marks[each.name], self._last.get(each.name), at) for each in nodes])

    def note(self) -> list[Line]:
        """Say why the object under the cursor is in it, what it needs, and the catalog's hint."""
        current = self._list.current
        if current is None:
            return [plain("No DIS object has such a name. Esc clears the filter." if self._wanted_name else "")]
        hint = self.session.catalog[current.key].hint
        if hint and self.marks[current.key] is not Mark.NONE:
            return [plain(part, WARN) for part in words.folded(hint, self.size.width)]
        return [plain(part) for part in words.folded(self.marks.why(current.key), self.size.width)]

    @on(Rows.Moved)
    def _moved(self) -> None:
        self.show_message()

    def _remark(self, marks: Marks) -> None:
        self.marks = marks
        self.refresh_all()

    def action_mark(self) -> None:
        """Mark or unmark the object under the cursor."""
        if self._list.current:
            self._remark(self.marks.toggled(self._list.current.key))

    def action_all(self) -> None:
        """Mark everything: a full resync."""
        self._remark(self.marks.all())

    def action_none(self) -> None:
        """Unmark everything."""
        self._remark(self.marks.none())

    def action_check(self) -> None:
        """Switch Check dependencies."""
        self._remark(self.marks.with_check(not self.marks.check_dependencies))

    def action_fold(self) -> None:
        """Fold the object under the cursor; where there is nothing to fold, go to the one above it."""
        current = self._list.current
        if current and current.open and not self._wanted_name:
            self._folded |= {current.key}
            self.refresh_all()
        elif current and (above := self._tree.above[current.key]):
            self._list.go(above)
            self.show_message()

    def action_unfold(self) -> None:
        """Unfold the object under the cursor; where it is open, go to the first below it."""
        current = self._list.current
        if current and current.open is False:
            self._folded -= {current.key}
            self.refresh_all()
        elif current and current.open:
            self._list.action_move(1)

    def action_filter(self) -> None:
        """Ask for a part of a name."""
        self.query_one("#filter", Input).focus()
        self.add_class("filtering")

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self._wanted_name = event.value.strip()
        self.refresh_all()
        if self._list.current and not self._list.current.matches:
            self.action_match(1)

    @on(Input.Submitted, "#filter")
    def _keep_filter(self) -> None:
        self.remove_class("filtering")
        self._list.focus()

    def action_leave_filter(self) -> None:
        """Show all objects again."""
        self.query_one("#filter", Input).value = ""
        self._keep_filter()

    def action_match(self, step: int) -> None:
        """Go to the next or the previous match of the filter, around the end."""
        found = next_match(self._list.values, self._list.current, step)
        if found:
            self._list.go(found)
            self.show_message()
        else:
            self.say("Nothing to find. / filters by a part of a name.")

    def action_detail(self) -> None:
        """Show what is known of the object under the cursor."""
        if (current := self._list.current) is not None:
            known = self._last.get(current.key)
            self.app.push_screen(detail_sheet(self.session.catalog, current.key, known, self.glyphs))

    def action_errors(self) -> None:
        """Show which records of the object did not go in."""
        current = self._list.current
        known = self._last.get(current.key) if current else None
        if current is None or known is None:
            self.say("This object has not been resynced yet, so it has no errors.")
        else:
            self.app.push_screen(ErrorsPage(self.session, self.glyphs, known.batch, current.key))

    def action_districts(self) -> None:
        """Choose the districts that a request goes to, and the one whose results are listed."""
        if len(self.session.districts) < 2:
            self.say("Only one district is configured.")
        else:
            self.app.push_screen(district_picker(self.session), self._chose_districts)

    def _chose_districts(self, picked: Picked | None) -> None:
        if picked:
            self.session.choose(picked.current, picked.keys)
            self._relist()

    def action_years(self) -> None:
        """Choose the school year."""
        if len(self.session.years) < 2:
            self.say("This district is configured for the current school year only.")
        else:
            self.app.push_screen(year_picker(self.session), self._chose_year)

    def _chose_year(self, picked: Picked | None) -> None:
        if picked:
            try:
                self.session.choose_year(int(picked.current))
            except ResyncError as error:
                self.tell(error)
            self._relist()

    def _relist(self) -> None:
        self._last = {}
        self.marks = self.marks.within(self.session.catalog)
        self._tree = Tree(self.session.catalog)
        self.refresh_all()
        self.reload()

    def action_send(self) -> None:
        """Ask whether to send what is marked."""
        if not self.marks.chosen:
            self.say("Nothing is marked. Space marks the object under the cursor, a marks all.")
        elif not self.session.ready:
            self.say("The control database does not answer, so nothing can be sent.", bad=True)
        else:
            plan, districts = self.marks.plan(self.session.year), self.session.picked
            confirm = ConfirmSend(self.session, plan, districts, self.marks)
            self.app.push_screen(confirm, lambda yes: self._confirmed(plan, districts) if yes else None)

    def _confirmed(self, plan: Plan, districts: Sequence[str]) -> None:
        self.say("Sending")
        self.app.run_worker(self._send(plan, districts), group="send")

    async def _send(self, plan: Plan, districts: Sequence[str]) -> None:
        try:
            batches = await self.session.send(plan, districts)
        except ResyncError as error:
            self.say("")
            self.tell(error)
            return
        self.say("")
        self._remark(self.marks.none())
        self._follow(batches)

    def _follow(self, batches: Sequence[Batch]) -> None:
        if len(batches) == 1:
            self.app.push_screen(ProgressPage(self.session, self.glyphs, batches[0].batch))
        else:
            self.app.push_screen(HistoryPage(self.session, self.glyphs, request=batches[0].request))


def next_match(values: Sequence[ChecklistRow], current: ChecklistRow | None, step: int) -> str:
    """Return the next match after a row, or before it, around the end; empty where nothing matches."""
    at = values.index(current) if current in values else 0
    ahead = [*values[at + 1 :], *values[: at + 1]] if step > 0 else [*values[:at][::-1], *values[at:][::-1]]
    return next((value.key for value in ahead if value.matches), "")


def heading(session: Session, marks: Marks, wanted: str, width: int) -> list[Line]:
    """Return the two lines above the checklist: where and for which year, and what is marked."""
    others = len(session.picked) - 1
    more = f" +{others} more" if others > 0 else ""
    current = " current" if session.year == session.settings.years.current else ""
    place: Line = (
        (" resync-tui ", TITLE),
        (f"  District: {session.district_name(session.district)}{more}", BOLD),
        (f"  Year: {words.school_year(session.year)}{current}", PLAIN),
    )
    running = f"{len(session.active)} running  " if session.active else ""
    marked = f"{len(marks.chosen)} marked + {len(marks.required)} required"
    if marks.full:
        marked = f"all {len(marks.chosen)} marked: full resync"
    state: Line = (
        ("Check dependencies ", PLAIN),
        ("ON", BOLD) if marks.check_dependencies else ("OFF", WARN),
        (f"  {marked}", BOLD if marks.chosen else PLAIN),
        (f"  Filter: {wanted}" if wanted else "", WARN),
    )
    name = plain("Subscribed Data Elements") if session.state_edition else ()
    return [
        spread(place, ((running, WARN), (session.user, PLAIN)), width),
        spread(state, name, width),
    ]
