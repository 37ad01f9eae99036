"""What must hold before anything is written, and what one broken object may not do to the others."""

import threading

import pytest

from resync_tui.databases.sqlite import sqlite_path
from resync_tui.errors import CannotRun
from resync_tui.outcome import Status
from tests.support.comparison import every_comparison
from tests.support.databases import rows, run_script
from tests.support.oracle.shape import dump, versions
from tests.support.running import make_job, run
from tests.support.small import ROWS, SAME, SMALL, Database, leftovers, pair
from tests.support.waiting import until


async def traces(state: str) -> object:
    """Return what a state's database holds beside its tables: schemas, fences, files."""
    if state.startswith("sqlite"):
        file = sqlite_path(state)
        return {each.name: each.read_bytes() for each in file.parent.glob(f"{file.name}*")}
    schemas = await rows(state, "SELECT nspname::text FROM pg_namespace ORDER BY 1")
    fences = "SELECT tenant, token FROM resync_stage.fence" if ("resync_stage",) in schemas else "SELECT 1"
    return schemas, await rows(state, fences)


@pytest.mark.parametrize("ends", SAME)
@pytest.mark.parametrize("says", ["DELETE FROM me", "UPDATE me SET number = '02'", "INSERT INTO me VALUES ('02')"])
async def test_a_source_that_is_another_district_leaves_no_trace(
    database: Database, ends: tuple[str, str], says: str
) -> None:
    here = await pair(database, ends, ROWS)
    await run(make_job(here.district, here.state, SMALL, "01", token=3))
    await run_script(here.district, says + "; UPDATE a SET name = 'changed'")
    before = await traces(here.state), await versions(here.state)
    with pytest.raises(CannotRun, match=r"says that it is district .*not 01: nothing was written"):
        await run(make_job(here.district, here.state, SMALL, "01", token=4))
    assert (await traces(here.state), await versions(here.state)) == before


@pytest.mark.parametrize("ends", SAME)
async def test_source_without_a_district_identity_leaves_no_trace(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, ROWS + "DROP TABLE me;")
    before = await traces(here.state)
    with pytest.raises(CannotRun, match="does not say which district it is"):
        await run(make_job(here.district, here.state, SMALL, "01"))
    assert await traces(here.state) == before


MISFITS = {
    "the state lacks a table": (
        "",
        "DROP TABLE d; DROP TABLE b; CREATE TABLE d (tenant text, id integer, b integer, PRIMARY KEY (tenant, id));",
        "The state has no table b",
    ),
    "the district lacks a table": ("DROP TABLE b;", "", "The district has no table b"),
    "the state lacks a column": (
        "ALTER TABLE b ADD COLUMN more integer;",
        "",
        "The state's table b has no column more",
    ),
    "the state demands a column": (
        "",
        "ALTER TABLE b ADD COLUMN more integer NOT NULL DEFAULT 1; {alter}",
        "The state's table b requires more",
    ),
    "a type does not fit": (
        "ALTER TABLE b DROP COLUMN note; ALTER TABLE b ADD COLUMN note date;",
        "",
        "b.note is date in the district but varchar",
    ),
}


@pytest.mark.parametrize("ends", SAME)
@pytest.mark.parametrize("misfit", MISFITS)
async def test_an_object_that_does_not_fit_fails_alone(database: Database, ends: tuple[str, str], misfit: str) -> None:
    district, state, message = MISFITS[misfit]
    if "{alter}" in state and ends[1] == "sqlite":
        pytest.skip("SQLite cannot drop a default")
    state = state.format(alter="ALTER TABLE b ALTER COLUMN more DROP DEFAULT;")
    here = await pair(database, ends, ROWS + district, state)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.status is Status.FAILED
    assert heard.statuses == {
        "A": Status.COMPLETED, "B": Status.FAILED, "C": Status.COMPLETED, "D": Status.SKIPPED
    }  # fmt: skip
    assert message in heard.ended["B"].message
    assert heard.counts["A"].inserted == 2
    assert heard.counts["C"].inserted == 1
    after = await dump(here.state)
    assert {name: len(found) for name, found in after.rows.items() if found} == {"a": 2, "c": 1}
    assert await leftovers(here.state) == []


@pytest.mark.parametrize("end", ["district", "state"])
async def test_reference_to_a_missing_table_fails_its_object_alone(database: Database, end: str) -> None:
    broken = "DROP TABLE b; CREATE TABLE b ({}id integer, a integer, note text REFERENCES nowhere, PRIMARY KEY ({}id));"
    district = broken.format("", "") if end == "district" else ""
    state = broken.format("tenant text, ", "tenant, ") if end == "state" else ""
    here = await pair(database, ("sqlite", "sqlite"), (district or "") + ROWS, state)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    below = Status.SKIPPED if end == "district" else Status.FAILED  # in the state its own reference is of no use either
    assert heard.statuses == {
        "A": Status.COMPLETED, "B": Status.FAILED, "C": Status.COMPLETED, "D": below
    }  # fmt: skip
    assert heard.ended["B"].message.startswith(f"The {end}'s table b points to a table that is not there")
    assert heard.counts["A"].inserted == 2


@pytest.mark.parametrize("end", ["district", "state"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_an_end_that_cannot_be_reached_is_named(database: Database, kind: str, end: str) -> None:
    here = await pair(database, (kind, kind), ROWS)
    nowhere = "sqlite:////nowhere/at/all.db" if kind == "sqlite" else "postgresql://nobody:hush@127.0.0.1:1/x"
    urls = (nowhere, here.state) if end == "district" else (here.district, nowhere)
    with pytest.raises(CannotRun, match=f"(the|no) {end}") as caught:
        await run(make_job(*urls, SMALL, "01"))
    assert "hush" not in caught.value.what + caught.value.do
    await until(lambda: not any("_connection_worker_thread" in thread.name for thread in threading.enumerate()))


async def test_a_read_only_state_is_told_before_anything_is_read(database: Database) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    name = here.state.rpartition("/")[2]
    await run_script(here.state, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(CannotRun, match="read-only"):
        await run(make_job(here.district, here.state, SMALL, "01"))


async def test_role_named_resync_finds_the_states_own_tables_first(database: Database) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    await run(make_job(here.district, here.state, SMALL, "01"))
    assert await here.held("SELECT nspname FROM pg_namespace WHERE nspname IN ('resync', current_user)") == []


@every_comparison(SAME)
async def test_rows_of_other_districts_are_never_looked_at(database: Database, ends: tuple[str, str]) -> None:
    theirs = "INSERT INTO a VALUES ('02', 1, 'theirs'), ('02', 7, 'only theirs');"
    here = await pair(database, ends, ROWS, theirs)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.counts["A"].extra == 0
    assert await here.held("SELECT id, name FROM a WHERE tenant = '02' ORDER BY id") == [
        (1, "theirs"),
        (7, "only theirs"),
    ]
