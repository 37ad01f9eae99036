"""Tables of one name in several schemas are told apart, partitions read, sub-tables by inheritance refused."""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Status
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import ENDS, SMALL, Database, pair

ROWS = "INSERT INTO a VALUES (1, 'x'); INSERT INTO c VALUES (1, 'z', 1);"
POSTGRES = ENDS[1]


@pytest.mark.parametrize("end", ["district", "state"])
async def test_a_table_with_sub_tables_fails_its_object(database: Database, end: str) -> None:
    here = await pair(database, POSTGRES, ROWS)
    await run_script(getattr(here, end), 'CREATE TABLE "More" () INHERITS (c);')
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["A", "C"]))
    assert heard.statuses == {"A": Status.COMPLETED, "C": Status.FAILED}
    told = f'The {end}\'s table c has sub-tables ("More"), whose records count as its own'
    assert heard.ended["C"].message.startswith(told), heard.ended["C"].message
    assert heard.counts["C"] == Counts()
    assert await here.held("SELECT count(*) FROM ONLY c") == [(0,)]


async def test_a_sub_table_of_its_own_is_sent(database: Database) -> None:
    here = await pair(database, POSTGRES, ROWS)
    await run_script(here.district, "CREATE TABLE above (id integer, code varchar(40)); ALTER TABLE c INHERIT above;")
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["C"]))
    assert heard.counts["C"] == Counts(processed=1, inserted=1)


async def test_tables_of_one_name_in_two_schemas_are_both_sent(database: Database) -> None:
    catalog = Catalog("Two", (DisObject("Here", ("c",)), DisObject("There", ("z.c",))), tenant_column="tenant")
    table = "CREATE TABLE {}c ({}id integer, PRIMARY KEY ({}id));"
    here = await pair(
        database,
        POSTGRES,
        district=f"CREATE SCHEMA z; {table.format('', '', '')}{table.format('z.', '', '')}"
        "INSERT INTO c VALUES (1); INSERT INTO z.c VALUES (1), (2);",
        state="CREATE SCHEMA z;" + "".join(table.format(each, "tenant text, ", "tenant, ") for each in ("", "z.")),
    )
    heard = await run(make_job(here.district, here.state, catalog, "01", ["Here", "There"]))
    assert heard.counts == {"Here": Counts(processed=1, inserted=1), "There": Counts(processed=2, inserted=2)}
    assert await here.held("SELECT id FROM z.c ORDER BY id") == [(1,), (2,)]


async def test_partitions_are_read_and_written(database: Database) -> None:
    parts = """DROP TABLE c; CREATE TABLE c ({}id integer, code varchar(20), b integer, PRIMARY KEY ({}id))
        PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF c FOR VALUES FROM (0) TO (10);
        CREATE TABLE high PARTITION OF c FOR VALUES FROM (10) TO (99);"""
    here = await pair(
        database,
        POSTGRES,
        parts.format("", "") + "INSERT INTO c VALUES (1, 'l', 1), (11, 'h', 1);",
        parts.format("tenant varchar(9), ", "tenant, "),
    )
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["C"]))
    assert heard.counts["C"] == Counts(processed=2, inserted=2)
    assert await here.held("SELECT id FROM c ORDER BY id") == [(1,), (11,)]


async def test_sub_tables_on_the_way_to_the_year_are_refused(database: Database) -> None:
    catalog = Catalog(
        "Years",
        (DisObject("Calendar", ("calendar",), school_year=True), DisObject("Visit", ("visit",), school_year=True)),
        tenant_column="tenant",
        year="calendar.year",
    )
    here = await pair(
        database,
        POSTGRES,
        district="""CREATE TABLE calendar (id integer PRIMARY KEY, year integer);
        CREATE TABLE visit (id integer PRIMARY KEY, calendar integer REFERENCES calendar);
        CREATE TABLE old () INHERITS (calendar); INSERT INTO old VALUES (1, 2026);""",
        state="""CREATE TABLE calendar (tenant text, id integer, year integer, PRIMARY KEY (tenant, id));
        CREATE TABLE visit (tenant text, id integer, calendar integer, PRIMARY KEY (tenant, id),
        FOREIGN KEY (tenant, calendar) REFERENCES calendar);""",
    )
    heard = await run(make_job(here.district, here.state, catalog, "01", ["Visit"]))
    assert heard.statuses["Visit"] is Status.FAILED
    assert "The district's table calendar has sub-tables (old)" in heard.ended["Visit"].message


async def test_a_parent_may_be_in_any_partition(database: Database) -> None:
    parts = """DROP TABLE b CASCADE; DROP TABLE d; CREATE TABLE b ({0}id integer, PRIMARY KEY ({0}id))
        PARTITION BY RANGE ({0}id); {1} CREATE TABLE d ({2}id integer, b integer, PRIMARY KEY ({0}id),
        FOREIGN KEY ({0}b) REFERENCES b ({0}id));"""
    ranges = "CREATE TABLE low PARTITION OF b FOR VALUES FROM ({0}0) TO ({0}10);"
    ranges += "CREATE TABLE high PARTITION OF b FOR VALUES FROM ({0}10) TO ({0}99);"
    state = parts.replace("({0}id integer", "(tenant varchar(9), id integer").replace("RANGE ({0}id)", "RANGE (id)")
    here = await pair(
        database,
        POSTGRES,
        parts.format("", ranges.format(""), "")
        + "INSERT INTO b VALUES (1), (11); INSERT INTO d VALUES (1, 1), (2, 11);",
        state.format("tenant, ", ranges.format(""), "tenant varchar(9), "),
    )
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["B", "D"], check_dependencies=False))
    assert heard.counts["D"] == Counts(processed=2, inserted=2)
