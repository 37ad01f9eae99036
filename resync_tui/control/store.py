"""The interface of screens and commands to the control database; it returns frozen views only.

Every method is one transaction; it raises CannotRun if the database cannot be reached or written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.clock import Clock
from resync_tui.control import records
from resync_tui.control.access import SCHEDULE, visible_batches, visible_rows
from resync_tui.control.alerts import Alerts, alert_unclaimed
from resync_tui.control.batches import (
    last_completed,
    last_results,
    last_results_of,
    list_batches,
    no_request,
    of_batch,
    one_batch,
    require_request,
    select_batches,
)
from resync_tui.control.connection import ControlDatabase, lock_queue
from resync_tui.control.grants import check_grants, creators, guests
from resync_tui.control.models import Tables
from resync_tui.control.overview import agents, board, changes, present
from resync_tui.control.requests import cancel, queue_request, retry_of
from resync_tui.databases.registry import dialect_of, place
from resync_tui.errors import NoRight, ResyncError, UsageError
from resync_tui.outcome import Finding, Kind, Purpose
from resync_tui.plan import Allowed, Plan, Request
from resync_tui.results import (
    Agent,
    Batch,
    DistrictStanding,
    ErrorGroup,
    ErrorRecord,
    FindingGroup,
    FindingRecord,
    LastCompleted,
    LastResync,
    Present,
)
from resync_tui.rights import Edition, Rights


class Store:
    """Requests, history, errors and agents of one control database."""

    def __init__(self, database: ControlDatabase, allowed: Allowed | None = None) -> None:
        self._database = database
        self._allowed = allowed
        self._seen = visible_batches(database.edition)
        self.alerts = Alerts(database)

    @classmethod
    async def open(
        cls,
        url: str,
        clock: Clock | None = None,
        *,
        edition: Edition | None = None,
        allowed: Allowed | None = None,
    ) -> "Store":
        """Open the control database, created or upgraded if needed.

        To a district's edition the state's requests are invisible, and the requester is always this session's user,
        whatever name is given. Times come from `clock`, by default from the database server, which all agents share.
        `allowed` checks every request before it is queued. Raises CannotRun, NoRight (a SQLite file of another user, a
        role without Read) or ConfigError.
        """
        return cls(await ControlDatabase.open(url, clock, edition=edition), allowed)

    @property
    def rights(self) -> Rights:
        """The rights of this session's user."""
        return self._database.rights

    async def doubtful_rights(self, read: Sequence[str], write: Sequence[str]) -> list[ResyncError]:
        """Return the errors of [rights]: unknown roles, Write without Read; and what everybody may do.

        None on SQLite, where nobody but the owner may do anything.
        """
        if dialect_of(self._database.url) == "sqlite":
            return []
        async with self._database.read() as connection:
            where = place(self._database.url)
            found = [*await creators(connection, where), *await guests(connection, where)]
            return [*await check_grants(connection, read=read, write=write), *found]

    async def require_writable(self) -> None:
        """Require that a request could be queued: room on its disk, the queue lock. Raises ResyncError."""
        self._database.require_room()
        async with self._database.write() as connection:
            await lock_queue(connection, changes=0)

    def free_bytes(self) -> int | None:
        """Return the free space on the disk of a SQLite file; None: not a file of this host."""
        return self._database.free_bytes()

    def _signed(self, name: str) -> str:
        """Return the requester's name: an edition's is the session's user, an agent also acts for its schedules."""
        self.rights.require_write()
        return name if self._database.edition is None else self.rights.user

    async def close(self) -> None:
        """Close its connections; no other method may be called afterwards."""
        await self._database.close()

    async def submit(self, request: Request) -> list[Batch]:
        """Queue a request, one batch per district in the given order. Raises NoRight, UsageError."""
        signed, edition = self._signed(request.requested_by), self._database.edition
        if edition is not None and not edition.sends(request.initiator, request.districts):
            raise NoRight(f"This is the console of {edition}: it sends for nobody else", "Use the state's console.")
        async with self._database.write() as connection:
            return await self._queue(connection, replace(request, requested_by=signed))

    async def retry(self, batch: int, by: str, object: str | None = None) -> list[Batch]:
        """Request again what of an ended batch, or of one object of it, is to be retried.

        Where a queued or running batch does that already, return that one. Raises UsageError if nothing is left.
        """
        signed = self._signed(by)
        async with self._database.write() as connection:
            # Read under the queue lock; a refused request takes no number.
            await lock_queue(connection, changes=0)
            async with of_batch(connection, batch, self._seen):
                if not (await one_batch(connection, batch, self._seen)).status.ended:
                    raise UsageError(f"Batch #{batch} has not ended yet", f"Follow it: resync-tui attach {batch}")
                return await self._retry(connection, Tables.batch.c.batchID == batch, signed, f"batch #{batch}", object)

    async def retry_request(self, request: int, by: str, districts: Sequence[str] | None = None) -> list[Batch]:
        """Request again, as one request, what of a request is to be retried; `districts`: of these alone.

        If queued or running batches retry all of it already, return those. Raises UsageError if nothing is left.
        """
        signed, which = self._signed(by), Tables.batch.c.requestID == request
        if districts is not None:
            which &= Tables.batch.c.districtNumber.in_(districts)
        async with self._database.write() as connection:
            await lock_queue(connection, changes=0)
            await require_request(connection, request, self._seen)
            return await self._retry(connection, which, signed, f"request {request}")

    async def _retry(
        self,
        connection: AsyncConnection,
        which: ColumnElement[bool],
        signed: str,
        named: str,
        object: str | None = None,
    ) -> list[Batch]:
        again = await retry_of(connection, which, self._seen, named, object)
        if again.request.districts:
            return await self._queue(connection, replace(again.request, requested_by=signed), again.partial)
        return await list_batches(connection, select_batches().where(Tables.batch.c.batchID.in_(again.open_ones)))

    async def _queue(
        self, connection: AsyncConnection, request: Request, partial: Mapping[str, Plan] = MappingProxyType({})
    ) -> list[Batch]:
        if self._allowed is not None:
            self._allowed(request.districts, request.plan)
        gate = await lock_queue(connection, changes=1, requests=1)
        now = await self._database.now(connection)
        return await queue_request(connection, gate.lastRequest, request, now, partial)

    async def batch(self, number: int) -> Batch:
        """Return one batch with its objects. Raises UsageError for an unknown number."""
        async with self._database.read() as connection:
            return await one_batch(connection, number, self._seen)

    async def batches(
        self,
        *,
        district: str | None = None,
        request: int | None = None,
        limit: int | None = None,
        objects: bool = True,
    ) -> list[Batch]:
        """Return batches, newest first.

        Without `objects`, for long lists, running ones have theirs and the others only their sums.
        """
        batch = Tables.batch
        wanted = select_batches().where(self._seen)
        if district is not None:
            wanted = wanted.where(batch.c.districtNumber == district)
        if request is not None:
            wanted = wanted.where(batch.c.requestID == request)
        async with self._database.read() as connection:
            return await list_batches(connection, wanted, newest_first=True, limit=limit, objects=objects)

    async def newest_batch(self, districts: Collection[str]) -> Batch | None:
        """Return the newest batch of some districts; an ended one has only its sums."""
        wanted = select_batches().where(self._seen, Tables.batch.c.districtNumber.in_(districts))
        async with self._database.read() as connection:
            found = await list_batches(connection, wanted, newest_first=True, limit=1, objects=False)
        return found[0] if found else None

    async def last_scheduled(self, edition: str) -> dict[str, Batch]:
        """Return the newest batch, with its sums, of each schedule of an edition that has fired, by its name."""
        batch = Tables.batch
        of_schedules = self._seen & (batch.c.initiator == edition) & batch.c.requestedBy.startswith(SCHEDULE)
        newest = select(func.max(batch.c.batchID)).where(of_schedules).group_by(batch.c.requestedBy)
        wanted = select_batches().where(self._seen, batch.c.batchID.in_(newest))
        async with self._database.read() as connection:
            found = await list_batches(connection, wanted, newest_first=True, objects=False)
        return {each.requested_by.removeprefix(SCHEDULE): each for each in found}

    async def request(self, number: int) -> list[Batch]:
        """Return a request's batches in its order; only running ones have their objects.

        Raises UsageError for an unknown number.
        """
        wanted = select_batches().where(Tables.batch.c.requestID == number, self._seen)
        async with self._database.read() as connection:
            found = await list_batches(connection, wanted, objects=False)
        if not found:
            raise no_request(number)
        return found

    async def board(self, year: int, districts: Sequence[str] | None = None) -> list[DistrictStanding]:
        """Return the districts' standings in a school year, in the given order; None: all that were ever requested."""
        async with self._database.read() as connection:
            return await board(connection, year, districts, self._seen)

    async def last_resyncs(self, district: str, year: int) -> dict[str, LastResync]:
        """Return, per object, its newest started resync of a school year."""
        async with self._database.read() as connection:
            return await last_results(connection, district, year, Purpose.RESYNC, self._seen)

    async def last_resyncs_of(self, districts: Sequence[str], year: int) -> dict[str, dict[str, LastResync]]:
        """Return, per district and object, the newest started resync of a school year."""
        async with self._database.read() as connection:
            return await last_results_of(connection, districts, year, self._seen)

    async def last_verified(self, district: str, year: int) -> dict[str, LastResync]:
        """Return, per object, its newest started comparison of a school year."""
        async with self._database.read() as connection:
            return await last_results(connection, district, year, Purpose.VERIFY, self._seen)

    async def last_completed(self, district: str, year: int) -> LastCompleted:
        """Return each object's newest completed runs of a school year."""
        async with self._database.read() as connection:
            return await last_completed(connection, district, year, self._seen)

    async def error_groups(self, batch: int, object: str | None = None) -> list[ErrorGroup]:
        """Return exact counts by object (in the order of syncing), table, kind and reason, the most frequent first."""
        async with self._database.read() as connection:
            return await records.error_groups(connection, batch, object, self._of_seen(Tables.error_count))

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
        """Return the kept refused records, in the order in which they were met."""
        async with self._database.read() as connection:
            return await records.errors(
                connection, batch, object, kind, reason, limit, offset, self._of_seen(Tables.error)
            )

    async def finding_groups(self, batch: int) -> list[FindingGroup]:
        """Return exact counts of differing records by object, table and finding."""
        async with self._database.read() as connection:
            return await records.finding_groups(connection, batch, self._of_seen(Tables.finding_count))

    async def findings(
        self,
        batch: int,
        *,
        object: str | None = None,
        finding: Finding | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FindingRecord]:
        """Return the kept differing records, in the order in which they were met."""
        async with self._database.read() as connection:
            return await records.findings(
                connection, batch, object, finding, limit, offset, self._of_seen(Tables.finding)
            )

    async def cancel(self, batch: int, by: str) -> None:
        """Cancel a queued batch at once, a running one at its next chunk. Raises UsageError if it has ended."""
        signed = self._signed(by)
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            async with of_batch(connection, batch, self._seen):
                status = (await one_batch(connection, batch, self._seen)).status
                if status.ended:
                    raise UsageError(f"Batch #{batch} has ended already: {status}", "See: resync-tui history")
            await cancel(connection, Tables.batch.c.batchID == batch, signed, await self._database.now(connection))

    async def cancel_request(self, request: int, by: str) -> None:
        """Cancel all open batches of a request. Raises UsageError if none is left."""
        signed, which = self._signed(by), (Tables.batch.c.requestID == request) & self._seen
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            await require_request(connection, request, self._seen)
            if not await cancel(connection, which, signed, await self._database.now(connection)):
                raise UsageError(f"Request {request} has no batch left to cancel", "See: resync-tui history")

    async def alert_unclaimed(self) -> list[int]:
        """Post alerts for requests that no live agent serves, as agents do; for a console, as none may be alive.

        Returns their numbers; none for a user without Write.
        """
        return await alert_unclaimed(self._database) if self.rights.write else []

    async def agents(self) -> list[Agent]:
        """Return the agents that are or recently were at work, those alive first."""
        async with self._database.read() as connection:
            return await agents(connection, self._database, await self._database.now(connection))

    def _of_seen(self, table: Table) -> ColumnElement[bool]:
        return visible_rows(self._database.edition, table)

    async def wait(self, seconds: float) -> bool:
        """Wait until a screen may show something else, at most for these seconds; return whether it may."""
        return await self._database.wait(seconds)

    async def changes(self) -> int:
        """Return the change counter; it grows with every change of what a screen shows."""
        async with self._database.read() as connection:
            return await changes(connection)

    async def present(self) -> Present:
        """Return what all screens show: open batches without their objects, agents and unread alerts."""
        async with self._database.read() as connection:
            return await present(connection, self._database)
