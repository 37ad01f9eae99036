"""Fill the sample districts and the state."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from sqlalchemy import Connection, String, Table, TableClause, column, table
from sqlalchemy.types import TypeEngine

from resync_tui.catalog import Catalog
from resync_tui.demo.drift import Ageing, Years
from resync_tui.demo.links import LINKED
from resync_tui.demo.load import Loader, loading
from resync_tui.demo.people import PEOPLE
from resync_tui.demo.records import RECORDS, owned
from resync_tui.demo.state import Stricter, load_state_rules, tightened
from resync_tui.demo.structure import STRUCTURE
from resync_tui.demo.world import Row, World
from resync_tui.schema.campus import METADATA
from resync_tui.state_schema.derive import derived_tables, missing
from resync_tui.state_schema.shapes import TableShape

CHUNK = 5_000


def rows_of(world: World, table: str) -> Iterator[Row]:
    """Yield the good rows of a table for one school year, in the order of its columns."""
    if table in RECORDS:
        return owned(world, table)
    return {**STRUCTURE, **PEOPLE, **LINKED}[table](world)


async def create_districts(urls: Sequence[str]) -> None:
    """Create the reference tables in empty databases."""
    for url in urls:
        async with loading(url) as district:
            await district.run(partial(METADATA.create_all, checkfirst=False))


async def fill(worlds: Sequence[tuple[World, str]], state_url: str, catalog: Catalog) -> None:
    """Fill districts with empty tables, and the state, whose tables are derived from the first district's."""
    assert catalog.tenant_column is not None
    rules = load_state_rules()
    derived = await derived_tables(worlds[0][1], state_url, catalog)
    shapes = tightened(derived.tables, rules, catalog.tenant_column)
    statements = await missing(replace(derived, tables=shapes), state_url)
    tables = [each for each in statements if each.startswith("CREATE TABLE")]
    async with loading(state_url) as state:
        await state.run(partial(_execute, tables))
        for world, url in worlds:
            async with loading(url) as district:
                await district.loosen()
                await district.run(_drop_indexes)
                await _fill_district(world, district, state, shapes, rules, catalog)
                await district.run(_create_indexes)
                await district.finish()
        await state.run(partial(_execute, [each for each in statements if each not in tables]))
        await state.finish()


async def _fill_district(
    world: World,
    district: Loader,
    state: Loader,
    shapes: Sequence[TableShape],
    rules: Sequence[Stricter],
    catalog: Catalog,
) -> None:
    tables = [METADATA.tables[shape.name] for shape in shapes]
    ageing = Ageing(catalog, tables, rules, world.draw)
    tied = {table for each in catalog.objects if each.school_year for table in each.tables}
    years = Years(world, tied, rows_of)
    for ours, shape in zip(tables, shapes, strict=True):
        theirs = _state_table(ours, shape)
        names = ours.columns.keys()
        kept = [names.index(name) for name in theirs.columns.keys()[1:]]
        whole = len(kept) == len(names)
        sides = ageing.sides(ours, years.rows(ours))
        while chunk := list(islice(sides, CHUNK)):
            await district.load(ours, [row for row, _ in chunk if row is not None])
            await state.load(
                theirs,
                [(world.number, *(row if whole else (row[at] for at in kept))) for _, row in chunk if row is not None],
            )


def _state_table(district: Table, shape: TableShape) -> TableClause:
    """Return a table of the state for inserts: the tenant column, then what it has of the district's."""
    types: dict[str, TypeEngine[object]] = {each.name: each.type for each in district.columns}
    return table(shape.name, *(column(each.name, types.get(each.name, String())) for each in shape.columns))


def _drop_indexes(connection: Connection) -> None:
    for each in METADATA.tables.values():
        for index in each.indexes:
            index.drop(connection)


def _create_indexes(connection: Connection) -> None:
    for each in METADATA.tables.values():
        for index in each.indexes:
            index.create(connection)


def _execute(statements: Iterable[str], connection: Connection) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
