"""What all screens show of a control database: its changes, what is queued or runs, the agents, alerts not read."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.alerts import count_unread
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.host_lock import known_dead
from resync_tui.control.models import Tables
from resync_tui.control.rows import agent_view, batch_view, select_batches
from resync_tui.control.security import of_seen, seen
from resync_tui.outcome import Status
from resync_tui.results import Agent, Present


async def present(connection: AsyncConnection, database: ControlDatabase) -> Present:
    """Return all of it, as of one moment."""
    batch = Tables.batch
    active = select_batches().where(seen(database.viewpoint), batch.c.status.in_([Status.QUEUED, Status.RUNNING]))
    rows = await connection.execute(active.order_by(batch.c.batchID.desc()))
    return Present(
        changes=await changes(connection),
        active=tuple(batch_view(row, ()) for row in rows),
        agents=tuple(await agents(connection, database)),
        unread=await count_unread(connection, database),
    )


async def changes(connection: AsyncConnection) -> int:
    """Return a number that grows whenever something a screen shows has changed."""
    gate, running = Tables.gate, Tables.running
    written = select(func.coalesce(func.sum(running.c.changes), 0)).scalar_subquery()
    return int((await connection.execute(select(gate.c.changes + written))).scalar_one())


async def agents(connection: AsyncConnection, database: ControlDatabase) -> list[Agent]:
    """Return the agents that are, or lately were, at work; those alive first."""
    agent, running = Tables.agent, Tables.running
    rows = (await connection.execute(select(agent).order_by(agent.c.startedAt))).all()
    if not rows:
        return []
    now = await database.now(connection)
    held: dict[str, list[int]] = {}
    here = of_seen(database.viewpoint, running)
    for row in await connection.execute(select(running).where(here).order_by(running.c.batchID)):
        held.setdefault(row.owner, []).append(row.batchID)
    found = [
        agent_view(
            row,
            alive=now - row.seenAt <= timedelta(seconds=row.leaseSeconds)
            and not known_dead(database.url, row.agentID, row.kernel),
            running=tuple(held.get(row.agentID, ())),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: not each.alive)
