"""The progress page of one batch, while it runs and afterwards: in total, and object by object."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.errors import ResyncError
from resync_tui.outcome import Purpose, Status
from resync_tui.results import Batch
from resync_tui.screens.confirm import Question
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.page import NAME, READING, open_page
from resync_tui.screens.previous_run import ComparePage
from resync_tui.screens.progress_row import ProgressColumns, ProgressRow, columns_for
from resync_tui.screens.running import Paces, bar, overall, rows_of
from resync_tui.screens.sending import SendingPage, to_retry
from resync_tui.screens.session import Session
from resync_tui.screens.unserved import PATIENCE, STARTING, by_key, starting
from resync_tui.screens.verification import FindingsPage
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BAD, BOLD, FAINT, WARN, Line, Part, plain, wrapped
from resync_tui.screens.widgets.rows import Rows

NAMES = {Purpose.RESYNC: "", Purpose.VERIFY: " Compare", Purpose.REMOVE_EXTRA: " Remove extra"}
"""What a title adds to a batch's number."""
KINDS = ("inserted", "updated", "unchanged", "removed", "excluded", "rejected", "blocked", "extra")
COMPARED = {"unchanged": "matched", "updated": "different", "inserted": "missing", "extra": "extra"}
COMPARED |= {kind: kind for kind in ("excluded", "rejected", "blocked")}


class ProgressPage(SendingPage):
    """Live progress; any terminal may attach and detach without an effect on the batch."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "errors", "Errors of this batch"),
        Binding("f", "findings", "What a comparison found"),
        Binding("r", "retry", "Retry just what failed"),
        Binding("b", "compare", "Compare with the run before"),
        Binding("x", "cancel", "Cancel this batch"),
    ]
    WRITE_KEYS: ClassVar[frozenset[str]] = frozenset("rx")
    HEADER_ROWS: ClassVar[int] = 3
    MESSAGE_ROWS: ClassVar[int] = 3

    def __init__(self, session: Session, glyphs: Glyphs, batch: int) -> None:
        super().__init__(session, glyphs)
        self.number = batch
        self._batch: Batch | None = None
        self._paces = Paces()
        self._columns = ProgressColumns(80)
        self._follows = True
        """Whether the cursor follows the running object, until the user moves it."""
        self._list = Rows[ProgressRow](lambda row, _: self._columns.draw(row, self.glyphs))

    def bar_keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the key bar."""
        batch = self._batch
        compares = batch is not None and batch.purpose is Purpose.VERIFY
        ended = batch is not None and batch.status.ended
        stops = batch is not None and not ended and not batch.cancel_requested
        return [
            *((("f", "Found"),) if compares else ()),
            ("e", "Errors"),
            *((("r", "Retry failed"),) if batch is not None and to_retry(batch) else ()),
            ("b", "Run before"),
            *((("x", "Cancel"),) if stops else ()),
            ("c", "Copy"),
            *(("Esc", "Back"), ("H", "History"), ("A", "Agents"), ("?", "Help")),
        ]

    @property
    def subject(self) -> Hashable:
        """The batch."""
        return self.number

    def rows(self) -> Rows[ProgressRow]:
        """Return the list of objects."""
        return self._list

    async def load(self) -> None:
        """Read the batch, and sample each object's throughput."""
        store = await self.session.store()
        batch = self._batch = await store.batch(self.number)
        self._paces.sample(batch, self.session.now())

    def draw(self) -> None:
        """Draw the batch as last read."""
        batch, width = self._batch, self.size.width
        if batch is None:
            self.header(plain(f" Batch #{self.number}", BOLD))
            return
        rows = rows_of(self.session, batch, batch.objects, self._paces)
        columns = columns_for(self._list.width or width - 1, rows)
        if columns != self._columns:
            self._columns = columns
            self._list.redraw()
        overall_line = self.fitted(overall(batch, self._paces))
        self.header(self._title(batch), overall_line, bar(batch, width, self.glyphs))
        self.titles(columns.titles())
        self._list.show(rows)
        running = next((each.object for each in batch.objects if each.status is Status.RUNNING), None)
        if self._follows and running:
            self._list.go(running)

    def _title(self, batch: Batch) -> Line:
        place = Part(f"  {self.session.district_name(batch.district)}", BOLD, turn=4, least=NAME)
        start = (
            Part(f" Batch #{batch.batch}{NAMES[batch.purpose]}", BOLD),
            place,
            Part(f"  {formatting.school_year(batch.year)}", BOLD, turn=3),
            Part(f"  {formatting.when(batch.requested)}", turn=2),
            Part(f" by {batch.requested_by}", turn=1),
        )
        again = f" attempt {batch.attempts}" if batch.attempts > 1 else ""
        seconds = formatting.ran_for(batch.started, batch.finished, self.session.now())
        ran = formatting.span(seconds) if batch.started else ""
        return self.fitted(start, (Part(f"{formatting.status(batch).upper()}{again} {ran} ", BOLD),))

    def note(self) -> list[Line]:
        """Return whether an agent works on it, and that leaving does no harm."""
        batch = self._batch
        if batch is None:
            return []
        if batch.status.ended:
            return self._ended(batch)
        agent = self.session.agent_of(batch)
        leaving = plain("Leaving does not stop the resync.", FAINT)
        who = "Start" if self.session.may_serve else "The control database's owner starts"
        if batch.status is Status.QUEUED:
            if any(each.alive for each in self.session.agents):
                return [plain("Queued: an agent is alive and takes it as soon as it may."), leaving]
            waited = formatting.ran_for(batch.requested, None, self.session.now())
            if not self.session.agent_line and waited < PATIENCE:
                return [plain("Queued: an agent is being started."), leaving]
            if starting(self.session):
                return [plain("Queued: an agent is being started."), leaving]
            if how := by_key(self.session):
                return [plain("Queued: no agent is alive.", WARN), plain(how, BOLD)]
            text = f"Queued: no agent is alive. {who} one with:"
            return [plain(text, WARN), plain(self.session.start_words, BOLD)]
        seen = agent.seen if agent else batch.agent_seen
        if self.session.silent(batch):
            heard = f"since {formatting.since(seen, self.session.now())}" if seen else "of late"
            text = f"Agent {batch.agent or '-'} has not been heard of {heard}."
            how = self._helped()
            folded = formatting.folded(text if how else f"{text} {who} another with:", self.size.width)
            return [*(plain(part, BAD) for part in folded), plain(how or self.session.start_words, BOLD)]
        ago = formatting.short_span(formatting.ran_for(seen, None, self.session.now()))
        host = agent.host if agent else batch.agent
        return [
            plain(f"Agent alive {ago} ago on {host}. Leaving does not stop the resync.", FAINT),
            *self._pointed(),
        ]

    def _helped(self) -> str:
        """Return who takes over from a silent agent, or the key that starts one; empty for neither."""
        if any(each.alive for each in self.session.agents):
            return "Another agent is alive and takes it over as soon as it may."
        return STARTING if starting(self.session) else by_key(self.session)

    def unserved(self) -> list[Line]:
        """Return nothing: the note says it of this page's batch."""
        return []

    def _pointed(self) -> list[Line]:
        """Return the texts that do not fit into the row under the cursor."""
        current = self._list.current
        if current is None or len(current.remark) <= self._columns.remark:
            return []
        text = f"{current.key}: {current.remark}"
        return [plain(part) for part in formatting.folded(text, self.size.width)]

    def _ended(self, batch: Batch) -> list[Line]:
        """Return how it ended, and why the object under the cursor failed."""
        counts = batch.counts
        told = COMPARED if batch.purpose is Purpose.VERIFY else {kind: kind for kind in KINDS}
        facts = [plain(f"{word} {getattr(counts, kind):,}") for kind, word in told.items() if getattr(counts, kind)]
        if batch.purpose is Purpose.VERIFY:
            facts.append(plain("f shows what was found", BOLD))
        lines = wrapped(facts, self.size.width) or [plain("Nothing was processed.")]
        if batch.purpose is Purpose.RESYNC and (rules := formatting.by_rule(counts)):
            lines += [plain(part) for part in formatting.folded(rules, self.size.width)]
        if batch.message:
            lines = [plain(batch.message, BAD)]
        elif batch.status is Status.CANCELLED:
            lines = [plain(f"Cancelled by {batch.cancelled_by or '-'}. What was merged before stays.", WARN)]
        return [*lines, *self._pointed()]

    def on_rows_moved(self) -> None:
        """Redraw the note, which follows the cursor."""
        self._follows = False
        self.show_message()

    def action_errors(self) -> None:
        """Show the refused records, first those of the object that the user put the cursor on."""
        current = self._list.current.key if self._list.current and not self._follows else None
        open_page(self.app, ErrorsPage(self.session, self.glyphs, self.number, None, at=current))

    async def action_retry(self) -> None:
        """Ask whether to send again what failed."""
        await self.ask_to_retry(self.number)

    def action_compare(self) -> None:
        """Show the differences from the previous run."""
        open_page(self.app, ComparePage(self.session, self.glyphs, self.number))

    def action_findings(self) -> None:
        """Show the findings of the comparison."""
        if self._batch is None:
            self.show_status(READING)
        elif self._batch.purpose is Purpose.VERIFY:
            open_page(self.app, FindingsPage(self.session, self.glyphs, self.number))
        else:
            self.show_status("This is no comparison. v on the checklist compares.")

    def action_cancel(self) -> None:
        """Ask whether to cancel the batch."""
        batch = self._batch
        if not self.may_act():
            return
        if batch is None or batch.status.ended or batch.cancel_requested:
            self.show_status(READING if batch is None else _why_not_cancel(batch))
            return
        lines = [
            plain(f"{self.session.district_name(batch.district)}, {formatting.plural(len(batch.objects), 'object')}"),
            plain(f"It stops at its next chunk. What was merged before stays in the {self.session.receiver}."),
        ]
        self.app.push_screen(
            Question(f"Cancel batch #{batch.batch}?", lines, "Cancel it"),
            lambda yes: self._cancelled() if yes else None,
        )

    def _cancelled(self) -> None:
        self.app.run_worker(self._cancel(), group="send")

    async def _cancel(self) -> None:
        try:
            await self.session.shielded(self.session.cancel(self.number))
        except ResyncError as error:
            self.show_error(error)
        self.reload()


def _why_not_cancel(batch: Batch) -> str:
    if batch.status.ended:
        return "It has ended, so there is nothing to cancel."
    return f"It is being cancelled, as {batch.cancelled_by or 'somebody'} asked: it stops at its next chunk."
