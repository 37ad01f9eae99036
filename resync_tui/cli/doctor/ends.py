"""Connections of `doctor` to the databases of a batch, and what the two ends have in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.analysis.checks import Check, passed, problem
from resync_tui.catalog import Catalog
from resync_tui.config.settings import Settings
from resync_tui.databases import registry
from resync_tui.engine.backends.base import Source, Target
from resync_tui.engine.backends.registry import backend_of
from resync_tui.engine.dialect import Dialect, Fetch
from resync_tui.engine.proof.proof import named_tables
from resync_tui.engine.reflection import Tables
from resync_tui.engine.visibility import policed_tables


@dataclass(frozen=True)
class Site:
    """What the configuration says, and whether an agent may run under this login: only then it needs privileges."""

    settings: Settings
    catalog: Catalog
    serves: bool


@dataclass(frozen=True)
class Opened:
    """One end, read over one connection."""

    name: str
    """Display name: `the state`, `district 01`."""
    url: str
    connection: AsyncConnection
    trusted: bool
    """Whether its policies are its border."""

    @property
    def dialect(self) -> Dialect:
        """The dialect of its kind of database."""
        return backend_of(self.url).dialect

    async def reflect(self, catalog: Catalog) -> Tables:
        """Return the tables that a catalog names, and those that they reference."""
        return await self.dialect.reflect(self.connection, named_tables(catalog))


@asynccontextmanager
async def opened(name: str, url: str, *, trusted: bool, all_rows: bool = False) -> AsyncIterator[Opened]:
    """Open one end to be read; with `all_rows` a query fails whose rows a policy hides. Raises CannotRun."""
    engine = registry.open_engine(url, settings=registry.kind_of(url).all_rows if all_rows else {}, read_only=True)
    try:
        with registry.explained(name, url):
            async with engine.connect() as connection:
                # A rejected statement must not make the next one fail.
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                yield Opened(name, url, alone, trusted)
    finally:
        await engine.dispose()


async def require_usable(database: Source | Target, *, written: bool) -> None:
    """Require that a database takes what a batch asks of its sessions, and can be `written`. Raises CannotRun."""
    if written and isinstance(database, Target):
        await database.require_writable()
    await database.require_session()


def visible(end: Opened, tables: Tables) -> list[Check]:
    """Return the checks of row-level security: rows that it hides are no problem if its policies are trusted."""
    if end.trusted:
        return [passed(f"Policies are the border of {end.name}")]
    hidden = [problem(each.hidden(end.name)) for each in policed_tables(tables).values()]
    return hidden or [passed(f"No policy hides records of {end.name}")]


async def privileged(site: Site, end: Opened, tables: Tables, *, as_state: bool) -> list[Check]:
    """Return the checks of the privileges that an agent under this login needs; none if none may run under it."""
    if not site.serves:
        return []
    lacks = await end.dialect.missing_privileges(end.connection, end.name, tables.values(), as_state=as_state)
    can = "read and write" if as_state else "read"
    return list(map(problem, lacks)) or [passed(f"This login may {can} the tables of {end.name}")]


def fetching(connection: AsyncConnection) -> Fetch:
    """Return what runs a query over a connection, for the engine's checks."""

    async def fetch(query: sa.Select[Any]) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await connection.execute(query)]

    return fetch
