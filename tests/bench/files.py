"""The same enrollments in SQLite files, and what SQLite itself takes to copy them."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from resync_tui.catalog import parse_catalog
from resync_tui.state_schema.derive import apply
from tests.bench.enrollments import CATALOG, COLUMNS, TENANT, Databases

_TABLES = """
CREATE TABLE "Calendar" ("calendarID" INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL);
CREATE TABLE "Person" ("personID" INTEGER PRIMARY KEY, "lastName" VARCHAR(50) NOT NULL);
CREATE TABLE "Enrollment" (
    "enrollmentID" INTEGER PRIMARY KEY,
    "personID" INTEGER NOT NULL REFERENCES "Person", "calendarID" INTEGER NOT NULL REFERENCES "Calendar",
    grade VARCHAR(4) NOT NULL, "startDate" DATE NOT NULL, "endDate" DATE, "serviceType" CHAR(1),
    "percentEnrolled" NUMERIC(5, 2), comments VARCHAR(100), "modifiedDate" TIMESTAMP, active BOOLEAN);
CREATE INDEX "byPerson" ON "Enrollment" ("personID");
PRAGMA journal_mode = wal;
"""

_FILL = """
WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 200)
INSERT INTO "Calendar" SELECT g, 'Calendar ' || g FROM s;
WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < {persons})
INSERT INTO "Person" SELECT g, 'Person ' || g FROM s;
WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < {rows})
INSERT INTO "Enrollment" SELECT g, 1 + g % {persons}, 1 + g % 200, g % 12, date('2025-08-01', (g % 30) || ' days'),
    CASE WHEN g % 9 = 0 THEN '2026-06-01' END, 'P', (g % 10000) / 100.0, 'comment number ' || g,
    datetime('2025-08-01', g || ' seconds'), g % 2 FROM s;
ANALYZE;
"""


async def create(folder: Path, rows: int) -> Databases:
    """Create a district's file with so many enrollments, and a state's with their parents."""
    district, state = folder / "district.db", folder / "state.db"
    with closing(sqlite3.connect(district)) as connection:
        connection.executescript(_TABLES)
        connection.executescript(_FILL.format(rows=rows, persons=max(1, rows // 5)))
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
    databases = Databases(f"sqlite:///{district}", f"sqlite:///{state}", parse_catalog(CATALOG, "bench"), rows)
    await apply(databases.district, databases.state, databases.catalog)
    return databases


def empty(databases: Databases) -> None:
    """Leave the state without an enrollment."""
    with closing(sqlite3.connect(databases.state.removeprefix("sqlite:///"))) as connection:
        connection.execute('DELETE FROM "Enrollment"')
        connection.commit()
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def insert_select(databases: Databases) -> float:
    """SQLite's own INSERT … SELECT over ATTACH, foreign keys unchecked, as its shell does it."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    with closing(sqlite3.connect(databases.state.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS district", [databases.district.removeprefix("sqlite:///")])
        begun = time.perf_counter()
        copy = f'INSERT INTO "Enrollment" ("districtNumber", {names}) SELECT ?, {names} FROM district."Enrollment"'
        connection.execute(copy, [TENANT])
        return time.perf_counter() - begun
