"""Agents of a control database, within the test's own process."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import text

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.progress import Lease, Progress
from resync_tui.control.queue import AgentIdentity, Queue
from resync_tui.control.store import Store
from resync_tui.outcome import Counts, Status
from resync_tui.plan import Plan, Request
from resync_tui.results import ObjectResult, Standing
from tests.support.screens.fake_store import Clock

ALL = ("01", "02", "03", "04")


class Agents:
    """Agents on one control database, each with connections of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.databases: list[ControlDatabase] = []

    async def start(self, lease_seconds: float = 45) -> Queue:
        database = await ControlDatabase.open(self.url)
        self.databases.append(database)
        queue = Queue(database, AgentIdentity(uuid4().hex, "here", 4711), lease_seconds)
        await queue.register()
        return queue

    async def lapse(self) -> None:
        """Let every lease end."""
        database = await ControlDatabase.open(self.url)
        async with database.write() as connection:
            past = "2001-01-01 00:00:00.000000" + ("" if self.url.startswith("sqlite") else "+00")
            await connection.execute(text(f"""UPDATE "DISRunning" SET expires = '{past}'"""))
        await database.close()


async def claimed(queue: Queue, limit: int = 4) -> Lease:
    lease = await queue.claim(ALL, limit)
    assert lease is not None
    return lease


DISTRICTS = tuple(f"{number:03}" for number in range(1, 301))
DONE = Counts(processed=200, unchanged=199, rejected=1)


class Office:
    """A store and one agent's queue under a clock that stands until it is moved."""

    def __init__(self, database: ControlDatabase, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.store = Store(database)
        self.queue = Queue(database, AgentIdentity("a", "here", 1, DISTRICTS), 600)

    async def request(self, plan: Plan, *districts: str, not_before: datetime | None = None) -> int:
        """Ask for full resyncs; return the request's number."""
        sent = await self.store.submit(
            Request(districts, plan, initiator="state", requested_by="jdoe", full=True, not_before=not_before)
        )
        return sent[0].request

    async def claim(self, *, window_open: bool = True) -> Lease | None:
        if not await self.queue.peek(DISTRICTS, 1000, window_open=window_open):
            return None
        return await self.queue.claim(DISTRICTS, 1000, window_open=window_open)

    async def claimed(self) -> Lease:
        lease = await self.claim()
        assert lease is not None
        return lease

    async def finish(self, status: Status = Status.COMPLETED, message: str = "", counts: Counts | None = None) -> Lease:
        """Carry out the next batch; each object comes to `counts`, by default DONE."""
        lease = await self.claimed()
        results = tuple(
            ObjectResult(each.object, each.sequence, status, DONE if counts is None else counts)
            for each in lease.plan.objects
        )
        await self.queue.finish(lease, status, message, Progress(objects=results))
        return lease

    async def standings(self, *districts: str) -> list[Standing]:
        return [each.standing for each in await self.store.board(2026, districts)]
