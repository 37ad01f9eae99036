"""A district and a state of a few plain tables, for tests of one thing each."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from resync_tui.catalog import Catalog, DisObject, Rule
from resync_tui.databases.sqlite import sqlite_path
from tests.support.databases import rows, run_script

Database = Callable[[str], str]
ENDS = [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql")]
SAME = [("sqlite", "sqlite"), ("postgresql", "postgresql")]
MIXED = ENDS[2]
every_pair = pytest.mark.parametrize("ends", [*SAME, pytest.param(MIXED, marks=pytest.mark.matrix)], ids="-".join)
"""Gives a test `ends`; that of two kinds, which shows no more than the others here, with `-m matrix`."""

SMALL = Catalog(
    "Small",
    (
        DisObject("A", ("a",), rule=(Rule("hidden", "a", "t.name = 'hidden'", "Hidden from the state"),)),
        DisObject("B", ("b",), ("A",)),
        DisObject("C", ("c",)),
        DisObject("D", ("d",), ("B",)),
    ),
    tenant_column="tenant",
    identity="me.number",
)
DISTRICT = """
CREATE TABLE me (number varchar(9) NOT NULL);
CREATE TABLE a (id integer PRIMARY KEY, name text);
CREATE TABLE b (id integer PRIMARY KEY, a integer, note varchar(20));
CREATE TABLE c (id integer PRIMARY KEY, code varchar(40), b integer);
CREATE TABLE d (id integer PRIMARY KEY, b integer);
INSERT INTO me VALUES ('01');
"""
STATE = """
CREATE TABLE a (tenant varchar(9), id integer, name text, PRIMARY KEY (tenant, id));
CREATE TABLE b (tenant varchar(9), id integer, a integer, note varchar(20), PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, a) REFERENCES a (tenant, id));
CREATE TABLE c (tenant varchar(9), id integer, code varchar(20), b integer, PRIMARY KEY (tenant, id),
    UNIQUE (tenant, code));
CREATE TABLE d (tenant varchar(9), id integer, b integer, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, b) REFERENCES b (tenant, id));
"""
ROWS = """
INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (1, 1, 'm'), (2, 2, 'n');
INSERT INTO c VALUES (1, 'z', 1); INSERT INTO d VALUES (1, 1);
"""

YEARS = Catalog(
    "Years",
    (
        DisObject("Calendar", ("calendar",), school_year=True),
        DisObject("Visit", ("visit",), ("Calendar",), school_year=True),
    ),
    tenant_column="tenant",
    year="calendar.endyear",
)
TREE = Catalog("Tree", (DisObject("Tree", ("tree",)),), tenant_column="tenant")
TREE_DISTRICT = "CREATE TABLE tree (id varchar(20) PRIMARY KEY, up varchar(20), size integer);"
TREE_STATE = """
CREATE TABLE tree (tenant varchar(9), id varchar(20), up varchar(20), size smallint NOT NULL, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, up) REFERENCES tree (tenant, id));
"""


@dataclass(frozen=True)
class Pair:
    """A district and a state."""

    district: str
    state: str

    async def held(self, query: str) -> list[tuple[object, ...]]:
        """Return what the state holds."""
        return await rows(self.state, query)


async def pair(
    database: Database,
    ends: tuple[str, str],
    more_district: str = "",
    more_state: str = "",
    *,
    district: str = DISTRICT,
    state: str = STATE,
) -> Pair:
    """Make both ends and run further statements at each."""
    made = Pair(database(ends[0]), database(ends[1]))
    await run_script(made.district, district + more_district)
    await run_script(made.state, state + more_state)
    return made


async def leftovers(state: str) -> list[str]:
    """Return the stages that a state still holds."""
    if state.startswith("sqlite"):
        file = sqlite_path(state)
        return sorted(
            each.name for each in file.parent.glob(f"{file.name}*") if not each.name.endswith((".db", "-fence"))
        )
    query = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'resync_stage'"
    return [str(name) for (name,) in await rows(state, query) if name not in ("fence", "copy")]


async def connections(url: str) -> int:
    """Return how many of the engine's connections a PostgreSQL database has."""
    query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
               AND application_name LIKE 'resync-tui/%'"""
    ((count,),) = await rows(url, query)
    assert isinstance(count, int)
    return count


YEARS = Catalog(
    "Years",
    (
        DisObject("Calendar", ("calendar",), school_year=True),
        DisObject("Visit", ("visit",), ("Calendar",), school_year=True),
    ),
    tenant_column="tenant",
    year="calendar.endyear",
)
"""A catalog whose visits are of the school year of their calendar."""
