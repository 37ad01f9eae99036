"""The base of pages that send: ask, queue what was confirmed, and let the app show it."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from textual.message import Message

from resync_tui.catalog import Catalog
from resync_tui.errors import ResyncError
from resync_tui.outcome import Purpose
from resync_tui.plan import Plan
from resync_tui.results import Batch, LastCompleted
from resync_tui.screens.confirm import confirm_send
from resync_tui.screens.marks import Marks
from resync_tui.screens.page import Page


def to_retry(batch: Batch, only: str | None = None) -> frozenset[str]:
    """Return the objects that a retry of a batch sends, of one alone if it is given; none before its end."""
    names = batch.to_retry if batch.status.ended else frozenset()
    return names if only is None else names & {only}


def retry_marks(catalog: Catalog, batch: Batch, only: str | None = None) -> Marks:
    """Return the marks of a retry: the objects that it sends, without their dependencies.

    Their parents completed, or are among them.
    """
    names = to_retry(batch, only)
    return Marks(catalog, frozenset(name for name in names if name in catalog), check_dependencies=False)


class Sent(Message):
    """Batches have been queued."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        super().__init__()
        self.batches = tuple(batches)


class SendingPage(Page):
    """A page from which a request can be sent."""

    def ask_to_send(
        self,
        marks: Marks,
        year: int,
        districts: Sequence[str],
        last: Callable[[], LastCompleted | None],
        purpose: Purpose = Purpose.RESYNC,
        preview: int | None = None,
    ) -> None:
        """Ask whether to send the marked objects; only what the question lists is sent."""
        plan = marks.plan(year)

        def send() -> None:
            self.send(plan, districts, purpose, preview)

        self._confirm(marks, plan, districts, last, purpose, send)

    def _confirm(
        self,
        marks: Marks,
        plan: Plan,
        districts: Sequence[str],
        last: Callable[[], LastCompleted | None],
        purpose: Purpose,
        send: Callable[[], None],
        retried: Batch | None = None,
    ) -> None:
        try:
            self.session.require(districts, plan)
        except ResyncError as error:
            self.show_error(error)
            return
        question = confirm_send(self.session, marks, plan, districts, last, purpose, retried)
        self.app.push_screen(question, lambda yes: send() if yes else None)

    def send(
        self,
        plan: Plan,
        districts: Sequence[str],
        purpose: Purpose = Purpose.RESYNC,
        preview: int | None = None,
    ) -> None:
        """Queue what was confirmed; `preview` is the comparison whose extra records a removal may take."""
        self._begin(self.session.send(plan, districts, purpose, self.reason(purpose), preview), purpose)

    def _begin(self, sending: Coroutine[Any, Any, list[Batch]], purpose: Purpose) -> None:
        self.show_status("Sending")
        self.app.run_worker(self._send(sending, purpose), group="send")

    async def _send(self, sending: Coroutine[Any, Any, list[Batch]], purpose: Purpose) -> None:
        try:
            batches = await self.session.shielded(sending)
        except ResyncError as error:
            self.show_status("")
            self.show_error(error)
            return
        self.show_status("")
        self.sent(purpose)
        self.app.post_message(Sent(batches))

    def reason(self, purpose: Purpose) -> str:
        """Return the reason of the request."""
        return ""

    def sent(self, purpose: Purpose) -> None:
        """Update this page after something was sent from it."""

    def catalog_of(self, batch: Batch) -> Catalog | None:
        """Return the objects of a batch's district and year; None, with a message, if they are unknown."""
        try:
            return self.session.catalog_of(batch.district, batch.year)
        except ResyncError as error:
            self.show_error(error)
            return None

    async def ask_to_retry(self, number: int, only: str | None = None) -> None:
        """Ask whether to send again only what failed in a batch."""
        if not self.may_act():
            return
        try:
            await self.session.shielded(self._ask_to_retry(number, only))
        except ResyncError as error:
            self.show_error(error)

    async def _ask_to_retry(self, number: int, only: str | None) -> None:
        store = await self.session.store()
        batch = await store.batch(number)
        if not batch.status.ended:
            self.show_status("It has not ended yet.")
            return
        marks = retry_marks(self.session.catalog_of(batch.district, batch.year), batch, only)
        if not marks.chosen:
            self.show_status("Nothing failed here. Excluded records would be excluded again.")
            return
        last = await store.last_completed(batch.district, batch.year)

        def send() -> None:
            self._begin(self.session.retry(number, only), batch.purpose)

        self._confirm(marks, marks.plan(batch.year), (batch.district,), lambda: last, batch.purpose, send, batch)
