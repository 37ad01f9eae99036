"""Checks of `doctor`: configuration, rights, databases, schemas, rules, agents, due resyncs, late schedules."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from pathlib import Path

import anyio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui import campaign, rights
from resync_tui.agent.start import logout_hint
from resync_tui.catalog import Catalog
from resync_tui.cli.catalog_checks import (
    Advice,
    edges,
    fetching,
    mismatches,
    narrower,
    rechosen,
    unknown_years,
    unmakeable,
    ways,
)
from resync_tui.cli.options import read_settings
from resync_tui.clock import utc_now
from resync_tui.config.load import load_catalog
from resync_tui.config.school_years import of_no_year
from resync_tui.config.settings import DistrictSettings, Settings
from resync_tui.control.store import Store
from resync_tui.databases import registry
from resync_tui.engine import ownership, scope, tenants
from resync_tui.engine.backends.base import End, Target, says_district
from resync_tui.engine.backends.registry import open_source, open_target
from resync_tui.engine.keys import IncompatibleTable
from resync_tui.engine.proof.proof import Proof, key_tables
from resync_tui.engine.reflection import Tables, reflect
from resync_tui.engine.years import YearStart
from resync_tui.errors import CannotRun, ResyncError
from resync_tui.formatting import plural, some, when
from resync_tui.results import Agent, DistrictStanding

AT_A_TIME = 8
"""Districts examined concurrently."""


@dataclass
class Examination:
    """The findings so far."""

    settings: Settings
    catalog: Catalog
    problems: list[ResyncError] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What is as it should be, and worth a line."""
    narrower: dict[str, list[str]] = field(default_factory=dict)
    """Columns of the state that refuse some of what districts may hold, in words, and these districts."""
    serves: bool = False
    """Whether an agent may run under this login: only then it needs privileges at districts and the state."""

    def found(self, problem: ResyncError) -> None:
        """Add a problem in the edition's words, once however many districts have it."""
        say = rights.edition_of(self.settings).says
        problem.what, problem.do = say(problem.what), say(problem.do)
        if (problem.what, problem.do) not in {(each.what, each.do) for each in self.problems}:
            self.problems.append(problem)


@dataclass(frozen=True)
class Diagnosis:
    """Report of `doctor`."""

    agents: Sequence[Agent]
    problems: Sequence[ResyncError]
    remarks: Sequence[str] = ()


def examine(path: Path | None) -> Diagnosis:
    """Examine everything that the configuration names; raises nothing that a user can cause."""
    try:
        settings = read_settings(path)
        examination = Examination(settings, load_catalog(settings))
    except ResyncError as error:
        return Diagnosis([], [error])
    anyio.run(_examine, examination)
    if (hint := logout_hint()) is not None:
        examination.found(hint)
    return Diagnosis(examination.agents, examination.problems, examination.remarks)


async def _examine(examination: Examination) -> None:
    await _control(examination)
    for named in of_no_year(examination.settings, examination.catalog):
        examination.found(named)
    for late in late_schedules(examination.settings, utc_now()):
        examination.found(late)
    state = await _state(examination)
    limit = anyio.CapacityLimiter(AT_A_TIME)
    found: dict[str, list[ResyncError]] = {each.id: [] for each in examination.settings.district}

    async def one(district: DistrictSettings) -> None:
        async with limit:
            found[district.id] = await _district(examination, district, state)

    async with anyio.create_task_group() as group:
        for district in examination.settings.district:
            group.start_soon(one, district)
    for problem in chain.from_iterable(found.values()):
        examination.found(problem)
    for told, districts in examination.narrower.items():
        examination.remarks.append(f"! {told} (district {some(districts)})")


async def _control(examination: Examination) -> None:
    try:
        url = examination.settings.control_url()
        rights.require(url)
        store = await Store.open(url, edition=rights.edition_of(examination.settings))
        try:
            examination.agents = await store.agents()
            examination.serves = store.rights.serve
            settings = examination.settings
            for doubt in await store.doubtful_rights(settings.rights.read, settings.rights.write):
                examination.found(doubt)
            standings = await store.board(settings.years.current, [each.id for each in settings.district])
            for owed in due_resyncs(settings, standings, utc_now().astimezone().date()):
                examination.found(owed)
        finally:
            await store.close()
    except ResyncError as error:
        examination.found(error)


async def _state(examination: Examination) -> Tables | None:
    try:
        url = examination.settings.state_url()
        trusted = examination.settings.state.policies == "trusted"
        tables, lacks = await _reflect("the state", url, examination, as_state=True, trusted=trusted)
        lacks += await _own_actions(examination, url, tables)
    except ResyncError as error:
        examination.found(error)
        return None
    for lack in lacks:
        examination.found(lack)
    await _owner(examination, url)
    await _tenants(examination, url, tables)
    if any(table in tables for each in examination.catalog.objects for table in each.tables):
        return tables
    first = examination.settings.district[0].id
    examination.found(CannotRun("The state has none of the tables", f"Create them: resync-tui state init -d {first}"))
    return None


async def _own_actions(examination: Examination, url: str, tables: Tables) -> list[ResyncError]:
    """Return warnings about foreign keys of the state that change other records when an extra one is removed.

    Triggers that run before a record is written are no problem, and remarked on.
    """
    target = open_target(End(url, "the state", "", 0))
    try:
        with registry.explained("the state", url):
            actions, triggers = await target.delete_actions(tables), await target.before_triggers(tables)
    finally:
        await target.close()
    if triggers:
        named = some([f"{name} ({trigger})" for name, trigger in triggers])
        examination.remarks.append(
            "! Triggers of the state run before records are written, and may change or skip these: "
            f"{named}; columns that they set belong in state_owned"
        )
    if not actions:
        return []
    return [
        Advice(
            f"Deleting from the state changes other records: {', '.join(each.told for each in actions)}",
            "Make these ON DELETE NO ACTION, or expect remove-extra to leave the records on which others hang.",
        )
    ]


async def _owner(examination: Examination, url: str) -> None:
    """Check whose copy a state without a tenant column is; a login that may not read it has a finding already."""
    from resync_tui.engine.backends.registry import backend_of

    if examination.catalog.tenant_column is not None:
        return
    engine = registry.open_engine(url, read_only=True)
    try:
        with suppress(DBAPIError):
            async with engine.connect() as connection:
                table = backend_of(url).dialect.ownership
                owner = await ownership.owner(connection, table)
                ownership.require(owner, examination.settings.district[0].id, table)
    except ResyncError as error:
        examination.found(error)
    finally:
        await engine.dispose()


async def _tenants(examination: Examination, url: str, tables: Tables) -> None:
    """Check that the state's tables tell the configured districts apart, and from what they hold."""
    column, ids = examination.catalog.tenant_column, [each.id for each in examination.settings.district]
    engine = registry.open_engine(url, read_only=True)
    try:
        with suppress(DBAPIError):  # a login that may not read a table has a finding already
            async with engine.connect() as connection:
                for table in tables.values():
                    await _told_apart(examination, connection, table, column, ids)
    finally:
        await engine.dispose()


async def _told_apart(
    examination: Examination, connection: AsyncConnection, table: sa.Table, column: str | None, ids: Sequence[str]
) -> None:
    try:
        tenants.require_apart(table, column, ids)
        for each in ids:
            await tenants.require_unmixed(fetching(connection), table, column, each)
    except IncompatibleTable as error:
        examination.found(error)


async def _district(examination: Examination, district: DistrictSettings, state: Tables | None) -> list[ResyncError]:
    name, trusted = f"district {district.id}", district.policies == "trusted"
    problems: list[ResyncError] = []
    try:
        url = examination.settings.district_url(district.id)
        tables, problems = await _reflect(name, url, examination, as_state=False, trusted=trusted)
        problems += await _identity(name, url, district.id, examination.catalog, tables, trusted=trusted)
        problems += await _contents(name, url, examination, tables)
    except ResyncError as error:
        return [*problems, error]
    proof = Proof(examination.catalog, tables, state)
    problems += mismatches(proof, district.id)
    problems += await unmakeable(proof, examination.settings, district.id)
    examination.remarks += ways(proof, district.id)
    for told in (*narrower(proof, district.id), *rechosen(proof, district.id), *_unheld(examination, tables)):
        examination.narrower.setdefault(told, []).append(district.id)
    return problems + list(edges(examination.catalog, tables))


def _unheld(examination: Examination, tables: Tables) -> Iterator[str]:
    """Yield a line on the tables of a district that no object of the user's own catalog holds."""
    if examination.settings.catalog.file is None:
        return
    catalog = examination.catalog
    named = [*(table for each in catalog.objects for table in each.tables), *key_tables(catalog)]
    held = {tables.names.find(name) for name in named}
    if others := sorted(each for each in tables.names.tables() if each not in held):
        yield f"{plural(len(others), 'table')} of the district in no object of the catalog: {some(others)}"


async def _reflect(
    name: str, url: str, examination: Examination, *, as_state: bool, trusted: bool
) -> tuple[Tables, list[ResyncError]]:
    """Return a database's tables; and its problems: hidden rows, and privileges that an agent under this login lacks.

    Hidden rows are no problem if its policies are `trusted`.
    """
    from resync_tui.engine.backends.registry import backend_of

    await _require_usable(End(url, name, "", 0, trusted), as_state=as_state, written=as_state and examination.serves)
    engine = registry.open_engine(url, read_only=True)
    try:
        with registry.explained(name, url):
            async with engine.connect() as connection:
                names = [table for each in examination.catalog.objects for table in each.tables]
                names += key_tables(examination.catalog)
                dialect = backend_of(url).dialect
                tables = await reflect(connection, names, dialect)
                policed = {} if trusted else await dialect.policed_tables(connection, tables)
                hidden: list[ResyncError] = [each.hidden(name) for each in policed.values()]
                if not examination.serves:
                    return tables, hidden
                lacks = await dialect.missing_privileges(connection, name, tables.values(), as_state=as_state)
                return tables, hidden + lacks
    finally:
        await engine.dispose()


async def _require_usable(end: End, *, as_state: bool, written: bool) -> None:
    """Require that a database takes what a batch asks of its sessions, and can be written. Raises CannotRun."""
    database = open_target(end) if as_state else open_source(end, end)
    try:
        with registry.explained(end.name, end.url):
            if written and isinstance(database, Target):
                await database.require_writable()
            await database.require_session()
    finally:
        await database.close()


async def _identity(
    name: str, url: str, expected: str, catalog: Catalog, tables: Tables, *, trusted: bool
) -> list[ResyncError]:
    """Check a source's identity as a district, if the catalog has one."""
    identity = catalog.identity or ""
    table_name, _, column = identity.rpartition(".")
    table = tables.get(table_name)
    if table is None or column not in table.c:
        return []
    engine = registry.open_engine(url, settings={} if trusted else registry.kind_of(url).all_rows, read_only=True)
    try:
        with registry.explained(name, url):
            async with engine.connect() as connection:
                found = await says_district(connection, identity)
    finally:
        await engine.dispose()
    if found == {expected}:
        return []
    says = ", ".join(sorted(found)) or "nothing"
    return [
        CannotRun(
            f"District {expected} is another one: its {identity} says {says}", "Mend the url or the id in resync.toml."
        )
    ]


async def _contents(name: str, url: str, examination: Examination, tables: Tables) -> list[ResyncError]:
    """Check that a district's database accepts the conditions of the catalog's rules, and how it writes its years."""
    from resync_tui.engine.backends.registry import backend_of

    engine = registry.open_engine(url, read_only=True)
    years, today = examination.settings.years, utc_now().astimezone().date()
    try:
        with registry.explained(name, url):
            async with engine.connect() as connection:
                # A rejected statement must not make the next one fail.
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                dialect = backend_of(url).dialect
                found = await scope.faults(examination.catalog, tables, dialect, years.current, today, alone.execute)
                start = YearStart.of(years.opens, years.closes)
                return found + await unknown_years(alone, examination.catalog, tables, start, name)
    finally:
        await engine.dispose()


def due_resyncs(settings: Settings, board: Sequence[DistrictStanding], today: date) -> Iterator[Advice]:
    """Yield the mandatory full resyncs of the current year that are due, with their districts."""
    owing: dict[campaign.Due, list[DistrictStanding]] = {}
    for each in board:
        owed = campaign.due(settings.years, today, each.last_full)
        if owed is not None:
            owing.setdefault(owed, []).append(each)
    for owed, found in owing.items():
        named = some([f"{each.district} ({_last(each)})" for each in found])
        where = f"-d {found[0].district}" if len(found) == 1 else "--all-districts"
        yield Advice(
            f"{owed.scenario}: {plural(len(found), 'district')} of {len(board)} without a full resync since "
            f"{owed.since}: {named}",
            f'Send it: resync-tui run {where} --all --reason "{owed.scenario}"; see: resync-tui board',
        )


def _last(standing: DistrictStanding) -> str:
    return f"last {standing.last_full.astimezone().date()}" if standing.last_full else "never"


def late_schedules(settings: Settings, now: datetime) -> Iterator[Advice]:
    """Yield the schedules whose next firing must wait for the window."""
    if not settings.schedule:
        return
    from resync_tui.schedule import next_open, next_run

    window = settings.engine.window
    for each in settings.schedule:
        fires = next_run(each, now)
        starts = next_open(window, fires.astimezone())
        if starts != fires:
            yield Advice(
                f"Schedule {each.name} fires next at {when(fires)}, outside [engine] window {window}: "
                f"its batches begin at {when(starts)}",
                "Move the schedule or the window, unless that is what you want.",
            )
