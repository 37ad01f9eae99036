"""The agent queue (the agents, running and queued batches) and the agent log."""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from anyio import to_thread
from rich.style import Style
from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.errors import UntrustedPath
from resync_tui.files import own
from resync_tui.outcome import Status
from resync_tui.results import Agent, Batch
from resync_tui.screens.page import FILTER, NAME, Page, open_page
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import TextRow, text_rows
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import (
    BAD,
    BOLD,
    DOT,
    GOOD,
    PLAIN,
    TITLE,
    WARN,
    Line,
    Part,
    fitted,
    folded_to,
    left,
    plain,
)
from resync_tui.screens.widgets.rows import Rows


class AgentsPage(Page):
    """The agents with their batches, and the batches that are queued or running."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "log", "Agent Log")]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Agent Log"), ("c", "Copy"), ("Esc", "Back"), ("p", "Progress"), ("H", "History"), ("?", "Help")),
    )

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._list = Rows[TextRow](lambda row, _: row.line, cursor=False)
        self._last: Mapping[str, Batch] = {}

    def rows(self) -> Rows[TextRow]:
        """Return the list of agents, batches and schedules."""
        return self._list

    async def load(self) -> None:
        """Wait for the session's first snapshot, and read when schedules have fired."""
        store = await self.session.store()
        if self.session.settings.schedule:
            self._last = await store.last_scheduled(self.session.settings.edition)

    def draw(self) -> None:
        """Draw the session's last snapshot."""
        session = self.session
        alive = sum(agent.alive for agent in session.agents)
        running = sum(batch.status is Status.RUNNING for batch in session.active)
        state = f"{formatting.plural(alive, 'agent')} alive  {running} running  {len(session.active) - running} queued "
        self.header(self.fitted((Part(" Agent Queue ", TITLE),), self.known(Part(state))))
        self.titles(plain(f"{'Agent':<22} {'State':<6} {'Started':<16}  {'Heard of':<16}  Batches", BOLD))
        lines = [self._agent(each) for each in session.agents] or self._none("No agent has been here yet.")
        lines += [plain(""), self._queue_line("Queue", "District", "Requested", "By", Part("State", BOLD), style=BOLD)]
        lines += [self._batch(each) for each in reversed(session.active)] or self._none("Nothing is queued.")
        self._list.show(text_rows([*lines, *self._schedules()]))

    def _schedules(self) -> Iterator[Line]:
        """Yield the schedules with their next and last run, and whether anybody would fire them."""
        if not self.session.settings.schedule:
            return
        from resync_tui.schedule import upcoming

        yield plain("")
        yield plain(f"{'Weekly sync':<16} {'Next run':<16}  Last run", BOLD)
        for each in upcoming(self.session.settings, self.session.now()):
            last = formatting.last_firing(self._last.get(each.schedule.name)) if self.is_read else "reading"
            name = left(each.schedule.name, 16, self.glyphs.cut)
            yield plain(f"{name} {formatting.when(each.fires)}  {last}")
            if each.starts != each.fires:
                yield plain(f"{'':<16} begins {formatting.when(each.starts)} with the window")
        served = any(agent.alive and agent.service for agent in self.session.agents)
        if self.is_read and not served:
            yield plain(formatting.NOBODY_FIRES, WARN)

    def _none(self, text: str) -> list[Line]:
        """Return that there is none, once that is known."""
        return [plain(text, WARN) if self.is_read else plain("reading")]

    def _agent(self, agent: Agent) -> Line:
        batches = " ".join(f"#{number}" for number in agent.running) or "-"
        return (
            (f"{left(f'{agent.host}:{agent.pid}', 22, self.glyphs.cut)} ", PLAIN),
            (f"{'alive' if agent.alive else 'silent':<6} ", GOOD if agent.alive else BAD),
            (f"{formatting.when(agent.started)}  {formatting.when(agent.seen)}  {batches}", PLAIN),
        )

    def _batch(self, batch: Batch) -> Line:
        return self._queue_line(
            f"#{batch.batch}",
            self.session.district_name(batch.district),
            formatting.when(batch.requested),
            batch.requested_by,
            Part(f"{self.glyphs.dot(batch.color)} ", DOT[batch.color]),
            Part(formatting.status(batch)),
        )

    def _queue_line(self, batch: str, place: str, requested: str, by: str, *status: Part, style: Style = PLAIN) -> Line:
        """Return a line of the queue; who asked and when give way to the status."""
        cut, said = self.glyphs.cut, Part(" " * (QUEUE_STATUS - sum(each.cells for each in status)))
        parts = (
            Part(f"{batch:<7} ", style),
            Part(left(place, PLACE, cut), style, least=NAME),
            Part(f" {requested:<17}", style, turn=2),
            Part(f" {left(by, 10, cut)} ", style, turn=1),
        )
        return fitted((*parts, *status, said), (), self._list.width, cut)

    def note(self) -> list[Line]:
        """Return how to start an agent if none is alive."""
        if any(agent.alive for agent in self.session.agents) or not self.session.ready:
            return []
        how = "Sending starts one; a service is started with:"
        if not self.session.may_serve:
            how = "The control database's owner starts one with:"
        return [plain(f"No agent is alive. {how}"), plain(self.session.start_words, BOLD)]

    def pointed_batch(self) -> int | None:
        """Return the newest batch that runs, of any district; else the first in the queue."""
        batch = self.session.running_batch() or next(reversed(self.session.active), None)
        return batch.batch if batch else None

    def action_log(self) -> None:
        """Show the agent log."""
        open_page(self.app, AgentLogPage(self.session, self.glyphs))


QUEUE_STATUS = len("  cancelling")
"""Cells of a batch's dot and status."""
PLACE = 24
"""Cells of a district's name at most."""

TAIL = 200_000
"""Bytes read from the end of the log."""
EVERY = 1.0
"""Seconds between readings."""
SEEN = 2000
"""Newest batches with lines shown in a district's console."""

BATCH = re.compile(r"  batch (\d+)  ")


def tail(path: Path) -> list[tuple[int, str]] | None:
    """Return the last lines of a log, each with its end offset in the file; None without a log."""
    try:
        with open(own.open_private(path, os.O_RDONLY), "rb") as file:
            size = file.seek(0, 2)
            begin = max(0, size - TAIL)
            file.seek(begin)
            data = file.read(TAIL)
    except (OSError, UntrustedPath):
        return None
    lines = data.split(b"\n")
    places, at = [], begin
    for line in lines[:-1]:
        at += len(line) + 1
        places.append((at, line.decode("utf-8", "replace")))
    return places[1:] if begin else places


def for_district(line: str, batches: Collection[int]) -> bool:
    """Whether a line may be shown in a district's console: of one of its batches, or of no batch."""
    found = BATCH.search(f"{line}  ")
    return "  schedule " not in line and (found is None or int(found[1]) in batches)


class AgentLogPage(Page):
    """The end of the log; the cursor stays on the newest line until it is moved."""

    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("g G", "First, last"), ("c", "Copy"), ("Esc", "Back"), ("?", "Help")),
    )
    MESSAGE_ROWS: ClassVar[int] = 4

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._path: Path | None = None
        self._lines: list[tuple[int, str]] | None = []
        self._list = Rows[TextRow](lambda row, _: row.line)

    def rows(self) -> Rows[TextRow]:
        """Return the list of lines."""
        return self._list

    def on_mount(self) -> None:
        """Read periodically, as the log grows without a change of the control database."""
        super().on_mount()
        self.set_interval(EVERY, self.reload)

    async def load(self) -> None:
        """Read the end of the log."""
        from resync_tui.paths import log_path

        self._path = log_path(self.session.settings.control_url())
        lines = await to_thread.run_sync(partial(tail, self._path))
        if lines and not self.session.state_edition:
            store = await self.session.store()
            own = {each.batch for each in await store.batches(limit=SEEN, objects=False)}
            lines = [each for each in lines if for_district(each[1], own)]
        self._lines = lines

    def draw(self) -> None:
        """Draw the lines; the cursor follows the newest one."""
        self.header(self.fitted((Part(" Agent Log ", TITLE), Part(f"  {self._path or ''}", turn=1, least=FILTER))))
        self.titles(plain("Time, and what the agents did", BOLD))
        before, current = self._list.values, self._list.current
        at_end = not before or (current is not None and current.key == before[-1].key)
        self._list.show([TextRow(str(place), plain(text)) for place, text in self._lines or []])
        if at_end and self._list.values:
            self._list.go(self._list.values[-1].key)

    def note(self) -> list[Line]:
        """Return the whole line under the cursor, or that no log exists."""
        if self._lines is None:
            return [plain("No agent has written a log on this machine yet.", WARN)]
        current = self._list.current
        if current is None:
            return []
        return folded_to(current.line[0][0], self.size.width, self.MESSAGE_ROWS, self.glyphs.cut)

    def on_rows_moved(self) -> None:
        """Redraw the note, which follows the cursor."""
        self.show_message()
