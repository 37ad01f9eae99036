"""What screens and commands ask of the control database; only frozen views come out.

Every method is one transaction; it raises CannotRun where the database cannot be reached or written.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.clock import Clock
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.gate import pass_gate
from resync_tui.control.host_lock import known_dead
from resync_tui.control.models import Tables
from resync_tui.control.rows import agent_view, batch_view, error_view, history_values, object_view, select_batches
from resync_tui.control.views import Agent, Batch, ErrorGroup, ErrorRecord, LastResync
from resync_tui.errors import UsageError
from resync_tui.outcome import Kind, Status
from resync_tui.plan import Plan


class Store:
    """Requests, history, errors and agents of one control database."""

    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    @classmethod
    async def open(cls, url: str, clock: Clock | None = None) -> "Store":
        """Open the control database, made or brought up to date where needed.

        Times come from `clock`, by default from the database server, which all agents share.
        Raises CannotRun, NoRight (a SQLite file of another user) or ConfigError.
        """
        return cls(await ControlDatabase.open(url, clock))

    async def close(self) -> None:
        """Close its connections; nothing else may be called afterwards."""
        await self._database.close()

    async def submit(
        self, districts: Sequence[str], plan: Plan, *, initiator: str, requested_by: str, reason: str = ""
    ) -> list[Batch]:
        """Queue one request, a batch a district in the given order."""
        async with self._database.write() as connection:
            request = await pass_gate(connection, changes=1, requests=1)
            values = {
                "requestID": request.lastRequest,
                "schoolYear": plan.year,
                "initiator": initiator,
                "requestedBy": requested_by,
                "reason": reason,
                "status": Status.QUEUED.value,
                "requestedAt": await self._database.now(connection),
            }
            for district in districts:
                await self._queue(connection, district, plan, values)
            return await _batches(connection, select_batches().where(Tables.batch.c.requestID == request.lastRequest))

    async def _queue(self, connection: AsyncConnection, district: str, plan: Plan, values: dict[str, Any]) -> None:
        batch = Tables.batch
        blank = {"attempts": 0, "cancelRequested": False, "cancelledBy": "", "message": "", "agent": ""}
        number = await connection.scalar(
            batch.insert()
            .values(**values, **blank, stageLeft=False, districtNumber=district)
            .returning(batch.c.batchID)
        )
        same = {"batchID": number, "districtNumber": district, "schoolYear": plan.year}
        rows = [{**same, **history_values(planned)} for planned in plan.objects]
        if rows:
            await connection.execute(Tables.history.insert(), rows)

    async def batch(self, number: int) -> Batch:
        """Return one batch with its objects. Raises UsageError where there is none of that number."""
        async with self._database.read() as connection:
            found = await _batches(connection, select_batches().where(Tables.batch.c.batchID == number))
        if not found:
            raise _no_batch(number)
        return found[0]

    async def batches(
        self, *, district: str | None = None, request: int | None = None, active: bool = False, limit: int | None = None
    ) -> list[Batch]:
        """Return batches with their objects, newest first; `active`: only those that are queued or running."""
        batch = Tables.batch
        wanted = select_batches()
        if district is not None:
            wanted = wanted.where(batch.c.districtNumber == district)
        if request is not None:
            wanted = wanted.where(batch.c.requestID == request)
        if active:
            wanted = wanted.where(batch.c.status.in_([Status.QUEUED, Status.RUNNING]))
        async with self._database.read() as connection:
            return await _batches(connection, wanted, newest_first=True, limit=limit)

    async def last_resyncs(self, district: str, year: int) -> dict[str, LastResync]:
        """Return, per object, its newest result of a school year that has at least started."""
        history = Tables.history
        newest = (
            select(history.c.objectName, func.max(history.c.batchID).label("batchID"))
            .where(history.c.districtNumber == district, history.c.schoolYear == year, history.c.startedAt.is_not(None))
            .group_by(history.c.objectName)
            .subquery()
        )
        wanted = select(history).join(
            newest, (history.c.batchID == newest.c.batchID) & (history.c.objectName == newest.c.objectName)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return {row.objectName: LastResync(row.batchID, object_view(row)) for row in rows}

    async def error_groups(self, batch: int, object: str | None = None) -> list[ErrorGroup]:
        """Return exact counts by object (in the order of syncing), table, kind and reason, the most frequent first."""
        counted, history = Tables.error_count, Tables.history
        wanted = (
            select(counted)
            .outerjoin(
                history, (history.c.batchID == counted.c.batchID) & (history.c.objectName == counted.c.objectName)
            )
            .where(counted.c.batchID == batch)
            .order_by(
                history.c.sequence, counted.c.records.desc(), counted.c.tableName, counted.c.kind, counted.c.reason
            )
        )
        if object is not None:
            wanted = wanted.where(counted.c.objectName == object)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [ErrorGroup(row.objectName, row.tableName, Kind(row.kind), row.reason, row.records) for row in rows]

    async def errors(
        self,
        batch: int,
        *,
        object: str | None = None,
        kind: Kind | None = None,
        reason: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[ErrorRecord]:
        """Return the refused records that are kept, in the order in which they were met."""
        error = Tables.error
        wanted = select(error).where(error.c.batchID == batch).order_by(error.c.number).offset(offset)
        for column, value in ((error.c.objectName, object), (error.c.kind, kind), (error.c.reason, reason)):
            if value is not None:
                wanted = wanted.where(column == value)
        if limit is not None:
            wanted = wanted.limit(limit)
        async with self._database.read() as connection:
            return [error_view(row) for row in (await connection.execute(wanted)).all()]

    async def cancel(self, batch: int, by: str) -> None:
        """Cancel a queued batch at once, a running one at its next chunk. Raises UsageError where it has ended."""
        async with self._database.write() as connection:
            await pass_gate(connection, changes=1)
            status = await connection.scalar(select(Tables.batch.c.status).where(Tables.batch.c.batchID == batch))
            if status is None:
                raise _no_batch(batch)
            if Status(status).ended:
                raise UsageError(f"Batch {batch} has ended already: {status}", "See: resync-tui history")
            await self._cancel(connection, Tables.batch.c.batchID == batch, by)

    async def cancel_request(self, request: int, by: str) -> None:
        """Cancel all batches of a request that have not ended. Raises UsageError where none is left."""
        batch = Tables.batch
        async with self._database.write() as connection:
            await pass_gate(connection, changes=1)
            if not await self._cancel(connection, batch.c.requestID == request, by):
                raise UsageError(f"Request {request} has no batch left to cancel", "See: resync-tui history")

    async def _cancel(self, connection: AsyncConnection, which: Any, by: str) -> bool:
        """Those whose stage may be left stay until an agent has cleaned up; only then is their district free."""
        batch, history = Tables.batch, Tables.history
        open_ones = batch.c.status.in_([Status.QUEUED, Status.RUNNING])
        marked = await connection.execute(
            update(batch)
            .where(which, open_ones)
            .values(cancelRequested=True, cancelledBy=by)
            .returning(batch.c.batchID)
        )
        numbers = [row.batchID for row in marked]
        at_once = (batch.c.status == Status.QUEUED) & ~batch.c.stageLeft
        ended = await connection.execute(
            update(batch)
            .where(batch.c.batchID.in_(numbers), at_once)
            .values(status=Status.CANCELLED, finishedAt=await self._database.now(connection))
            .returning(batch.c.batchID)
        )
        gone = [row.batchID for row in ended]
        await connection.execute(update(history).where(history.c.batchID.in_(gone)).values(status=Status.CANCELLED))
        return bool(numbers)

    async def agents(self) -> list[Agent]:
        """Return the agents that are, or lately were, at work; those alive first."""
        agent, running = Tables.agent, Tables.running
        async with self._database.read() as connection:
            now = await self._database.now(connection)
            rows = (await connection.execute(select(agent).order_by(agent.c.startedAt))).all()
            held: dict[str, list[int]] = {}
            for row in await connection.execute(select(running).order_by(running.c.batchID)):
                held.setdefault(row.owner, []).append(row.batchID)
        found = [
            agent_view(
                row,
                alive=now - row.seenAt <= timedelta(seconds=row.leaseSeconds)
                and not known_dead(self._database.url, row.agentID, row.kernel),
                running=tuple(held.get(row.agentID, ())),
            )
            for row in rows
        ]
        return sorted(found, key=lambda each: not each.alive)

    async def changes(self) -> int:
        """Return a number that grows whenever something a screen shows has changed."""
        gate, running = Tables.gate, Tables.running
        written = select(func.coalesce(func.sum(running.c.changes), 0)).scalar_subquery()
        async with self._database.read() as connection:
            return int((await connection.execute(select(gate.c.changes + written))).scalar_one())


async def _batches(
    connection: AsyncConnection, wanted: Select[Any], *, newest_first: bool = False, limit: int | None = None
) -> list[Batch]:
    batch, history = Tables.batch, Tables.history
    wanted = wanted.order_by(batch.c.batchID.desc() if newest_first else batch.c.batchID).limit(limit)
    numbers = wanted.with_only_columns(batch.c.batchID).subquery()
    objects: dict[int, list[Row[Any]]] = {}
    rows = (await connection.execute(wanted)).all()
    of_them = select(history).where(history.c.batchID.in_(select(numbers.c.batchID))).order_by(history.c.sequence)
    for row in await connection.execute(of_them):
        objects.setdefault(row.batchID, []).append(row)
    return [batch_view(row, objects.get(row.batchID, ())) for row in rows]


def _no_batch(number: int) -> UsageError:
    return UsageError(f"There is no batch {number}", "See: resync-tui history")
