"""A resync for a school year moves that year's records and no other's, by SQL that shares nothing with the engine."""

import pytest

from resync_tui.catalog import load
from resync_tui.outcome import Kind, Status
from resync_tui.state_schema.derive import table_order
from tests.support.databases import rows, run_script
from tests.support.demo_site import DemoSite

pytestmark = pytest.mark.xdist_group("demo sites")
UP = {
    "Course": ("calendarID", "Calendar"), "Section": ("courseID", "Course"), "SchoolMonth": ("calendarID", "Calendar"),
    "ScheduleStructure": ("calendarID", "Calendar"), "TermSchedule": ("structureID", "ScheduleStructure"),
    "Term": ("termScheduleID", "TermSchedule"), "PeriodSchedule": ("structureID", "ScheduleStructure"),
    "Period": ("periodScheduleID", "PeriodSchedule"), "Day": ("structureID", "ScheduleStructure"),
    "StructureGradeLevel": ("structureID", "ScheduleStructure"), "Enrollment": ("calendarID", "Calendar"),
    "AttDayAggregation": ("calendarID", "Calendar"), "AttendanceExactCount": ("enrollmentID", "Enrollment"),
    "Graduation": ("enrollmentID", "Enrollment"), "Roster": ("enrollmentID", "Enrollment"),
}  # fmt: skip
"""How the tables of what Abbott may send for the previous year lead to a calendar: a column and whose key it is."""
KEY = {"Calendar": "calendarID", "Course": "courseID", "ScheduleStructure": "structureID", "Enrollment": "enrollmentID",
       "TermSchedule": "termScheduleID", "PeriodSchedule": "periodScheduleID"}  # fmt: skip
TIED = ("Calendar", *UP)
ALL = table_order(load().for_state("NV"))
OBJECTS = [each.name for each in load().objects if {*each.tables} & {*TIED}]
Rows = set[tuple[object, ...]]


def _year(table: str, alias: str, same: str) -> str:
    """Return SQL for the school year of a row; `same` joins the districts of a child and its parent."""
    if table == "Calendar":
        return f'{alias}."endYear"'
    column, parent = UP[table]
    above = f"{alias}p"
    joined = f'{above}."{KEY[parent]}" = {alias}."{column}"' + same.format(above, alias)
    return f'(SELECT {_year(parent, above, same)} FROM "{parent}" {above} WHERE {joined})'


async def of_state(site: DemoSite, table: str, year: int | None) -> Rows:
    """Return the state's rows of Abbott of a year; None: all other rows, of every district and year."""
    its_year = _year(table, "t", ' AND {}."districtNumber" = {}."districtNumber"')
    ours = f"""t."districtNumber" = '01' AND {its_year} = {year or 2025}"""
    where = ours if year else f"({ours}) IS NOT TRUE"
    return set(await rows(site.state, f'SELECT * FROM "{table}" t WHERE {where}'))


async def of_district(site: DemoSite, table: str, columns: str, year: int) -> list[tuple[object, ...]]:
    """Return Abbott's own rows of a year."""
    where = f"{_year(table, 't', '')} = {year}"
    return await rows(site.abbott, f'SELECT {columns} FROM "{table}" t WHERE {where}')


async def test_a_previous_year_moves_only_that_years_records(demo_site: DemoSite) -> None:
    untied = [table for table in ALL if table not in TIED]
    others = {table: set(await rows(demo_site.state, f'SELECT * FROM "{table}"')) for table in untied}
    others |= {table: await of_state(demo_site, table, None) for table in TIED}
    before = {table: await of_state(demo_site, table, 2025) for table in TIED}
    batch = await demo_site.send("01", 2025)
    assert {each.status for each in batch.objects} == {Status.COMPLETED}
    for table in untied:
        assert set(await rows(demo_site.state, f'SELECT * FROM "{table}"')) == others[table], table
    for table in TIED:
        assert await of_state(demo_site, table, None) == others[table], table
    assert [table for table in TIED if await of_state(demo_site, table, 2025) != before[table]]
    refused = {(each.table, *each.key.values()) for each in await demo_site.errors(batch)}
    for table in TIED:
        names = "*" if table != "Enrollment" else '"enrollmentID", "personID", "calendarID", "grade", "modifiedDate"'
        sent = {
            row
            for row in await of_district(demo_site, table, names, 2025)
            if not {(table, row[0]), (table, *row[:2])} & refused
        }
        there = f"""SELECT {names} FROM "{table}" WHERE "districtNumber" = '01'"""
        held = {row[1:] if names == "*" else row for row in await rows(demo_site.state, there)}
        assert sent, table
        assert sent <= held, table
    for each in batch.objects:
        tables = load()[each.object].tables
        assert each.counts.processed == sum([len(await of_district(demo_site, table, "1", 2025)) for table in tables])


async def test_current_year_leaves_previous_years_records_untouched(demo_site: DemoSite) -> None:
    before = {table: await of_state(demo_site, table, 2025) for table in TIED}
    now = {table: await of_state(demo_site, table, 2026) for table in TIED}
    batch = await demo_site.send("01", 2026, OBJECTS)
    for table in TIED:
        assert await of_state(demo_site, table, 2025) == before[table], table
    assert [table for table in TIED if await of_state(demo_site, table, 2026) != now[table]]
    (calendar,) = [each for each in batch.objects if each.object == "Calendar"]
    assert calendar.counts.processed == len(await of_district(demo_site, "Calendar", "1", 2026))


async def test_missing_parent_blocks_a_record_till_this_year_is_sent(demo_site: DemoSite) -> None:
    copied = '"calendarID", "structureID", "structureGradeID", "endYear", "grade", "startDate", "startStatus"'
    await run_script(
        demo_site.abbott,
        f"""INSERT INTO "Person" ("personID", "stateID") VALUES (5000, '5000');
        INSERT INTO "Enrollment" ("enrollmentID", "personID", {copied})
            SELECT 5000, 5000, {copied} FROM "Enrollment" WHERE "enrollmentID" =
                (SELECT min("enrollmentID") FROM "Enrollment" WHERE "endYear" = 2025 AND "grade" <> 'PS');""",
    )
    there = 'SELECT count(*) FROM "Enrollment" WHERE "enrollmentID" = 5000'
    (found,) = [
        each
        for each in await demo_site.errors(await demo_site.send("01", 2025, ["Enrollment"]))
        if each.key == {"enrollmentID": 5000}
    ]
    assert found.kind is Kind.BLOCKED
    assert found.reason == "its Person record is not in the state: resync PersonIdentity for the current year"
    assert await rows(demo_site.state, there) == [(0,)]
    await demo_site.send("01", 2026, ["PersonIdentity"])
    assert await rows(demo_site.state, there) == [(0,)]
    later = await demo_site.errors(await demo_site.send("01", 2025, ["Enrollment"]))
    assert {"enrollmentID": 5000} not in [each.key for each in later]
    assert await rows(demo_site.state, there) == [(1,)]


async def test_record_of_no_known_year_is_refused_in_the_current_year(demo_site: DemoSite) -> None:
    orphans = """SELECT count(*) FROM "Roster" r
        WHERE NOT EXISTS (SELECT 1 FROM "Enrollment" e WHERE e."enrollmentID" = r."enrollmentID")"""
    ((number,),) = await rows(demo_site.abbott, orphans)
    assert number
    processed = 0
    for year, expected in ((2025, 0), (2026, number)):
        batch = await demo_site.send("01", year, ["Roster"])
        refused = [
            each for each in await demo_site.errors(batch) if each.reason == "enrollmentID names no Enrollment record"
        ]
        assert len(refused) == expected
        processed += sum(each.counts.processed for each in batch.objects if each.object == "Roster")
    assert await rows(demo_site.abbott, 'SELECT count(*) FROM "Roster"') == [(processed,)]
