"""Process Alerts: messages to the users of a district or of the state, also about requests that no agent claims.

An alert reports an event, never objects or records, as district users read it too. Each user has their own read and
deleted flags.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.access import visible_batches
from resync_tui.control.batches import select_agents
from resync_tui.control.connection import ControlDatabase, lock_queue
from resync_tui.control.models import DISBatch, ProcessAlert, Tables
from resync_tui.control.progress import clip
from resync_tui.control.rows import insert_of, instance_of, values_of
from resync_tui.outcome import Status
from resync_tui.results import Alert
from resync_tui.rights import Edition, Rights

VERTICAL = "Vertical Interoperability"
"""The process, or category, of all these messages."""
REQUESTED = "State Resync Requested"
REFUSED = "Resync Request Refused"

_alert, _user = Tables.alert, Tables.alert_user


_POST = Tables.alert.insert().inline()
"""Inline, without RETURNING its number: the poster may have no right to read another side's alert."""


async def post(connection: AsyncConnection, alert: ProcessAlert) -> None:
    """Post an alert within the caller's transaction; its message is clipped."""
    await connection.execute(_POST, _posted(alert))


def _posted(alert: ProcessAlert) -> dict[str, Any]:
    """Return the values of a new alert; who posts it is written by the database alone."""
    values = {**values_of(alert), "message": clip(alert.message)}
    del values["postedBy"]
    return values


async def announce(
    connection: AsyncConnection, districts: Collection[str], *, request: int, due: datetime | None, now: datetime
) -> None:
    """Alert each district, and the state's users, to a request by the state, without its objects.

    `due` is when it is to begin; None: at once, with an empty Due Date.
    """
    whom = f"district {next(iter(districts))}" if len(districts) == 1 else f"{len(districts)} districts"
    of_state = ProcessAlert(
        process=VERTICAL,
        name=REQUESTED,
        message=f"A resync of {whom} was requested.",
        postedAt=now,
        dueAt=due,
        audience="state",
        requestID=request,
    )
    of_district = {
        **_posted(of_state),
        "audience": "district",
        "message": "The state has requested a resync of this district. It runs by itself and cannot be stopped here.",
    }
    await connection.execute(_POST, [{**of_district, "districtNumber": each} for each in districts])
    await post(connection, of_state)


async def refused(
    connection: AsyncConnection, district: str | None, *, request: int, batch: int, message: str, now: datetime
) -> None:
    """Alert the requesting side of a batch that an agent refused to run it; `district` None: the state."""
    alert = ProcessAlert(
        process=VERTICAL,
        name=REFUSED,
        message=message,
        postedAt=now,
        audience="state" if district is None else "district",
        districtNumber=district,
        requestID=request,
        batchID=batch,
    )
    await post(connection, alert)


class Alerts:
    """One user's alerts; each method is one transaction."""

    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    async def posted(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        process: str | None = None,
        unread: bool = False,
    ) -> list[Alert]:
        """Return the alerts posted from `since` to before `until`, newest first, without those deleted by this user."""
        wanted = _select(self._edition, self._rights)
        for condition in (
            None if since is None else _alert.c.postedAt >= since,
            None if until is None else _alert.c.postedAt < until,
            None if process is None else _alert.c.process == process,
            _not(_user.c.isRead) if unread else None,
        ):
            if condition is not None:
                wanted = wanted.where(condition)
        wanted = wanted.order_by(_alert.c.postedAt.desc(), _alert.c.alertID.desc())
        async with self._database.read() as connection:
            return [_view(row, self._edition) for row in (await connection.execute(wanted)).all()]

    async def mark_read(self, alerts: Iterable[int]) -> None:
        """Mark alerts as read by this user; other users' alerts are left alone."""
        await self._mark(alerts, {"isRead": True})

    async def delete(self, alerts: Iterable[int]) -> None:
        """Delete alerts from this user's list; other users keep theirs."""
        await self._mark(alerts, {"isRead": True, "isDeleted": True})

    async def _mark(self, alerts: Iterable[int], values: dict[str, bool]) -> None:
        wanted = _select(self._edition, self._rights).where(_alert.c.alertID.in_(list(alerts)))
        async with self._database.write() as connection:
            mine = [row.alertID for row in await connection.execute(wanted)]
            if mine:
                adding = insert_of(connection)(_user).on_conflict_do_update(
                    index_elements=list(_user.primary_key), set_=values
                )
                blank = {"userName": self._rights.user, "isRead": False, "isDeleted": False}
                await connection.execute(adding, [{**blank, **values, "alertID": each} for each in mine])

    @property
    def _edition(self) -> Edition | None:
        return self._database.edition

    @property
    def _rights(self) -> Rights:
        return self._database.rights


async def count_unread(connection: AsyncConnection, database: ControlDatabase) -> int:
    """Return the number of alerts unread by this session's user."""
    mine = _select(database.edition, database.rights).where(_not(_user.c.isRead)).subquery()
    return int(await connection.scalar(select(func.count()).select_from(mine)) or 0)


def _select(edition: Edition | None, rights: Rights) -> Select[Any]:
    """Select the alerts for this user in an edition; the numbers of a hidden batch and request are left out."""
    mark = and_(_user.c.alertID == _alert.c.alertID, _user.c.userName == rights.user)
    seen = visible_batches(edition)
    batch = and_(Tables.batch.c.batchID == _alert.c.batchID, seen)
    of_request = select(func.min(Tables.batch.c.requestID)).where(Tables.batch.c.requestID == _alert.c.requestID, seen)
    request = of_request.correlate(_alert).scalar_subquery().label("requestID")
    columns = [each for each in _alert.c if each.name not in ("batchID", "requestID")]
    return (
        select(*columns, Tables.batch.c.batchID, request, func.coalesce(_user.c.isRead, False).label("isRead"))
        .select_from(_alert.outerjoin(_user, mark).outerjoin(Tables.batch, batch))
        .where(_not(_user.c.isDeleted), or_(_alert.c.recipient.is_(None), _alert.c.recipient == rights.user))
        .where(_for(edition))
    )


def _for(edition: Edition | None) -> ColumnElement[bool]:
    if edition is None:
        return true()
    if edition.own_only:
        return and_(_alert.c.audience == "district", _alert.c.districtNumber == edition.district)
    return _alert.c.audience == "state"


def _not(flag: ColumnElement[bool]) -> ColumnElement[bool]:
    return func.coalesce(flag, False).is_(False)


def _view(row: Row[Any], edition: Edition | None) -> Alert:
    message = f"{row.message} Posted by {row.postedBy}." if row.postedBy else row.message
    return Alert(
        alert=row.alertID,
        process=row.process,
        name=row.name,
        message=edition.says(message) if edition and row.process == VERTICAL else message,
        posted=row.postedAt,
        due=row.dueAt,
        district=row.districtNumber,
        request=row.requestID,
        batch=row.batchID,
        read=bool(row.isRead),
    )


UNCLAIMED = "Resync Not Started"
PATIENCE = timedelta(minutes=10)
"""Wait of a due batch for an agent before it counts as unclaimed."""

_NAMED = 10
"""Districts named in the alert."""


async def alert_unclaimed(database: ControlDatabase) -> list[int]:
    """Post an alert for each unclaimed request without one; return the requests' numbers."""
    async with database.read() as connection:
        if not await _unclaimed(connection, database.rights, await database.now(connection)):
            return []
    async with database.write() as connection:
        await lock_queue(connection, changes=1)
        now = await database.now(connection)
        rows = await _unclaimed(connection, database.rights, now)
        for request, batches in groupby(rows, key=lambda row: int(row.requestID)):
            await _tell(connection, request, list(batches), now)
        return sorted({int(row.requestID) for row in rows})


async def _unclaimed(connection: AsyncConnection, rights: Rights, now: datetime) -> list[Row[Any]]:
    batch, alert = Tables.batch, Tables.alert
    told = select(alert.c.requestID).where(alert.c.name == UNCLAIMED, alert.c.requestID.is_not(None))
    waiting = (
        select(batch)
        .where(batch.c.status == Status.QUEUED, batch.c.requestedAt <= now - PATIENCE)
        .where(batch.c.notBefore.is_(None) | (batch.c.notBefore <= now - PATIENCE), batch.c.requestID.not_in(told))
        .order_by(batch.c.requestID, batch.c.batchID)
    )
    rows = (await connection.execute(waiting)).all()
    served: set[str] = set()
    for row in (await connection.execute(select_agents(rights))).all() if rows else ():
        if now - row.seenAt <= timedelta(seconds=row.leaseSeconds):
            served.update(row.districts)
    return [row for row in rows if row.districtNumber not in served]


async def _tell(connection: AsyncConnection, request: int, batches: Sequence[Row[Any]], now: datetime) -> None:
    one = instance_of(DISBatch, batches[0])
    own = one.initiator == "district"
    what = f"Request {request}: {len(batches)} districts wait" if len(batches) > 1 else f"Batch #{one.batchID} waits"
    alert = ProcessAlert(
        process=VERTICAL,
        name=UNCLAIMED,
        message=f"{what}: no agent serves {_named([each.districtNumber for each in batches])}."
        " Start one where their URLs can be read: resync-tui agent",
        postedAt=now,
        audience="district" if own else "state",
        districtNumber=one.districtNumber if own else None,
        requestID=request,
    )
    await post(connection, alert)


def _named(districts: Collection[str]) -> str:
    names = ", ".join(list(districts)[:_NAMED])
    if len(districts) > _NAMED:
        return f"{len(districts)} districts, such as {names}"
    return f"{'district' if len(districts) == 1 else 'districts'} {names}"
