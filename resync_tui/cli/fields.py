"""The command `fields`: whose is which column of an object's tables, and the way to their school year."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from resync_tui.cli.options import config_option, district_option, objects_argument, read_settings, show

if TYPE_CHECKING:
    from resync_tui.catalog import Catalog, DisObject
    from resync_tui.config.settings import Settings
    from resync_tui.engine.mapping import TableMapping
    from resync_tui.engine.proof.proof import Proof
    from resync_tui.engine.reflection import Tables


@click.command("fields")
@objects_argument
@district_option
@config_option
def list_fields(objects: Sequence[str], district: str | None) -> None:
    """List whose the columns of objects are, and their way to the school year; with -d as both databases have them."""
    import anyio

    from resync_tui.cli.selection import one_district
    from resync_tui.config.load import load_catalog

    settings = read_settings()
    catalog = load_catalog(settings)
    chosen = [catalog[name] for name in objects] or list(catalog.objects)
    if district is None:
        show([line for each in chosen for line in _of_catalog(catalog, each)])
        return
    one = one_district(settings, district)
    proof = anyio.run(_prove, settings, one, catalog)
    show([line for each in chosen for line in _of_databases(proof, each, one)])


async def _prove(settings: "Settings", district: str, catalog: "Catalog") -> "Proof":
    """Return the catalog held against the tables of a district and the state."""
    from resync_tui.engine.proof.proof import Proof, named_tables

    names = named_tables(catalog)
    source = await _tables(f"district {district}", settings.district_url(district), names)
    return Proof(catalog, source, await _tables("the state", settings.state_url(), names))


async def _tables(name: str, url: str, names: Sequence[str]) -> "Tables":
    from resync_tui.databases.registry import explained, open_engine
    from resync_tui.engine.backends.registry import backend_of
    from resync_tui.engine.reflection import reflect

    engine = open_engine(url, read_only=True)
    try:
        with explained(name, url):
            async with engine.connect() as connection:
                return await reflect(connection, names, backend_of(url).dialect)
    finally:
        await engine.dispose()


def _of_catalog(catalog: "Catalog", dis_object: "DisObject") -> Iterator[str]:
    """Yield what the catalog says of an object's columns."""
    yield dis_object.name
    for table in dis_object.tables:
        yield f"  {table}"
        yield from _named("state's own", _in(dis_object.state_owned, table))
        yield from _named("ignored", _in(dis_object.ignore_columns, table))
        if dis_object.school_year and catalog.year is not None:
            yield from _named("year", _in(catalog.year_path, table) or ["by its foreign keys"])


def _of_databases(proof: "Proof", dis_object: "DisObject", district: str) -> Iterator[str]:
    """Yield what becomes of an object's columns between both databases."""
    from resync_tui.engine.keys import IncompatibleTable
    from resync_tui.engine.mapping import describe

    yield dis_object.name
    tenant = district if proof.catalog.tenant_column else None
    for fault in proof.faults(dis_object):
        yield f"  {fault.what}"
        return
    for table in dis_object.tables:
        yield f"  {table}"
        try:
            yield from _of_mapping(describe(dis_object, table, "", proof, tenant), dis_object)
        except IncompatibleTable as error:
            yield f"    {error.what}"


def _of_mapping(mapping: "TableMapping", dis_object: "DisObject") -> Iterator[str]:
    from resync_tui.engine.proof.ways import told

    yield from _named("key", mapping.key)
    yield from _named("sent", mapping.updatable)
    yield from _named("state's own", sorted(mapping.owned))
    yield from _named("ignored", _in(dis_object.ignore_columns, mapping.name))
    yield from _named("not fed", mapping.unfed)
    if mapping.year is not None:
        column = mapping.year.source_column
        ends = {told(mapping.source, mapping.year.source), told(mapping.target, mapping.year.target)}
        yield from _named("year", [f"{each or mapping.name} > {column.name}" for each in sorted(ends)])


def _in(columns: Sequence[str], table: str) -> list[str]:
    return [column.rpartition(".")[2] for column in columns if column.rpartition(".")[0] == table]


def _named(title: str, columns: Sequence[str]) -> Iterator[str]:
    if columns:
        yield f"    {title:12} {', '.join(columns)}"


commands = (list_fields,)
