"""The queue: agents claim batches by leases with fencing tokens that only increase.

A lease ends when its agent releases it, when it lapses, or when its agent is known to be dead; its batch then goes
back to the queue and starts again under a greater token. Locks are always taken in the order gate, DISRunning,
DISBatch, DISBatchHistory, so there are no deadlocks.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import may_send
from resync_tui.control.alerts import refused
from resync_tui.control.batches import plan_view
from resync_tui.control.claims import Sharing, free_district, give_back, may_start, oldest, put_back
from resync_tui.control.completion import end_batch
from resync_tui.control.connection import ControlDatabase, lock_queue
from resync_tui.control.liveness import end_stopped_agent, forget, known_dead, this_kernel
from resync_tui.control.models import DISAgent, DISBatch, DISRunning, Tables
from resync_tui.control.progress import Lease, Progress, blank, cancel_requested, clip, hold, lost, record
from resync_tui.control.records import consent
from resync_tui.control.rows import Unreadable, among, insert_row, instance_of, required
from resync_tui.outcome import Purpose, Status

LEASE_SECONDS = 45.0
FORGOTTEN = timedelta(days=1)
"""Time after which an agent without a heartbeat is no longer listed."""


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """The identity of an agent process; `id` is never reused."""

    id: str
    host: str
    pid: int
    districts: tuple[str, ...] = ()
    """Districts that it serves."""
    service: bool = False
    """Whether it serves until it is stopped."""


class Queue:
    """One agent's side of the queue."""

    def __init__(self, database: ControlDatabase, agent: AgentIdentity, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._agent = agent
        self._lease = timedelta(seconds=lease_seconds)
        self._sharing = Sharing(agent.id)
        self._key = b""

    async def register(self) -> None:
        """Register this agent as alive."""
        running, agent = Tables.running, Tables.agent
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            now = await self._database.now(connection)
            owners = select(running.c.owner)
            await connection.execute(
                delete(agent).where(agent.c.seenAt < now - FORGOTTEN, agent.c.agentID.not_in(owners))
            )
            new = DISAgent(
                agentID=self._agent.id,
                host=self._agent.host,
                kernel=this_kernel(),
                pid=self._agent.pid,
                startedAt=now,
                seenAt=now,
                leaseSeconds=self._lease.total_seconds(),
                districts=sorted(self._agent.districts),
                isService=self._agent.service,
            )
            await connection.execute(insert_row(new))

    async def serves(self, districts: Iterable[str]) -> None:
        """Update the districts that this agent serves."""
        agent = Tables.agent
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            mine = update(agent).where(agent.c.agentID == self._agent.id)
            await connection.execute(mine.values(districts=sorted(districts)))

    async def unregister(self) -> None:
        """Remove this agent, which has ended."""
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            await connection.execute(delete(Tables.agent).where(Tables.agent.c.agentID == self._agent.id))

    async def end_stopped(self) -> list[int]:
        """Kill this host's stopped agents whose lease has lapsed; return their process ids.

        An agent stopped in mid-transaction keeps a SQLite file locked for all others until it wakes up, if ever.
        """
        agent = Tables.agent
        others = select(agent).where(agent.c.kernel == this_kernel(), agent.c.agentID != self._agent.id)
        async with self._database.read() as connection:
            now = await self._database.now(connection)
            found = (await connection.execute(others)).all()
        lapsed = [row for row in found if row.seenAt + timedelta(seconds=row.leaseSeconds) <= now]
        return [row.pid for row in lapsed if end_stopped_agent(self._database.url, row.agentID, row.pid)]

    async def retire(self, districts: Collection[str], *, due_only: bool = False, window_open: bool = True) -> bool:
        """Unregister unless a batch of these districts is queued; return whether it did.

        With `due_only` a batch that may not start yet does not count. A requester looks for an agent after queueing, so
        it finds this one at work, or none and starts another.
        """
        batch = Tables.batch
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            served = among(connection, batch.c.districtNumber, districts)
            waiting = select(batch.c.batchID).where(batch.c.status == Status.QUEUED, served)
            if due_only:
                waiting = waiting.where(may_start(await self._database.now(connection), window_open))
            if (await connection.execute(waiting.limit(1))).first() is not None:
                return False
            await connection.execute(delete(Tables.agent).where(Tables.agent.c.agentID == self._agent.id))
            return True

    async def wait(self, seconds: float) -> bool:
        """Wait for a change of the queue, at most for these seconds; return whether there may be one."""
        return await self._database.wait(seconds)

    async def peek(self, districts: Collection[str], limit: int, *, window_open: bool = True) -> bool:
        """Whether a claim may succeed on a batch that is not left to another agent; reads only."""
        async with self._database.read() as connection:
            now = await self._database.now(connection)
            held = (await connection.execute(select(Tables.running))).all()
            dead = await self._dead(connection)
            if any(row.expires <= now or row.owner in dead for row in held):
                return True
            if len(held) >= limit:
                return False
            waiting = (await connection.execute(oldest(connection, districts, now, window_open))).first()
            if waiting is None:
                return False
            others = select(Tables.agent).where(Tables.agent.c.agentID != self._agent.id)
            batch = instance_of(DISBatch, waiting)
            return not self._sharing.leaves(batch, held, (await connection.execute(others)).all(), now)

    async def claim(self, districts: Collection[str], limit: int, *, window_open: bool = True) -> Lease | None:
        """Requeue lapsed batches, then claim the next due one of a free district, unless `limit` batches run.

        One that cannot be read is failed instead, and None is returned.
        """
        async with self._database.write() as connection:
            last_token = (await lock_queue(connection, changes=0)).lastToken
            now = await self._database.now(connection)
            dead = await self._dead(connection)
            await give_back(connection, now, dead)
            held = (await connection.execute(select(Tables.running.c.batchID))).all()
            row = (
                (await connection.execute(oldest(connection, districts, now, window_open))).first()
                if len(held) < limit
                else None
            )
            # Greater, too, than the tokens of an earlier control database for the same state.
            token = max(last_token + 1, int(now.timestamp() * 1000))
            lease = None if row is None else await self._take(connection, instance_of(DISBatch, row), token, now)
        for agent in dead:
            forget(self._database.url, agent)
        return lease

    async def _take(self, connection: AsyncConnection, next_one: DISBatch, token: int, now: datetime) -> Lease | None:
        batch, gate = Tables.batch, Tables.gate
        try:
            lease = await self._lease_of(connection, next_one, token)
        except Unreadable as error:
            await connection.execute(update(gate).values(changes=gate.c.changes + 1))
            await self._end_unrun(connection, next_one.batchID, error.what, now)
            return None
        await connection.execute(update(gate).values(lastToken=token))
        await connection.execute(insert_row(self._running(lease, now)))
        begun = {"status": Status.RUNNING.value, "attempts": lease.attempt, "stageLeft": True}
        started = {"startedAt": next_one.startedAt or now, "agent": f"{self._agent.host}:{self._agent.pid}"}
        await connection.execute(update(batch).where(batch.c.batchID == lease.batch).values(**begun, **started))
        return lease

    async def renew(self, leases: Iterable[Lease]) -> dict[int, bool]:
        """Write a heartbeat; return, per batch still held, whether its cancellation was requested."""
        running, batch, agent = Tables.running, Tables.batch, Tables.agent
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            mine = running.c.token.in_([each.token for each in leases])
            renewed = await connection.execute(
                update(running)
                .where(mine, running.c.owner == self._agent.id)
                .values(expires=now + self._lease, changes=running.c.changes + 1)
                .returning(running.c.batchID)
            )
            numbers = [row.batchID for row in renewed]
            await connection.execute(update(agent).where(agent.c.agentID == self._agent.id).values(seenAt=now))
            wanted = select(batch.c.batchID, batch.c.cancelRequested).where(batch.c.batchID.in_(numbers))
            return {row.batchID: row.cancelRequested for row in await connection.execute(wanted)}

    async def exceed(self, lease: Lease, token: int) -> None:
        """Make the tokens of later claims greater than `token`, which a state has. Raises LeaseLost."""
        gate = Tables.gate
        async with self._database.write() as connection:
            last = (await lock_queue(connection, changes=0)).lastToken
            await hold(connection, lease)
            await connection.execute(update(gate).values(lastToken=max(last, token)))

    async def write(self, lease: Lease, progress: Progress) -> bool:
        """Write progress; return whether cancellation was requested. Raises LeaseLost."""
        async with self._database.write() as connection:
            await hold(connection, lease, transitions=progress.transitions)
            await record(connection, lease, progress, await self._database.now(connection))
            return await cancel_requested(connection, lease)

    async def retry(self, lease: Lease, message: str) -> None:
        """Start another attempt under the same lease; `message` is why the last one broke off. Raises LeaseLost."""
        batch = Tables.batch
        async with self._database.write() as connection:
            await hold(connection, lease, transitions=1)
            await connection.execute(
                update(batch)
                .where(batch.c.batchID == lease.batch)
                .values(attempts=batch.c.attempts + 1, message=clip(message))
            )
            await blank(connection, lease.batch)

    async def finish(self, lease: Lease, status: Status, message: str, progress: Progress) -> None:
        """Write the end of a batch with its last progress, and free its district. Raises LeaseLost."""
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            await self._free(connection, lease)
            now = await self._database.now(connection)
            await record(connection, lease, progress, now)
            await end_batch(connection, lease.batch, status, message, now)

    async def refusal(self, lease: Lease) -> str | None:
        """Return why a batch's requester lacks the right to it, checked again before it runs; None if they have it."""
        async with self._database.read() as connection:
            if await may_send(connection, lease.requested_by, lease.initiator, lease.district):
                return None
        whose = "the state" if lease.initiator == "state" else f"district {lease.district}"
        return f"{lease.requested_by or 'Nobody known'} has no right to send for {whose}"

    async def refuse(self, lease: Lease, message: str) -> None:
        """End a batch whose requester lacks the right, and alert those who have it. Raises LeaseLost."""
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            await self._free(connection, lease)
            now = await self._database.now(connection)
            request = await self._end_unrun(connection, lease.batch, message, now, told=True)
            district = None if lease.initiator == "state" else lease.district
            told = f"{message}: batch #{lease.batch} was not run."
            await refused(connection, district, request=request, batch=lease.batch, message=told, now=now)

    async def _end_unrun(
        self, connection: AsyncConnection, batch: int, message: str, now: datetime, *, told: bool = False
    ) -> int:
        """Fail a batch without an attempt, its objects skipped; return its request's number."""
        history = Tables.history
        skipped = update(history).where(history.c.batchID == batch).values(status=Status.SKIPPED.value)
        await connection.execute(skipped)
        return await end_batch(connection, batch, Status.FAILED, message, now, told=told)

    async def release(self, lease: Lease, progress: Progress) -> None:
        """Requeue a cleaned-up batch; a cancelled one ends, with `progress`. Raises LeaseLost."""
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            await self._free(connection, lease)
            if await cancel_requested(connection, lease):
                now = await self._database.now(connection)
                await record(connection, lease, progress, now)
                await end_batch(connection, lease.batch, Status.CANCELLED, "", now)
            else:
                await put_back(connection, lease.batch, stageLeft=False)

    async def put_off(self, lease: Lease, message: str, pause: timedelta, progress: Progress) -> None:
        """Requeue a batch for after a pause, as its district cannot be reached; `message` is why.

        A cancelled batch ends, with `progress`. Raises LeaseLost.
        """
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            await self._free(connection, lease)
            now = await self._database.now(connection)
            if await cancel_requested(connection, lease):
                await record(connection, lease, progress, now)
                await end_batch(connection, lease.batch, Status.CANCELLED, "", now)
            else:
                told = {"message": clip(message), "putOff": lease.put_off + 1}
                await put_back(connection, lease.batch, notBefore=now + pause, **told)

    async def _dead(self, connection: AsyncConnection) -> set[str]:
        """Return the ids of this host's agents that are certainly dead."""
        agent = Tables.agent
        wanted = select(agent.c.agentID, agent.c.kernel).where(agent.c.agentID != self._agent.id)
        others = (await connection.execute(wanted)).all()
        return {row.agentID for row in others if known_dead(self._database.url, row.agentID, row.kernel)}

    async def _free(self, connection: AsyncConnection, lease: Lease) -> None:
        running = Tables.running
        held = select(running).where(running.c.districtNumber == lease.district, running.c.token == lease.token)
        row = (await connection.execute(held.with_for_update())).one_or_none()
        if row is None:
            raise lost(lease)
        await free_district(connection, instance_of(DISRunning, row))

    async def _lease_of(self, connection: AsyncConnection, batch: DISBatch, token: int) -> Lease:
        history = Tables.history
        wanted = select(history).where(history.c.batchID == batch.batchID).order_by(history.c.sequence)
        plan = plan_view(batch.schoolYear, (await connection.execute(wanted)).all())
        return Lease(
            batch.batchID,
            batch.districtNumber,
            token,
            batch.attempts + 1,
            plan,
            batch.cancelRequested,
            required(Purpose, batch.purpose),
            batch.isCampaign,
            batch.putOff,
            batch.initiator,
            batch.requestedBy,
            await consent(connection, batch) if batch.purpose == Purpose.REMOVE_EXTRA else None,
            await self._mark(connection, batch.districtNumber),
        )

    async def _mark(self, connection: AsyncConnection, district: str) -> str:
        if not self._key:
            self._key = str((await connection.execute(select(Tables.key.c.key))).scalar_one()).encode()
        return hmac.new(self._key, district.encode(), hashlib.sha256).hexdigest()[:12]

    def _running(self, lease: Lease, now: datetime) -> DISRunning:
        return DISRunning(
            districtNumber=lease.district,
            batchID=lease.batch,
            owner=self._agent.id,
            token=lease.token,
            expires=now + self._lease,
            # No agent is woken by what another one has claimed.
            changes=1,
            transitions=1,
        )
