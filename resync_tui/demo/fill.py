"""Fill the sample districts and the state."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import islice

from resync_tui.catalog import Catalog
from resync_tui.databases.registry import open_engine
from resync_tui.demo.drift import Ageing, Years
from resync_tui.demo.links import LINKED
from resync_tui.demo.load import Loader, loading
from resync_tui.demo.people import PEOPLE
from resync_tui.demo.records import RECORDS, owned
from resync_tui.demo.state import load_state_rules, tightened
from resync_tui.demo.structure import STRUCTURE
from resync_tui.demo.world import Row, World
from resync_tui.state_schema.derive import derived_tables, missing, table_order
from resync_tui.state_schema.introspect import TableShape, read_table

CHUNK = 5_000


def rows_of(world: World, table: str) -> Iterator[Row]:
    """Yield the good rows of a table for one school year, in the order of its columns."""
    if table in RECORDS:
        return owned(world, table)
    return {**STRUCTURE, **PEOPLE, **LINKED}[table](world)


async def create_districts(urls: Sequence[str]) -> None:
    """Create the tables of district.sql in empty databases, without the indexes."""
    for url in urls:
        async with loading(url) as district:
            await district.run(_district_statements("CREATE TABLE"))


async def fill(worlds: Sequence[tuple[World, str]], state_url: str, catalog: Catalog) -> None:
    """Fill districts with existing tables, and the state, whose tables are derived from the first district's."""
    assert catalog.tenant_column is not None
    rules, first = load_state_rules(), worlds[0][1]

    async def lacking() -> list[str]:
        """Return the DDL that the state lacks by the first district's current tables."""
        enums, derived = await derived_tables(first, state_url, catalog)
        return await missing((enums, tightened(derived, rules, catalog.tenant_column)), state_url)

    _, derived = await derived_tables(first, state_url, catalog)
    state_tables = tightened(derived, rules, catalog.tenant_column)
    shapes = tightened(await _shapes(first, catalog), rules, None)
    async with loading(state_url) as state:
        await state.run(each for each in await lacking() if each.startswith("CREATE TABLE"))
        for world, url in worlds:
            async with loading(url) as district:
                await district.loosen()
                await _fill_district(world, district, state, shapes, state_tables, catalog)
                await district.run(_district_statements("CREATE INDEX"))
                await district.finish()
        await state.run(await lacking())
        await state.finish()


async def _fill_district(
    world: World,
    district: Loader,
    state: Loader,
    shapes: Sequence[TableShape],
    state_tables: Sequence[TableShape],
    catalog: Catalog,
) -> None:
    ageing = Ageing(catalog, shapes, world.draw)
    tied = {table for each in catalog.objects if each.school_year for table in each.tables}
    years = Years(world, shapes, tied, rows_of)
    for shape, state_table in zip(shapes, state_tables, strict=True):
        names = [column.name for column in shape.columns]
        columns = [column.name for column in state_table.columns]
        kept = [names.index(name) for name in columns[1:]]
        whole = len(kept) == len(names)
        sides = ageing.sides(shape.name, years.rows(shape.name))
        while chunk := list(islice(sides, CHUNK)):
            ours = [row for row, _ in chunk if row is not None]
            theirs = [
                (world.number, *(row if whole else (row[at] for at in kept))) for _, row in chunk if row is not None
            ]
            await district.load(shape, names, ours)
            await state.load(state_table, columns, theirs)


async def _shapes(url: str, catalog: Catalog) -> tuple[TableShape, ...]:
    engine = open_engine(url)
    async with engine.connect() as connection:
        shapes = await connection.run_sync(lambda sync: [read_table(sync, name) for name in table_order(catalog)])
    await engine.dispose()
    return tuple(replace(shape, indexes=()) for shape in shapes)


def _district_statements(kind: str) -> list[str]:
    text = files("resync_tui.schema").joinpath("district.sql").read_text("utf-8")
    text = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE)
    return [statement.strip() for statement in text.split(";\n") if statement.strip().startswith(kind)]
