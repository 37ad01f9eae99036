"""The catalog against the column "Child Objects" of the documents' table "Campus Object Hierarchies"."""

import pytest

from resync_tui.catalog import load
from resync_tui.screens.detail import hierarchy_lines

OF_ENROLLMENT = {
    "AttendanceBIEAbsentDays", "AttendanceExactCount", "AttendanceGroupKY", "AttendanceKYMinute", "AttendanceSDMinute",
    "CustomStudent", "ESSKY", "FRYSCStatusKY", "Graduation", "PreSchoolKY", "Roster", "Title1KY",
}  # fmt: skip
"""The starred children of Enrollment that the rows of PersonIdentity and of what is above it have too."""
OF_PERSON = {
    "Behavior", "CensusContactSummary", "ContactLog", "EmploymentAssignment", "EmploymentBackground", "Employment",
    "EmploymentCredential", "Enrollment", "Form", "FRYSCGroupProgramKY", "GiftedStatusKY", "HealthScreening",
    "ImmCertificate", "LEPKY", "MedicaidInsurance", "NASIS", "Plan", "POSEligibility", "ProcessMessage",
    "ProgramParticipation", "TEDSKY", "Test", "Transportation", "Truancy", "VaccineShot",
}  # fmt: skip
"""The starred children of PersonIdentity."""
BELOW_PERSON = OF_PERSON | OF_ENROLLMENT | {"FRYSCGroupStatusKY", "PlanProgressReport", "TestScore"}
OF_STRUCTURE = {"Day", "PersonIdentity", "PersonIdentityNoStateIDOnly", "StructureGradeLevel"}
BELOW_STRUCTURE = BELOW_PERSON | OF_STRUCTURE | {"TeamMember"}
BELOW_CALENDAR = (BELOW_STRUCTURE - {"TeamMember"}) | {"CourseSection", "ScheduleStructure"}
BELOW_SCHOOL = BELOW_CALENDAR | {"Calendar"}
CHILDREN: dict[str, tuple[set[str], set[str]]] = {
    "Calendar": (BELOW_CALENDAR, {"CourseSection", "ScheduleStructure"}),
    "District": ((BELOW_SCHOOL - {"Calendar"}) | {"School", "TeamMember"}, set()),
    "Enrollment": (OF_ENROLLMENT | {"Evaluation", "TeamMember"}, OF_ENROLLMENT | {"Evaluation", "TeamMember"}),
    "FRYSCGroupProgramKY": ({"FRYSCGroupStatusKY"}, {"FRYSCGroupStatusKY"}),
    "PersonIdentity": (BELOW_PERSON, OF_PERSON),
    "ReportingEntity": (BELOW_SCHOOL - {"Calendar"} | {"School"}, {"School"}),
    "ScheduleStructure": (BELOW_STRUCTURE, OF_STRUCTURE),
    "School": (BELOW_SCHOOL, {"Calendar"}),
    "Test": ({"TestScore"}, {"TestScore"}),
}
"""The children of each row that has any, and those with a star."""
CONTRADICTIONS = {
    *("CTEDataME", "Day", "Evaluation", "FRYSCGroupStatusKY", "FRYSCStatusKY", "Plan", "School", "StructureGradeLevel"),
    *("TeamMember", "TestScore"),
}
"""The objects on which two rows of the table say different things."""


@pytest.mark.parametrize("row", CHILDREN)
def test_each_rows_children_depend_on_it_starred_ones_directly(row: str) -> None:
    below, starred = CHILDREN[row]
    catalog = load()
    assert below <= catalog.descendants(row)
    assert starred <= set(catalog.children(row))


def test_what_the_documents_contradict_each_other_on_is_told() -> None:
    assert {each.name for each in load().objects if each.note} == CONTRADICTIONS


def shown(name: str) -> str:
    """Return the hierarchy of an object as it stands in its detail."""
    return "\n".join("".join(text for text, _ in line) for line in hierarchy_lines(load(), name))


def words(name: str, title: str) -> list[str]:
    """Return the objects that a detail lists under a title."""
    text = shown(name).partition(title)[2].partition("Children" if title == "Parents" else "*  immediate")[0]
    return text.partition("* immediate")[0].split()


def test_parents_stand_in_dependency_order_with_direct_ones_starred() -> None:
    parents = words("Roster", "Parents")
    documented = ["District", "School", "Calendar", "ScheduleStructure", "StructureGradeLevel", "PersonIdentity"]
    assert [each for each in parents if each in documented] == documented
    assert parents[-1] == "Enrollment*"
    assert "no parent dependencies" in shown("District")


def test_children_stand_alphabetically_with_direct_ones_starred() -> None:
    children = words("PersonIdentity", "Children")
    assert children == sorted(children, key=lambda each: each.rstrip("*").casefold())
    assert {each.rstrip("*") for each in children} >= BELOW_PERSON
    assert {each.rstrip("*") for each in children if each.endswith("*")} >= OF_PERSON
    assert "FRYSCGroupStatusKY*" in words("FRYSCGroupProgramKY", "Children")
    assert "no dependent objects" in shown("Roster")
