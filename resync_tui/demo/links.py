"""Sample records that depend on several others, or on none: behavior, rosters, tests and so on."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from resync_tui.demo.flaws import LOCKED, UNCODED, UNPUBLISHED
from resync_tui.demo.people import FIRST_NAMES, LAST_NAMES, calendar_of, stayed
from resync_tui.demo.records import cents, count, day, moment, owned
from resync_tui.demo.world import OPENS, SCHOOL_DAYS, YEAR, Row, World, changed, pick


def _assignments(world: World) -> Iterator[Row]:
    draw = world.draw("EmploymentAssignment")
    for n in range(1, world.staff + 1):
        yield (
            n,
            world.students + n,
            1 + n % world.schools,
            pick(draw, ("Teacher", "Aide", "Counselor")),
            "Regular",
            OPENS,
            None,
            cents(draw, 200, 1001, 3),
            n % 3 > 0,
            changed(n),
        )


def _aggregations(world: World) -> Iterator[Row]:
    draw = world.draw("AttDayAggregation")
    for n in range(1, 2 * world.students + 1):
        enrollment, absent = (n + 1) // 2, pick(draw, (65, 130, 195, 390))
        yield (
            n,
            calendar_of(world, enrollment),
            enrollment,
            SCHOOL_DAYS[n * 7 % len(SCHOOL_DAYS)],
            absent,
            390 - absent,
            (Decimal(absent) / 390).quantize(Decimal("0.001")),
            n % 3 == 0,
            changed(n),
        )


def _rosters(world: World) -> Iterator[Row]:
    for n in range(1, 3 * world.students + 1):
        yield n, (n + 2) // 3, 1 + n % world.sections, OPENS, None, n % 50 == 0, changed(n)


def _incident_count(world: World) -> int:
    return max(4, world.students // 50)


def _incidents(world: World) -> Iterator[Row]:
    draw = world.draw("BehaviorIncident")
    for n in range(1, _incident_count(world) + 1):
        yield (
            n,
            1 + n % world.schools,
            moment(draw),
            pick(draw, ("Hallway conflict", "Class disruption")),
            pick(draw, ("Hallway", "Bus", "Gym")),
            "During school",
            "CM",
            changed(n),
        )


def _events(world: World) -> Iterator[Row]:
    for n in range(1, _incident_count(world) + 1):
        yield n, n, 1 + n % (12 * world.schools), f"{n % 12 + 1:03d}", None, None, "See the referral.", changed(n)


def _roles(world: World) -> Iterator[Row]:
    for n in range(1, 2 * _incident_count(world) + 1):
        yield (n, (n + 1) // 2, 1 + n * 7 % world.students, "Participant" if n % 2 else "Victim", None, changed(n))


def _responses(world: World) -> Iterator[Row]:
    draw = world.draw("BehaviorResponse")
    for n in range(1, _incident_count(world) + 1):
        yield n, 2 * n - 1, 1 + n % (3 * world.schools), day(draw), None, changed(n)


def _resolutions(world: World) -> Iterator[Row]:
    draw = world.draw("BehaviorResolution")
    for n in range(1, _incident_count(world) + 1):
        start = day(draw)
        yield (
            2 * n - 1,
            1,
            1 + n % (4 * world.schools),
            start,
            start + timedelta(days=2),
            cents(draw, 0, 50, 1),
            changed(n),
        )


def _truancies(world: World) -> Iterator[Row]:
    draw = world.draw("Truancy")
    for n in range(1, max(3, world.students // 40) + 1):
        student = 1 + n * 11 % world.students
        yield n, calendar_of(world, student), student, day(draw), cents(draw, 10, 100, 1), None, changed(n)


def _team_members(world: World) -> Iterator[Row]:
    draw = world.draw("TeamMember")
    for n in range(1, max(3, world.students // 8) + 1):
        student = 1 + n * 8 % world.students
        yield (n, student, student, pick(draw, FIRST_NAMES), pick(draw, LAST_NAMES), "Case manager", OPENS, changed(n))


def _group_statuses(world: World) -> Iterator[Row]:
    for program in owned(world, "FRYSCGroupProgramKY"):
        yield program[0], program[0], program[1], "Active", OPENS, changed(7)


def _plan_services(world: World) -> Iterator[Row]:
    for n in range(1, count(world, "Plan") + 1):
        yield n, 1, "Speech" if n % 2 else "Resource room", 60, "General", changed(n)


_TESTS = 24
"""Number of tests with scores that may sync: each fourth is a whole test, the three after it its parts."""


def _tests(world: World) -> Iterator[Row]:
    for n in range(1, _TESTS + 1):
        parent = None if n % 4 == 1 else n - (n - 1) % 4
        year = YEAR if n <= _TESTS - 4 else None
        yield (n, parent, world.students + 1, f"SB{n:03d}", f"Assessment {(n + 3) // 4}.{(n - 1) % 4}", f"ST{n:03d}",
               None, True, False, year, changed(n))  # fmt: skip
    for n, code, published, locked in ((UNCODED, None, True, False), (UNPUBLISHED, "ST900", False, False),
                                       (LOCKED, "ST901", True, True)):  # fmt: skip
        yield (n, None, None, f"SB{n:03d}", f"Local test {n}", code, None, published, locked, YEAR, changed(n))


def _test_sections(world: World) -> Iterator[Row]:
    for n in range(1, 2 * _TESTS + 1):
        yield n, (n + 1) // 2, ("Reading", "Writing")[n % 2], n % 2 + 1, Decimal(100), changed(n)


def _scores(world: World) -> Iterator[Row]:
    """Yield a root-level score and one below it per student; students who left early have none."""
    draw = world.draw("TestScore")
    for n in range(1, 2 * world.students + 1):
        turn, below = (n + 1) // 2, n % 2 == 0
        test, scale = 1 + turn % 6 * 4 + below * (1 + turn % 3), cents(draw, 20000, 80000)
        yield (n, n - 1 if below else None, stayed(turn), test, day(draw), cents(draw, 0, 10000), scale,
               1 + int(draw() * 99), "Proficient" if scale > 500 else "Basic", changed(n))  # fmt: skip


def _certifications(world: World) -> Iterator[Row]:
    for n in range(1, 6):
        yield n, f"Dormitory {n}", YEAR, OPENS, "Superintendent", 40 + n, changed(n)


def _verifications(world: World) -> Iterator[Row]:
    for n in range(1, 31):
        yield n, f"Dormitory {n % 5 + 1}", OPENS + timedelta(weeks=n), 4 + n % 2, "Dean", changed(n)


LINKED: dict[str, Callable[[World], Iterator[Row]]] = {
    "EmploymentAssignment": _assignments,
    "AttDayAggregation": _aggregations,
    "Roster": _rosters,
    "BehaviorIncident": _incidents,
    "BehaviorEvent": _events,
    "BehaviorRole": _roles,
    "BehaviorResponse": _responses,
    "BehaviorResolution": _resolutions,
    "Truancy": _truancies,
    "TeamMember": _team_members,
    "FRYSCGroupStatusKY": _group_statuses,
    "PlanService": _plan_services,
    "Test": _tests,
    "TestSection": _test_sections,
    "TestScore": _scores,
    "ISEPResidentialCertification": _certifications,
    "ISEPResidentialVerification": _verifications,
}
"""Row generators by table, in the order of its columns."""
