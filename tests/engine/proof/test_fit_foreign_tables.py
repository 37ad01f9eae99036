"""Foreign tables: a source whose records have no key of their own, and never a target.

The wrapper has no handler, as the tests' servers come without one that has: nothing is read.
"""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.databases.registry import open_engine
from resync_tui.engine.backends.postgres.dialect import DIALECT
from resync_tui.state_schema.derive import apply
from tests.support.databases import rows, run_script
from tests.support.running import make_job, run
from tests.support.small import Database

PG = "postgresql"
ONE = Catalog("One", (DisObject("Person", ("person",)),), tenant_column="tenant")
WRAPPER = "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;"
TABLE = "(id integer NOT NULL, name text) SERVER far"


async def test_a_foreign_table_is_made_without_a_key(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(district, f"{WRAPPER} CREATE FOREIGN TABLE person {TABLE}")
    said: list[str] = []
    await apply(district, state, ONE, said.append)
    assert said == ["person is made without a key: it is a view or a foreign table of the district"]
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'person' ORDER BY ordinal_position"
    assert await rows(state, columns) == [("tenant",), ("id",), ("name",)]


async def test_a_foreign_table_is_never_a_target(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(district, "CREATE TABLE person (id integer PRIMARY KEY)")
    await run_script(state, f"{WRAPPER} CREATE FOREIGN TABLE person (tenant text, {TABLE[1:]}")
    heard = await run(make_job(district, state, ONE, "01"))
    told = heard.ended["Person"].message
    assert told.startswith("The state's person is a view or a foreign table: nothing can be written to it")


@pytest.mark.parametrize("schema", ["", "far."])
async def test_foreign_tables_are_found_in_each_schema(database: Database, schema: str) -> None:
    district = database(PG)
    await run_script(district, f"CREATE SCHEMA far; {WRAPPER} CREATE FOREIGN TABLE {schema}person {TABLE}")
    engine = open_engine(district)
    try:
        async with engine.connect() as connection:
            found = await DIALECT.reflect(connection, [f"{schema}person"])
    finally:
        await engine.dispose()
    assert list(found) == [f"{schema}person"]
    assert list(found.names.tables()) == []
