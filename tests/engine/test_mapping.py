"""Columns of one end only, and columns that a database computes."""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Status
from tests.support.comparison import every_comparison
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import ENDS, SAME, Database, pair

PEOPLE = Catalog("People", (DisObject("Person", ("person",)),))
COMPUTED = "id integer PRIMARY KEY, first text, full_name text GENERATED ALWAYS AS (first || '!') STORED"
ORDINARY = "id integer PRIMARY KEY, first text, full_name text DEFAULT 'nobody'"


@every_comparison(ENDS)
async def test_a_column_that_the_district_computes_is_sent(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO person (id, first) VALUES (1, 'Zoe'), (2, 'Ada');",
        "INSERT INTO person VALUES (2, 'Ada', 'other');",
        district=f"CREATE TABLE person ({COMPUTED});",
        state=f"CREATE TABLE person ({ORDINARY});",
    )
    heard = await run(make_job(here.district, here.state, PEOPLE, None))
    assert heard.counts["Person"] == Counts(processed=2, inserted=1, updated=1), heard.ended
    assert await here.held("SELECT * FROM person ORDER BY id") == [(1, "Zoe", "Zoe!"), (2, "Ada", "Ada!")]
    assert (await run(make_job(here.district, here.state, PEOPLE, None))).counts["Person"].unchanged == 2


@pytest.mark.parametrize("ends", SAME)
@pytest.mark.parametrize("state", [COMPUTED, "id integer PRIMARY KEY, first text"])
async def test_a_computed_column_is_not_asked_of_the_state(
    database: Database, ends: tuple[str, str], state: str
) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO person (id, first) VALUES (1, 'Zoe');",
        district=f"CREATE TABLE person ({COMPUTED});",
        state=f"CREATE TABLE person ({state});",
    )
    heard = await run(make_job(here.district, here.state, PEOPLE, None))
    assert heard.counts["Person"] == Counts(processed=1, inserted=1)
    assert heard.ended["Person"].message == ""


@every_comparison(ENDS)
async def test_columns_that_the_district_has_no_more_are_named(database: Database, ends: tuple[str, str]) -> None:
    both = "id integer PRIMARY KEY, name text"
    catalog = Catalog(
        "People",
        (DisObject("Person", ("person", "home"), ignore_columns=("person.hidden",), state_owned=("person.note",)),),
        tenant_column="tenant",
    )
    columns = (
        "lunch text, hidden text, note text, phone text DEFAULT '-', twice integer GENERATED ALWAYS AS (id * 2) STORED"
    )
    here = await pair(
        database,
        ends,
        "INSERT INTO person VALUES (1, 'Zoe'); INSERT INTO home VALUES (1, 'x');",
        district=f"CREATE TABLE person ({both}); CREATE TABLE home ({both});",
        state=f"""CREATE TABLE person (tenant text, id integer, name text, {columns}, PRIMARY KEY (tenant, id));
            CREATE TABLE home (tenant text, id integer, name text, PRIMARY KEY (tenant, id));""",
    )
    heard = await run(make_job(here.district, here.state, catalog, "01"))
    assert heard.statuses == {"Person": Status.COMPLETED}
    assert heard.counts["Person"] == Counts(processed=2, inserted=2)
    assert heard.ended["Person"].message == "no longer fed: person.lunch, person.phone"
    await run_script(here.state, "ALTER TABLE person DROP COLUMN lunch; ALTER TABLE person DROP COLUMN phone;")
    assert (await run(make_job(here.district, here.state, catalog, "01"))).ended["Person"].message == ""
