"""The checklist: its heading, and the DIS objects as a tree with their marks and the results of their last resync."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from resync_tui import formatting
from resync_tui.campaign import Due, Scenario, due
from resync_tui.errors import ResyncError
from resync_tui.outcome import Finding, Purpose, Status
from resync_tui.results import FindingRecord, LastCompleted, LastResync, WorstResync, worst_of
from resync_tui.screens.checklist_row import ChecklistColumns, ChecklistRow, checklist_row, indent_for, with_results
from resync_tui.screens.detail import detail_lines
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.errors_row import key_text
from resync_tui.screens.extra import ExtraPage
from resync_tui.screens.marking import MarkingPage
from resync_tui.screens.marks import Marks
from resync_tui.screens.page import FILTER, NAME, READING, open_page
from resync_tui.screens.picker import Picked, district_picker, year_picker
from resync_tui.screens.running import RunningPanel
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import Sheet
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.key_bar import KeyBar
from resync_tui.screens.widgets.line import BOLD, PLAIN, TITLE, WARN, Line, Part, fitted, plain
from resync_tui.screens.widgets.rows import Rows


def heading(session: Session, marks: Marks, wanted: str, width: int, cut: str) -> list[Line]:
    """Return the two lines of the heading: place and school year, and the marks."""
    others = len(session.picked) - 1
    more = f" +{others} more" if others > 0 else ""
    current = " current" if session.year == session.settings.years.current else ""
    place = (
        Part(" resync-tui", TITLE, turn=2),
        Part(f" {session.edition_words} ", TITLE),
        Part("  District:", BOLD, turn=4),
        Part(f" {session.district_name(session.district)}", BOLD, turn=5, least=NAME),
        Part(more, BOLD),
        Part("  Year:", turn=3),
        Part(f" {formatting.school_year(session.year)}"),
        Part(current, turn=1),
    )
    running = sum(batch.status is Status.RUNNING for batch in session.active)
    queued = len(session.active) - running
    user = (
        Part(f"{running} running  " if running else "", WARN),
        Part(f"{queued} queued  " if queued else "", WARN, turn=6 if running else 0),
        Part(session.user, turn=7, least=NAME),
        Part(" RW" if session.may_write else " R"),
        Part("" if session.may_write else ", read only", turn=3),
    )
    marked, more = f"  {len(marks.chosen)} marked", f" + {len(marks.required)} required"
    if marks.full:
        marked, more = f"  all {len(marks.chosen)} marked", ": full resync"
    state = (
        Part("Check dependencies", turn=4, least=FILTER),
        Part(" "),
        Part("ON", BOLD) if marks.check_dependencies else Part("OFF", WARN),
        Part(marked, BOLD if marks.chosen else PLAIN),
        Part(more, BOLD if marks.chosen else PLAIN, turn=3),
        Part(f"  ! {session.unread}" if session.unread else "", WARN),
        Part(f"  Filter: {wanted}" if wanted else "", WARN, turn=2, least=FILTER),
    )
    name = (Part("Subscribed Data Elements", turn=1),) if session.state_edition else ()
    return [fitted(place, user, width, cut), fitted(state, name, width, cut)]


def due_line(due: Due | None, last_full: datetime | None, width: int, *, of_state: bool) -> list[Line]:
    """Return the line about the mandatory full resync that is due; empty if none is. Its reason gives way.

    A district does not see what the state asked for: `of_state` is whether all requests count.
    """
    if due is None:
        return []
    told = [Part(f"Full resync due since {due.since}", WARN), Part(f": {due.scenario}", WARN, turn=1)]
    if of_state:
        told.append(Part(f". Last full one: {formatting.when(last_full) if last_full else 'never'}", WARN))
    else:
        day = formatting.day_of(last_full) if last_full else "none yet"
        told += [Part(". Last", WARN), Part(" full one asked for", WARN, turn=2), Part(f" from here: {day}", WARN)]
    return [fitted(told, (), width)]


EXTRA_SHOWN = 20
"""Extra records listed in an object's detail."""


class ChecklistPage(MarkingPage):
    """The checklist page: marks objects, sends them, and shows the dots of their last resync."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "send", "Send or request the resync"),
        Binding("v", "verify", "Compare only: is a resync needed?"),
        Binding("enter", "detail", "Detail of the object"),
        Binding("e", "errors", "Errors of the object's last resync"),
        Binding("D", "districts", "Select Districts"),
        Binding("Y", "years", "School year"),
        Binding("X", "extra", "Extra records, which the district does not have"),
    ]
    HEADER_ROWS: ClassVar[int] = 2
    WRITE_KEYS: ClassVar[frozenset[str]] = frozenset({"Spc", "a", "u", "d", "s", "v"})

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._last: Mapping[str, LastResync] | None = None
        """Newest results by object; None: not read yet."""
        self._completed: LastCompleted | None = None
        """Newest completed runs; None: not read yet."""
        self._of_picked: Mapping[str, Mapping[str, LastResync]] = {}
        """Newest results by district and object, if several districts are picked."""
        self._worst: Mapping[str, WorstResync] = {}
        """Which of several districts stands worst, by object."""
        self._active: tuple[int, ...] = ()
        """Batches that were queued or running when the completed runs were read."""
        self._due: Due | None = None
        self._last_full: datetime | None = None
        self._columns = ChecklistColumns(80)
        self._list = Rows[ChecklistRow](lambda row, _: self._columns.draw(row, self.glyphs))
        self._list.mark_by(lambda: self.marks, self.mark_range)
        self._running_panel = RunningPanel(session, glyphs)

    def compose_list(self) -> ComposeResult:
        """Yield the list with the panel of what runs beside it, or the strip below."""
        with Horizontal(id="beside"):
            yield self._list
            yield self._running_panel.beside
        yield self._running_panel.below

    def rows(self) -> Rows[ChecklistRow]:
        """Return the tree's rows."""
        return self._list

    def bar_keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the key bar."""
        districts = [("D", "Select Districts")] if len(self.session.districts) > 1 else []
        board = [("B", "Board")] if self.session.state_edition else []
        years = [("Y", "Year")] if len(self.session.years) > 1 else []
        return [
            *(("Spc", "Mark"), ("a", "All"), ("d", "Deps"), ("s", self.session.send_words), ("v", "Compare")),
            *(("/", "Filter"), ("Enter", "Detail"), ("e", "Errors"), ("p", "Progress"), ("H", "History")),
            *(("!", "Alerts"), *board, *districts, *years, ("L", "Legend"), ("?", "Help"), ("q", "Quit")),
        ]

    async def load(self) -> None:
        """Read the newest result of each object, and take a sample of what runs."""
        store = await self.session.store()
        years, asked = self.session.settings.years, self._listed()
        await self._running_panel.read(store, *asked)
        last, last_full = await store.last_resyncs(*asked), None
        if years.opens or years.closes:
            standing = await store.board(years.current, [asked[0]])
            last_full = standing[0].last_full if standing else None
        completed, active = self._completed, tuple(each.batch for each in self.session.active)
        picked, of_picked = self.session.picked, self._of_picked
        # What runs changes several times a second, and has completed nothing that stands here before it has ended.
        if completed is None or not active or active != self._active:
            completed = await store.last_completed(*asked)
            of_picked = await store.last_resyncs_of(picked, asked[1]) if len(picked) > 1 else {}
        if asked == self._listed() and picked == self.session.picked:
            self._of_picked = of_picked
            results = {**of_picked, asked[0]: last}
            self._worst = worst_of(picked, results, self.session.catalog.position) if of_picked else {}
            self._last, self._last_full, self._completed, self._active = last, last_full, completed, active
            self._due = due(years, self.session.now().astimezone().date(), last_full)

    def _listed(self) -> tuple[str, int]:
        """Return district and school year of the results; another may be chosen while they are read."""
        return self.session.district, self.session.year

    @property
    def _completed_resyncs(self) -> Mapping[str, LastResync]:
        return self._completed.of(Purpose.RESYNC) if self._completed else {}

    def _shown(self, name: str) -> LastResync | None:
        """Return the run whose results are listed of an object; None: never run, or not read yet."""
        newest = self._newest(name)
        return newest and with_results(newest, self._completed_of(name))

    def _newest(self, name: str) -> LastResync | None:
        """Return the newest run of an object, of several districts that of the one that stands worst."""
        if name in self._worst:
            return self._worst[name].last
        return (self._last or {}).get(name)

    def _completed_of(self, name: str) -> LastResync | None:
        """Return the newest completed run of an object in the district that is listed, if the row is of that."""
        of_listed = name not in self._worst or self._worst[name].district == self.session.district
        return self._completed_resyncs.get(name) if of_listed else None

    def _runs(self, name: str) -> list[LastResync] | None:
        """Return the newest run of an object, and the one whose results are listed if that is another; None: unread."""
        if self._last is None:
            return None
        found = {each.batch: each for each in (self._newest(name), self._shown(name)) if each}
        return list(found.values())

    def draw(self) -> None:
        """Draw the heading, and each row with its mark and newest result."""
        width, at = self._list.width or self.size.width - 1, self.session.now()
        without = self.glyphs.cut if self._last is None else "never"
        of_districts = (self._last or {}, self._completed_resyncs, *self._of_picked.values())
        counts = [known.result.counts for results in of_districts for known in results.values()]
        columns = ChecklistColumns(
            width,
            self.widest(indent_for(width)),
            max([5, *(len(str(each.processed)) for each in counts)]),
            max([3, *(len(str(each.errors)) for each in counts)]),
            max([0, *(len(str(each.extra)) for each in counts if each.extra)]),
        )
        lines = heading(self.session, self.marks, self.wanted_name, self.size.width, self.glyphs.cut)
        self.header(*lines, *self._due_line())
        self.titles(columns.titles())
        nodes = self.nodes()
        if columns != self._columns:
            self._columns = columns
            self._list.redraw()
        self._list.show(
            [
                checklist_row(
                    each, self.marks[each.name], self._newest(each.name), self._completed_of(each.name), at, without
                )
                for each in nodes
            ]
        )
        if self._running_panel.draw(self.size.width):
            self.call_after_refresh(self.refresh_all)

    def _due_line(self) -> list[Line]:
        return due_line(self._due, self._last_full, self.size.width, of_state=self.session.state_edition)

    def note(self) -> list[Line]:
        """Return which of several districts the row under the cursor tells of, before what else is said of it."""
        current = self._list.current
        standing = self._worst.get(current.key) if current else None
        if standing is None:
            return super().note()
        name, others = self.session.district_name(standing.district), len(self.session.picked)
        which = f"Worst of {others} districts: {name}" if standing.rank else f"All {others} districts are good"
        return [plain(which, WARN if standing.rank > 1 else PLAIN), *super().note()[:1]]

    async def action_detail(self) -> None:
        """Show the detail of the object under the cursor, with the first of its extra records."""
        if (current := self.under_cursor()) is not None:
            known, extra = self._shown(current.key), list[str]()
            if known and known.result.counts.extra and self.session.ready:
                with suppress(ResyncError):
                    asked = self._extra_of(known.batch, current.key)
                    extra = [key_text(each) for each in await self.session.shielded(asked)]

            def lines() -> list[Line]:
                return detail_lines(self.session, current.key, self._runs(current.key), extra, self.glyphs)

            sheet = Sheet(current.key, lines())
            sheet.follow(lines)
            self.app.push_screen(sheet)

    async def _extra_of(self, batch: int, name: str) -> list[FindingRecord]:
        store = await self.session.store()
        return await store.findings(batch, object=name, finding=Finding.EXTRA, limit=EXTRA_SHOWN)

    async def action_extra(self) -> None:
        """Show the extra records of the newest comparison."""
        try:
            store = await self.session.store()
            asked = store.last_verified(self.session.district, self.session.year)
            found = await self.session.shielded(asked)
        except ResyncError as error:
            self.show_error(error)
            return
        if found:
            newest = max(each.batch for each in found.values())
            open_page(self.app, ExtraPage(self.session, self.glyphs, newest))
        else:
            self.show_status("Compare first: v counts and lists what the district does not have, and changes nothing.")

    def action_errors(self) -> None:
        """Show the refused records of the object."""
        current = self._list.current
        known = self._shown(current.key) if current else None
        if self._last is None:
            self.show_status(READING)
        elif current is None or known is None:
            self.show_status("This object has not been resynced yet, so it has no errors.")
        else:
            open_page(self.app, ErrorsPage(self.session, self.glyphs, known.batch, current.key))

    def action_districts(self) -> None:
        """Pick the districts of a request, and the one whose results are listed."""
        if len(self.session.districts) < 2:
            self.show_status("Only one district is configured.")
        else:
            self.app.push_screen(district_picker(self.session), self._chose_districts)

    def _chose_districts(self, picked: Picked | None) -> None:
        if picked:
            try:
                self.session.choose(picked.current, picked.keys)
            except ResyncError as error:
                self.show_error(error)
            self._relist()

    def action_years(self) -> None:
        """Pick the school year."""
        if len(self.session.years) < 2:
            self.show_status("This district is configured for the current school year only.")
        else:
            self.app.push_screen(year_picker(self.session), self._chose_year)

    def _chose_year(self, picked: Picked | None) -> None:
        if picked:
            try:
                self.session.choose_year(int(picked.current))
            except ResyncError as error:
                self.show_error(error)
            self._relist()

    def _relist(self) -> None:
        self._last = self._completed = None
        self._of_picked, self._worst = {}, {}
        self.query_one(KeyBar).show(self.bar_keys())
        self.list_objects()
        self.reload()

    def action_send(self) -> None:
        """Ask whether to send the marked objects."""
        self._ask(Purpose.RESYNC)

    def action_verify(self) -> None:
        """Ask whether to compare the marked objects, else the object under the cursor."""
        self._ask(Purpose.VERIFY)

    def _ask(self, purpose: Purpose) -> None:
        if not self.may_act():
            return
        marks = self.marks
        if purpose is Purpose.VERIFY and not marks.chosen and self._list.current:
            marks = marks.with_check(False).toggled(self._list.current.key)
        if not marks.chosen:
            self.show_status("Nothing is marked. Space marks the object under the cursor, a marks all.")
        elif self.session.trouble is not None:
            self.show_status("The control database does not answer, so nothing can be sent.", bad=True)
        else:
            self.ask_to_send(marks, self.session.year, self.session.picked, lambda: self._completed, purpose)

    def reason(self, purpose: Purpose) -> str:
        """Return the reason of the request: the mandatory resync that is due, or the state's request."""
        if purpose is Purpose.RESYNC and self.marks.full and self._due:
            return self._due.scenario.value
        return Scenario.STATE_REQUEST.value if self.session.state_edition else ""

    def sent(self, purpose: Purpose) -> None:
        """Unmark what was sent; what was compared stays marked, as it may be sent next."""
        if purpose is Purpose.RESYNC:
            self.remark(self.marks.none())
