"""What waits though no agent is alive, and whether this console may start one."""

from collections.abc import Sequence

from resync_tui import formatting
from resync_tui.outcome import Status
from resync_tui.results import Batch
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.line import BOLD, WARN, Line, plain

KEY = "S starts an agent."
STARTING = "An agent is being started."
PATIENCE = 15
"""Seconds that an agent may take to start before a batch counts as unserved."""


def unserved(session: Session) -> Sequence[Batch]:
    """Return the batches that no agent serves, newest first; none while one is being started."""
    return () if starting(session) else _waiting(session)


def _waiting(session: Session) -> Sequence[Batch]:
    if not session.ready or any(agent.alive for agent in session.agents):
        return ()
    return [batch for batch in session.active if batch.status is Status.RUNNING or _is_late(batch, session)]


def starting(session: Session) -> bool:
    """Whether this console has started an agent that is not there yet."""
    at = session.started_agent
    if at is None or any(agent.alive for agent in session.agents):
        return False
    return formatting.ran_for(at, None, session.now()) < PATIENCE


def _is_late(batch: Batch, session: Session) -> bool:
    now = session.now()
    waited = formatting.ran_for(batch.requested, None, now) >= PATIENCE or session.agent_line
    return bool(waited) and (batch.not_before is None or batch.not_before <= now)


def told(session: Session) -> list[Line]:
    """Return what waits, and the key or the words that start an agent, or that one is being started."""
    waiting = _waiting(session)
    if not waiting:
        return []
    if starting(session):
        return [plain(STARTING)]
    what = f"Batch #{waiting[0].batch} waits" if len(waiting) == 1 else f"{len(waiting):,} batches wait"
    who = "Start one with" if session.may_serve else "The control database's owner starts one with"
    how = by_key(session) or f"{who}: {session.start_words}"
    return [plain(f"{what}: no agent is alive.", WARN), plain(how, BOLD)]


def by_key(session: Session) -> str:
    """Return that the key starts an agent, or whose service is to be restarted instead; empty for neither."""
    service = next((agent for agent in session.agents if agent.service), None)
    if service is not None:
        return f"The service on {service.host} is silent: restart it there."
    return KEY if session.may_write and session.may_start_agent else ""


def why_not_start(session: Session) -> str:
    """Return why the key starts no agent; empty if it does."""
    if not session.active:
        return "Nothing waits for an agent; sending starts one."
    if any(agent.alive for agent in session.agents):
        return "An agent is alive already."
    how = by_key(session)
    return "" if how == KEY else session.why_not or how or f"It cannot be started here, but by: {session.start_words}"
