"""Marks: what is chosen, what that requires, and why."""

from itertools import pairwise

import pytest

from resync_tui.catalog import Catalog, load
from resync_tui.plan import Marked
from resync_tui.screens.marks import Mark, Marks

NEVADA = load().for_state("NV")
ABOVE_ENROLLMENT = {"District", "School", "Calendar", "ScheduleStructure", "StructureGradeLevel", "PersonIdentity"}


def marks(*chosen: str, check: bool = True) -> Marks:
    return Marks(NEVADA, frozenset(chosen), check)


@pytest.mark.parametrize(
    ("chosen", "required"),
    [
        ((), set()),
        (("District",), set()),
        (("CourseCode",), set()),
        (("Calendar",), {"District", "School"}),
        (("Enrollment",), ABOVE_ENROLLMENT),
        (("Enrollment", "Calendar"), ABOVE_ENROLLMENT - {"Calendar"}),
        (("Enrollment", "CourseSection"), ABOVE_ENROLLMENT),
        (("AttDayAggregation",), ABOVE_ENROLLMENT | {"Enrollment"}),
    ],
)
def test_exactly_the_ancestors_of_what_is_chosen_are_required(chosen: tuple[str, ...], required: set[str]) -> None:
    made = marks(*chosen)
    assert made.required == required
    for each in NEVADA.objects:
        expected = Mark.CHOSEN if each.name in chosen else Mark.REQUIRED if each.name in required else Mark.NONE
        assert made[each.name] is expected


def test_letting_one_go_releases_only_what_nothing_else_requires() -> None:
    both = marks("Enrollment", "CourseSection")
    assert both.toggled("Enrollment").required == {"District", "School", "Calendar"}
    assert both.toggled("Enrollment").toggled("CourseSection").required == set()


def test_chosen_required_object_falls_back_to_required() -> None:
    chosen = marks("Enrollment").toggled("Calendar")
    assert chosen["Calendar"] is Mark.CHOSEN
    assert chosen.toggled("Calendar")["Calendar"] is Mark.REQUIRED


def test_toggling_check_dependencies_keeps_what_was_chosen() -> None:
    off = marks("Enrollment").with_check(False)
    assert off.chosen == {"Enrollment"}
    assert off.required == set()
    assert off.with_check(True) == marks("Enrollment")


def test_parents_left_out_are_named_in_catalog_order() -> None:
    off = marks("Enrollment", "School", check=False)
    assert set(off.left_out) == ABOVE_ENROLLMENT - {"School"}
    assert sorted(off.left_out, key=NEVADA.position.__getitem__) == list(off.left_out)
    assert marks("Enrollment").left_out == ()


def test_all_is_a_full_resync_and_leaves_nothing_out() -> None:
    full = marks("Enrollment", check=False).all()
    assert full.full
    assert len(full.plan(2026).objects) == len(NEVADA.objects)
    assert full.left_out == ()
    assert not full.none().chosen


def test_the_plan_is_what_is_marked() -> None:
    plan = marks("Enrollment").plan(2026)
    assert {each.object for each in plan.objects if each.marked is Marked.REQUIRED} == ABOVE_ENROLLMENT
    assert [each.object for each in plan.objects if each.marked is Marked.SELECTED] == ["Enrollment"]
    assert plan.year == 2026


@pytest.mark.parametrize(
    ("chosen", "name", "why"),
    [
        (("Enrollment",), "Calendar", "Calendar is required by Enrollment > "),
        (("Enrollment", "Roster"), "PersonIdentity", "PersonIdentity is required by Enrollment (and by 1 more)"),
        (("Enrollment",), "Enrollment", "Enrollment needs StructureGradeLevel, PersonIdentity > ScheduleStructure > "),
        ((), "CourseSection", "CourseSection needs Calendar > School > District"),
        ((), "CourseCode", "CourseCode needs no other object. None depends on it."),
    ],
)
def test_a_line_says_why_an_object_is_marked_or_what_it_needs(chosen: tuple[str, ...], name: str, why: str) -> None:
    assert marks(*chosen).why(name).startswith(why)


def test_why_chain_leads_from_the_chosen_object_to_the_required() -> None:
    chain = [*marks("Enrollment").why("School").partition(" required by ")[2].split(" > "), "School"]
    assert chain[0] == "Enrollment"
    assert all(above in NEVADA.parents(below) for below, above in pairwise(chain))


def test_another_list_of_objects_keeps_the_marks_that_it_has() -> None:
    smaller = Catalog("Less", tuple(each for each in NEVADA.objects if each.name in ABOVE_ENROLLMENT))
    kept = marks("Enrollment", "Calendar", check=False).within(smaller)
    assert kept.chosen == {"Calendar"}
    assert not kept.check_dependencies
