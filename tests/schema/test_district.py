"""district.sql against the catalog, on both kinds of database."""

import re
from collections.abc import Callable

import pytest

from resync_tui.catalog import load
from resync_tui.databases.registry import open_engine
from resync_tui.state_schema.derive import table_order
from resync_tui.state_schema.introspect import TableShape, read_table
from tests.support.databases import DISTRICT_SQL, run_script

CATALOG = load()
OBJECT_OF = {table: each.name for each in CATALOG.objects for table in each.tables}

EDGES_WITHOUT_A_FOREIGN_KEY = {
    ("School", "ReportingEntity"): "only where the state subscribes to it",
    ("PersonIdentity", "ScheduleStructure"): "a person outlives every schedule; the documents order them so",
    ("PersonIdentityNoStateIDOnly", "ScheduleStructure"): "likewise",
    ("Day", "PersonIdentity"): "a day has no person; its row stars PersonIdentity",
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def shapes(request: pytest.FixtureRequest, database: Callable[[str], str]) -> dict[str, TableShape]:
    """Each table of district.sql, as a real database has it."""
    url = database(request.param)
    await run_script(url, DISTRICT_SQL)
    engine = open_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda sync: [read_table(sync, name) for name in OBJECT_OF])
    await engine.dispose()
    return {shape.name: shape for shape in found}


def test_it_holds_the_catalogs_tables_and_no_other_parents_first() -> None:
    written = re.findall(r'^CREATE TABLE "(\w+)"', DISTRICT_SQL, re.MULTILINE)
    assert sorted(written) == sorted(table_order(CATALOG))
    for place, table in enumerate(written):
        above = {t for name in CATALOG.ancestors([OBJECT_OF[table]]) for t in CATALOG[name].tables}
        assert above <= set(written[:place])


async def test_foreign_keys_point_into_the_same_object_or_an_ancestor(shapes: dict[str, TableShape]) -> None:
    for shape in shapes.values():
        name = OBJECT_OF[shape.name]
        for key in shape.foreign:
            assert OBJECT_OF[key.parent] in CATALOG.ancestors([name]) | {name}, (shape.name, key)


async def test_within_an_object_parents_stand_first(shapes: dict[str, TableShape]) -> None:
    for each in CATALOG.objects:
        for place, table in enumerate(each.tables):
            within = {key.parent for key in shapes[table].foreign} & set(each.tables) - {table}
            assert within <= set(each.tables[:place])


async def test_the_edges_without_a_foreign_key_are_these(shapes: dict[str, TableShape]) -> None:
    held = {(OBJECT_OF[shape.name], OBJECT_OF[key.parent]) for shape in shapes.values() for key in shape.foreign}
    edges = {(each.name, parent) for each in CATALOG.objects for parent in each.parents}
    assert edges - held == set(EDGES_WITHOUT_A_FOREIGN_KEY)


async def test_object_is_tied_to_a_year_if_its_tables_need_a_calendar(
    shapes: dict[str, TableShape],
) -> None:
    def hangs(table: str) -> bool:
        required = {column.name for column in shapes[table].columns if column.required}
        keys = [key for key in shapes[table].foreign if required.issuperset(key.columns) and key.parent != table]
        return table == "Calendar" or any(hangs(key.parent) for key in keys)

    for each in CATALOG.objects:
        assert {hangs(table) for table in each.tables} == {each.school_year}, each.name


async def test_every_table_has_a_primary_key_and_a_modified_date(shapes: dict[str, TableShape]) -> None:
    for shape in shapes.values():
        assert shape.primary, shape.name
        assert shape.columns[-1].name == "modifiedDate"
        assert 5 <= len(shape.columns) <= 20, shape.name


async def test_columns_that_the_catalog_names_exist(shapes: dict[str, TableShape]) -> None:
    named = [column for each in CATALOG.objects for column in (*each.state_owned, *each.ignore_columns)]
    for column in [*named, CATALOG.identity or "", CATALOG.year or ""]:
        table, _, name = column.rpartition(".")
        assert name in {each.name for each in shapes[table].columns}
    for rule in (rule for each in CATALOG.objects for rule in each.rule):
        for name in re.findall(r'\bt\."(\w+)"', rule.condition("sqlite")):
            assert name in {each.name for each in shapes[rule.table].columns}
