"""What screens and commands ask of the control database; only frozen views come out.

Every method is one transaction; it raises CannotRun where the database cannot be reached or written.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.clock import Clock
from resync_tui.control import records
from resync_tui.control.access import visible_batches, visible_rows
from resync_tui.control.alerts import Alerts, alert_unclaimed
from resync_tui.control.batches import last_results, list_batches, no_batch, one_batch, select_batches
from resync_tui.control.connection import ControlDatabase, lock_queue
from resync_tui.control.grants import check_grants
from resync_tui.control.models import Tables
from resync_tui.control.overview import agents, board, changes, present
from resync_tui.control.requests import cancel, failed_of, queue_request
from resync_tui.databases.registry import dialect_of
from resync_tui.errors import ConfigError, NoRight, UsageError
from resync_tui.outcome import Finding, Kind, Purpose, Status
from resync_tui.plan import Allowed, Request
from resync_tui.results import (
    Agent,
    Batch,
    DistrictStanding,
    ErrorGroup,
    ErrorRecord,
    FindingGroup,
    FindingRecord,
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
        """Open the control database, made or brought up to date where needed.

        From a district's edition what the state asked for is not there, and whoever asks or cancels is this session's
        user, whatever name is given. Times come from `clock`, by default from the database server, which all agents
        share. Raises CannotRun, NoRight (a SQLite file of another user, a role without Read) or ConfigError.
        `allowed` is asked before anything is queued.
        """
        return cls(await ControlDatabase.open(url, clock, edition=edition), allowed)

    @property
    def rights(self) -> Rights:
        """What this session's user may do here."""
        return self._database.rights

    async def doubtful_rights(self, read: Sequence[str], write: Sequence[str]) -> list[ConfigError]:
        """Return what [rights] cannot mean: unknown roles, Write without Read; nothing counts there on SQLite."""
        if dialect_of(self._database.url) == "sqlite":
            return []
        async with self._database.read() as connection:
            return await check_grants(connection, read=read, write=write)

    def _signed(self, name: str) -> str:
        """Return who acts: of an edition the session's user; an agent also acts for its schedules."""
        self.rights.require_write()
        return name if self._database.edition is None else self.rights.user

    async def close(self) -> None:
        """Close its connections; nothing else may be called afterwards."""
        await self._database.close()

    async def submit(self, request: Request) -> list[Batch]:
        """Queue one request, a batch a district in the given order. Raises NoRight, UsageError."""
        signed, edition = self._signed(request.requested_by), self._database.edition
        if edition is not None and not edition.sends(request.initiator, request.districts):
            raise NoRight(f"This is the console of {edition}: it sends for nobody else", "Use the state's console.")
        async with self._database.write() as connection:
            return await self._queue(connection, replace(request, requested_by=signed))

    async def retry_failed(self, request: int, by: str) -> list[Batch]:
        """Ask anew for those batches of a request that failed, as one request. Raises UsageError where none did.

        Where all of them have been asked for again already, and that is queued or runs, return those batches.
        """
        signed = self._signed(by)
        async with self._database.write() as connection:
            # Read under the queue lock; a request that is refused takes no number.
            await lock_queue(connection, changes=0)
            again = await failed_of(connection, request, self._seen)
            if again.request.districts:
                return await self._queue(connection, replace(again.request, requested_by=signed))
            return await list_batches(connection, select_batches().where(Tables.batch.c.batchID.in_(again.open_ones)))

    async def _queue(self, connection: AsyncConnection, request: Request) -> list[Batch]:
        if self._allowed is not None:
            self._allowed(request.districts, request.plan)
        gate = await lock_queue(connection, changes=1, requests=1)
        now = await self._database.now(connection)
        return await queue_request(connection, gate.lastRequest, request, now)

    async def batch(self, number: int) -> Batch:
        """Return one batch with its objects. Raises UsageError where there is none of that number."""
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

        Without `objects`, for long lists, only those that run have theirs, and the others their sums.
        """
        batch = Tables.batch
        wanted = select_batches().where(self._seen)
        if district is not None:
            wanted = wanted.where(batch.c.districtNumber == district)
        if request is not None:
            wanted = wanted.where(batch.c.requestID == request)
        async with self._database.read() as connection:
            return await list_batches(connection, wanted, newest_first=True, limit=limit, objects=objects)

    async def request(self, number: int) -> list[Batch]:
        """Return a request's batches in its order, without the objects of those that do not run.

        Raises UsageError where there is none of that number.
        """
        wanted = select_batches().where(Tables.batch.c.requestID == number, self._seen)
        async with self._database.read() as connection:
            found = await list_batches(connection, wanted, objects=False)
        if not found:
            raise UsageError(f"There is no request {number}", "See: resync-tui history")
        return found

    async def board(self, year: int, districts: Sequence[str] | None = None) -> list[DistrictStanding]:
        """Return where districts stand in a school year, in their order; None: all that were ever asked."""
        async with self._database.read() as connection:
            return await board(connection, year, districts, self._seen)

    async def last_resyncs(self, district: str, year: int) -> dict[str, LastResync]:
        """Return, per object, its newest resync of a school year that has at least started."""
        async with self._database.read() as connection:
            return await last_results(connection, district, year, Purpose.RESYNC, self._seen)

    async def last_verified(self, district: str, year: int) -> dict[str, LastResync]:
        """Return, per object, its newest comparison of a school year that has at least started."""
        async with self._database.read() as connection:
            return await last_results(connection, district, year, Purpose.VERIFY, self._seen)

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
        """Return the refused records that are kept, in the order in which they were met."""
        async with self._database.read() as connection:
            return await records.errors(
                connection, batch, object, kind, reason, limit, offset, self._of_seen(Tables.error)
            )

    async def finding_groups(self, batch: int) -> list[FindingGroup]:
        """Return exact counts of records not the same at both ends, by object, table and finding."""
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
        """Return the records that are kept of those not the same at both ends, in the order they were met."""
        async with self._database.read() as connection:
            return await records.findings(
                connection, batch, object, finding, limit, offset, self._of_seen(Tables.finding)
            )

    async def cancel(self, batch: int, by: str) -> None:
        """Cancel a queued batch at once, a running one at its next chunk. Raises UsageError where it has ended."""
        signed = self._signed(by)
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            which = (Tables.batch.c.batchID == batch) & self._seen
            status = await connection.scalar(select(Tables.batch.c.status).where(which))
            if status is None:
                raise no_batch(batch)
            if Status(status).ended:
                raise UsageError(f"Batch {batch} has ended already: {status}", "See: resync-tui history")
            await cancel(connection, which, signed, await self._database.now(connection))

    async def cancel_request(self, request: int, by: str) -> None:
        """Cancel all batches of a request that have not ended. Raises UsageError where none is left."""
        signed, which = self._signed(by), (Tables.batch.c.requestID == request) & self._seen
        async with self._database.write() as connection:
            await lock_queue(connection, changes=1)
            if not await cancel(connection, which, signed, await self._database.now(connection)):
                raise UsageError(f"Request {request} has no batch left to cancel", "See: resync-tui history")

    async def alert_unclaimed(self) -> list[int]:
        """Tell of requests that no live agent serves, as agents do; for a console where none may be alive.

        Return their numbers; none for a user without Write.
        """
        return await alert_unclaimed(self._database) if self.rights.write else []

    async def agents(self) -> list[Agent]:
        """Return the agents that are, or lately were, at work; those alive first."""
        async with self._database.read() as connection:
            return await agents(connection, self._database)

    def _of_seen(self, table: Table) -> ColumnElement[bool]:
        return visible_rows(self._database.edition, table)

    async def changes(self) -> int:
        """Return a number that grows whenever something a screen shows has changed."""
        async with self._database.read() as connection:
            return await changes(connection)

    async def present(self) -> Present:
        """Return what all screens show: what is queued or runs, without its objects, agents and unread alerts."""
        async with self._database.read() as connection:
            return await present(connection, self._database)
