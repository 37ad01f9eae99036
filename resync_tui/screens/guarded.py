"""The guarded app: the key gate for all screens, and the handling of their faults."""

import asyncio
from collections.abc import Sequence
from math import inf
from time import monotonic
from typing import Any
from weakref import WeakSet

from rich.style import Style
from textual import events, on
from textual._context import active_message_pump
from textual.app import App
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed, active_worker

from resync_tui.errors import ResyncError
from resync_tui.printable import clipped
from resync_tui.screens import gate, terminal
from resync_tui.screens.gate import SAID, Gate, KeyDropped
from resync_tui.screens.net import Net, Netted, with_sent
from resync_tui.screens.widgets.line import BAD, PLAIN, WARN
from resync_tui.screens.widgets.news import STANDS, Announce, Announcement, News

FAULT_STANDS = 15.0
"""Seconds for which a caught fault stands."""


class GuardedApp(Netted, App[None]):
    """An app with the key gate for questions; a fault of a screen does not end the other screens."""

    def __init__(self, **chosen: Any) -> None:
        super().__init__(**chosen)
        self.gate = Gate()
        self.broken: ResyncError | None = None
        """The fault after which the screens could not go on."""
        self._net = Net()
        self._front: Screen[Any] | None = None
        self._stood: WeakSet[Screen[Any]] = WeakSet()
        """Screens that have been painted."""
        self._announced: list[Announcement] = []

    @property
    def caught(self) -> int:
        """Number of caught faults of the screens."""
        return self._net.caught

    def sent(self) -> Sequence[int]:
        """Return the batches sent by this session."""
        return ()

    def on_mount(self) -> None:
        """Watch for changes of the screen in front, and for exceptions of tasks that nobody awaits."""
        self.screen_change_signal.subscribe(self, self._comes_in_front, immediate=True)
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self._fell(context))

    # The key gate.

    def _comes_in_front(self, screen: Screen[Any]) -> None:
        asks = screen.is_modal or (self._front is not None and self._front.is_modal)
        self._front = screen
        if asks:
            self.gate.close()
        else:
            self.gate.open()
        screen.call_after_refresh(self._tell)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        begun = monotonic()
        super()._display(screen, renderable)
        if renderable is not None and not self._batch_count:
            self._stood.add(screen)
            if screen is self._front:
                self.gate.paint(begun)

    async def on_event(self, event: events.Event) -> None:
        """Pass on the keys meant for the visible screen; Ctrl-C is for the program itself."""
        if not isinstance(event, events.Key) or event.key == "ctrl+c" or self._admits(event):
            await super().on_event(event)
        else:
            event.stop()
            self.on_key_dropped()

    def _admits(self, event: events.Key) -> bool:
        """Ask the gate when a key arrives, and again when the widgets have returned it."""
        behind = terminal.is_behind(self)
        if event.is_forwarded:
            return self.gate.admits(event.time, behind=behind)
        self._net.since_key = 0
        return self.gate.arrives(event.time, behind=behind)

    @on(KeyDropped)
    def on_key_dropped(self) -> None:
        """Report dropped keys, once per burst."""
        if self.gate.news():
            self.announce(SAID, WARN, gate.STANDS)

    # What has happened meanwhile.

    def announce(self, text: str, style: Style = PLAIN, seconds: float = STANDS) -> None:
        """Show a text above the keys of the screen in front for some seconds; once there is one with a place for it."""
        self._announced.append(Announcement(clipped(text), style, seconds))
        self._tell()

    @on(Announce)
    def announce_of_key(self, event: Announce) -> None:
        """Say why a key did nothing, in the stead of what was said of the one before."""
        self._announced = [each for each in self._announced if not each.of_key]
        self._announced.append(Announcement(event.text, of_key=True))
        self._tell()

    def _tell(self) -> None:
        """Draw what is announced on the screen in front, without what has stood its time."""
        now = monotonic()
        self._announced = [each for each in self._announced if each.left(now) > 0]
        for place in self.screen.query(News) if self.screen_stack else ():
            for each in self._announced:
                each.begin(now)
            place.tell(self._announced)
        ends = [left for each in self._announced if (left := each.left(now)) < inf]
        if ends:
            self.set_timer(min(ends), self._tell)

    # The handling of faults.

    def catch(self, error: Exception) -> None:
        """Report a fault in one line, and go on if possible."""
        if self._looked_too_late(error):
            return
        told = with_sent(self._net.catch(error), self.sent())
        if self._net.is_torn or not self.screen_stack or not self._dom_ready:
            self._end(told)
            return
        try:
            self._step_back()
            self.say_caught(f"{told.what}. The screens go on. {told.do}")
        except Exception:  # noqa: BLE001
            self._end(told)

    def _handle_exception(self, error: Exception) -> None:
        """Catch a fault; Textual by itself would exit here, and print every variable."""
        self.catch(error)

    def panic(self, *_: object) -> None:
        """Exit with two lines if the keyboard's thread broke; Textual's own output may hold what was typed."""
        self._end(with_sent(self._net.catch(RuntimeError()), self.sent()))

    def _looked_too_late(self, error: Exception) -> bool:
        """Whether a worker of a screen that is closed looks for its widgets: they went with it, and nobody waits."""
        worker = active_worker.get(None)
        if worker is None or not (isinstance(error, WorkerFailed) and isinstance(error.error, NoMatches)):
            return False
        try:
            return worker.node.screen not in self.screen_stack
        except NoScreen:
            return True

    def _fell(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            self.catch(error)

    def _step_back(self) -> None:
        """Pop the broken modal, or the page that was never painted; on a repeated fault the screen in front."""
        raised = active_message_pump.get(self)
        inside = raised.screen if isinstance(raised, Widget) and raised.is_attached else self.screen
        fragile = self.screen.is_modal or self.screen not in self._stood
        again = self._net.since_key > 1
        if len(self.screen_stack) > 1 and (again or (inside is self.screen and fragile)):
            self.pop_screen()

    def say_caught(self, line: str) -> None:
        """Announce a caught fault."""
        self.announce(line, BAD, FAULT_STANDS)

    def _end(self, told: ResyncError) -> None:
        """Exit; the caller of the app reports why."""
        self.broken = self.broken or told
        self.exit(return_code=told.exit_code)
