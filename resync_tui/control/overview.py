"""Overviews: the board of a school year, from rows of DISBatch alone, and the snapshot that all screens show."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import visible_batches, visible_rows
from resync_tui.control.alerts import count_unread
from resync_tui.control.batches import agent_view, batch_view, select_agents, select_batches
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.liveness import known_dead
from resync_tui.control.models import Tables
from resync_tui.control.rows import known, known_color
from resync_tui.outcome import Purpose, Status
from resync_tui.results import Agent, DistrictStanding, Present, Standing, standing_of

FEW = 10
"""Districts up to which each is looked up by itself; more are read all at once."""


async def board(
    connection: AsyncConnection, year: int, districts: Sequence[str] | None, seen: ColumnElement[bool]
) -> list[DistrictStanding]:
    """Return the standings of districts, in the given order; None: all that were ever requested, by number.

    Two statements, however many districts and however long their history; both find their rows by DISBatch_board.
    """
    if districts is not None and len(districts) <= FEW:
        seen &= Tables.batch.c.districtNumber.in_(districts)
    newest = {row.districtNumber: row for row in await connection.execute(newest_batches(year, seen))}
    full = {row.districtNumber: row for row in await connection.execute(full_batches(year, seen))}
    return [
        _standing(each, newest.get(each), full.get(each))
        for each in (sorted(newest) if districts is None else districts)
    ]


def newest_batches(year: int, seen: ColumnElement[bool]) -> Select[Any]:
    """Select each district's newest resync of a year, without cancelled ones."""
    return _newest(year, seen & (Tables.batch.c.status != Status.CANCELLED))


def full_batches(year: int, seen: ColumnElement[bool]) -> Select[Any]:
    """Select each district's newest completed full resync of a year."""
    return _newest(year, seen & (Tables.batch.c.status == Status.COMPLETED) & Tables.batch.c.isFull)


def _newest(year: int, which: ColumnElement[bool]) -> Select[Any]:
    batch = Tables.batch
    numbers = (
        select(func.max(batch.c.batchID))
        .where(batch.c.schoolYear == year, batch.c.purpose == Purpose.RESYNC, which)
        .group_by(batch.c.districtNumber)
    )
    return select(batch).where(batch.c.batchID.in_(numbers))


def _standing(district: str, row: Row[Any] | None, full: Row[Any] | None) -> DistrictStanding:
    found = DistrictStanding(district, Standing.NOT_YET)
    if full is not None:
        color = known_color(full.color)
        found = replace(found, last_full=full.startedAt, last_full_batch=full.batchID, last_full_color=color)
    if row is None:
        return found
    return replace(
        found,
        standing=standing_of(known(row.status, Status.FAILED), row.putOff),
        batch=row.batchID,
        request=row.requestID,
        requested=row.requestedAt,
        processed=row.processed,
        errors=row.errors,
        color=known_color(row.color),
        message=row.message,
        put_off=row.putOff,
        next_attempt=row.notBefore if row.status == Status.QUEUED else None,
    )


async def present(connection: AsyncConnection, database: ControlDatabase) -> Present:
    """Return what all screens show, in one snapshot. Raises DiskFull if nothing more can be written."""
    database.require_room()
    batch = Tables.batch
    active = select_batches().where(
        visible_batches(database.edition), batch.c.status.in_([Status.QUEUED, Status.RUNNING])
    )
    rows = await connection.execute(active.order_by(batch.c.batchID.desc()))
    now = await database.now(connection)
    return Present(
        changes=await changes(connection),
        active=tuple(batch_view(row, ()) for row in rows),
        agents=tuple(await agents(connection, database, now)),
        unread=await count_unread(connection, database),
        now=now,
    )


async def changes(connection: AsyncConnection) -> int:
    """Return the change counter; it grows with every change of what a screen shows."""
    gate, running = Tables.gate, Tables.running
    written = select(func.coalesce(func.sum(running.c.changes), 0)).scalar_subquery()
    return int((await connection.execute(select(gate.c.changes + written))).scalar_one())


async def agents(connection: AsyncConnection, database: ControlDatabase, now: datetime) -> list[Agent]:
    """Return the agents that are or recently were at work, those alive first."""
    agent, running = Tables.agent, Tables.running
    rows = (await connection.execute(select_agents(database.rights).order_by(agent.c.startedAt))).all()
    if not rows:
        return []
    held: dict[str, list[int]] = {}
    here = visible_rows(database.edition, running)
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
