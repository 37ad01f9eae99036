"""Firings of schedules: each submits its request once, however many agents find it due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import SCHEDULE
from resync_tui.control.connection import ControlDatabase, lock_queue
from resync_tui.control.models import DISScheduleFiring, Tables
from resync_tui.control.requests import queue_request
from resync_tui.control.rows import insert_of, values_of
from resync_tui.plan import Plan, Request

REASON = "Weekly sync"


@dataclass(frozen=True, slots=True)
class Firing:
    """The newest due firing of a schedule; `owner` and `initiator` are those of its request."""

    owner: str
    """`state`, or the district's number, as schedules of two editions may have the same name."""
    initiator: str
    schedule: str
    local: datetime
    cron: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Fired:
    """The outcome of a firing, and the control database's time of the decision."""

    at: datetime
    request: int | None
    """None: handled already, by another agent or an earlier look."""


async def fire(
    database: ControlDatabase,
    due: Callable[[datetime], Firing],
    districts: Sequence[str],
    plan: Plan,
    *,
    full: bool,
) -> Fired:
    """Submit a schedule's request if it is due at the control database's time, unless that was done.

    A new schedule, or one with a changed time, begins with its next firing.
    """
    async with database.write() as connection:
        await lock_queue(connection, changes=0)
        now = await database.now(connection)
        firing = due(now)
        if not await _known(connection, firing):
            await _pass_over(connection, firing, now)
            return Fired(now, None)
        table = Tables.firing
        taken = insert_of(connection)(table).values(values_of(_row(firing, now))).on_conflict_do_nothing()
        if (await connection.execute(taken.returning(table.c.schedule))).one_or_none() is None:
            return Fired(now, None)
        number = (await lock_queue(connection, changes=1, requests=1)).lastRequest
        by = f"{SCHEDULE}{firing.schedule}"
        request = Request(districts, plan, firing.initiator, by, reason=REASON, full=full, scheduled=True)
        await queue_request(connection, number, request, now)
        mine = (table.c.owner == firing.owner) & (table.c.schedule == firing.schedule)
        here = mine & (table.c.localTime == _local(firing))
        await connection.execute(table.update().where(here).values(requestID=number))
        return Fired(now, number)


async def _known(connection: AsyncConnection, firing: Firing) -> bool:
    table = Tables.firing
    wanted = select(table.c.schedule).where(
        table.c.owner == firing.owner,
        table.c.schedule == firing.schedule,
        table.c.cron == firing.cron,
        table.c.timezone == firing.timezone,
    )
    return (await connection.execute(wanted.limit(1))).first() is not None


async def _pass_over(connection: AsyncConnection, firing: Firing, now: datetime) -> None:
    table = Tables.firing
    passed = insert_of(connection)(table).values(values_of(_row(firing, now)))
    key = [table.c.owner, table.c.schedule, table.c.localTime]
    told = {"cron": firing.cron, "timezone": firing.timezone}
    await connection.execute(passed.on_conflict_do_update(index_elements=key, set_=told))


def _row(firing: Firing, now: datetime) -> DISScheduleFiring:
    return DISScheduleFiring(
        owner=firing.owner,
        schedule=firing.schedule,
        localTime=_local(firing),
        cron=firing.cron,
        timezone=firing.timezone,
        firedAt=now,
    )


def _local(firing: Firing) -> str:
    return firing.local.isoformat(timespec="minutes")
