"""The six requirements of "Test Scores Batch Sync Requirements": one fact wrong gives one reason, and only that."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import MetaData

from resync_tui.catalog import Catalog, Rule, load
from resync_tui.plan import make_plan
from resync_tui.schema.campus import METADATA
from resync_tui.state_schema.derive import apply
from tests.support.campus import create_campus
from tests.support.databases import rows, run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import MIXED, SAME

Database = Callable[[str], str]
CATALOG = load().for_state("NV")
RULES = {rule.id: rule for rule in CATALOG["TestScore"].rule}
NO_CODE, UNPUBLISHED, UNDATED, OUTSIDE, LOCKED, NOT_ENROLLED = RULES

DATED = 'UPDATE "Test" SET "endYear" = NULL WHERE "testID" = {n};'
"""Leaves a score to its date alone."""
OF_YEAR = 'UPDATE "TestScore" SET "date" = NULL WHERE "scoreID" = {n};'
"""Leaves a score to its test's end year alone."""


@dataclass(frozen=True)
class Case:
    """One score, valid but for one fact; `rule` forbids it, or none."""

    rule: str | None
    table: str
    column: str
    value: str
    first: str = ""
    """What makes it valid in another way beforehand."""

    def change(self, n: int, year: int) -> str:
        """Return the SQL that makes this case of score `n`, its test, its student and enrollment."""
        key = {"Test": "testID", "TestScore": "scoreID", "Enrollment": "enrollmentID"}[self.table]
        fact = f'UPDATE "{self.table}" SET "{self.column}" = {self.value} WHERE "{key}" = {n};'
        today = date(year, 3, 1)
        return (self.first.format(n=n) + fact).format(
            year=year, before=year - 1, after=year + 1, today=today,
            yesterday=today - timedelta(1), tomorrow=today + timedelta(1),
        )  # fmt: skip


CASES = (
    Case(NO_CODE, "Test", "stateCode", "NULL"),
    Case(NO_CODE, "Test", "stateCode", "' '"),
    Case(None, "Test", "nationalCode", "'N1'"),
    Case(None, "Test", "nationalCode", "'N1'", 'UPDATE "Test" SET "stateCode" = NULL WHERE "testID" = {n};'),
    Case(NO_CODE, "Test", "nationalCode", "''", 'UPDATE "Test" SET "stateCode" = \'\' WHERE "testID" = {n};'),
    Case(UNPUBLISHED, "Test", "published", "FALSE"),
    Case(UNPUBLISHED, "Test", "published", "NULL"),
    Case(UNDATED, "TestScore", "date", "NULL", DATED),
    Case(UNDATED, "Test", "endYear", "NULL", OF_YEAR),
    Case(None, "TestScore", "date", "NULL"),
    Case(None, "Test", "endYear", "NULL"),
    Case(OUTSIDE, "TestScore", "date", "'{before}-06-30'", DATED),
    Case(None, "TestScore", "date", "'{before}-07-01'", DATED),
    Case(None, "TestScore", "date", "'{before}-07-02'", DATED),
    Case(None, "TestScore", "date", "'{year}-06-29'", DATED),
    Case(None, "TestScore", "date", "'{year}-06-30'", DATED),
    Case(OUTSIDE, "TestScore", "date", "'{year}-07-01'", DATED),
    Case(OUTSIDE, "Test", "endYear", "{before}", OF_YEAR),
    Case(OUTSIDE, "Test", "endYear", "{after}", OF_YEAR),
    Case(None, "Test", "endYear", "{before}"),
    Case(None, "TestScore", "date", "'{before}-06-30'"),
    Case(LOCKED, "Test", "editNotAvailable", "TRUE"),
    Case(LOCKED, "Test", "editNotAvailable", "NULL"),
    Case(NOT_ENROLLED, "Enrollment", "endDate", "'{yesterday}'"),
    Case(None, "Enrollment", "endDate", "'{today}'"),
    Case(None, "Enrollment", "endDate", "'{tomorrow}'"),
    Case(None, "Enrollment", "startDate", "'{today}'"),
    Case(NOT_ENROLLED, "Enrollment", "startDate", "'{tomorrow}'"),
    Case(NOT_ENROLLED, "Enrollment", "startDate", "NULL"),
    Case(NOT_ENROLLED, "Enrollment", "calendarID", "{before}"),
    Case(NOT_ENROLLED, "Enrollment", "calendarID", "{after}"),
    Case(NOT_ENROLLED, "Enrollment", "personID", "99"),
)
NUMBERED = tuple(enumerate(CASES, 1))
FORBIDDEN = {n: RULES[case.rule].reason for n, case in NUMBERED if case.rule}

SCHOOLS = """
INSERT INTO "District" ("districtID", "number", "name") VALUES (1, '01', 'Abbott');
INSERT INTO "School" ("schoolID", "districtID", "number", "name") VALUES (1, 1, '101', 'North');
INSERT INTO "Person" ("personID") VALUES (99);
"""
A_YEAR = """
INSERT INTO "Calendar" ("calendarID", "schoolID", "endYear", "name", "startDate", "endDate")
    VALUES ({year}, 1, {year}, 'Main', '{before}-08-18', '{year}-06-05');
INSERT INTO "ScheduleStructure" ("structureID", "calendarID", "name") VALUES ({year}, {year}, 'Main');
INSERT INTO "StructureGradeLevel" ("structureGradeID", "structureID", "name", "sequence")
    VALUES ({year}, {year}, '09', 1);
"""
VALID = """
INSERT INTO "Enrollment" ("enrollmentID", "personID", "calendarID", "structureID", "structureGradeID", "endYear",
    "startDate") VALUES ({n}, {n}, {year}, {year}, {year}, {year}, '{before}-08-18');
INSERT INTO "Test" ("testID", "code", "name", "stateCode", "published", "endYear")
    VALUES ({n}, 'T{n}', 'Test', 'S{n}', TRUE, {year});
INSERT INTO "TestScore" ("scoreID", "personID", "testID", "date") VALUES ({n}, {n}, {n}, '{year}-02-03');
"""
CLEAR = 'DELETE FROM "TestScore"; DELETE FROM "Test"; DELETE FROM "Enrollment";'


class Scores:
    """A district whose scores are those of the cases, or all valid, and a state without any."""

    def __init__(self, district: str, state: str, year: int) -> None:
        self.district = district
        self.state = state
        self.year = year
        self._token = 0

    async def make(self, *, changed: bool) -> None:
        """Fill the district anew; each score is valid, or but for its case's one fact."""
        script = [CLEAR]
        script += [VALID.format(n=n, year=self.year, before=self.year - 1) for n, _ in NUMBERED]
        script += [case.change(n, self.year) for n, case in NUMBERED] if changed else []
        await run_script(self.district, "".join(script))

    async def resync(self, catalog: Catalog = CATALOG) -> Heard:
        """Resync TestScore, the first time with all that it depends on, later with Test."""
        self._token += 1
        first = self._token == 1
        plan = make_plan(catalog, ["Test", "TestScore"], self.year, check_dependencies=first)
        job = make_job(self.district, self.state, catalog, "01", [], token=self._token)
        return await run(replace(job, plan=plan, today=date(self.year, 3, 1)))

    async def there(self) -> set[object]:
        """Return the scores that the state has."""
        return {row[0] for row in await rows(self.state, 'SELECT "scoreID" FROM "TestScore"')}


@pytest.fixture(params=[*SAME, pytest.param(MIXED, marks=pytest.mark.matrix)], ids="-".join)
def ends(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The kinds of district and state."""
    kinds: tuple[str, str] = request.param
    return kinds


def without_start_dates() -> MetaData:
    """Return the reference tables of a district that takes enrollments without a start date."""
    tables = MetaData(naming_convention=METADATA.naming_convention)
    for table in METADATA.sorted_tables:
        table.to_metadata(tables)
    tables.tables["Enrollment"].columns["startDate"].nullable = True
    return tables


@pytest.fixture(params=[pytest.param(2025, marks=pytest.mark.matrix), 2026])
async def scores(database: Database, ends: tuple[str, str], request: pytest.FixtureRequest) -> Scores:
    district, state = map(database, ends)
    await create_campus(district, without_start_dates())
    years = "".join(A_YEAR.format(year=year, before=year - 1) for year in range(2024, 2028))
    people = "".join(f'INSERT INTO "Person" ("personID") VALUES ({n});' for n, _ in NUMBERED)
    await run_script(district, SCHOOLS + years + people)
    await apply(district, state, CATALOG)
    return Scores(district, state, request.param)


def refused(heard: Heard) -> dict[object, tuple[str, str]]:
    """Return kind and reason by score; each is refused once."""
    found = [(key[0], (kind, reason)) for table, key, kind, reason in heard.refused if table == "TestScore"]
    assert len(found) == len(dict(found)) == heard.counts["TestScore"].errors
    return dict(found)


def without(*rules: str) -> Catalog:
    """Return the catalog without some of TestScore's rules."""

    def kept(rule: Rule) -> bool:
        return rule.id not in rules

    objects = (
        replace(each, rule=tuple(filter(kept, each.rule))) if each.name == "TestScore" else each
        for each in CATALOG.objects
    )
    return replace(CATALOG, object=tuple(objects))


async def test_each_wrong_fact_excludes_the_score_with_its_own_reason(scores: Scores) -> None:
    await scores.make(changed=True)
    heard = await scores.resync()
    assert refused(heard) == {n: ("excluded", reason) for n, reason in FORBIDDEN.items()}
    assert await scores.there() == {n for n, _ in NUMBERED} - FORBIDDEN.keys()
    await scores.make(changed=False)
    heard = await scores.resync()
    assert refused(heard) == {}
    assert heard.counts["TestScore"].inserted == len(FORBIDDEN)
    assert await scores.there() == {n for n, _ in NUMBERED}


@pytest.mark.parametrize("scores", [2026], indirect=True)
async def test_each_rule_alone_keeps_its_own_scores_back(scores: Scores) -> None:
    await scores.make(changed=True)
    for rule in RULES:
        await run_script(scores.state, CLEAR)
        mine = {n for n, case in NUMBERED if case.rule == rule}
        assert mine, rule
        heard = await scores.resync(without(rule))
        assert refused(heard).keys() == FORBIDDEN.keys() - mine, rule
        assert await scores.there() >= mine, rule
        await run_script(scores.state, CLEAR)
        heard = await scores.resync(without(*RULES.keys() - {rule}))
        assert refused(heard) == dict.fromkeys(mine, ("excluded", RULES[rule].reason)), rule


@pytest.mark.parametrize("scores", [2026], indirect=True)
async def test_scores_below_a_root_level_score_share_its_fate(scores: Scores) -> None:
    await scores.make(changed=False)
    below = 'INSERT INTO "TestScore" ("scoreID", "parentScoreID", "personID", "testID", "date") VALUES'
    await run_script(
        scores.district,
        f'UPDATE "Test" SET "endYear" = NULL; UPDATE "TestScore" SET "date" = NULL WHERE "scoreID" = 1;'
        f"{below} (101, 1, 1, 2, '{scores.year}-02-03'), (102, 2, 2, 3, NULL), (103, 3, 3, 4, '{scores.year}-07-01'),"
        f" (104, 102, 2, 5, NULL), (105, 101, 1, 5, NULL);",
    )
    blocked = ("blocked", "its TestScore record did not reach the state: a rule excludes it, or a record above it")
    assert refused(await scores.resync()) == {
        1: ("excluded", RULES[UNDATED].reason), 101: blocked, 105: blocked, 103: ("excluded", RULES[OUTSIDE].reason),
    }  # fmt: skip
    assert {102, 104} <= await scores.there()
    await run_script(scores.district, f"""UPDATE "TestScore" SET "date" = '{scores.year}-02-03'""")
    assert refused(await scores.resync()) == {}
    assert {1, 101, 103, 105} <= await scores.there()


def test_the_catalog_has_the_six_requirements_and_no_other() -> None:
    assert len(RULES) == len({rule.reason for rule in RULES.values()}) == 6
    assert {case.rule for case in CASES} == {*RULES, None}
