"""Checks of a district: its database, its identity, and how it fits the catalog and the state."""

from resync_tui.analysis.checks import Check, advice, passed, problem
from resync_tui.cli.doctor.catalog import edges, mismatches, narrower, rechosen, unknown_years, unmakeable, ways
from resync_tui.cli.doctor.ends import Opened, Site, opened, privileged, require_usable, visible
from resync_tui.clock import utc_now
from resync_tui.config.settings import DistrictSettings
from resync_tui.databases import registry
from resync_tui.engine import scope
from resync_tui.engine.backends.base import End, says_district
from resync_tui.engine.backends.registry import open_source
from resync_tui.engine.dialect import find_column
from resync_tui.engine.proof.proof import Proof, named_tables
from resync_tui.engine.reflection import Tables
from resync_tui.engine.years import YearStart
from resync_tui.errors import CannotRun, ResyncError
from resync_tui.formatting import plural, some


async def one_district(site: Site, district: DistrictSettings, state: Tables | None) -> list[Check]:
    """Return the checks of a district, whose tables are held against those of the state."""
    name, trusted = f"district {district.id}", district.policies == "trusted"
    checks: list[Check] = []
    try:
        url = site.settings.district_url(district.id)
        end = End(url, name, "", 0, trusted)
        source = open_source(end, end)
        try:
            with registry.explained(name, url):
                await require_usable(source, written=False)
        finally:
            await source.close()
        async with opened(name, url, trusted=trusted) as opening:
            tables = await opening.reflect(site.catalog)
            checks.append(passed(f"District {district.id} ({registry.place(url)}) can be read"))
            checks += visible(opening, tables)
            checks += await privileged(site, opening, tables, as_state=False)
            checks += await _writable(opening, tables)
            checks += await _identity(site, opening, tables, district.id)
            checks += await _contents(site, opening, tables)
            checks += await _unheld(site, opening, tables)
        return [*checks, *await _fits(site, Proof(site.catalog, tables, state), district.id)]
    except ResyncError as error:
        return [*checks, problem(error)]


async def _writable(end: Opened, tables: Tables) -> list[Check]:
    """Check that the login can only read: nothing of a resync writes to a district."""
    if await end.dialect.may_write(end.connection, tables.values()):
        return [advice("The login may write to the district", "A login that may only read is enough.")]
    return [passed(f"The login may not write to {end.name}")]


async def _identity(site: Site, end: Opened, tables: Tables, expected: str) -> list[Check]:
    """Check which district a database says it is; that it lacks the column is a fault of the catalog."""
    identity = site.catalog.identity
    if identity is None or find_column(tables, identity) is None:
        return []
    async with opened(end.name, end.url, trusted=end.trusted, all_rows=not end.trusted) as whole:
        found = await says_district(whole.connection, identity)
    if found == {expected}:
        return [passed(f"District {expected} says that it is: {identity}")]
    says = ", ".join(sorted(found)) or "nothing"
    another = CannotRun(
        f"District {expected} is another one: its {identity} says {says}", "Mend the url or the id in resync.toml."
    )
    return [problem(another)]


async def _contents(site: Site, end: Opened, tables: Tables) -> list[Check]:
    """Check that a database accepts the conditions of the catalog's rules, and how it writes its years."""
    years, today = site.settings.years, utc_now().astimezone().date()
    faults = await scope.faults(site.catalog, tables, end.dialect, years.current, today, end.connection.execute)
    start = YearStart.of(years.opens, years.closes)
    faults += await unknown_years(end.connection, site.catalog, tables, start, end.name)
    return list(map(problem, faults)) or [passed(f"Rules and school years can be read in {end.name}")]


async def _fits(site: Site, proof: Proof, district: str) -> list[Check]:
    """Check a district's tables against the catalog and, once it has any, the state's."""
    faults = [
        *mismatches(proof, district),
        *await unmakeable(proof, site.settings, district),
        *edges(site.catalog, proof.source),
    ]
    fitting = [passed(f"The tables of district {district} fit {'the state' if proof.target else 'the catalog'}")]
    told = (*narrower(proof, district), *rechosen(proof, district))
    return [
        *(list(map(problem, faults)) or fitting),
        *map(passed, ways(proof, district)),
        *map(advice, told),
    ]


async def _unheld(site: Site, end: Opened, tables: Tables) -> list[Check]:
    """Return a line on the tables of a district that no object of the user's own catalog holds; partitions are none."""
    if site.settings.catalog.file is None:
        return []
    named = named_tables(site.catalog)
    held = {tables.names.find(name) for name in named} | await end.dialect.partitions(end.connection)
    others = sorted(each for each in tables.names.tables() if each not in held)
    told = f"{plural(len(others), 'table')} of the district in no object of the catalog: {some(others)}"
    return [advice(told)] if others else []
