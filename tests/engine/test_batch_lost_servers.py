"""A server that ends a COPY or stops: the batch ends with a clear error, and nothing of it hangs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

import anyio
import pytest

from resync_tui.demo.private_postgres import PrivatePostgres
from resync_tui.engine.batch import _Batch
from resync_tui.engine.job import Limits
from resync_tui.errors import ConnectionLost, Unreachable
from resync_tui.outcome import Counts
from tests.support.databases import create_database, own_postgres, rows, run_script
from tests.support.interruption import no_connections, reading, under_way
from tests.support.running import make_job, run
from tests.support.small import DISTRICT, ROWS, SMALL, STATE, Database, Pair, leftovers, pair
from tests.support.waiting import until

pytestmark = pytest.mark.xdist_group("lost servers")
Step: TypeAlias = Callable[[], object]
MANY = 8_000
WIDE_ROWS = f"INSERT INTO a SELECT i, repeat(i::text, 800) FROM generate_series(1, {MANY}) i;"
"""Too much to fit into what the two servers' sockets buffer."""
COPYING = "SELECT pid FROM pg_stat_progress_copy WHERE datname = current_database()"


@asynccontextmanager
async def in_mid_copy(here: Pair, end: str) -> AsyncIterator[list[object]]:
    """Start a batch and hand over while a backend of one end is in COPY; no task of it is left in the end."""
    job = make_job(here.district, here.state, SMALL, "01", ["A"], limits=Limits(max_records_per_second=MANY))
    before = asyncio.all_tasks()
    outcome: list[object] = []

    async def copying() -> bool:
        return bool(await rows(getattr(here, end), COPYING))

    async with under_way(job, reading) as ended:
        await until(copying)
        assert not ended
        yield outcome
    outcome += ended
    assert asyncio.all_tasks() <= before


@pytest.mark.parametrize("end", ["district", "state"])
async def test_backend_killed_in_mid_copy_ends_the_batch_cleanly(database: Database, end: str) -> None:
    here = await pair(database, ("postgresql", "postgresql"), WIDE_ROWS)
    async with in_mid_copy(here, end) as outcome:
        await run_script(getattr(here, end), f"SELECT pg_terminate_backend(pid) FROM ({COPYING}) AS copying")
    assert isinstance(outcome[0], ConnectionLost), outcome
    assert outcome[0].do == "The batch starts again by itself; else resend."
    assert f"the {end}" in outcome[0].what
    assert await leftovers(here.state) == []
    for url in (here.district, here.state):
        await no_connections(url)
    again = await run(make_job(here.district, here.state, SMALL, "01", ["A"], token=2))
    assert again.counts["A"] == Counts(processed=MANY, inserted=MANY)


@pytest.fixture(scope="module")
def stoppable() -> Iterator[PrivatePostgres]:
    """A PostgreSQL that a test may stop."""
    with own_postgres() as server:
        yield server


@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("end", ["district", "state"])
async def test_server_stopped_in_mid_copy_ends_the_batch_cleanly(
    database: Database, stoppable: PrivatePostgres, end: str, mode: str
) -> None:
    admin = await anyio.to_thread.run_sync(stoppable.start)
    there, elsewhere = create_database(admin, f"{end}_{mode}"), database("postgresql")
    here = Pair(there, elsewhere) if end == "district" else Pair(elsewhere, there)
    await run_script(here.district, DISTRICT + WIDE_ROWS)
    await run_script(here.state, STATE)
    await run_script(there, "CHECKPOINT")
    async with in_mid_copy(here, end) as outcome:
        await anyio.to_thread.run_sync(stoppable.stop, mode)
    assert isinstance(outcome[0], ConnectionLost | Unreachable), outcome
    assert f"the {end}" in outcome[0].what
    await no_connections(elsewhere)
    await anyio.to_thread.run_sync(stoppable.start)
    again = await run(make_job(here.district, here.state, SMALL, "01", ["A"], token=2))
    assert again.counts["A"] == Counts(processed=MANY, inserted=MANY)
    assert await leftovers(here.state) == []


async def outcome_of(district: str, state: str, monkeypatch: pytest.MonkeyPatch, step: str, then: Step) -> object:
    """Run a batch, and do something after it has looked at both ends, or before it merges."""
    real = getattr(_Batch, step)

    async def changed(self: _Batch) -> None:
        if step == "_describe":
            await real(self)
        await anyio.to_thread.run_sync(then)
        if step != "_describe":
            await real(self)

    monkeypatch.setattr(_Batch, step, changed)
    try:
        return await run(make_job(district, state, SMALL, "01"))
    except (ConnectionLost, Unreachable) as error:
        return error


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_state_that_stops_before_it_is_asked_is_named(
    database: Database, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_postgres() as server:
        district, state = database(kind), create_database(server.admin_url, "state")
        await run_script(district, DISTRICT + ROWS)
        await run_script(state, STATE)
        outcome = await outcome_of(district, state, monkeypatch, "_describe", partial(server.stop, "fast"))
    assert isinstance(outcome, ConnectionLost | Unreachable)
    assert "the state" in outcome.what


async def test_state_crash_loses_the_stage_and_ends_the_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_postgres() as server:
        district, state = database("postgresql"), create_database(server.admin_url, "state")
        await run_script(district, DISTRICT + ROWS)
        await run_script(state, STATE)

        def crash() -> None:
            server.stop("immediate")
            server.start()

        outcome = await outcome_of(district, state, monkeypatch, "_merge_all", crash)
        assert isinstance(outcome, ConnectionLost)
        assert "crashed" in outcome.what
        assert await rows(state, "SELECT * FROM a") == []
