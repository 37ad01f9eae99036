"""The command `fields`: the Synchronization Field Settings, and the way of each table to its school year."""

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
    """List the Synchronization Field Settings: whose the columns of objects are, and what keeps their records back.

    By the catalog; with -d as both databases have them.
    """
    import anyio

    from resync_tui.analysis.field_settings import LOCKED
    from resync_tui.cli.selection import one_district
    from resync_tui.config.load import load_catalog

    settings = read_settings()
    catalog = load_catalog(settings)
    chosen = [catalog[name] for name in objects] or list(catalog.objects)
    if district is None:
        show([*(line for each in chosen for line in _of_catalog(catalog, each)), LOCKED])
        return
    one = one_district(settings, district)
    proof = anyio.run(_prove, settings, one, catalog)
    show([*(line for each in chosen for line in _of_databases(proof, each, one)), LOCKED])


async def _prove(settings: "Settings", district: str, catalog: "Catalog") -> "Proof":
    """Return the catalog held against the tables of a district and the state."""
    from resync_tui.engine.proof.proof import Proof, named_tables

    names = named_tables(catalog)
    source = await _tables(f"district {district}", settings.district_url(district), names)
    return Proof(catalog, source, await _tables("the state", settings.state_url(), names))


async def _tables(name: str, url: str, names: Sequence[str]) -> "Tables":
    from resync_tui.databases.registry import explained, open_engine
    from resync_tui.engine.backends.registry import backend_of

    engine = open_engine(url, read_only=True)
    try:
        with explained(name, url):
            async with engine.connect() as connection:
                return await backend_of(url).dialect.reflect(connection, names)
    finally:
        await engine.dispose()


def _of_catalog(catalog: "Catalog", dis_object: "DisObject") -> Iterator[str]:
    """Yield what the catalog says of an object's columns."""
    from resync_tui.analysis.field_settings import field_settings

    yield dis_object.name
    for table, settings in field_settings(catalog, dis_object):
        yield f"  {table}"
        for each in settings:
            yield from _named(each.use, [each.said])


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
    from resync_tui.analysis.field_settings import FieldUse, columns_in, rules_of
    from resync_tui.engine.proof.ways import told

    yield from _named(FieldUse.KEY, mapping.key)
    yield from _named(FieldUse.SENT, mapping.updatable)
    yield from _named(FieldUse.OWNED, sorted(mapping.owned))
    yield from _named(FieldUse.IGNORED, columns_in(dis_object.ignore_columns, mapping.name))
    yield from _named("not fed", mapping.unfed)
    if mapping.year is not None:
        column = mapping.year.source_column
        ends = {told(mapping.source, mapping.year.source), told(mapping.target, mapping.year.target)}
        yield from _named(FieldUse.YEAR, [f"{each or mapping.name} > {column.name}" for each in sorted(ends)])
    for rule in rules_of(dis_object, mapping.name):
        yield from _named(rule.use, [rule.said])


def _named(title: str, columns: Sequence[str]) -> Iterator[str]:
    if columns:
        yield f"    {title:12} {', '.join(columns)}"


commands = (list_fields,)
