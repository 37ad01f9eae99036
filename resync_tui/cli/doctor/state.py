"""Checks of the state: its database, its tables, and what else lives there."""

from collections.abc import Sequence
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.analysis.checks import ActionNeeded, Check, advice, passed, problem
from resync_tui.cli.doctor.ends import Opened, Site, fetching, opened, privileged, require_usable, visible
from resync_tui.databases import registry
from resync_tui.engine import ownership, tenants
from resync_tui.engine.backends.base import End, Target
from resync_tui.engine.backends.registry import open_target
from resync_tui.engine.keys import IncompatibleTable
from resync_tui.engine.reflection import Tables
from resync_tui.errors import CannotRun, ResyncError
from resync_tui.formatting import plural, some

NAME = "the state"


async def the_state(site: Site) -> tuple[list[Check], Tables | None]:
    """Return the checks of the state, and its tables; None if it cannot be read or has none of the catalog's."""
    checks: list[Check] = []
    try:
        url = site.settings.state_url()
        trusted = site.settings.state.policies == "trusted"
        target = open_target(End(url, NAME, "", 0, trusted))
        try:
            with registry.explained(NAME, url):
                await require_usable(target, written=site.serves)
                can = "read and written" if site.serves else "read"
                checks.append(passed(f"The state ({registry.place(url)}) can be {can}"))
                async with opened(NAME, url, trusted=trusted) as end:
                    tables = await end.reflect(site.catalog)
                    checks += await _looked_at(site, target, end, tables)
        finally:
            await target.close()
    except ResyncError as error:
        return [*checks, problem(error)], None
    there = _tables(site, tables)
    return [*checks, there], tables if there.exit_code == 0 else None


async def _looked_at(site: Site, target: Target, end: Opened, tables: Tables) -> list[Check]:
    return [
        *visible(end, tables),
        *await privileged(site, end, tables, as_state=True),
        *await _actions(target, tables),
        *await _owner(site, end),
        *await _tenants(site, end, tables),
    ]


def _tables(site: Site, tables: Tables) -> Check:
    """Check whether the state has any tables of the catalog: that it lacks some is told with each district."""
    names = site.catalog.owners
    found = sum(name in tables for name in names)
    if found:
        return passed(f"The state has {found} of {plural(len(names), 'table')} of the catalog")
    first = site.settings.district[0].id
    return problem(CannotRun("The state has none of the tables", f"Create them: resync-tui state init -d {first}"))


async def _actions(target: Target, tables: Tables) -> list[Check]:
    """Check the state's own doings: foreign keys that change other records when an extra one is removed, and triggers.

    Triggers that run before a record is written are no problem.
    """
    actions, triggers = await target.delete_actions(tables), await target.before_triggers(tables)
    checks = []
    if actions:
        acting = ActionNeeded(
            f"Deleting from the state changes other records: {', '.join(each.told for each in actions)}",
            "Make these ON DELETE NO ACTION, or expect remove-extra to leave the records on which others hang.",
        )
        checks.append(problem(acting))
    else:
        checks.append(passed("Deleting from the state changes no other records"))
    if triggers:
        named = some([f"{name} ({trigger})" for name, trigger in triggers])
        told = f"Triggers of the state run before records are written, and may change or skip these: {named}"
        checks.append(advice(told, "List the columns that they set in state_owned."))
    else:
        checks.append(passed("No trigger of the state runs before records are written"))
    return checks


async def _owner(site: Site, end: Opened) -> list[Check]:
    """Check whose copy a state without a tenant column is; a login that may not read it has a finding already."""
    if site.catalog.tenant_column is not None:
        return []
    with suppress(DBAPIError):
        table, district = end.dialect.ownership, site.settings.district[0].id
        try:
            ownership.require(await ownership.owner(end.connection, table), district, table)
        except CannotRun as error:
            return [problem(error)]
        return [passed(f"The state is the copy of district {district}, or of none yet")]
    return []


async def _tenants(site: Site, end: Opened, tables: Tables) -> list[Check]:
    """Check that the state's tables tell the configured districts apart, and from what they hold."""
    column, ids = site.catalog.tenant_column, [each.id for each in site.settings.district]
    mixed: dict[Check, None] = {}
    with suppress(DBAPIError):  # a login that may not read a table has a finding already
        for table in tables.values():
            try:
                await _require_apart(end, table, column, ids)
            except IncompatibleTable as error:
                mixed[problem(error)] = None
    return list(mixed) or [passed(f"The state tells {plural(len(ids), 'district')} apart")]


async def _require_apart(end: Opened, table: sa.Table, column: str | None, ids: Sequence[str]) -> None:
    tenants.require_apart(table, column, ids)
    for each in ids:
        await tenants.require_unmixed(fetching(end.connection), table, column, each)
