"""What tells records apart where the state's table has no primary key that the district fills."""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Status
from tests.support.comparison import every_comparison
from tests.support.databases import run_script
from tests.support.oracle.shape import versions
from tests.support.running import make_job, run
from tests.support.small import MIXED, SAME, Database, pair

KEYED = Catalog("Keyed", (DisObject("K", ("k",)),), tenant_column="tenant")
DISTRICT = "CREATE TABLE k (id integer{}, code varchar(9), v integer);"
COLUMNS = "tenant varchar(9) NOT NULL, id integer{}, code varchar(9){}, v integer"
UNIQUE_KEYS = {
    "a constraint": f"CREATE TABLE k ({COLUMNS.format(' NOT NULL', '')}, UNIQUE (tenant, id));",
    "an index": f"CREATE TABLE k ({COLUMNS.format(' NOT NULL', '')}); CREATE UNIQUE INDEX one ON k (id, tenant);",
    "the shortest": f"CREATE TABLE k ({COLUMNS.format(' NOT NULL', ' NOT NULL')}, UNIQUE (tenant, code, id),"
    " UNIQUE (tenant, id));",
    "beside a key of the state's own": "CREATE TABLE k (own integer PRIMARY KEY{},"
    f" {COLUMNS.format(' NOT NULL', '')}, UNIQUE (tenant, id));",
}
NO_KEYS = {
    "none": f"CREATE TABLE k ({COLUMNS.format('', '')});",
    "one that may be null": f"CREATE TABLE k ({COLUMNS.format('', '')}, UNIQUE (tenant, id));",
    "one of all tenants": f"CREATE TABLE k ({COLUMNS.format(' NOT NULL', '')}, UNIQUE (id));",
    "one of some rows": f"CREATE TABLE k ({COLUMNS.format(' NOT NULL', '')});"
    " CREATE UNIQUE INDEX one ON k (tenant, id) WHERE v > 0;",
    "one of expressions": f"CREATE TABLE k ({COLUMNS.format(' NOT NULL', ' NOT NULL')});"
    " CREATE UNIQUE INDEX one ON k (tenant, lower(code));",
}


@every_comparison(SAME, more=[MIXED])
@pytest.mark.parametrize("key", UNIQUE_KEYS)
async def test_unique_key_that_is_never_null_identifies_records(
    database: Database, ends: tuple[str, str], key: str
) -> None:
    own = " GENERATED ALWAYS AS IDENTITY" if ends[1] == "postgresql" else ""
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3);",
        "INSERT INTO k (tenant, id, code, v) VALUES ('01', 1, 'a', 1), ('01', 2, 'b', 0), ('02', 3, 'c', 0);",
        district=DISTRICT.format(" PRIMARY KEY"),
        state=UNIQUE_KEYS[key].replace("{}", own),
    )
    job = make_job(here.district, here.state, KEYED, "01")
    heard = await run(job)
    assert heard.counts["K"] == Counts(processed=3, inserted=1, updated=1, unchanged=1), heard.ended
    held = "SELECT tenant, id, code, v FROM k ORDER BY tenant, id"
    assert await here.held(held) == [("01", 1, "a", 1), ("01", 2, "b", 2), ("01", 3, "c", 3), ("02", 3, "c", 0)]
    written = await versions(here.state)
    assert (await run(job)).counts["K"] == Counts(processed=3, unchanged=3)
    assert await versions(here.state) == written


@every_comparison(SAME)
async def test_duplicate_key_in_a_keyless_district_table_is_refused(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES (1, 'a', 1), (1, 'a', 1), (2, 'b', 2), (NULL, 'c', 3);",
        "INSERT INTO k VALUES ('01', 1, 'a', 1);",
        district=DISTRICT.format(""),
        state=UNIQUE_KEYS["a constraint"],
    )
    heard = await run(make_job(here.district, here.state, KEYED, "01"))
    assert heard.counts["K"] == Counts(processed=4, inserted=1, rejected=3)


@every_comparison([("sqlite", "sqlite")])
async def test_keys_that_the_state_takes_for_equal_are_one_key(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES ('a', 1), ('b', 1), ('B', 2), ('C', 1), ('c', 1), ('d', 1);",
        "INSERT INTO k VALUES ('01', 'A', 1), ('01', 'b', 1);",
        district="CREATE TABLE k (id text PRIMARY KEY, v integer);",
        state="CREATE TABLE k (tenant text, id text COLLATE NOCASE, v integer, PRIMARY KEY (tenant, id));",
    )
    heard = await run(make_job(here.district, here.state, KEYED, "01"))
    assert heard.counts["K"] == Counts(processed=6, inserted=1, unchanged=1, rejected=4), heard.refused
    assert await here.held("SELECT id, v FROM k ORDER BY 1") == [("A", 1), ("b", 1), ("d", 1)]


@pytest.mark.parametrize("ends", SAME)
@pytest.mark.parametrize("key", NO_KEYS)
async def test_partial_or_nullable_key_does_not_identify_records(
    database: Database, ends: tuple[str, str], key: str
) -> None:
    rows = "INSERT INTO k VALUES (1, 'a', 1), (2, 'b', -1);"
    here = await pair(database, ends, rows, district=DISTRICT.format(""), state=NO_KEYS[key])
    job = make_job(here.district, here.state, KEYED, "01")
    assert (await run(job)).counts["K"] == Counts(processed=2, inserted=2)
    await run_script(here.district, "UPDATE k SET id = 3, code = 'c' WHERE id = 1")
    assert (await run(job)).counts["K"] == Counts(processed=2, inserted=1, unchanged=1, extra=1)


@pytest.mark.parametrize("ends", SAME)
async def test_primary_key_without_tenant_fails_its_object_alone(database: Database, ends: tuple[str, str]) -> None:
    state = f"CREATE TABLE k ({COLUMNS.format(' PRIMARY KEY', '')});"
    here = await pair(database, ends, "INSERT INTO k VALUES (1, 'a', 1);", district=DISTRICT.format(""), state=state)
    heard = await run(make_job(here.district, here.state, KEYED, "01"))
    assert heard.statuses == {"K": Status.FAILED}
    assert "The primary key of the state's table k lacks tenant" in heard.ended["K"].message
    assert await here.held("SELECT count(*) FROM k") == [(0,)]
