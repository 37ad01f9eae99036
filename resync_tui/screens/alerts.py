"""The page of Process Alerts: this user's messages with their process, name, posted and due date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.errors import ResyncError
from resync_tui.results import Alert
from resync_tui.screens.confirm import Question
from resync_tui.screens.date_range import DateRange, DateRangeBox
from resync_tui.screens.filtering import FilteringPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.marks import Mark
from resync_tui.screens.page import FILTER, Page, open_page
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import Sheet, fact
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, PLAIN, TITLE, WARN, WIDE, Line, Part, left, plain
from resync_tui.screens.widgets.rows import Rows

PROCESS, NAME = len("Vertical Interoperability"), len("State Resync Requested")
"""Cells that a process and a name have where there is room for both."""
WITH_TIME = len("2026-11-30 08:15")


@dataclass(frozen=True, slots=True)
class AlertRow:
    """The row of one alert."""

    key: str
    alert: Alert
    marked: bool = False


@dataclass(frozen=True, slots=True)
class AlertColumns:
    """Column widths in cells; on wide lists dates have their time."""

    width: int

    @property
    def date(self) -> int:
        """Width of each date."""
        return WITH_TIME if self.width >= WIDE else len("Posted Date")

    @property
    def process(self) -> int:
        """Width of the process."""
        return PROCESS if self._room >= PROCESS + NAME else self._room // 2

    @property
    def name(self) -> int:
        """Width of the name."""
        return max(0, self._room - self.process)

    @property
    def _room(self) -> int:
        return self.width - len("[x] ! ") - 3 - 2 * self.date

    def titles(self) -> Line:
        """Return the titles of the columns."""
        return plain(self._text("      ", "Process", "Name", "Posted Date", "Due Date"), BOLD)

    def draw(self, row: AlertRow, glyphs: Glyphs) -> Line:
        """Return the line of an alert; unread ones are bold and marked."""
        alert = row.alert
        style = PLAIN if alert.read else BOLD
        box = Mark.CHOSEN if row.marked else Mark.NONE
        dates = (self._date(each) for each in (alert.posted, alert.due))
        text = self._text(" ", alert.process, alert.name, *dates, cut=glyphs.cut)
        return ((f"{box.value} ", style), (" " if alert.read else "!", WARN), (text, style))

    def _text(self, before: str, process: str, name: str, *dates: str, cut: str = "") -> str:
        cells = left(process, self.process, cut), left(name, self.name, cut), *(left(each, self.date) for each in dates)
        return before + " ".join(cells)

    def _date(self, moment: datetime | None) -> str:
        if moment is None:
            return ""
        return formatting.when(moment) if self.date >= WITH_TIME else formatting.day_of(moment)


class AlertsPage(FilteringPage):
    """This user's alerts, newest first; read and deleted flags are each user's own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open the alert, and what it is about"),
        Binding("space", "mark", "Mark or unmark the alert"),
        Binding("a", "all", "Mark all that are listed"),
        Binding("u", "none", "Unmark all"),
        Binding("m", "read", "Read: the marked ones, else all that are listed"),
        Binding("R", "delete", "Delete the marked ones, else the one under the cursor"),
        Binding("o", "process", "Filter by process"),
        Binding("t", "dates", "Filter by dates"),
    ]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Open"), ("Spc", "Mark"), ("a", "All"), ("u", "None"), ("R", "Delete"), ("m", "Read")),
        *(("/", "Name"), ("o", "Process"), ("t", "Dates"), ("c", "Copy"), ("Esc", "Back"), ("?", "Help")),
    )
    MESSAGE_ROWS: ClassVar[int] = 3

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._alerts: list[Alert] | None = None
        self._process = ""
        self._dates = DateRange()
        self._marked: frozenset[int] = frozenset()
        self._list = Rows[AlertRow](lambda row, width: AlertColumns(width).draw(row, self.glyphs))
        self._list.mark_by(lambda: self._marked, self._mark_range)

    def rows(self) -> Rows[AlertRow]:
        """Return the list of alerts."""
        return self._list

    async def load(self) -> None:
        """Read this user's alerts."""
        store = await self.session.store()
        self._alerts = await store.alerts.posted()
        self.session.unread = sum(not each.read for each in self._alerts)

    def draw(self) -> None:
        """Draw the alerts that match the filters."""
        shown = [each for each in self._alerts or [] if self._shows(each)]
        rows = [AlertRow(str(each.alert), each, each.alert in self._marked) for each in shown]
        filters = "  ".join(filter(None, (self._process, self.wanted_name, f"{self._dates}")))
        wanted = Part(f"  Filter: {filters}" if filters else "", WARN, turn=2, least=FILTER)
        marked, unread = sum(each.marked for each in rows), sum(not each.read for each in shown)
        many = Part(f"{formatting.plural(len(shown), 'alert')}, ", turn=1)
        counts = many, Part(f"{marked} marked, " if marked else ""), Part(f"{unread} unread ")
        self.header(self.fitted((Part(" Process Alerts ", TITLE), wanted), self.known(*counts)))
        self.titles(AlertColumns(self._list.width).titles())
        self._list.show(rows)

    def _shows(self, alert: Alert) -> bool:
        named = self.wanted_name.casefold() in alert.name.casefold()
        return named and self._process in ("", alert.process) and alert.posted.astimezone().date() in self._dates

    def note(self) -> list[Line]:
        """Return the alert under the cursor, as far as there is room."""
        current = self._list.current
        if current is None:
            what = "No alert is like that. Esc clears the filters." if self._alerts else "There is no alert."
            return [plain(what)] if self._alerts is not None else []
        alert = current.alert
        about = plain(f"{alert.process}: {alert.name}", BOLD)
        return [about, *(plain(part) for part in formatting.folded(alert.message, self.size.width))]

    @on(Rows.Moved)
    def _moved(self) -> None:
        self.show_message()

    def _mark_range(self, before: frozenset[int], rows: Sequence[AlertRow]) -> None:
        """Mark the alerts over which the cursor has been extended."""
        self._remark(before | {row.alert.alert for row in rows})

    def action_mark(self) -> None:
        """Mark or unmark the alert under the cursor."""
        self._list.when_read(self._mark_current)

    def _mark_current(self) -> None:
        if current := self.under_cursor():
            self._remark(self._marked ^ {current.alert.alert})

    def action_all(self) -> None:
        """Mark all listed alerts."""
        self._list.when_read(lambda: self._remark(self._marked | {row.alert.alert for row in self._list.values}))

    def action_none(self) -> None:
        """Unmark all alerts."""
        self._remark(frozenset())

    def _remark(self, marked: frozenset[int]) -> None:
        self._marked = marked
        self.refresh_all()

    def _chosen(self) -> list[Alert]:
        """Return the marked alerts among those listed."""
        return [row.alert for row in self._list.values if row.marked]

    def action_read(self) -> None:
        """Mark the marked alerts, else all listed ones, as read."""
        self._list.when_read(lambda: self._begin(self._chosen() or [row.alert for row in self._list.values]))

    def action_delete(self) -> None:
        """Ask whether to delete the marked alerts, else the one under the cursor."""
        chosen = self._chosen()
        if not chosen and (current := self.under_cursor()):
            chosen = [current.alert]
        if chosen:
            what = "this alert" if len(chosen) == 1 else f"these {len(chosen)} alerts"
            names = [plain(f"{formatting.day_of(each.posted)}  {each.process}: {each.name}") for each in chosen]
            lines = [plain("Other users keep theirs."), *names]
            question = Question(f"Delete {what} from your list?", lines, "Delete")
            self.app.push_screen(question, lambda yes: self._begin(chosen, delete=True) if yes else None)

    def _begin(self, alerts: Sequence[Alert], *, delete: bool = False) -> None:
        numbers = [each.alert for each in alerts]
        self.app.run_worker(self._set_flags(numbers, delete=delete), group="send")

    async def _set_flags(self, numbers: Sequence[int], *, delete: bool) -> None:
        try:
            alerts = (await self.session.store()).alerts
            await self.session.shielded(alerts.delete(numbers) if delete else alerts.mark_read(numbers))
        except ResyncError as error:
            self.show_error(error)
        self.reload()

    def action_process(self) -> None:
        """Filter by the next process; after the last one show all."""
        kinds = ["", *sorted({each.process for each in self._alerts or []})]
        at = kinds.index(self._process) if self._process in kinds else 0
        self._process = kinds[(at + 1) % len(kinds)]
        self.refresh_all()

    def action_dates(self) -> None:
        """Filter by a range of dates."""
        self.app.push_screen(DateRangeBox(self._dates), self._filter_dates)

    def _filter_dates(self, dates: DateRange | None) -> None:
        if dates is not None:
            self._dates = dates
            self.refresh_all()

    @property
    def is_filtered(self) -> bool:
        """Whether a filter holds, or is being typed."""
        return super().is_filtered or bool(self._process) or self._dates != DateRange()

    def clear_filter(self) -> None:
        """List all again."""
        self._process, self._dates = "", DateRange()
        super().clear_filter()
        self.refresh_all()

    def action_open(self) -> None:
        """Open the alert under the cursor, which is read by that; Enter leads on to what it is about."""
        if current := self.under_cursor():
            alert = current.alert
            about = self._about(alert)
            sheet = Sheet(f"{alert.process}: {alert.name}", alert_lines(alert), about[0] if about else "")
            self.app.push_screen(sheet, lambda onward: open_page(self.app, about[1]) if onward and about else None)
            if not alert.read:
                self._begin([alert])

    def _about(self, alert: Alert) -> tuple[str, Page] | None:
        """Return what an alert is about in words, with its page; None if that is not seen from here."""
        if alert.batch is not None:
            return f"batch #{alert.batch}", ProgressPage(self.session, self.glyphs, alert.batch)
        if alert.request is not None:
            return f"request {alert.request}", HistoryPage(self.session, self.glyphs, alert.request)
        return None


def alert_lines(alert: Alert) -> list[Line]:
    """Return an alert as the lines of a sheet."""
    return [
        *fact("Process", alert.process),
        *fact("Name", alert.name),
        *fact("Posted Date", formatting.when(alert.posted)),
        *fact("Due Date", formatting.when(alert.due)),
        plain(""),
        plain(alert.message or "It has no message."),
    ]
