"""Checks of `doctor` that hold the catalog against a district's tables and the state's."""

from collections.abc import Iterator, Mapping
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.analysis.checks import ActionNeeded
from resync_tui.catalog import Catalog, DisObject
from resync_tui.cli.doctor.ends import fetching
from resync_tui.cli.options import hint
from resync_tui.config.settings import Settings
from resync_tui.engine.dialect import find_column, of
from resync_tui.engine.keys import IncompatibleTable, referred_name, referred_table, shortest_key
from resync_tui.engine.mapping import TableMapping, described
from resync_tui.engine.narrowing import narrowings
from resync_tui.engine.proof.proof import Proof
from resync_tui.engine.proof.written_years import written_years
from resync_tui.engine.reflection import Tables
from resync_tui.engine.years import YearStart
from resync_tui.errors import CannotRun, ResyncError
from resync_tui.formatting import plural


def mismatches(proof: Proof, district: str) -> Iterator[ResyncError]:
    """Yield what keeps objects from syncing: faults of the catalog, missing tables and columns, incompatible types."""
    if (fault := proof.identity_fault()) is not None:
        yield _of_district(fault, district)
    for each in proof.catalog.objects:
        mappings, faults = described(proof, district, each)
        for mapping in mappings:
            yield from unfed(each, mapping, district)
            yield from altering(mapping, district)
        for fault in faults:
            yield _of_district(fault, district)


def ways(proof: Proof, district: str) -> Iterator[str]:
    """Yield a remark on the tables of a district that have one way to their school year, at both ends."""
    if proof.catalog.year is None or proof.target is None:
        return
    tied = [each for each in proof.catalog.objects if each.school_year and not list(proof.faults(each))]
    tables = [name for each in tied for name in each.tables if name in proof.target]
    if tables:
        yield (
            f"School years of district {district} by {proof.catalog.year}: "
            f"{plural(len(tables), 'table')}, one way each; see: " + hint(f"resync-tui fields -d {district}")
        )


async def unmakeable(proof: Proof, settings: Settings, district: str) -> list[ResyncError]:
    """Return why `state init` would refuse to make the tables that the state lacks; empty where it lacks none."""
    from resync_tui.state_schema.derive import derived_tables

    made = proof.target if proof.target is not None else {}
    if all(name in made for each in proof.catalog.objects for name in each.tables):
        return []
    try:
        await derived_tables(settings.district_url(district), settings.state_url(), proof.catalog)
    except CannotRun as error:
        return [_of_district(error, district)]
    return []


def unfed(dis_object: DisObject, mapping: TableMapping, district: str) -> Iterator[ActionNeeded]:
    """Yield the columns of the state that a district does not have."""
    for column in mapping.unfed:
        yield ActionNeeded(
            f"{mapping.name}.{column} of the state is no longer fed: district {district} has no such column",
            f"Drop it there, or list it in state_owned or ignore_columns of {dis_object.name}.",
        )


def altering(mapping: TableMapping, district: str) -> Iterator[ActionNeeded]:
    """Yield the columns of which the state would alter values of a district in silence."""
    for each in narrowings(mapping):
        if each.loss is not None:
            yield ActionNeeded(
                each.told(f"district {district}"),
                "Give the state's column the district's type; until then records that it would alter are rejected.",
            )


def rechosen(proof: Proof, district: str) -> Iterator[str]:
    """Yield the tables of which earlier releases took another unique key, the shortest, to tell records apart."""
    for mapping in _described(proof, district):
        named = proof.catalog[mapping.object].key
        shortest = shortest_key(mapping.target, mapping.tenant_column, mapping.columns)
        if not named and shortest is not None and mapping.key != shortest:
            yield (
                f"Records of {mapping.name} are told apart by {', '.join(mapping.key)}, by earlier releases by "
                f"{', '.join(shortest)}: name one as key of {mapping.object} in the catalog"
            )


def narrower(proof: Proof, district: str) -> Iterator[str]:
    """Yield the columns of the state that refuse some of what a district's may hold; records that fit go."""
    for mapping in _described(proof, district):
        for each in narrowings(mapping):
            if each.loss is None:
                yield each.told("the district")


def _described(proof: Proof, district: str) -> Iterator[TableMapping]:
    """Yield the tables that fit."""
    for each in proof.catalog.objects:
        yield from described(proof, district, each)[0]


async def unknown_years(
    connection: AsyncConnection, catalog: Catalog, tables: Tables, start: YearStart, name: str
) -> list[ResyncError]:
    """Return the fault of years in a district, of which `name` is the display name, that are in no known form."""
    column = find_column(tables, catalog.year or "")
    if column is None or not of(column).reads_years(column):
        return []

    try:
        await written_years(fetching(connection), column, start, name)
    except IncompatibleTable as error:
        return [error]
    except DBAPIError:
        return []  # a login that may not read that table has a finding already
    return []


def edges(catalog: Catalog, tables: Mapping[str, sa.Table]) -> Iterator[ResyncError]:
    """Yield the foreign keys that the catalog's dependencies do not cover: children could arrive before parents."""
    owner_of = {tables[table]: name for table, name in catalog.owners.items() if table in tables}
    for name, child in catalog.owners.items():
        allowed = {child, *catalog.ancestors([child])}
        keys = tables[name].foreign_key_constraints if name in tables else ()
        parents = {referred_name(key): referred_table(key) for key in keys}
        for referred, table in sorted(parents.items(), key=itemgetter(0)):
            parent = None if table is None else owner_of.get(table)
            if table is None:
                yield CannotRun(
                    f"{name} of {child} points to {referred}, a table that is not there", "Create it, or drop that key."
                )
            elif parent is not None and parent not in allowed:
                yield CannotRun(
                    f"{name} of {child} points to {referred} of {parent}, on which {child} does not depend",
                    f"Add {parent} to the parents of {child} in the catalog.",
                )


def _of_district(fault: ResyncError, district: str) -> ResyncError:
    """Return a fault that names the district where the engine, which works on one only, says `the district`."""
    what = fault.what.replace("The district", f"District {district}").replace("the district", f"district {district}")
    return CannotRun(what, fault.do)
