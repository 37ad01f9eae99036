"""A batch that is cut off in the middle: what it leaves behind, who may go on, and how it is paced."""

from collections.abc import Callable

import anyio
import asyncpg
import pytest

from resync_tui.engine.batch import clear_stage
from resync_tui.engine.events import Event
from resync_tui.engine.job import Job, Limits
from resync_tui.errors import ConnectionLost, LeaseLost
from resync_tui.outcome import Counts, Status
from tests.support.comparison import every_comparison
from tests.support.databases import rows, run_script
from tests.support.interruption import MANY, MANY_ROWS, job_of, many, merging, no_connections, reading, under_way
from tests.support.oracle.shape import versions
from tests.support.running import Heard, make_job, run
from tests.support.small import ROWS, SAME, SMALL, Database, every_pair, leftovers, pair
from tests.support.waiting import DEADLINE, until

KILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE 'resync-tui/%'"
)


@pytest.mark.parametrize("end", ["district", "state"])
@pytest.mark.parametrize("far_enough", [reading, merging])
async def test_batch_cut_off_by_its_server_is_made_good_by_the_next(
    database: Database, end: str, far_enough: Callable[[Event], bool]
) -> None:
    here = await many(database, ("postgresql", "postgresql"))
    url = here.district if end == "district" else here.state
    async with under_way(job_of(here), far_enough) as outcome:
        await run_script(url, KILL)
    if far_enough is reading:
        assert isinstance(outcome[0], ConnectionLost), outcome
        again = await run(job_of(here, token=2, limits=Limits()))
        assert again.counts["A"].inserted + again.counts["A"].unchanged == MANY
    else:  # the district has been let go, and between two chunks the state's connection is not in use
        assert isinstance(outcome[0], Heard)
    assert await here.held("SELECT count(*) FROM a") == [(MANY,)]
    assert await leftovers(here.state) == []
    await no_connections(here.district)
    await no_connections(here.state)


async def test_a_connection_that_breaks_in_a_statement_ends_the_batch(database: Database) -> None:
    here = await many(database, ("postgresql", "postgresql"))
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'resync-tui/%'"

    async def blocked() -> bool:
        return bool(await here.held(waiting))

    async with under_way(job_of(here), merging) as outcome:
        locker = await asyncpg.connect(here.state)
        async with locker.transaction():
            await locker.execute("LOCK TABLE a IN SHARE MODE")
            await until(blocked)
            await run_script(here.state, KILL)
        await locker.close()
    assert isinstance(outcome[0], ConnectionLost), outcome
    again = await run(job_of(here, token=2, limits=Limits()))
    assert again.counts["A"].inserted + again.counts["A"].unchanged == MANY
    assert await leftovers(here.state) == []


@pytest.mark.parametrize("far_enough", [reading, merging])
@every_pair
async def test_cancelled_batch_drops_its_stage_and_its_connections(
    database: Database, ends: tuple[str, str], far_enough: Callable[[Event], bool]
) -> None:
    here = await many(database, ends)
    there = anyio.Event()

    def watch(event: Event) -> None:
        if far_enough(event):
            there.set()

    with anyio.fail_after(DEADLINE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, job_of(here), watch)
            await there.wait()
            tasks.cancel_scope.cancel()
    ((inserted,),) = await here.held("SELECT count(*) FROM a")
    assert isinstance(inserted, int)
    assert inserted < MANY
    assert (inserted > 0) == (far_enough is merging)
    assert await leftovers(here.state) == []
    for url, kind in zip((here.district, here.state), ends, strict=True):
        if kind == "postgresql":
            await no_connections(url)
    again = await run(job_of(here, token=2, limits=Limits()))
    assert again.counts["A"] == Counts(processed=MANY, inserted=MANY - inserted, unchanged=inserted)


@pytest.mark.parametrize("far_enough", [reading, merging])
@pytest.mark.parametrize("ends", SAME)
async def test_once_a_newer_claim_runs_the_older_one_commits_nothing(
    database: Database, ends: tuple[str, str], far_enough: Callable[[Event], bool]
) -> None:
    here = await many(database, ends)
    async with under_way(job_of(here), far_enough) as outcome:
        newer = await run(job_of(here, token=2, limits=Limits()))
        assert newer.status is Status.COMPLETED
        written = await versions(here.state)
    assert isinstance(outcome[0], LeaseLost | ConnectionLost), outcome
    assert await versions(here.state) == written
    assert newer.counts["A"].inserted + newer.counts["A"].unchanged == MANY
    assert await leftovers(here.state) == []


@pytest.mark.parametrize("ends", SAME)
async def test_an_older_claim_cannot_begin(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, ROWS)
    await run(job_of(here, token=5))
    written = await versions(here.state)
    with pytest.raises(LeaseLost):
        await run(job_of(here, token=4))
    assert await versions(here.state) == written


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_dead_batchs_stage_is_cleared_for_its_own_district_only(database: Database, kind: str) -> None:
    here = await pair(database, (kind, kind), ROWS)
    stages = {tenant: make_job(here.district, here.state, SMALL, tenant, ["A"], token=3) for tenant in ("01", "02")}
    for job in stages.values():
        await _die_with_a_stage(job)
    left = await leftovers(here.state)
    await clear_stage(make_job(here.district, here.state, SMALL, "01", ["A"], token=4))
    after = await leftovers(here.state)
    assert after
    assert set(after) < set(left)
    await clear_stage(make_job(here.district, here.state, SMALL, "02", ["A"], token=4))
    assert await leftovers(here.state) == []


async def _die_with_a_stage(job: Job) -> None:
    """Leave a stage behind, as a killed process does."""
    from resync_tui.engine.backends.registry import open_source, open_target
    from resync_tui.engine.mapping import describe
    from resync_tui.engine.proof.proof import Proof

    target = open_target(job.target)
    await target.claim()
    tables = await target.reflect(["a"])
    mapping = describe(job.catalog["A"], "a", target.stage_name(0), Proof(job.catalog, tables, tables), job.tenant)
    await target.create_stages([mapping], open_source(job.source, job.target))
    await target.close()


@pytest.mark.parametrize("ends", SAME)
async def test_a_limit_paces_reading_and_merging(database: Database, ends: tuple[str, str]) -> None:
    here = await many(database, ends)
    heard = await run(job_of(here))
    read = [event.read for event in heard.progress("A")]
    inserted = [event.counts.inserted for event in heard.progress("A")]
    for grown in (read, inserted):
        assert grown == sorted(grown)
        assert len({each for each in grown if 0 < each < MANY}) >= 3
    assert heard.counts["A"] == Counts(processed=MANY, inserted=MANY)


@every_comparison(SAME)
async def test_a_record_that_only_a_trigger_refuses_is_rejected_alone(
    database: Database, ends: tuple[str, str]
) -> None:
    trigger = """
    CREATE TRIGGER no BEFORE INSERT ON a WHEN NEW.id = 777 BEGIN SELECT RAISE(ABORT, 'secret'); END;
    CREATE TRIGGER not_now BEFORE UPDATE ON a WHEN NEW.id = 5 BEGIN SELECT RAISE(ABORT, 'secret'); END;
    """
    if ends[1] == "postgresql":
        trigger = """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.id IN (777, 5) THEN RAISE EXCEPTION 'secret of %', NEW.name; END IF; RETURN NEW; END $$;
        CREATE TRIGGER no BEFORE INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION refuse();
        """
    older = "INSERT INTO a VALUES ('01', 5, 'older'), ('01', 6, 'older');"
    here = await pair(database, ends, MANY_ROWS, older + trigger)
    heard = await run(job_of(here, limits=Limits()))
    assert {(table, key, kind) for table, key, kind, _ in heard.refused} == {
        ("a", (777,), "rejected"), ("a", (5,), "rejected")
    }  # fmt: skip
    assert not any("secret" in reason or "x777" in reason for _, _, _, reason in heard.refused)
    assert heard.counts["A"] == Counts(processed=MANY, inserted=MANY - 3, updated=1, rejected=2)
    assert await rows(here.state, "SELECT trim(name) FROM a WHERE id IN (5, 6) ORDER BY id") == [("older",), ("x6",)]
