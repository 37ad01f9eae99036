"""A batch keeps to its limits: records a second, connections, and how long it waits for a lock."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine import rate_limit
from resync_tui.engine.backends.postgres import session
from resync_tui.engine.events import Event
from resync_tui.engine.job import Limits
from resync_tui.errors import CannotRun, Unreachable
from resync_tui.outcome import Counts, Status
from tests.support.databases import rows, run_script
from tests.support.interruption import MANY, MANY_ROWS, job_of, merging, under_way
from tests.support.running import make_job, run
from tests.support.small import ROWS, SMALL, Database, Pair, every_pair, pair
from tests.support.waiting import until

POSTGRES = ("postgresql", "postgresql")


@dataclass
class Clock:
    """A clock that only waiting moves."""

    now: float = 0.0
    steps: list[float] = field(default_factory=list)

    def current_time(self) -> float:
        """Return the time."""
        return self.now

    async def sleep_until(self, time: float) -> None:
        """Let the time come."""
        self.steps.append(time - self.now)
        self.now = max(self.now, time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which the engine paces itself."""
    clock = Clock()
    monkeypatch.setattr(rate_limit, "anyio", clock)
    return clock


@every_pair
async def test_snapshot_over_its_time_limit_is_dropped_without_a_trace(
    database: Database, ends: tuple[str, str]
) -> None:
    here = await pair(database, ends, MANY_ROWS)
    an_hour_for_all = Limits(max_records_per_second=MANY // 3_600, snapshot_minutes=0.01)
    with pytest.raises(CannotRun, match=r"more than the 0\.01 minutes"):
        await run(job_of(here, limits=an_hour_for_all))
    assert await rows(here.state, "SELECT count(*) FROM a") == [(0,)]
    assert (await run(job_of(here))).counts["A"].inserted == MANY


@every_pair
async def test_no_more_records_pass_than_the_limit_allows_each_second(
    database: Database, clock: Clock, ends: tuple[str, str]
) -> None:
    rate = 1_000
    here = await pair(database, ends, MANY_ROWS)
    passed: list[tuple[float, int]] = []

    def watch(event: Event) -> None:
        if merging(event):
            passed.append((clock.now - read_by, event.counts.inserted))  # type: ignore[union-attr]

    read_by = MANY / rate
    heard = await run(job_of(here, limits=Limits(max_records_per_second=rate)), watch)
    assert heard.counts["A"] == Counts(processed=MANY, inserted=MANY)
    assert clock.now == pytest.approx(2 * MANY / rate)  # each record once at each end
    assert max(clock.steps) <= 4
    # A chunk is counted before it is paid for.
    assert passed
    assert all(records <= rate * (seconds + 0.251) for seconds, records in passed)


async def test_without_a_limit_nothing_waits(database: Database, clock: Clock) -> None:
    here = await pair(database, POSTGRES, MANY_ROWS)
    await run(job_of(here, limits=Limits()))
    assert clock.steps == []


OBJECTS = 12
LARGE = 11_000
"""Enough for more than one writer."""


async def as_guest(here: Pair, *, district: int, state: int) -> Pair:
    """Return both ends as logins that own them and may have so many connections."""
    urls = []
    for url, limit in ((here.district, district), (here.state, state)):
        parts = urlsplit(url)
        name = parts.path[1:]
        await run_script(
            url,
            f"CREATE ROLE {name} LOGIN PASSWORD 'guest' CONNECTION LIMIT {limit}; GRANT CREATE ON DATABASE {name} TO"
            f" {name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};"
            f" GRANT pg_signal_backend TO {name};",
        )
        place = f"{name}:{quote('guest')}@{parts.hostname}:{parts.port}"
        urls.append(urlunsplit(parts._replace(netloc=place)))
    return Pair(*urls)


async def dismiss(here: Pair) -> None:
    """Take the logins away again."""
    for url in (here.district, here.state):
        name = urlsplit(url).path[1:]
        await run_script(url, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


async def many_objects(database: Database) -> tuple[Pair, Catalog]:
    """Make a district of many tables, some of them large."""
    tables = "".join(f"CREATE TABLE t{n} (id integer PRIMARY KEY, v integer);" for n in range(OBJECTS))
    filled = "".join(
        f"INSERT INTO t{n} SELECT i, i FROM generate_series(1, {LARGE if n < 4 else 10}) i;" for n in range(OBJECTS)
    )
    catalog = Catalog("Many", tuple(DisObject(f"T{n}", (f"t{n}",)) for n in range(OBJECTS)))
    return await pair(database, POSTGRES, filled, district=tables, state=tables), catalog


async def test_connections_do_not_grow_with_the_number_of_objects(database: Database) -> None:
    here, catalog = await many_objects(database)
    concurrency, ending = 2, 2  # a connection that was closed may still count for a moment
    guest = await as_guest(here, district=concurrency + 1 + ending, state=2 * concurrency + ending)
    try:
        heard = await run(make_job(*(guest.district, guest.state), catalog, None, limits=Limits(concurrency)))
        assert set(heard.statuses.values()) == {Status.COMPLETED}, heard.ended
        assert sum(counts.inserted for counts in heard.counts.values()) == 4 * LARGE + (OBJECTS - 4) * 10
    finally:
        await dismiss(here)


async def test_too_few_connections_are_told_with_what_to_do(database: Database) -> None:
    here, catalog = await many_objects(database)
    guest = await as_guest(here, district=1, state=9)
    try:
        with pytest.raises(Unreachable, match="Too many connections: the district") as caught:
            await run(make_job(guest.district, guest.state, catalog, None, limits=Limits(4)))
        assert caught.value.do.startswith("Lower [engine] concurrency")
    finally:
        await dismiss(here)


async def test_a_lock_that_is_not_let_go_fails_its_object_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_TIMEOUT", "20ms")
    here = await pair(database, POSTGRES, ROWS)
    locker = await asyncpg.connect(here.state)
    try:
        async with locker.transaction():
            await locker.execute("LOCK TABLE c IN SHARE MODE")
            heard = await run(make_job(here.district, here.state, SMALL, "01"))
    finally:
        await locker.close()
    assert heard.statuses == {
        "A": Status.COMPLETED, "B": Status.COMPLETED, "C": Status.FAILED, "D": Status.COMPLETED
    }  # fmt: skip
    assert heard.ended["C"].message.startswith("A lock was not had in time: the state (")
    assert await here.held("SELECT count(*) FROM c") == [(0,)]


async def test_a_lock_that_is_let_go_in_time_costs_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LOCK_TIMEOUT", "50ms")
    here = await pair(database, POSTGRES, MANY_ROWS)
    gave_up = "SELECT 1 FROM pg_stat_database WHERE datname = current_database() AND xact_rollback > {}"
    ((rolled_back,),) = await rows(
        here.state, "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    )
    locker = await asyncpg.connect(here.state)

    async def has_given_up_once() -> bool:
        return bool(await here.held(gave_up.format(rolled_back)))

    async with under_way(job_of(here), merging) as outcome, locker.transaction():
        await locker.execute("LOCK TABLE a IN SHARE MODE")
        await until(has_given_up_once)
    await locker.close()
    ((heard,),) = (outcome,)
    assert heard.counts["A"] == Counts(processed=MANY, inserted=MANY)  # type: ignore[union-attr]
