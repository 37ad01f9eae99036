"""The session that all screens share: user, district, school year, and the control database."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, TypeVar

from anyio import to_thread

from resync_tui.catalog import Catalog
from resync_tui.clock import Clock, CorrectedClock, utc_now
from resync_tui.config.load import catalog_of_year
from resync_tui.config.school_years import require_plan, require_year
from resync_tui.config.settings import DistrictSettings, Settings
from resync_tui.control.protocol import Store
from resync_tui.errors import CannotRun, NoRight, ResyncError
from resync_tui.outcome import Purpose, Status
from resync_tui.plan import Plan, Request
from resync_tui.results import Agent, Batch

__all__ = ["Session", "Store"]

T = TypeVar("T")

CLOSE_SECONDS = 2
"""Seconds that quitting waits for the control database."""

READ_AGAIN = timedelta(seconds=2)
READ_IDLE = timedelta(seconds=15)
"""Intervals of readings without a change, as an agent may fall silent: while a batch waits or runs, and otherwise."""


class Session:
    """The chosen district and year, and the running batches; reads the control database after its changes."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        *,
        open_store: Callable[[], Awaitable[Store]],
        start_agent: Callable[[], str | None],
        may_start: Callable[[], bool] = lambda: False,
        user: str,
        district: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """`start_agent` returns None if an agent is alive or was started, else the line that says how to start one."""
        self.settings = settings
        self.catalog = catalog
        """Objects to list; in another than the current year only those configured for it."""
        self.user = user
        """Who is asking: the process' user until the control database is open, then whom that knows: a role."""
        self.now = CorrectedClock(clock)
        """Time by the control database's clock, by which all times are told that it holds."""
        self._current_catalog = catalog
        self._open_store = open_store
        self._start_agent = start_agent
        self._may_start = may_start
        self.started_agent: datetime | None = None
        """When this console last started an agent by its key."""
        self._store: Store | None = None
        self._asking: set[asyncio.Future[Any]] = set()
        self._tried = asyncio.Event()
        self._seen = -1
        self._read_at: datetime | None = None
        self.trouble: ResyncError | None = None
        """Last error of the control database; None: it answered."""
        self.agent_line = ""
        """How to start an agent, if none could be started."""
        self.district = district or (self.districts[0].id if self.districts else "")
        self.picked: tuple[str, ...] = (self.district,)
        """Districts of a request; the one whose results are listed is among them."""
        self.year = settings.years.current
        self.active: tuple[Batch, ...] = ()
        self.unread = 0
        """Number of Process Alerts unread by this user."""
        self.agents: tuple[Agent, ...] = ()
        self.sent: list[int] = []
        """Batches sent by this session."""

    @property
    def districts(self) -> tuple[DistrictSettings, ...]:
        """The configured districts."""
        return self.settings.district

    @property
    def state_edition(self) -> bool:
        """Whether this is the state's console rather than a district's."""
        return self.settings.edition == "state"

    @property
    def send_words(self) -> str:
        """The documented name of sending in this edition."""
        return "Request Resync" if self.state_edition else "Send Resync"

    @property
    def edition_words(self) -> str:
        """The documented name of this edition."""
        if not self.state_edition:
            return "District Edition"
        return "Regional Edition" if self.settings.state.kind == "regional" else "State Edition"

    @property
    def receiver(self) -> str:
        """The receiver of the records: the state, or the region."""
        return self.settings.state.word

    @property
    def may_write(self) -> bool:
        """True if this user has Write, or the control database is not open yet."""
        return self._store is None or self._store.rights.write

    @property
    def why_not(self) -> str:
        """The reason why this user may not mark, send or cancel; empty if allowed."""
        if self._store is None:
            return ""
        try:
            self._store.rights.require_write()
        except NoRight as error:
            return f"{error.what}. {error.do}"
        return ""

    async def store(self) -> Store:
        """Return the control database, after the first attempt to open it. Raises ResyncError if that failed."""
        await self._tried.wait()
        if self._store is None:
            raise self.trouble or CannotRun("The control database is not open", "Try again in a moment.")
        return self._store

    @property
    def ready(self) -> bool:
        """Whether the control database has answered."""
        return self._store is not None and self.trouble is None

    def district_name(self, number: str) -> str:
        """Format a district with its name: Abbott (01)."""
        return next((f"{each.name} ({each.id})" for each in self.districts if each.id == number), number)

    @property
    def years(self) -> tuple[int, ...]:
        """The school years for which the listed district is configured."""
        district = next((each for each in self.districts if each.id == self.district), None)
        current = self.settings.years.current
        before = (current - 1,) if district and district.previous else ()
        return (*before, current, *((current + 1,) if district and district.next else ()))

    def choose(self, district: str, picked: Sequence[str]) -> None:
        """Set the listed district, and the districts of a request.

        A single district that is not configured for the year is listed in the current one. Raises UsageError, without
        any change, if one of several is not.
        """
        if len(picked) > 1:
            require_year(self.settings, picked, self.year)
        self.district = district
        self.picked = tuple(picked)
        self.choose_year(self.year if self.year in self.years else self.settings.years.current)

    def choose_year(self, year: int) -> None:
        """Set the school year. Raises UsageError if a picked district is not configured for it."""
        require_year(self.settings, self.picked, year)
        self.catalog = self.catalog_of(self.district, year)
        self.year = year

    async def shielded(self, asking: Coroutine[Any, Any, T]) -> T:
        """Await a query to its end even if the caller is cancelled; drivers hang when a call is cancelled."""
        task = asyncio.ensure_future(asking)
        self._asking.add(task)
        task.add_done_callback(self._answered)
        return await asyncio.shield(task)

    def _answered(self, task: "asyncio.Future[Any]") -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()

    async def poll(self) -> bool:
        """Open the control database if needed, and return whether there is something new to read."""
        # A page that waits for the first answer reads after it anyway.
        awaited = not self._tried.is_set()
        try:
            if self._store is None:
                # Compiling and running SQLAlchemy takes long; in a thread, so that keys are answered meanwhile.
                await to_thread.run_sync(import_module, "resync_tui.control.store")
                self._store = await self._open_store()
                self.user = self._store.rights.user
            at = self.now.own()
            if self._is_due(at) or await self._store.changes() != self._seen:
                present = await self._store.present()
                self.active, self.agents, self.unread = present.active, present.agents, present.unread
                self._seen, self._read_at, self.trouble = present.changes, at, None
                self.now.correct(present.now)
                return not awaited
        except ResyncError as error:
            new = self.trouble is None or self.trouble.what != error.what
            self.trouble = error
            return new
        finally:
            self._tried.set()
        return False

    async def wait(self, seconds: float) -> None:
        """Wait until a screen may show something else, at most for these seconds."""
        if self._store is None:
            await asyncio.sleep(seconds)
        else:
            await self._store.wait(seconds)

    @property
    def as_of(self) -> datetime | None:
        """Time of the last reading of the control database; None before the first."""
        return self._read_at

    def _is_due(self, at: datetime) -> bool:
        """Whether to read without a change: at first, after trouble, and periodically while a batch runs."""
        if self._read_at is None or self.trouble is not None:
            return True
        if self.active:
            return at - self._read_at >= READ_AGAIN
        return any(agent.alive for agent in self.agents) and at - self._read_at >= READ_IDLE

    async def send(
        self,
        plan: Plan,
        districts: Sequence[str],
        purpose: Purpose = Purpose.RESYNC,
        reason: str = "",
        preview: int | None = None,
    ) -> list[Batch]:
        """Queue what was confirmed, and ensure an agent."""
        store = await self.store()
        full = self._is_full(plan, districts)
        asks = self.settings.edition, self.user, purpose, reason
        return await self._sent(await store.submit(Request(districts, plan, *asks, full=full, preview=preview)))

    def require(self, districts: Sequence[str], plan: Plan) -> None:
        """Require that districts are configured for a plan. Raises UsageError naming the others."""
        require_plan(self.settings, districts, plan)

    def _is_full(self, plan: Plan, districts: Sequence[str]) -> bool:
        """Whether a plan has all objects of its year."""
        catalog = self.catalog_of(districts[0], plan.year)
        return set(plan.names) >= {each.name for each in catalog.objects}

    def catalog_of(self, district: str, year: int) -> Catalog:
        """Return the objects of a district's school year. Raises UsageError if it is not configured for it."""
        if year == self.settings.years.current:
            return self._current_catalog
        return catalog_of_year(self.settings, district, year)

    async def retry(self, batch: int, object: str | None = None) -> list[Batch]:
        """Request again what of a batch, or of one object of it, is to be retried; ensure an agent."""
        store = await self.store()
        return await self._sent(await store.retry(batch, self.user, object))

    async def retry_request(self, request: int, districts: Sequence[str]) -> list[Batch]:
        """Request again what of some districts of a request is to be retried; ensure an agent."""
        store = await self.store()
        return await self._sent(await store.retry_request(request, self.user, districts))

    async def _sent(self, batches: list[Batch]) -> list[Batch]:
        """Remember the queued batches, and ensure an agent."""
        self.sent += [each.batch for each in batches]
        store = await self.store()
        served = any(agent.alive for agent in (await store.present()).agents)
        self.agent_line = "" if served else await to_thread.run_sync(lambda: self._start_agent() or "")
        return batches

    @property
    def may_start_agent(self) -> bool:
        """Whether an agent started here could serve: by this login's rights, and by the secrets of this host."""
        return self.may_serve and self._may_start()

    def start_agent(self) -> Coroutine[Any, Any, None]:
        """Note that an agent is being started, and return what starts it, unless one is alive by now."""
        self.started_agent = self.now()
        return self._start()

    async def _start(self) -> None:
        self.agent_line = await to_thread.run_sync(lambda: self._start_agent() or "")

    async def cancel(self, batch: int) -> None:
        """Cancel a batch, at once or at its next chunk."""
        store = await self.store()
        await store.cancel(batch, self.user)

    async def of_request(self, request: int) -> list[Batch]:
        """Return a request's batches; ended ones without their objects."""
        store = await self.store()
        return await store.batches(request=request, objects=False)

    async def newest_batch(self) -> Batch | None:
        """Return the newest batch of the picked districts, one that runs first."""
        if (running := self.running_batch(self.picked)) is not None:
            return running
        store = await self.store()
        return await store.newest_batch(self.picked)

    def running_batch(self, districts: Collection[str] | None = None) -> Batch | None:
        """Return the newest batch that runs, of these districts or of all."""
        running = (each for each in self.active if each.status is Status.RUNNING)
        return next((each for each in running if districts is None or each.district in districts), None)

    def agent_of(self, batch: Batch) -> Agent | None:
        """Return the agent that runs a batch or ran it last, if it is still listed."""
        return next((each for each in self.agents if f"{each.host}:{each.pid}" == batch.agent), None)

    def silent(self, batch: Batch) -> bool:
        """Whether the agent of a running batch is silent."""
        agent = self.agent_of(batch)
        return batch.status is Status.RUNNING and (agent is None or not agent.alive)

    @property
    def may_serve(self) -> bool:
        """Whether an agent may run under this login: on PostgreSQL not under a user's role."""
        return self._store is None or self._store.rights.serve

    @property
    def start_words(self) -> str:
        """The command that starts an agent; if this login may not, with the control database's owner."""
        if not self.may_serve:
            return "resync-tui agent"
        return self.agent_line or f"resync-tui agent --config {self.settings.path}"

    async def close(self) -> None:
        """Close the control database after the answers still open; a hanging one is not waited for."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=CLOSE_SECONDS)
        if self._store is not None:
            await self._store.close()
