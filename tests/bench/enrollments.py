"""The databases of the benchmark: a district with one large Enrollment table, and a state that holds it.

In the state the table has a composite primary key that begins with the district, two foreign keys and a secondary
index; the district's own tables are laxer, so that bad rows can exist there.
"""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from resync_tui.catalog import Catalog, parse_catalog
from resync_tui.state_schema.derive import apply

TENANT = "01"
COLUMNS = (
    *("enrollmentID", "personID", "calendarID", "grade", "startDate", "endDate"),
    *("serviceType", "percentEnrolled", "comments", "modifiedDate", "active"),
)

CATALOG = """
name = "bench"
tenant_column = "districtNumber"
[[object]]
name = "Calendar"
tables = ["Calendar"]
[[object]]
name = "Person"
tables = ["Person"]
[[object]]
name = "Enrollment"
tables = ["Enrollment"]
parents = ["Calendar", "Person"]
"""

_PARENTS = """
CREATE TABLE "Calendar" ("calendarID" int PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE "Person" ("personID" int PRIMARY KEY, "lastName" varchar(50) NOT NULL);
"""

_STRICT = """
CREATE TABLE "Enrollment" (
    "enrollmentID" int PRIMARY KEY,
    "personID" int NOT NULL REFERENCES "Person", "calendarID" int NOT NULL REFERENCES "Calendar",
    grade varchar(4) NOT NULL, "startDate" date NOT NULL, "endDate" date, "serviceType" char(1),
    "percentEnrolled" numeric(5, 2), comments varchar(100), "modifiedDate" timestamp, active boolean);
CREATE INDEX ON "Enrollment" ("personID");
"""

_LAX = """
CREATE TABLE "Enrollment" (
    "enrollmentID" int PRIMARY KEY, "personID" int, "calendarID" int,
    grade varchar(40), "startDate" date, "endDate" date, "serviceType" char(1),
    "percentEnrolled" numeric(5, 2), comments varchar(100), "modifiedDate" timestamp, active boolean);
"""

_FILL = """
INSERT INTO "Calendar" SELECT g, 'Calendar ' || g FROM generate_series(1, 200) g;
INSERT INTO "Person" SELECT g, 'Person ' || g FROM generate_series(1, {persons}) g;
INSERT INTO "Enrollment" SELECT g, 1 + g % {persons}, 1 + g % 200, (g % 12)::text, date '2025-08-01' + g % 30,
    CASE WHEN g % 9 = 0 THEN date '2026-06-01' END, 'P', (g % 10000) / 100.0, 'comment number ' || g,
    timestamp '2025-08-01' + g * interval '1 second', g % 2 = 0 FROM generate_series(1, {rows}) g;
VACUUM ANALYZE
"""

SCATTERED_CHANGES = 'UPDATE "Enrollment" SET comments = comments || \'.\' WHERE "enrollmentID" % 100 = $1'
"""One row in a hundred."""

SPOIL = """
UPDATE "Enrollment" SET "personID" = CASE WHEN "enrollmentID" % 100 < 2 THEN 0 ELSE "personID" END,
    grade = CASE WHEN "enrollmentID" % 100 IN (2, 3) THEN 'too long for it' ELSE grade END,
    "startDate" = CASE WHEN "enrollmentID" % 100 = 4 THEN NULL ELSE "startDate" END
WHERE "enrollmentID" % 100 < 5;
"""
"""Five rows in a hundred that the state cannot take: orphans, too long a value, a value missing."""


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the benchmark's district and state are, and what moves between them."""

    district: str
    state: str
    catalog: Catalog
    rows: int


async def create(admin: str, rows: int) -> Databases:
    """Create a district with so many enrollments, and an empty state."""
    district, state, model = [await _database(admin, name) for name in ("district", "state", "model")]
    await run(model, _PARENTS, _STRICT)
    await run(district, _PARENTS, _LAX, *_FILL.format(rows=rows, persons=max(1, rows // 5)).strip().split(";\n"))
    catalog = parse_catalog(CATALOG, "bench")
    await apply(model, state, catalog)
    return Databases(district, state, catalog, rows)


async def _database(admin: str, name: str) -> str:
    fresh = f"bench_{name}_{secrets.token_hex(4)}"
    await run(admin, f"CREATE DATABASE {fresh}")
    return urlunsplit(urlsplit(admin)._replace(path=f"/{fresh}"))


async def drop(admin: str, databases: Databases) -> None:
    """Drop what `create` made."""
    for url in (databases.district, databases.state):
        await run(admin, f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")


async def run(url: str, *statements: str) -> None:
    """Run statements, each by itself."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def value(url: str, query: str, *arguments: Any) -> Any:
    """Return what a query finds: one value."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query, *arguments)
    finally:
        await connection.close()


async def empty(databases: Databases) -> None:
    """Leave the state without an enrollment; its calendars and persons stay."""
    await run(databases.state, 'TRUNCATE "Enrollment"', "VACUUM ANALYZE", "CHECKPOINT")
