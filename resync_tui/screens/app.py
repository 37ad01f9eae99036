"""The app: navigation, keys, and the message about a finished request; the content of a page is its own."""

import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from textual import events, on
from textual.app import SystemCommand
from textual.binding import ActiveBinding, Binding, BindingType
from textual.command import CommandPalette
from textual.screen import Screen

from resync_tui.catalog import Catalog
from resync_tui.clock import Clock, utc_now
from resync_tui.config.settings import Settings
from resync_tui.errors import ResyncError
from resync_tui.outcome import Status
from resync_tui.screens import terminal
from resync_tui.screens.agents import AgentsPage
from resync_tui.screens.alerts import AlertsPage
from resync_tui.screens.board import BoardPage
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.ended import Awaited, told
from resync_tui.screens.fields import FieldsPage
from resync_tui.screens.guarded import GuardedApp
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.keymap import PROGRESS_OF, name_of, unused
from resync_tui.screens.page import Page, open_page, return_to
from resync_tui.screens.palette import Palette
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.sending import Sent
from resync_tui.screens.session import Session, Store
from resync_tui.screens.sheets import COLUMNS, ROWS, Modal, SmallScreen, help_sheet, legend_sheet
from resync_tui.screens.unserved import starting, why_not_start
from resync_tui.screens.widgets.glyphs import ASCII, glyphs_for
from resync_tui.screens.widgets.line import PLAIN, WARN

POLL_ACTIVE = 0.5
POLL_IDLE = 2.0
"""Seconds until a poll of the control database that no change has brought about: while a batch runs, and otherwise."""
CLOCK = 1.0
"""Seconds between ticks of the clock."""
CATCH_UP = 0.03
"""Seconds until another try to draw what was read, while the terminal has not read all that was written."""


class ResyncApp(GuardedApp):
    """The app: opens the control database after the first paint, polls it, and moves between pages."""

    TITLE = "resync-tui"
    CSS_PATH = "app.tcss"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("O", "home", "DIS Objects: the first screen"),
        Binding("p", "progress", PROGRESS_OF),
        Binding("H", "history", "History of all batches"),
        Binding("exclamation_mark", "alerts", "Process Alerts"),
        Binding("B", "board", "Board: where each district stands"),
        Binding("A", "agents", "Agent Queue and Agent Log"),
        Binding("F", "fields", "Synchronization Field Settings"),
        Binding("S", "start_agent", "Start an agent, where none is alive"),
        Binding("L", "legend", "Legend"),
        Binding("colon", "command_palette", "All commands"),
        Binding("question_mark", "help", "Help"),
        Binding("q", "quit", "Quit: what runs goes on"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        *,
        open_store: Callable[[], Awaitable[Store]],
        start_agent: Callable[[], str | None],
        may_start: Callable[[], bool] = lambda: False,
        user: str,
        district: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.session = Session(
            settings,
            catalog,
            open_store=open_store,
            start_agent=start_agent,
            may_start=may_start,
            user=user,
            district=district,
            clock=clock,
        )
        self._stale = False
        """Whether the control database has changed since the page in front read it."""
        self._waits_to_draw = False
        self._awaited = Awaited()
        self._titled = ""
        self.glyphs = glyphs_for(os.environ)
        self.set_class(self.glyphs is ASCII, "ascii")

    def get_default_screen(self) -> Screen[None]:
        """Return the checklist, the first page."""
        return ChecklistPage(self.session, self.glyphs)

    def on_mount(self) -> None:
        """Start the clock."""
        self.set_interval(CLOCK, self._draw)

    def on_ready(self) -> None:
        """Start to poll the control database, after the first layout: not at the cost of the first paint."""
        self.run_worker(self._watch(), group="watch")

    async def on_unmount(self) -> None:
        """Restore the title, and close the control database."""
        if self._titled:
            terminal.restore_title(self)
        await self.session.close()

    def leave(self, code: int) -> None:
        """Exit, from another thread, as after a hang-up; agents go on."""
        with suppress(RuntimeError):
            self.call_from_thread(self.exit, None, code)

    async def _watch(self) -> None:
        while True:
            try:
                self._stale = await self.session.shielded(self.session.poll()) or self._stale
                self._draw()  # before the title and the bell, which a terminal may still have to read
                await self._tell_what_ended()
            except Exception as error:  # noqa: BLE001
                self.catch(error)
            await self.session.wait(POLL_ACTIVE if self.session.active else POLL_IDLE)

    async def _tell_what_ended(self) -> None:
        """Tell of this user's finished requests: an announcement, the bell once, the terminal's title."""
        ended = self._awaited.ended(self.session.active, self.session.user) if self.session.ready else []
        if self.session.active:
            running = sum(batch.status is Status.RUNNING for batch in self.session.active)
            self._title(f"resync-tui: {running} running, {len(self.session.active) - running} queued")
        with suppress(ResyncError):
            for request in ended:
                batches = await self.session.shielded(self.session.of_request(request))
                text, well = told(batches, self.session.district_name(batches[0].district))
                self.announce(text, PLAIN if well else WARN)
                self._title(f"resync-tui: {text}")
        if ended:
            self.bell()

    def _title(self, text: str) -> None:
        """Set the terminal's title, once; the Linux console has none."""
        if text != self._titled and os.environ.get("TERM") != "linux":
            self._titled = text
            terminal.write_title(self, text)

    def _draw(self) -> None:
        """Redraw the page in front; nothing is drawn behind a modal, nor for a terminal that is behind."""
        page = self._page
        if page is None:
            return
        if terminal.is_behind(self):
            if self._stale and not self._waits_to_draw:
                self._waits_to_draw = True
                self.set_timer(CATCH_UP, self._draw_again)
        elif self._stale:
            self._stale = False
            page.reload()
        else:
            page.on_tick()

    def _draw_again(self) -> None:
        self._waits_to_draw = False
        self._draw()

    def sent(self) -> Sequence[int]:
        """Return the batches sent by this session."""
        return self.session.sent

    @property
    def _page(self) -> Page | None:
        """Return the page in front; None behind a modal."""
        front = self.screen_stack[-1] if self.screen_stack else None
        return front if isinstance(front, Page) else None

    def on_resize(self, event: events.Resize) -> None:
        """Show the screen for small terminals while the terminal is too small."""
        small = event.size.width < COLUMNS or event.size.height < ROWS
        if small and not isinstance(self.screen, SmallScreen):
            self.push_screen(SmallScreen())
        elif not small and isinstance(self.screen, SmallScreen):
            self.pop_screen()
        self.call_after_refresh(self._tell)

    def on_key(self, event: events.Key) -> None:
        """Say of a key that nothing here is bound to where it does something."""
        if event.key in self.screen.active_bindings:
            return
        if (page := self._page) is not None:
            page.show_status(unused(event.key, event.character))
        elif isinstance(self.screen, Modal):
            self.screen.say(unused(event.key, event.character, over=True))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield every action of the screen for the command palette, once, with its keys; each takes one line."""
        by_action: dict[str, list[ActiveBinding]] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.binding.action != "command_palette":
                by_action.setdefault(active.binding.action, []).append(active)
        for action, (first, *others) in by_action.items():
            keys = " ".join(name_of(each.binding.key) for each in (first, *others))
            yield SystemCommand(f"{first.binding.description} ({keys})", "", self._runs(action, first.node))

    def action_command_palette(self) -> None:
        """Open the command palette, in characters that every terminal has."""
        if not CommandPalette.is_open(self):  # type: ignore[arg-type]
            self.push_screen(Palette(placeholder="part of a command", id="--command-palette"))

    def _runs(self, action: str, node: object) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.run_action(action, node)  # type: ignore[arg-type]

        return run

    def action_legend(self) -> None:
        """Show the Legend."""
        self.push_screen(legend_sheet(self.glyphs))

    def action_help(self) -> None:
        """Show the keys of this screen."""
        self.push_screen(help_sheet(self.screen.active_bindings))

    def action_home(self) -> None:
        """Go to the first screen."""
        if self._page is not None:
            return_to(self, self.screen_stack[0])

    def action_history(self) -> None:
        """Show all batches."""
        self._open(HistoryPage(self.session, self.glyphs))

    def action_alerts(self) -> None:
        """Show the Process Alerts."""
        self._open(AlertsPage(self.session, self.glyphs))

    def action_board(self) -> None:
        """Show the board."""
        if self.session.state_edition:
            self._open(BoardPage(self.session, self.glyphs))
        elif self._page is not None:
            self._page.show_status(f"The board is shown in the {self.session.receiver}'s edition, over all districts.")

    def action_agents(self) -> None:
        """Show the agent queue."""
        self._open(AgentsPage(self.session, self.glyphs))

    def action_fields(self) -> None:
        """Show the Synchronization Field Settings."""
        self._open(FieldsPage(self.session, self.glyphs))

    def action_start_agent(self) -> None:
        """Start an agent, or say why not."""
        page = self._page
        if page is not None:
            why = "" if starting(self.session) else why_not_start(self.session)
            if why:
                page.show_status(why, bad=True)
            elif not starting(self.session):
                self.run_worker(self._start_agent(page, self.session.start_agent()), group="send")
            page.refresh_all()

    async def _start_agent(self, page: Page, start: Coroutine[Any, Any, None]) -> None:
        try:
            await self.session.shielded(start)
        except ResyncError as error:
            page.show_error(error)
        else:
            page.refresh_all()

    async def action_progress(self) -> None:
        """Show the progress of the batch that the page points at, else of the picked districts' newest."""
        page = self._page
        if page is None:
            return
        if (pointed := page.pointed_batch()) is not None:
            self._open(ProgressPage(self.session, self.glyphs, pointed))
            return
        try:
            newest = await self.session.shielded(self.session.newest_batch())
        except ResyncError as error:
            page.show_error(error)
            return
        if newest:
            self._open(ProgressPage(self.session, self.glyphs, newest.batch))
        else:
            places = "this district" if len(self.session.picked) == 1 else "these districts"
            page.show_status(f"Nothing has been sent for {places} yet.")

    @on(Sent)
    def _follow(self, event: Sent) -> None:
        """Show what was sent: the progress of one batch, or the history of a request."""
        first = event.batches[0]
        if len(event.batches) == 1:
            open_page(self, ProgressPage(self.session, self.glyphs, first.batch))
        else:
            open_page(self, HistoryPage(self.session, self.glyphs, request=first.request))

    def _open(self, page: Page) -> None:
        """Open a page, unless a modal is in front."""
        if self._page is not None:
            open_page(self, page)
