"""What the screens ask the control database; control.store.Store answers it, and a fake in memory for their tests."""

from collections.abc import Iterable, Mapping, Sequence
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
        """What this session's user may do."""
        ...

    @property
    def alerts(self) -> Alerts:
        """This user's Process Alerts."""
        ...

    async def submit(self, request: Request) -> list[Batch]:
        """Queue one request: a batch for each district."""
        ...

    async def retry_failed(self, request: int, by: str) -> list[Batch]:
        """Ask anew for the batches of a request that failed."""
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
        """Return batches, newest first; without `objects` those that have ended have their sums only."""
        ...

    async def board(self, year: int, districts: Sequence[str] | None = None) -> list[DistrictStanding]:
        """Return where districts stand in a school year."""
        ...

    async def last_resyncs(self, district: str, year: int) -> Mapping[str, LastResync]:
        """Return the newest result of each object that has one."""
        ...

    async def last_verified(self, district: str, year: int) -> Mapping[str, LastResync]:
        """Return the newest comparison of each object that has one."""
        ...

    async def error_groups(self, batch: int, object: str | None = None) -> list[ErrorGroup]:
        """Return how many records did not go in, by object and reason."""
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
        """Return records that did not go in, by their keys."""
        ...

    async def finding_groups(self, batch: int) -> list[FindingGroup]:
        """Return how many records are not the same at both ends, by object and finding."""
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
        """Return records that are not the same at both ends, by their keys."""
        ...

    async def cancel(self, batch: int, by: str) -> None:
        """Cancel a batch, at once or at its next chunk."""
        ...

    async def changes(self) -> int:
        """Return a number that grows whenever something that a screen shows has changed."""
        ...

    async def present(self) -> Present:
        """Return what all screens show, as of one moment."""
        ...

    async def close(self) -> None:
        """Let the database go."""
        ...
