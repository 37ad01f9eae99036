"""Which of several unique keys tells a table's records apart, and the one that the catalog names."""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts
from resync_tui.state_schema.derive import apply
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import SAME, Database, Pair

REGION = """
CREATE TABLE region (id integer UNIQUE NOT NULL, code varchar(9) UNIQUE NOT NULL, capital varchar(9) UNIQUE NOT NULL);
CREATE TABLE town (id integer PRIMARY KEY, region varchar(9) NOT NULL REFERENCES region (code));
INSERT INTO region VALUES (1, 'N', 'Carson'), (2, 'S', 'Vegas'); INSERT INTO town VALUES (1, 'N'), (2, 'S');
"""
STATE = """
CREATE TABLE region (tenant varchar(9) NOT NULL, id integer NOT NULL, code varchar(9) NOT NULL,
    capital varchar(9) NOT NULL, UNIQUE (tenant, capital), UNIQUE (tenant, code), UNIQUE (tenant, id));
"""


def catalog(*key: str) -> Catalog:
    objects = DisObject("Region", ("region",), key=key), DisObject("Town", ("town",), ("Region",))
    return Catalog("Regions", objects if not key else objects[:1], tenant_column="tenant")


async def resent(database: Database, ends: tuple[str, str], district: str, state: str | None, change: str,
                 which: Catalog) -> Heard:  # fmt: skip
    """Send a district, change it, and send it again."""
    here = Pair(database(ends[0]), database(ends[1]))
    await run_script(here.district, district)
    if state is None:
        await apply(here.district, here.state, which)
    else:
        await run_script(here.state, state)
    first = await run(make_job(here.district, here.state, which, "01"))
    assert first.counts["Region"] == Counts(processed=2, inserted=2), first.ended
    await run_script(here.district, change)
    return await run(make_job(here.district, here.state, which, "01", token=2))


@pytest.mark.parametrize("ends", SAME)
async def test_the_key_that_children_point_to_tells_records_apart(database: Database, ends: tuple[str, str]) -> None:
    change = "UPDATE region SET capital = 'Reno', id = 3 WHERE code = 'N'"
    heard = await resent(database, ends, REGION, None, change, catalog())
    assert heard.counts["Region"] == Counts(processed=2, updated=1, unchanged=1), heard.ended


@pytest.mark.parametrize(
    ("key", "change"),
    [((), "code = 'W', id = 3"), (("region.capital",), "code = 'W', id = 3"), (("region.id",), "code = 'W'")],
)
@pytest.mark.parametrize("ends", SAME)
async def test_the_districts_primary_key_or_the_catalogs_comes_first(
    database: Database, ends: tuple[str, str], key: tuple[str, ...], change: str
) -> None:
    which = Catalog("Region", (DisObject("Region", ("region",), key=key),), tenant_column="tenant")
    primary = " PRIMARY KEY" if not key else " UNIQUE NOT NULL"
    district = f"""CREATE TABLE region (id integer NOT NULL, code varchar(9) UNIQUE NOT NULL,
        capital varchar(9){primary}); INSERT INTO region VALUES (1, 'N', 'Carson'), (2, 'S', 'Vegas');"""
    change = f"UPDATE region SET {change} WHERE capital = 'Carson'"
    heard = await resent(database, ends, district, STATE, change, which)
    assert heard.counts["Region"] == Counts(processed=2, updated=1, unchanged=1), heard.ended


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (
            "region.cod",
            'The catalog\'s key of Region names "region.cod", but region has no such column in the district',
        ),
        ("region.name", "The catalog's key of region (name) is not unique and NOT NULL in the state"),
    ],
)
@pytest.mark.parametrize("ends", SAME)
async def test_a_key_of_the_catalog_that_is_none_is_refused(
    database: Database, ends: tuple[str, str], key: str, told: str
) -> None:
    here = Pair(database(ends[0]), database(ends[1]))
    await run_script(here.district, "CREATE TABLE region (id integer PRIMARY KEY, name text)")
    await run_script(here.state, "CREATE TABLE region (tenant text, id integer, name text, PRIMARY KEY (tenant, id))")
    heard = await run(make_job(here.district, here.state, catalog(key), "01"))
    assert heard.ended["Region"].message.startswith(told)
