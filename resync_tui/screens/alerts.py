"""The page of Process Alerts: this user's messages, with posted and due date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.errors import ResyncError
from resync_tui.results import Alert
from resync_tui.screens.confirm import Question
from resync_tui.screens.page import FILTER, Page, open_page
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, PLAIN, TITLE, WARN, WIDE, Line, Part, left, plain
from resync_tui.screens.widgets.rows import Rows

DATES = {"": None, "last 24 hours": 1, "last 7 days": 7, "last 30 days": 30}
"""Date filters, each with its number of days."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """The row of one alert."""

    key: str
    alert: Alert


def draw(row: AlertRow, width: int, glyphs: Glyphs) -> Line:
    """Return the line of an alert; unread ones are bold and marked."""
    alert = row.alert
    style = PLAIN if alert.read else BOLD
    process = f"{left(alert.process, 24, glyphs.cut)} " if width >= WIDE else ""
    return (
        ("  " if alert.read else "! ", WARN),
        (f"{formatting.when(alert.posted):<16}  {formatting.when(alert.due):<16}  ", style),
        (f"{process}{left(alert.name, 22, glyphs.cut)} ", style),
        (left(alert.message, max(8, width - 61 - len(process)), glyphs.cut), style),
    )


class AlertsPage(Page):
    """This user's alerts, newest first; read and deleted flags are each user's own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "read", "Mark as read"),
        Binding("m", "read_all", "Mark all that are listed as read"),
        Binding("R", "delete", "Remove the alert"),
        Binding("o", "process", "Filter by process"),
        Binding("t", "date", "Filter by date"),
        Binding("enter", "batch", "Open the alert's batch"),
    ]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Batch"), ("Spc", "Read"), ("m", "All read"), ("R", "Remove"), ("o", "Process")),
        *(("t", "Date"), ("c", "Copy"), ("Esc", "Back"), ("?", "Help")),
    )
    MESSAGE_ROWS: ClassVar[int] = 3

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._alerts: list[Alert] | None = None
        self._processes: list[str] = []
        self._process = ""
        self._date = ""
        self._list = Rows[AlertRow](lambda row, width: draw(row, width, self.glyphs))

    def rows(self) -> Rows[AlertRow]:
        """Return the list of alerts."""
        return self._list

    async def load(self) -> None:
        """Read this user's alerts."""
        store = await self.session.store()
        alerts = await store.alerts.posted()
        self.session.unread = sum(not each.read for each in alerts)
        self._processes = sorted({each.process for each in alerts})
        self._alerts = alerts

    def draw(self) -> None:
        """Draw the alerts that match the filters."""
        shown = [each for each in self._alerts or [] if self._shows(each)]
        filters = "  ".join(filter(None, (self._process, self._date)))
        wanted = Part(f"  Filter: {filters}" if filters else "", WARN, turn=2, least=FILTER)
        unread = sum(not each.read for each in shown)
        counts = Part(f"{formatting.plural(len(shown), 'alert')}, ", turn=1), Part(f"{unread} unread ")
        self.header(self.fitted((Part(" Process Alerts ", TITLE), wanted), self.known(*counts)))
        process = f"{'Process':<25}" if self.size.width > WIDE else ""
        self.titles(plain(f"  {'Posted Date':<16}  {'Due Date':<16}  {process}{'Name':<22} Message", BOLD))
        self._list.show([AlertRow(str(each.alert), each) for each in shown])

    def _shows(self, alert: Alert) -> bool:
        days = DATES[self._date]
        young = days is None or self.session.now() - alert.posted <= timedelta(days=days)
        return young and self._process in ("", alert.process)

    def note(self) -> list[Line]:
        """Return the whole alert under the cursor."""
        current = self._list.current
        if current is None:
            what = "No alert is like that. o and t change the filters." if self._alerts else "There is no alert."
            return [plain(what)] if self._alerts is not None else []
        alert = current.alert
        about = f"{alert.process}: {alert.name}"
        about += f", request {alert.request}" if alert.request else ""
        return [plain(about, BOLD), *(plain(part) for part in formatting.folded(alert.message, self.size.width))]

    def on_rows_moved(self) -> None:
        """Redraw the note, which follows the cursor."""
        self.show_message()

    def action_read(self) -> None:
        """Mark the alert under the cursor as read."""
        self._list.when_read(self._read_current)

    def _read_current(self) -> None:
        if current := self.under_cursor():
            self._begin([current.alert.alert])

    def action_read_all(self) -> None:
        """Mark all listed alerts as read."""
        self._list.when_read(lambda: self._begin([row.alert.alert for row in self._list.values]))

    def action_delete(self) -> None:
        """Ask whether to delete the alert under the cursor."""
        if current := self.under_cursor():
            alert = current.alert
            lines = [plain(f"{alert.process}: {alert.name}"), plain("Other users keep theirs.")]
            question = Question("Delete this alert from your list?", lines, "Delete")
            self.app.push_screen(question, lambda yes: self._begin([alert.alert], delete=True) if yes else None)

    def _begin(self, numbers: Sequence[int], *, delete: bool = False) -> None:
        self.app.run_worker(self._mark(numbers, delete=delete), group="send")

    async def _mark(self, numbers: Sequence[int], *, delete: bool) -> None:
        try:
            alerts = (await self.session.store()).alerts
            await self.session.shielded(alerts.delete(numbers) if delete else alerts.mark_read(numbers))
        except ResyncError as error:
            self.show_error(error)
        self.reload()

    def action_process(self) -> None:
        """Filter by the next process; after the last one show all."""
        kinds = ["", *self._processes]
        at = kinds.index(self._process) if self._process in kinds else 0
        self._process = kinds[(at + 1) % len(kinds)]
        self.refresh_all()

    def action_date(self) -> None:
        """Filter by the next date; after the last one show all."""
        kinds = list(DATES)
        self._date = kinds[(kinds.index(self._date) + 1) % len(kinds)]
        self.refresh_all()

    def action_batch(self) -> None:
        """Open the alert's batch, if it is visible in this edition."""
        current = self.under_cursor()
        if current and current.alert.batch:
            open_page(self.app, ProgressPage(self.session, self.glyphs, current.alert.batch))
        elif current:
            self.show_status("This alert names no batch that is seen from here.")
