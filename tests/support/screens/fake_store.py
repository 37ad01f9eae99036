"""A fake Store in memory: the screens' tests decide what has happened and when."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from anyio import sleep

from resync_tui.catalog import Catalog, load
from resync_tui.config.settings import ControlSettings, DistrictSettings, Settings, StateSettings, YearSettings
from resync_tui.control.access import SCHEDULE
from resync_tui.errors import CannotRun, UsageError
from resync_tui.formatting import ran_for
from resync_tui.outcome import Counts, Finding, Kind, Purpose, Status
from resync_tui.plan import Request
from resync_tui.results import (
    Agent,
    Alert,
    Batch,
    DistrictStanding,
    ErrorGroup,
    ErrorRecord,
    FindingGroup,
    FindingRecord,
    LastCompleted,
    LastResync,
    ObjectResult,
    Present,
    Standing,
)
from resync_tui.rights import Rights

BEGIN = datetime(2025, 11, 20, 14, 2, tzinfo=UTC)
DISTRICTS = (
    DistrictSettings("01", "Abbott", "sqlite:///abbott.db"),
    DistrictSettings("02", "Campus", "sqlite:///campus.db"),
)


def settings(edition: str = "state", districts: Sequence[DistrictSettings] = DISTRICTS) -> Settings:
    """Return the settings of a small state."""
    assert edition in ("state", "district")
    return Settings(
        ControlSettings("sqlite:///control.db"),
        StateSettings("NV", "sqlite:///state.db"),
        YearSettings(2026),
        edition="state" if edition == "state" else "district",
        district=tuple(districts),
    )


def catalog() -> Catalog:
    """Return the objects of Nevada."""
    return load().for_state("NV")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class MemoryStore:
    """Keeps batches in a list; `trouble` makes every call fail, as a lost database does."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.trouble: CannotRun | None = None
        self.closed = False
        self._batches: list[Batch] = []
        self._agents: list[Agent] = []
        self._errors: dict[int, list[ErrorRecord]] = {}
        self._counts: dict[int, dict[ErrorGroup, None]] = {}
        self._findings: dict[int, list[FindingRecord]] = {}
        self._changes = 0
        self.rights = Rights(read=True, write=True, user="jdoe", serve=True)
        self.alerts = MemoryAlerts(self)

    def _answer(self) -> None:
        if self.trouble:
            raise self.trouble

    # What screens ask.

    async def submit(self, request: Request) -> list[Batch]:
        self._answer()
        self.rights.require_write()
        last = max((batch.request for batch in self._batches), default=0)
        planned = request.plan.objects
        objects = tuple(ObjectResult(each.object, each.sequence, Status.QUEUED, Counts()) for each in planned)
        made = [
            Batch(
                request=last + 1,
                batch=len(self._batches) + number,
                district=district,
                year=request.plan.year,
                initiator=request.initiator,
                requested_by=request.requested_by,
                status=Status.QUEUED,
                attempts=0,
                requested=self.clock(),
                objects=objects,
                reason=request.reason,
                purpose=request.purpose,
                preview=request.preview,
                full=request.full,
            )
            for number, district in enumerate(request.districts, 1)
        ]
        self._batches += made
        self._changes += 1
        return made

    async def batch(self, number: int) -> Batch:
        self._answer()
        if not 0 < number <= len(self._batches):
            raise UsageError(f"There is no batch #{number}", "See: resync-tui history")
        return self._batches[number - 1]

    async def batches(
        self,
        *,
        district: str | None = None,
        request: int | None = None,
        limit: int | None = None,
        objects: bool = True,
    ) -> list[Batch]:
        self._answer()
        found = [
            batch
            for batch in reversed(self._batches)
            if (district is None or batch.district == district) and (request is None or batch.request == request)
        ]
        return [each if objects or not each.status.ended else _summed(each) for each in found[:limit]]

    async def retry(self, batch: int, by: str, object: str | None = None) -> list[Batch]:
        self._answer()
        return self._retry([await self.batch(batch)], by, object)

    async def retry_request(self, request: int, by: str, districts: Sequence[str] | None = None) -> list[Batch]:
        self._answer()
        mine = [each for each in self._batches if each.request == request]
        return self._retry([each for each in mine if districts is None or each.district in districts], by)

    def _retry(self, batches: Sequence[Batch], by: str, only: str | None = None) -> list[Batch]:
        """Ask again for what failed of these, unless something open does."""
        number, made = max(batch.request for batch in self._batches) + 1, list[Batch]()
        for batch in batches:
            names = batch.to_retry & ({only} if only else batch.to_retry)
            later = [each for each in self._batches[batch.batch :] if each.district == batch.district]
            there = [each for each in later if not each.status.ended and names <= {o.object for o in each.objects}]
            if there:
                return there
            objects = [ObjectResult(o.object, o.sequence, Status.QUEUED, Counts()) for o in batch.objects]
            kept = {"district": batch.district, "year": batch.year, "initiator": batch.initiator}
            kept |= {"purpose": batch.purpose, "preview": batch.preview, "requested": self.clock()}
            again = Batch(
                request=number,
                batch=len(self._batches) + 1,
                requested_by=by,
                status=Status.QUEUED,
                attempts=0,
                objects=tuple(each for each in objects if each.object in names),
                **kept,  # type: ignore[arg-type]
            )
            made.append(again)
            self._batches.append(again)
        self._changes += 1
        return made

    async def newest_batch(self, districts: Collection[str]) -> Batch | None:
        self._answer()
        return next((_summed(each) for each in reversed(self._batches) if each.district in districts), None)

    async def last_scheduled(self, edition: str) -> dict[str, Batch]:
        self._answer()
        mine = [each for each in self._batches if each.initiator == edition]
        return {name: each for each in mine if (name := each.requested_by.removeprefix(SCHEDULE)) != each.requested_by}

    async def board(self, year: int, districts: Sequence[str] | None = None) -> list[DistrictStanding]:
        self._answer()
        found = []
        for district in districts or sorted({batch.district for batch in self._batches}):
            mine = [b for b in self._batches if b.district == district and b.year == year]
            mine = [b for b in mine if b.purpose is Purpose.RESYNC and b.status is not Status.CANCELLED]
            full = next((b for b in reversed(mine) if b.full and b.status is Status.COMPLETED), None)
            since: dict[str, Any] = {}
            if full:
                since = {"last_full": full.started, "last_full_batch": full.batch, "last_full_color": full.color}
            standing, about = Standing.NOT_YET, {}
            if mine:
                last = mine[-1]
                standing = last.standing
                about = {"batch": last.batch, "request": last.request, "requested": last.requested}
                about |= {"processed": last.counts.processed}
                about |= {"errors": last.counts.errors, "color": last.color, "message": last.message}
            found.append(DistrictStanding(district, standing, **since, **about))  # type: ignore[arg-type]
        return found

    async def last_resyncs(self, district: str, year: int) -> Mapping[str, LastResync]:
        return self._last(district, year, Purpose.RESYNC)

    async def last_verified(self, district: str, year: int) -> Mapping[str, LastResync]:
        return self._last(district, year, Purpose.VERIFY)

    async def last_completed(self, district: str, year: int) -> LastCompleted:
        runs: dict[tuple[Purpose, bool], dict[str, LastResync]] = {}
        for batch in self._batches:
            if batch.district == district and batch.year == year:
                kind = runs.setdefault((batch.purpose, batch.full), {})
                done = [each for each in batch.objects if each.status is Status.COMPLETED]
                kind.update({each.object: LastResync(batch.batch, each) for each in done})
        ended = [each for each in self._batches if each.finished]
        return LastCompleted(runs, {each.batch: ran_for(each.started, each.finished, self.clock()) for each in ended})

    async def last_resyncs_of(self, districts: Sequence[str], year: int) -> Mapping[str, Mapping[str, LastResync]]:
        return {each: self._last(each, year, Purpose.RESYNC) for each in districts}

    def _last(self, district: str, year: int, purpose: Purpose) -> Mapping[str, LastResync]:
        self._answer()
        return {
            result.object: LastResync(batch.batch, result)
            for batch in self._batches
            if batch.district == district and batch.year == year and batch.purpose is purpose
            for result in batch.objects
            if result.started is not None
        }

    async def error_groups(self, batch: int, object: str | None = None) -> list[ErrorGroup]:
        self._answer()
        return [group for group in self._counts.get(batch, {}) if object in (None, group.object)]

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
        self._answer()
        wanted = [
            record
            for record in self._errors.get(batch, [])
            if object in (None, record.object) and kind in (None, record.kind) and reason in (None, record.reason)
        ]
        return wanted[offset:][:limit]

    async def finding_groups(self, batch: int) -> list[FindingGroup]:
        self._answer()
        records = self._findings.get(batch, [])
        kinds = dict.fromkeys((each.object, each.table, each.finding) for each in records)
        return [
            FindingGroup(*kind, sum((each.object, each.table, each.finding) == kind for each in records))
            for kind in kinds
        ]

    async def findings(
        self,
        batch: int,
        *,
        object: str | None = None,
        finding: Finding | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FindingRecord]:
        self._answer()
        wanted = [
            record
            for record in self._findings.get(batch, [])
            if object in (None, record.object) and finding in (None, record.finding)
        ]
        return wanted[offset:][:limit]

    async def cancel(self, batch: int, by: str) -> None:
        self._answer()
        number = batch
        before = await self.batch(number)
        if before.status is Status.QUEUED:
            self._put(replace(before, status=Status.CANCELLED, cancelled_by=by, finished=self.clock()))
        else:
            self._put(replace(before, cancel_requested=True, cancelled_by=by))

    async def wait(self, seconds: float) -> bool:
        await sleep(seconds)
        return False

    async def changes(self) -> int:
        self._answer()
        return self._changes

    async def present(self) -> Present:
        self._answer()
        active = tuple(replace(each, objects=()) for each in reversed(self._batches) if not each.status.ended)
        return Present(self._changes, active, tuple(self._agents), self.alerts.unread, self.clock())

    async def close(self) -> None:
        self.closed = True

    # What an agent would do.

    def _put(self, batch: Batch) -> None:
        self._batches[batch.batch - 1] = batch
        self._changes += 1

    def claim(self, number: int) -> None:
        """An agent takes a batch."""
        agent = Agent("app01", 4711, self.clock(), self.clock(), alive=True, running=(number,))
        self._agents = [agent]
        batch = self._batches[number - 1]
        self._put(
            replace(
                batch,
                status=Status.RUNNING,
                attempts=batch.attempts + 1,
                started=self.clock(),
                agent="app01:4711",
                agent_seen=self.clock(),
            )
        )

    def heartbeat(self) -> None:
        """The agent is heard of."""
        self._agents = [replace(each, seen=self.clock(), alive=True) for each in self._agents]
        self._changes += 1

    def falls_silent(self) -> None:
        """The agent's lease lapses; nobody writes anything, so nothing has changed."""
        self._agents = [replace(each, alive=False) for each in self._agents]

    def moves(self, number: int, object: str, read: int, total: int, counts: Counts, phase: str = "merging") -> None:
        """An object gets on."""
        self._set(number, object, status=Status.RUNNING, read=read, total=total, counts=counts, phase=phase)

    def ends(self, number: int, object: str, counts: Counts, status: Status = Status.COMPLETED, text: str = "") -> None:
        """An object is through."""
        total = counts.processed
        self._set(
            number,
            object,
            status=status,
            read=total,
            total=total,
            counts=counts,
            phase="",
            finished=self.clock(),
            message=text,
        )

    def refuses(self, number: int, group: ErrorGroup, records: Sequence[ErrorRecord]) -> None:
        """Records do not go in."""
        self._counts.setdefault(number, {})[group] = None
        self._errors.setdefault(number, []).extend(records)

    def finds(self, number: int, object: str, finding: Finding, *keys: int) -> None:
        """Records are not the same at both ends."""
        self._findings.setdefault(number, []).extend(
            FindingRecord(object, object, finding, {f"{object}ID": key}) for key in keys
        )

    def finishes(self, number: int, status: Status = Status.COMPLETED, message: str = "") -> None:
        """A batch is through."""
        self._put(replace(self._batches[number - 1], status=status, finished=self.clock(), message=message))

    def _set(self, number: int, object: str, **known: object) -> None:
        batch = self._batches[number - 1]
        objects = tuple(
            replace(each, started=each.started or self.clock(), **known) if each.object == object else each  # type: ignore[arg-type]
            for each in batch.objects
        )
        self._put(replace(batch, objects=objects))


def _summed(batch: Batch) -> Batch:
    return replace(batch, objects=(), sums=batch.counts, dot=batch.color)


class MemoryAlerts:
    """Process Alerts in a list."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._alerts: list[Alert] = []

    def post(
        self,
        name: str,
        process: str = "Vertical Interoperability",
        *,
        due: datetime | None = None,
        request: int | None = None,
        batch: int | None = None,
    ) -> None:
        """Something has happened."""
        number = len(self._alerts) + 1
        at, message = self._store.clock(), f"{name}: see the board."
        self._alerts.append(Alert(number, process, name, message, at, due, None, request, batch, False))
        self._store._changes += 1

    async def posted(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        process: str | None = None,
        unread: bool = False,
    ) -> list[Alert]:
        self._store._answer()
        return [
            each
            for each in reversed(self._alerts)
            if (since is None or each.posted >= since)
            and (until is None or each.posted < until)
            and process in (None, each.process)
            and not (unread and each.read)
        ]

    @property
    def unread(self) -> int:
        return sum(not each.read for each in self._alerts)

    async def mark_read(self, alerts: Iterable[int]) -> None:
        wanted = set(alerts)
        self._alerts = [replace(each, read=each.read or each.alert in wanted) for each in self._alerts]

    async def delete(self, alerts: Iterable[int]) -> None:
        wanted = set(alerts)
        self._alerts = [each for each in self._alerts if each.alert not in wanted]
