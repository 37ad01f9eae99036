"""The reference tables against the catalog, and as two kinds of database make them."""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import TypeVar

import pytest
from sqlalchemy import Connection, inspect
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from resync_tui.catalog import load
from resync_tui.databases.registry import column_types, open_engine
from resync_tui.schema.campus import METADATA
from resync_tui.schema.campus.columns import CampusTable
from resync_tui.state_schema.introspect import read_table
from resync_tui.state_schema.shapes import TableShape
from tests.support.campus import create_campus

T = TypeVar("T")
CATALOG = load()
OBJECT_OF = {table: each.name for each in CATALOG.objects for table in each.tables}

EDGES_WITHOUT_A_FOREIGN_KEY = {
    ("School", "ReportingEntity"): "only where the state subscribes to it",
    ("PersonIdentity", "ScheduleStructure"): "a person outlives every schedule; the documents order them so",
    ("PersonIdentityNoStateIDOnly", "ScheduleStructure"): "likewise",
    ("Day", "PersonIdentity"): "a day has no person; its row stars PersonIdentity",
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def district(request: pytest.FixtureRequest, database: Callable[[str], str]) -> str:
    """URL of a district with the reference tables."""
    url = database(request.param)
    await create_campus(url)
    return url


@pytest.fixture
async def shapes(district: str) -> dict[str, TableShape]:
    """Shape of each table, as a real database has it."""
    return await read(district, lambda connection: {name: read_table(connection, name) for name in OBJECT_OF})


async def read(url: str, question: Callable[[Connection], T]) -> T:
    engine = open_engine(url)
    async with engine.connect() as connection:
        answer = await connection.run_sync(question)
    await engine.dispose()
    return answer


def made(connection: Connection) -> dict[str, dict[str, list[str]]]:
    """Return what a database says of its tables, one line for each column, key, check and index."""
    return {name: parts_of(connection, name) for name in inspect(connection).get_table_names()}


def parts_of(connection: Connection, table: str) -> dict[str, list[str]]:
    inspector, types, shape = inspect(connection), column_types(connection, table), read_table(connection, table)
    return {
        "columns": [
            f"{each['name']} {types[each['name']].declared}"
            + ("" if each["nullable"] else " NOT NULL")
            + (f" DEFAULT {each['default']}" if each["default"] is not None else "")
            + (" IDENTITY" if each.get("identity") else "")
            for each in inspector.get_columns(table)
        ],
        "primary key": list(shape.primary),
        "unique keys": [", ".join(columns) for columns in shape.unique],
        "foreign keys": [
            f"{each['constrained_columns']} of {each['referred_table']} {each['referred_columns']} {each['options']}"
            for each in sorted(inspector.get_foreign_keys(table), key=itemgetter("constrained_columns"))
        ],
        "checks": list(shape.checks),
        "indexes": [f"{each.name} ({', '.join(each.parts)})" for each in shape.indexes],
    }


async def test_the_tables_are_those_of_the_stored_catalog(district: str, snapshot: SnapshotAssertion) -> None:
    assert await read(district, made) == snapshot(extension_class=JSONSnapshotExtension)


def test_they_are_the_tables_of_the_catalog() -> None:
    assert set(METADATA.tables) == set(OBJECT_OF)


def test_docstrings_name_the_dis_object_and_what_is_inferred() -> None:
    for each in CampusTable.__subclasses__():
        first, _, rest = (each.__doc__ or "").partition("\n")
        assert f"; DIS object `{OBJECT_OF[each.__name__]}`" in first, each
        assert "Inferred: " in rest, each


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
