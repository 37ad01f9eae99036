"""Derived state schema: a district's tables, with the tenant column first in every key.

Nothing that the target has is changed; existing tables get the keys and indexes that they lack. ON DELETE and ON UPDATE
of a district are dropped: a resync deletes nothing by itself. So are foreign keys to tables of no DIS object.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import networkx as nx
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.catalog import Catalog
from resync_tui.databases.names import quote_identifier, split_name
from resync_tui.databases.registry import driver_errors, driver_message, explain, explained, open_engine, require_pair
from resync_tui.engine.backends.registry import backend_of
from resync_tui.engine.keys import IncompatibleTable
from resync_tui.engine.mapping import described, ignored_columns
from resync_tui.engine.proof.proof import Proof, key_tables
from resync_tui.engine.reflection import Tables
from resync_tui.errors import CannotRun, one_line
from resync_tui.formatting import plural
from resync_tui.state_schema.ddl import DdlDialect
from resync_tui.state_schema.introspect import read_tables
from resync_tui.state_schema.kinds import ddl_of
from resync_tui.state_schema.missing import Tell, added_columns, lacks, statements_of, tell_what_cannot_be
from resync_tui.state_schema.shapes import Column, ForeignKey, Index, Lack, TableShape, UserType

PORTION = 50
"""Things made in one transaction: each locks its table until the end, and a server's locks are limited."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Derived schema."""

    types: tuple[UserType, ...]
    """What others are made of first."""
    tables: tuple[TableShape, ...]
    """Parents first."""
    left_behind: tuple[tuple[str, str], ...]
    """Tables, and what of theirs stays in the district."""
    source: Tables
    """The district's tables."""


def _ignore(_: str) -> None:
    """Discard a message."""


async def derive(source_url: str, target_url: str, catalog: Catalog, tell: Tell = _ignore) -> list[str]:
    """Return the DDL of the catalog's tables, keys and indexes that the target lacks.

    Raises CannotRun if the source lacks a table, or if the kind of target cannot hold the source's types.
    """
    return await missing(await derived_tables(source_url, target_url, catalog), target_url, tell)


async def apply(source_url: str, target_url: str, catalog: Catalog, tell: Tell = _ignore) -> list[str]:
    """Create the catalog's tables, keys and indexes that the target lacks; return the DDL.

    What existing records violate, or cannot be created, is reported and left out; so is what does not fit then. Raises
    CannotRun in the end if a table is among it.
    """
    derived = await derived_tables(source_url, target_url, catalog)
    made = await create(derived, target_url, tell)
    for fault in await misfits(derived.source, target_url, catalog):
        tell(one_line(fault))
    return made


async def misfits(source: Tables, target_url: str, catalog: Catalog) -> list[IncompatibleTable]:
    """Return what keeps a catalog's objects from being sent, as a batch would find it."""
    names = [*table_order(catalog), *key_tables(catalog)]
    proof = Proof(catalog, source, await _target_tables(target_url, names))
    return [fault for each in catalog.objects for fault in described(proof, None, each)[1]]


async def derived_tables(source_url: str, target_url: str, catalog: Catalog) -> Derived:
    """Return the types and tables of a catalog, read from the source and adapted to the target.

    Raises CannotRun, also where the source does not bear out the catalog, or the target would alter a name.
    """
    require_pair(source_url, target_url)
    ddl, names = ddl_of(source_url), table_order(catalog)

    def read(connection: Connection, found: Tables) -> Derived:
        spelled = {name: found.names.find(name) or name for name in names}
        views = [
            (name, "a key: it is a view or a foreign table of the district")
            for name in names
            if found.names.is_view(spelled[name])
        ]
        named = {found: name for name, found in spelled.items()}
        left = [(named[name], what) for name, what in ddl.left_behind(connection, spelled.values())]
        shapes = read_tables(connection, list(spelled.values()))
        return Derived(
            ddl.types(connection, spelled.values()),
            tuple(_renamed(shapes[spelled[name]], name, named) for name in names),
            (*views, *left),
            found,
        )

    engine = open_engine(source_url, read_only=True)
    with explained("the district", source_url):
        async with engine.connect() as connection:
            found = await _proven(connection, source_url, target_url, catalog)
            derived = await connection.run_sync(read, found)
    await engine.dispose()
    tables = tuple(_without(table, ignored_columns(catalog, table.name, found[table.name])) for table in derived.tables)
    if type(ddl) is not type(ddl_of(target_url)):
        tables = tuple(map(ddl_of(target_url).adapted, tables))
    kept = {table.name for table in tables}
    tables = tuple(_for_tenant(_within(table, kept), catalog.tenant_column) for table in tables)
    ddl_of(target_url).require_names(tables)
    return replace(derived, tables=tables)


async def missing(derived: Derived, target_url: str, tell: Tell = _ignore) -> list[str]:
    """Return the DDL of the derived tables, keys and indexes that the target lacks."""
    ddl = ddl_of(target_url)
    if ddl.is_missing(target_url):
        found = [*_new_types(derived.types, derived.tables, ()), *ddl.lacks(derived.tables)]
    else:
        engine = open_engine(target_url)
        with explained("the state", target_url):
            async with engine.connect() as connection:
                found = await connection.run_sync(_missing, ddl, derived)
        await engine.dispose()
    tell_what_cannot_be(found, tell)
    _tell_what_stays(derived, found, tell)
    return statements_of(found)


async def create(derived: Derived, target_url: str, tell: Tell = _ignore) -> list[str]:
    """Create what the target lacks of a derived schema, PORTION by PORTION; return the DDL.

    What cannot be created is reported, and keeps nothing else out. Raises CannotRun in the end if it is a table.
    """
    ddl = ddl_of(target_url)
    is_missing = ddl.is_missing(target_url)
    engine = ddl.writing(open_engine(target_url, create=True))
    making = _Making(ddl, target_url, tell)
    with explained("the state", target_url):
        if is_missing:
            async with engine.connect() as connection:
                await ddl.prepare(connection)
        async with engine.begin() as connection:
            found = await connection.run_sync(_missing, ddl, derived)
        for start in range(0, len(found), PORTION):
            async with engine.begin() as connection:
                await ddl.begin(connection)
                await making.make(connection, found[start : start + PORTION])
    await engine.dispose()
    tell_what_cannot_be(found, tell)
    _tell_what_stays(derived, making.made, tell)
    if making.absent:
        raise CannotRun(
            f"The state refuses {plural(len(making.absent), 'table')}: {', '.join(making.absent)}; all else is made",
            "Mend that, or print the statements with --sql and run them by hand; then: resync-tui state init",
        )
    return statements_of(making.made)


class _Making:
    """Making of what a state lacks, in order: what cannot be made keeps only that out which needs it."""

    def __init__(self, ddl: DdlDialect, target_url: str, tell: Tell) -> None:
        self.ddl = ddl
        self.target_url = target_url
        self.tell = tell
        self.made: list[Lack] = []
        self.absent: list[str] = []
        """Tables that could not be made."""

    async def make(self, connection: AsyncConnection, lacks: Sequence[Lack]) -> None:
        """Make a portion of what is lacking: all of it at once or, if that fails, one after the other."""
        wanted = [lack for lack in lacks if lack.statement]
        needed = {name for lack in wanted for name in (lack.table, lack.parent)}
        if not wanted:
            return
        if needed.isdisjoint(self.absent):
            try:
                async with connection.begin_nested():
                    await self.ddl.execute(connection, [lack.statement for lack in wanted])
            except driver_errors():
                pass  # told by the statement that fails
            else:
                self.made += wanted
                return
        for lack in wanted:
            await self._make_alone(connection, lack)

    async def _make_alone(self, connection: AsyncConnection, lack: Lack) -> None:
        if lack.table in self.absent:
            return
        if lack.parent in self.absent:
            self.tell(f"{lack.what} could not be made: so could not {lack.parent}")
            return
        try:
            async with connection.begin_nested():
                await connection.exec_driver_sql(lack.statement)
        except DBAPIError as error:
            if explain(error, "the state", self.target_url) is not None:
                raise
            broken = isinstance(error, IntegrityError)
            # Only an integrity error's text quotes a record.
            self.tell(f"{lack.what} could not be made: {lack.why if broken else driver_message(error)}")
            if lack.is_table:
                self.absent.append(lack.table)
        else:
            self.made.append(lack)


def _tell_what_stays(derived: Derived, made: Iterable[Lack], tell: Tell) -> None:
    """Report what of new tables stays in the district, a line each."""
    new = {lack.table for lack in made if lack.is_table}
    for table, what in derived.left_behind:
        if table in new:
            tell(f"{table} is made without {what}")


def table_order(catalog: Catalog) -> tuple[str, ...]:
    """Return every table of a catalog, parents first, else in the catalog's order."""
    graph: nx.DiGraph[str] = nx.DiGraph((parent, each.name) for each in catalog.objects for parent in each.parents)
    graph.add_nodes_from(catalog.position)
    objects = nx.lexicographical_topological_sort(graph, key=catalog.position.__getitem__)
    return tuple(table for name in objects for table in catalog[name].tables)


async def _proven(connection: AsyncConnection, source_url: str, target_url: str, catalog: Catalog) -> Tables:
    """Return the source's tables. Raises the first fault of a catalog.

    Its names are proven at both ends, its ways to the year in the source: those of the target are yet to be made.
    """
    names = [*table_order(catalog), *key_tables(catalog)]
    source = await backend_of(source_url).dialect.reflect(connection, names)
    named, leading = (Proof(catalog, source, target) for target in (await _target_tables(target_url, names), None))
    if (fault := leading.identity_fault()) is not None:
        raise fault
    for each in catalog.objects:
        for fault in (*named.name_faults(each), *leading.year_faults(each)):
            raise fault
    return source


async def _target_tables(target_url: str, names: Iterable[str]) -> Tables:
    if ddl_of(target_url).is_missing(target_url):
        return Tables()
    engine = open_engine(target_url)
    try:
        with explained("the state", target_url):
            async with engine.connect() as connection:
                return await backend_of(target_url).dialect.reflect(connection, names)
    finally:
        await engine.dispose()


def _missing(connection: Connection, ddl: DdlDialect, derived: Derived) -> list[Lack]:
    """Return what a state lacks, in the order in which it can be made."""
    there = ddl.existing(connection, [table.name for table in derived.tables])
    new = tuple(table for table in derived.tables if table.name not in there)
    known = read_tables(connection, [table.name for table in derived.tables if table.name in there])
    pairs = [(table, known[table.name]) for table in derived.tables if table.name in there]
    added = [column for pair in pairs for column in added_columns(*pair, ddl)]
    keys, rest = lacks(pairs, ddl)
    return [
        *_new_types(ddl.lacking_types(connection, derived.types), new, added),
        *keys,
        *ddl.lacks(new),
        *rest,
    ]


def _new_types(types: Iterable[UserType], tables: Iterable[TableShape], added: Iterable[Column]) -> list[Lack]:
    """Return the schemas and types that new tables and columns need."""
    columns = [*(column for table in tables for column in table.columns), *added]
    used = {re.sub(r"(\([^)]*\))?(\[\])*$", "", column.type) for column in columns}
    needed = [each for each in types if used.intersection(each.used_by)]
    named = {*(split_name(table.name)[0] for table in tables), *(each.schema for each in needed)} - {None}
    return [
        *(
            Lack(f"Schema {schema}", f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}")
            for schema in sorted(filter(None, named))
        ),
        *(Lack(f"Type {each.name}", each.statement) for each in needed),
    ]


def _renamed(table: TableShape, name: str, named: Mapping[str, str]) -> TableShape:
    """Return a table under its catalog name, as are its parents; `named` are these by the district's names."""
    foreign = tuple(replace(key, parent=named.get(key.parent, key.parent)) for key in table.foreign)
    return replace(table, name=name, foreign=foreign)


def _without(table: TableShape, gone: Set[str]) -> TableShape:
    """Return a table without some columns and what depends on them."""
    if not gone:
        return table

    def free(columns: Iterable[str]) -> bool:
        return gone.isdisjoint(columns)

    def unmentioned(expression: str | None) -> bool:
        return expression is None or not any(name in expression for name in gone)

    return replace(
        table,
        columns=tuple(each for each in table.columns if each.name not in gone and unmentioned(each.generated)),
        unique=tuple(columns for columns in table.unique if free(columns)),
        foreign=tuple(key for key in table.foreign if free(key.columns)),
        checks=tuple(check for check in table.checks if unmentioned(check)),
        indexes=tuple(
            each for each in table.indexes if all(map(unmentioned, (*each.parts, each.where, each.definition)))
        ),
    )


def _within(table: TableShape, names: set[str]) -> TableShape:
    return replace(table, foreign=tuple(key for key in table.foreign if key.parent in names))


def _for_tenant(table: TableShape, tenant: str | None) -> TableShape:
    """Return a table with the tenant column, added if it is missing, first in its keys and indexes."""
    if tenant is None:
        return table
    own = [column for column in table.columns if column.name == tenant]
    column = replace(own[0], required=True) if own else Column(tenant, "TEXT", required=True)

    def led(columns: Sequence[str]) -> tuple[str, ...]:
        return (tenant, *(name for name in columns if name != tenant))

    def led_key(key: ForeignKey) -> ForeignKey:
        pairs = [pair for pair in zip(key.columns, key.parent_columns, strict=True) if pair != (tenant, tenant)]
        if tenant not in (name for _, name in pairs):
            pairs = [(tenant, tenant), *pairs]
        return replace(key, columns=tuple(mine for mine, _ in pairs), parent_columns=tuple(name for _, name in pairs))

    def led_index(index: Index) -> Index:
        if index.method:  # GIN and similar methods take no plain text column
            return index
        start, _, rest = index.definition.partition("(")
        return replace(
            index,
            parts=(quote_identifier(tenant), *index.parts) if index.expressions else led(index.parts),
            definition=f"{start}({quote_identifier(tenant)}, {rest}" if rest and tenant not in index.parts else "",
        )

    return replace(
        table,
        columns=(column, *(each for each in table.columns if each.name != tenant)),
        primary=led(table.primary) if table.primary else (),
        unique=tuple(map(led, table.unique)),
        foreign=tuple(map(led_key, table.foreign)),
        indexes=tuple(map(led_index, table.indexes)),
    )
