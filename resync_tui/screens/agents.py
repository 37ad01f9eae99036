"""Agent Queue: the agents, and what waits for them."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.outcome import Status
from resync_tui.results import Agent, Batch
from resync_tui.screens.agent_log import AgentLogPage
from resync_tui.screens.page import Page
from resync_tui.screens.sheet import TextRow, text_rows
from resync_tui.session import Session
from resync_tui.widgets.glyphs import Glyphs
from resync_tui.widgets.line import BAD, BOLD, DOT, GOOD, PLAIN, TITLE, WARN, Line, left, plain, spread
from resync_tui.widgets.rows import Rows


class AgentsPage(Page):
    """Who works, on what, since when; and the batches that are queued or running."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,l", "log", "Agent Log")]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Agent Log"), ("c", "Copy"), ("Esc", "Back"), ("p", "Progress"), ("H", "History"), ("?", "Help")),
    )

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._list = Rows[TextRow](lambda row, _: row.line, cursor=False)

    def rows(self) -> Rows[TextRow]:
        """Return agents and batches."""
        return self._list

    def draw(self) -> None:
        """Draw what the session read last."""
        session = self.session
        alive = sum(agent.alive for agent in session.agents)
        heading: Line = ((" Agent Queue ", TITLE),)
        running = sum(batch.status is Status.RUNNING for batch in session.active)
        state = f"{formatting.plural(alive, 'agent')} alive  {running} running  {len(session.active) - running} queued "
        self.header(spread(heading, plain(state), self.size.width))
        self.titles(plain(f"{'Agent':<22} {'State':<6} {'Started':<16}  {'Heard of':<16}  Batches", BOLD))
        lines = [self._agent(each) for each in session.agents] or [plain("No agent has been here yet.", WARN)]
        lines += [plain(""), plain(f"{'Queue':<8}{'District':<24} {'Requested':<16}  {'By':<10} State", BOLD)]
        lines += [self._batch(each) for each in reversed(session.active)] or [plain("Nothing is queued.")]
        self._list.show(text_rows(lines))

    def _agent(self, agent: Agent) -> Line:
        batches = " ".join(f"#{number}" for number in agent.running) or "-"
        return (
            (f"{left(f'{agent.host}:{agent.pid}', 22, self.glyphs.cut)} ", PLAIN),
            (f"{'alive' if agent.alive else 'silent':<6} ", GOOD if agent.alive else BAD),
            (f"{formatting.when(agent.started)}  {formatting.when(agent.seen)}  {batches}", PLAIN),
        )

    def _batch(self, batch: Batch) -> Line:
        place = left(self.session.district_name(batch.district), 24, self.glyphs.cut)
        return (
            (f"#{batch.batch:<7}{place} {formatting.when(batch.requested)}  {left(batch.requested_by, 10)} ", PLAIN),
            (f"{self.glyphs.dot(batch.color)} ", DOT[batch.color]),
            (str(batch.status), PLAIN),
        )

    def note(self) -> list[Line]:
        """Say how to start an agent where none is alive."""
        if any(agent.alive for agent in self.session.agents) or not self.session.ready:
            return []
        how = "Sending starts one; a service is started with:"
        if not self.session.may_serve:
            how = "The control database's owner starts one with:"
        return [plain(f"No agent is alive. {how}"), plain(self.session.start_words, BOLD)]

    def action_log(self) -> None:
        """Show what the agents write."""
        self.app.push_screen(AgentLogPage(self.session, self.glyphs))
