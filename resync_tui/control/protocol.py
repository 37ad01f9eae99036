"""The screens' interface to the control database; implemented by control.store.Store, and by a fake for tests."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from resync_tui.outcome import Finding, Kind
from resync_tui.plan import Request
from resync_tui.results import (
    Alert,
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
from resync_tui.rights import Rights


class Alerts(Protocol):
    """This user's Process Alerts; every call may raise ResyncError."""

    async def posted(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        process: str | None = None,
        unread: bool = False,
    ) -> list[Alert]:
        """Return alerts, newest first."""
        ...

    async def mark_read(self, alerts: Iterable[int]) -> None:
        """Mark alerts as read by this user."""
        ...

    async def delete(self, alerts: Iterable[int]) -> None:
        """Take alerts out of this user's list."""
        ...


class Store(Protocol):
    """Requests, history, errors, agents and alerts; every call may raise ResyncError."""

    @property
    def rights(self) -> Rights:
        """The rights of this session's user."""
        ...

    @property
    def alerts(self) -> Alerts:
        """This user's Process Alerts."""
        ...

    async def submit(self, request: Request) -> list[Batch]:
        """Queue a request, one batch per district."""
        ...

    async def retry(self, batch: int, by: str, object: str | None = None) -> list[Batch]:
        """Request again what of a batch, or of one object of it, is to be retried."""
        ...

    async def retry_request(self, request: int, by: str, districts: Sequence[str] | None = None) -> list[Batch]:
        """Request again what of a request, or of some districts of it, is to be retried."""
        ...

    async def batch(self, number: int) -> Batch:
        """Return one batch."""
        ...

    async def batches(
        self,
        *,
        district: str | None = None,
        request: int | None = None,
        limit: int | None = None,
        objects: bool = True,
    ) -> list[Batch]:
        """Return batches, newest first; without `objects` ended ones have only their sums."""
        ...

    async def newest_batch(self, districts: Collection[str]) -> Batch | None:
        """Return the newest batch of some districts; an ended one has only its sums."""
        ...

    async def last_scheduled(self, edition: str) -> Mapping[str, Batch]:
        """Return the newest batch of each schedule of an edition, by the schedule's name."""
        ...

    async def board(self, year: int, districts: Sequence[str] | None = None) -> list[DistrictStanding]:
        """Return the districts' standings in a school year."""
        ...

    async def last_resyncs(self, district: str, year: int) -> Mapping[str, LastResync]:
        """Return the newest result per object."""
        ...

    async def last_resyncs_of(self, districts: Sequence[str], year: int) -> Mapping[str, Mapping[str, LastResync]]:
        """Return the newest result per district and object."""
        ...

    async def last_verified(self, district: str, year: int) -> Mapping[str, LastResync]:
        """Return the newest comparison per object."""
        ...

    async def last_completed(self, district: str, year: int) -> LastCompleted:
        """Return the newest completed runs per object."""
        ...

    async def error_groups(self, batch: int, object: str | None = None) -> list[ErrorGroup]:
        """Return the number of refused records by object and reason."""
        ...

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
        """Return the keys of refused records."""
        ...

    async def finding_groups(self, batch: int) -> list[FindingGroup]:
        """Return the number of differing records by object and finding."""
        ...

    async def findings(
        self,
        batch: int,
        *,
        object: str | None = None,
        finding: Finding | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FindingRecord]:
        """Return the keys of differing records."""
        ...

    async def cancel(self, batch: int, by: str) -> None:
        """Cancel a batch, at once or at its next chunk."""
        ...

    async def wait(self, seconds: float) -> bool:
        """Wait until a screen may show something else, at most for these seconds; return whether it may."""
        ...

    async def changes(self) -> int:
        """Return the change counter; it grows with every change of what a screen shows."""
        ...

    async def present(self) -> Present:
        """Return what all screens show, in one snapshot."""
        ...

    async def close(self) -> None:
        """Close the database's connections."""
        ...
