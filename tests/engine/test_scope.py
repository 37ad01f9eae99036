"""What may not sync: rules are asked about before anything is read, and what hangs on an excluded record is blocked."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from resync_tui.catalog import Catalog, DisObject, Rule, load
from resync_tui.databases.registry import open_engine
from resync_tui.engine.backends.registry import backend_of
from resync_tui.engine.scope import faults
from resync_tui.outcome import Counts, Status
from resync_tui.state_schema.derive import apply
from tests.support.campus import create_campus
from tests.support.databases import rows, run_script
from tests.support.running import TODAY, YEAR, make_job, run

Database = Callable[[str], str]
CAMPUS = load().for_state("NV")
BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
TABLES = """
CREATE TABLE "parent" ("id" integer PRIMARY KEY, "size" integer);
CREATE TABLE "child" ("id" integer PRIMARY KEY, "parentID" integer REFERENCES "parent" ("id"));
CREATE TABLE "beside" ("id" integer PRIMARY KEY, "size" integer);
INSERT INTO "parent" VALUES (1, 10), (2, 20); INSERT INTO "child" VALUES (1, 1); INSERT INTO "beside" VALUES (1, 1);
"""
BAD = {
    "no such column": 't."nothing" > 1',
    "no such column alone": '"nothing" = 1',
    "no such column of a subselect": 'EXISTS (SELECT 1 FROM "beside" WHERE "nothing" = 1)',
    "no such table": 'EXISTS (SELECT 1 FROM "nowhere")',
    "no such function": 'sized(t."size")',
    "an open bracket": '(t."size" > 1',
    "not SQL": "whenever it rains",
    "two statements": 'TRUE); DELETE FROM "parent"; SELECT (TRUE',
}


def catalog(when: str | dict[str, str]) -> Catalog:
    rule = Rule("odd-size", "parent", when, "Odd")
    objects = (DisObject("Parent", ("parent",), rule=(rule,)), DisObject("Child", ("child",), ("Parent",)),
               DisObject("Beside", ("beside",)))  # fmt: skip
    return Catalog("Three", objects)


@BOTH
@pytest.mark.parametrize("when", BAD.values(), ids=BAD)
async def test_bad_condition_is_named_with_its_object_before_reading(database: Database, kind: str, when: str) -> None:
    district, state = database(kind), database(kind)
    await run_script(district, TABLES)
    await apply(district, state, catalog("FALSE"))
    heard = await run(make_job(district, state, catalog(when), None))
    assert heard.statuses == {"Parent": Status.FAILED, "Child": Status.SKIPPED, "Beside": Status.COMPLETED}
    assert heard.ended["Parent"].message.startswith("Rule odd-size of Parent is not valid SQL: ")
    assert heard.progress("Parent") == []
    assert heard.counts["Parent"] == Counts()
    assert await rows(state, 'SELECT count(*) FROM "parent"') == [(0,)]
    assert await rows(district, 'SELECT count(*) FROM "parent"') == [(2,)]
    assert await rows(state, 'SELECT count(*) FROM "beside"') == [(1,)]


@BOTH
@pytest.mark.parametrize("when", [""" "size" = 20 """, """ t."size" = 20 AND 'a "b"' = 'a "b"' """, 'T."size" = 20'])
async def test_names_and_texts_of_a_condition_are_told_apart(database: Database, kind: str, when: str) -> None:
    district, state = database(kind), database(kind)
    await run_script(district, TABLES)
    await apply(district, state, catalog("FALSE"))
    heard = await run(make_job(district, state, catalog(when), None))
    assert heard.refused == {("parent", (2,), "excluded", "Odd"): 1}


@BOTH
async def test_a_rule_has_a_condition_for_each_kind_of_database(database: Database, kind: str) -> None:
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[kind]
    district, state = database(kind), database(kind)
    await run_script(district, TABLES)
    await apply(district, state, catalog("FALSE"))
    job = make_job(district, state, catalog({kind: 't."size" = :year - 2006', other: "not SQL"}), None)
    heard = await run(job)
    assert heard.refused == {("parent", (2,), "excluded", "Odd"): 1}
    heard = await run(replace(job, catalog=catalog({other: "TRUE"}), token=2))
    assert heard.statuses["Parent"] is Status.FAILED
    assert "Rule odd-size has no condition for" in heard.ended["Parent"].message


@BOTH
async def test_a_condition_that_a_record_breaks_fails_its_object_alone(database: Database, kind: str) -> None:
    district, state = database(kind), database(kind)
    await run_script(district, TABLES)
    await apply(district, state, catalog("FALSE"))
    breaks = {"sqlite": """abs(-9223372036854775807 - (t."size" > 15)) > 0""", "postgresql": '1 / (t."size" - 20) > 0'}
    heard = await run(make_job(district, state, catalog(breaks), None))
    assert heard.statuses == {"Parent": Status.FAILED, "Child": Status.SKIPPED, "Beside": Status.COMPLETED}


@BOTH
async def test_doctor_finds_bad_conditions(database: Database, kind: str) -> None:
    district = database(kind)
    await run_script(district, TABLES)
    engine = open_engine(district)

    async def ask(query: sa.Select[object]) -> None:
        async with engine.connect() as connection:
            await connection.execute(query)

    async with engine.connect() as connection:
        tables = await backend_of(district).dialect.reflect(connection, ["parent", "child"])
    for when, said in ((BAD["no such column"], True), ("t.\"size\" > 1 AND :today > '2026-01-01'", False)):
        found = await faults(catalog(when), tables, backend_of(district).dialect, YEAR, TODAY, ask)
        assert [each.what.startswith("Rule odd-size of Parent is not valid SQL: ") for each in found] == [True] * said
    await engine.dispose()


FAMILY = """
INSERT INTO "District" ("districtID", "number", "name") VALUES (1, '01', 'Abbott');
INSERT INTO "School" ("schoolID", "districtID", "number", "name") VALUES (1, 1, '101', 'North');
INSERT INTO "Calendar" ("calendarID", "schoolID", "endYear", "name", "startDate", "endDate", "stateExclude") VALUES
    (1, 1, 2026, 'Main', '2025-08-18', '2026-06-05', FALSE), (2, 1, 2026, 'Hidden', '2025-08-18', '2026-06-05', TRUE);
INSERT INTO "ScheduleStructure" ("structureID", "calendarID", "name") VALUES (1, 1, 'Main'), (2, 2, 'Main');
INSERT INTO "StructureGradeLevel" ("structureGradeID", "structureID", "name", "sequence", "stateExclude") VALUES
    (1, 1, '09', 1, FALSE), (2, 1, 'PS', 2, TRUE), (3, 2, '09', 1, FALSE), (4, 2, 'PS', 2, TRUE);
INSERT INTO "Person" ("personID") VALUES (1);
INSERT INTO "Enrollment" ("enrollmentID", "personID", "calendarID", "structureID", "structureGradeID", "endYear",
    "startDate", "startStatus", "stateExclude") VALUES
    (1, 1, 1, 1, 1, 2026, '2025-08-18', 'E1', FALSE), (2, 1, 1, 1, 1, 2026, '2025-08-18', 'E1', TRUE),
    (3, 1, 1, 1, 2, 2026, '2025-08-18', 'E1', FALSE), (4, 1, 2, 2, 3, 2026, '2025-08-18', 'E1', FALSE),
    (5, 1, 2, 2, 4, 2026, '2025-08-18', 'E1', TRUE);
INSERT INTO "Roster" ("rosterID", "enrollmentID", "sectionID") VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 4, 1);
"""


@BOTH
async def test_what_hangs_on_a_state_excluded_record_is_blocked(database: Database, kind: str) -> None:
    district, state = database(kind), database(kind)
    await create_campus(district)
    await run_script(district, FAMILY)
    await apply(district, state, CAMPUS)
    heard = await run(make_job(district, state, CAMPUS, "01", ["Roster"]))

    def hung(table: str) -> tuple[str, str]:
        return "blocked", f"its {table} record did not reach the state: a rule excludes it, or a record above it"

    assert {(table, key[0]): (how, reason) for table, key, how, reason in heard.refused} == {
        ("Calendar", 2): ("excluded", "State-excluded calendar"),
        ("ScheduleStructure", 2): hung("Calendar"),
        ("StructureGradeLevel", 2): ("excluded", "State-excluded grade level"),
        ("StructureGradeLevel", 3): hung("ScheduleStructure"),
        ("StructureGradeLevel", 4): ("excluded", "State-excluded grade level"),
        ("Enrollment", 2): ("excluded", "State-excluded enrollment"),
        ("Enrollment", 3): hung("StructureGradeLevel"),
        ("Enrollment", 4): hung("Calendar"),
        ("Enrollment", 5): ("excluded", "State-excluded enrollment"),
        ("Roster", 2): hung("Enrollment"),
        ("Roster", 3): hung("Enrollment"),
        ("Roster", 4): hung("Enrollment"),
    }
    for table, key in (("Calendar", "calendarID"), ("Enrollment", "enrollmentID"), ("Roster", "rosterID")):
        assert await rows(state, f'SELECT "{key}" FROM "{table}"') == [(1,)]
    await run_script(district, 'UPDATE "StructureGradeLevel" SET "stateExclude" = FALSE WHERE "structureGradeID" = 2')
    heard = await run(make_job(district, state, CAMPUS, "01", ["Roster"], token=2))
    assert heard.counts["Enrollment"] == Counts(processed=5, inserted=1, unchanged=1, excluded=2, blocked=1)
    assert await rows(state, 'SELECT "rosterID" FROM "Roster" ORDER BY 1') == [(1,), (3,)]
