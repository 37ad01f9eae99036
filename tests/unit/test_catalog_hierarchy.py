"""The catalog of the 67 DIS objects against the documents' table "Campus Object Hierarchies".

`plans.json` holds, for each of its 55 rows, the row's own facts and the plan it must lead to, written out.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from resync_tui.catalog import Catalog, load
from resync_tui.cli.main import answer
from resync_tui.plan import make_plan
from tests.support.json_schemas import printed

YEAR = 2026
ROWS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("plans.json").read_text("utf-8"))
CONFIG = """
control.url = "sqlite:///control.db"
state = {{ name = "{state}", url = "sqlite:///state.db" }}
years.current = 2026
district = [{{ id = "01", name = "Abbott", url = "sqlite:///abbott.db" }}]
[subscription]
{subscription}
"""
STATES = ("BIE", "KY", "ME", "MT", "NV", "SD", "WY")
KENTUCKY = {
    "AttendanceGroupKY", "AttendanceKYMinute", "ESSKY", "FRYSCGroupProgramKY", "FRYSCGroupStatusKY", "FRYSCStatusKY",
    "GiftedStatusKY", "LEPKY", "PreSchoolKY", "TEDSKY", "Title1KY",
}  # fmt: skip
BUREAU = {
    "AttendanceBIEAbsentDays", "NASIS", "ISEPResidentialCertification", "ISEPResidentialVerification",
}  # fmt: skip
ATTENDANCE = {"AttDayAggregation", "AttendanceExcuse"}


def catalog_of(state: str, *, reporting_entity: bool = False) -> Catalog:
    catalog = load()
    if not reporting_entity:
        return catalog.for_state(state)
    return catalog.for_state(state, [each.name for each in catalog.objects])


def row_id(row: dict[str, Any]) -> str:
    return str(row["row"])


def test_the_documents_table_has_55_rows() -> None:
    assert len({row["row"] for row in ROWS}) == 55


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_plan_of_each_row_prints_its_literal_plan(
    row: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = json.dumps([each.name for each in load().objects])
    config = tmp_path / "resync.toml"
    config.write_text(CONFIG.format(**row, subscription=f"objects = {names}" if row["subscribed"] else ""))
    assert answer(["--config", str(config), "plan", row["row"], "--json"]) == 0
    assert printed("plan", capsys.readouterr().out) == [{"year": YEAR, "objects": row["plan"]}]


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_literal_plan_has_the_rows_parents_in_a_valid_order(row: dict[str, Any]) -> None:
    names = [planned["object"] for planned in row["plan"]]
    assert set(row["parents"]) <= set(names[:-1])
    assert names[-1].casefold() == row["row"].casefold()
    catalog = catalog_of(row["state"], reporting_entity=row["subscribed"])
    for place, name in enumerate(names):
        assert catalog.ancestors([name]) <= set(names[:place])


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_each_rows_starred_parents_are_direct_parents(row: dict[str, Any]) -> None:
    catalog = catalog_of(row["state"], reporting_entity=row["subscribed"])
    assert set(row["starred"]) <= set(catalog.parents(row["row"]))


@pytest.mark.parametrize("reporting_entity", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_full_resync_has_every_object_once_and_parents_first(state: str, reporting_entity: bool) -> None:
    catalog = catalog_of(state, reporting_entity=reporting_entity)
    names = make_plan(catalog, [each.name for each in catalog.objects], YEAR).names
    assert sorted(names) == sorted(each.name for each in catalog.objects)
    for place, name in enumerate(names):
        assert set(catalog.parents(name)) <= set(names[:place])


def test_there_are_67_objects_and_no_table_belongs_to_two() -> None:
    objects = load().objects
    tables = [table for each in objects for table in each.tables]
    assert len(objects) == 67
    assert len(tables) == len(set(tables))


@pytest.mark.parametrize(
    ("state", "own"),
    [
        ("KY", KENTUCKY),
        ("SD", {"AttendanceSDMinute"}),
        ("ME", {"CTEDataME"}),
        ("BIE", BUREAU | ATTENDANCE),
        ("NV", ATTENDANCE),
        ("WY", set()),
        ("MT", set()),
    ],
)
def test_a_state_sees_what_is_everywhere_and_its_own(state: str, own: set[str]) -> None:
    everywhere = {each.name for each in load().objects} - KENTUCKY - BUREAU - ATTENDANCE
    everywhere -= {"AttendanceSDMinute", "CTEDataME", "ReportingEntity"}
    assert {each.name for each in catalog_of(state).objects} == everywhere | own


def test_school_needs_the_reporting_entity_only_if_subscribed() -> None:
    assert catalog_of("NV").parents("School") == ("District",)
    assert "ReportingEntity" not in catalog_of("NV")
    subscribed = catalog_of("NV", reporting_entity=True)
    assert subscribed.parents("School") == ("District", "ReportingEntity")
    assert make_plan(subscribed, ["Calendar"], YEAR).names == ("District", "ReportingEntity", "School", "Calendar")


def test_montana_has_no_reporting_entity_even_when_it_subscribes() -> None:
    montana = catalog_of("MT", reporting_entity=True)
    assert "ReportingEntity" not in montana
    assert montana.parents("School") == ("District",)


PICTURED = (
    *("District", "School", "Calendar", "AttendanceExcuse", "CourseSection", "SchoolMonth", "ScheduleStructure"),
    *("TermSchedule", "PeriodSchedule", "Day", "StructureGradeLevel", "PersonIdentity", "AdultEd", "AttDayAggregation"),
    *("ALPSS", "AtRisk", "BehaviorType", "BehaviorResolutionType", "BehaviorResponseType", "Behavior"),
    *("CensusContactSummary", "ContactLog", "Employment", "EmploymentAssignment", "EmploymentBackground"),
    *("EmploymentCredential", "Enrollment", "Graduation"),
)
"""The objects that the documents' pictures show, from top to bottom; Behavior after its types as in two of three."""


def test_the_screen_shows_the_objects_as_the_screenshots_do() -> None:
    catalog = load()
    names = [each.name for each in catalog.objects]
    assert tuple(name for name in names if name in PICTURED) == PICTURED
    assert names[:3] == ["District", "ReportingEntity", "School"]
    assert names[-3:] == ["CourseCode", "ISEPResidentialCertification", "ISEPResidentialVerification"]
    people = [name for name in names if catalog.shown_under(name) == "PersonIdentity"]
    others = people[people.index("Enrollment") + 1 :]
    assert set(people) - set(others) <= set(PICTURED)
    assert others == sorted(others, key=str.casefold)
    enrolled = [name for name in names if catalog.shown_under(name) == "Enrollment"]
    assert enrolled == sorted(enrolled, key=str.casefold)
    assert catalog.shown_under("Day") == "ScheduleStructure"


def test_file_lists_every_object_under_the_one_that_shows_it() -> None:
    catalog = load()
    above: list[str] = []
    for each in catalog.objects:
        above = above[: catalog.depth(each.name)]
        assert catalog.shown_under(each.name) == (above[-1] if above else None)
        above.append(each.name)


def test_state_excluded_records_have_a_rule() -> None:
    rules = {each.name: [rule.reason for rule in each.rule] for each in load().objects if each.rule}
    assert len(rules.pop("TestScore")) == 6
    assert rules == {
        "Calendar": ["State-excluded calendar"],
        "StructureGradeLevel": ["State-excluded grade level"],
        "Enrollment": ["State-excluded enrollment"],
    }


def test_the_aggregated_attendance_asks_for_its_refresh_first() -> None:
    assert "Attendance Aggregation Refresh" in load()["AttDayAggregation"].hint
