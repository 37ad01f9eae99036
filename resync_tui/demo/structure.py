"""The sample districts' schools, calendars, schedules, courses and look-up lists."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from resync_tui.demo.world import (
    CLOSES,
    OPENS,
    SCHOOL_DAYS,
    SUMMER_DAYS,
    YEAR,
    Calendar,
    Row,
    World,
    changed,
    pick,
    weekdays,
)

_TOWNS = ("Cedar", "Juniper", "Sage", "Copper", "Granite", "Meadow", "Silver", "Pinyon", "Mesa", "Willow", "Basin")
_LEVELS = {"ES": "Elementary School", "MS": "Middle School", "HS": "High School"}
_SUBJECTS = ("Mathematics", "English", "Science", "History", "Art", "Music", "Health", "Spanish", "Welding")
_TEACHERS = ("Ames", "Boyd", "Cruz", "Dunn", "Ekker", "Flores", "Gray", "Hale", "Ito", "Jensen", "Kerr", "Lund")
_BEHAVIOR = ("Tardy", "Disruption", "Fighting", "Bullying", "Theft", "Vandalism", "Tobacco", "Defiance", "Weapon",
             "Drugs", "Truancy", "Harassment")  # fmt: skip
_RESOLUTIONS = ("Warning", "Detention", "In-school suspension", "Suspension")
_RESPONSES = ("Conference", "Counseling", "Restorative circle")


def _district(world: World) -> Iterator[Row]:
    yield (1, world.number, world.name, "Regular", "1 Main Street", world.name, "NV", "89501", "775-555-0100",
           f"32{int(world.number):05d}", changed(1))  # fmt: skip


def _reporting_entities(world: World) -> Iterator[Row]:
    for n, name in enumerate(("Central", "Charter"), 1):
        yield n, 1, f"RE{world.number}{n}", f"{world.name} {name}", name, date(2020, 7, 1), None, changed(n)


def _schools(world: World) -> Iterator[Row]:
    for calendar in world.calendars[: world.schools]:
        n = calendar.school
        town = f"{_TOWNS[n % len(_TOWNS)]} {n // len(_TOWNS) + 1}" if n >= len(_TOWNS) else _TOWNS[n]
        yield (n, 1, 1 + n % 2, f"{100 + n}", f"{town} {_LEVELS[calendar.level]}", calendar.level, f"{n} School Road",
               f"775-555-{n:04d}", date(1960 + n % 60, 8, 1), n % 3 == 0, changed(n))  # fmt: skip


def _span(calendar: Calendar) -> tuple[date, date]:
    return (SUMMER_DAYS[0], SUMMER_DAYS[-1]) if calendar.summer else (OPENS, CLOSES)


def _calendars(world: World) -> Iterator[Row]:
    for each in world.calendars:
        first, last = _span(each)
        yield (each.id, each.school, YEAR, each.name, first, last, "I", each.summer, each.excluded, 390,
               changed(each.id))  # fmt: skip


def _excuses(world: World) -> Iterator[Row]:
    codes = (("ILL", "Illness", "A", "E"), ("UNX", "Unexcused", "A", "U"), ("TDY", "Tardy", "T", "U"),
             ("FLD", "Field trip", "E", "X"))  # fmt: skip
    number = 0
    for calendar in world.taught:
        for code, description, status, excuse in codes:
            number += 1
            yield number, calendar.id, code, description, status, excuse, f"S{code}", changed(number)


def _courses(world: World) -> Iterator[Row]:
    draw = world.draw("Course")
    for number, calendar in world.courses:
        subject = pick(draw, _SUBJECTS)
        yield (number, calendar.id, f"{1000 + number % 9000}-{number}", f"{subject} {number % 9 + 1}",
               f"{20000 + number % 900}", subject, Decimal(1 + number % 2), number % 20 > 0,
               changed(number))  # fmt: skip


def _sections(world: World) -> Iterator[Row]:
    draw = world.draw("Section")
    for number in range(1, world.sections + 1):
        room = 100 + int(draw() * 140)
        yield (number, (number + 2) // 3, number % 3 + 1, f"{pick(draw, _TEACHERS)}, A.", f"{room}",
               pick(draw, range(18, 36)), number % 30 == 0, changed(number))  # fmt: skip


def _months(world: World) -> Iterator[Row]:
    number = 0
    for calendar in world.taught:
        first, last = _span(calendar)
        months = sorted({(day.year, day.month) for day in weekdays(first, last)})
        for sequence, (year, month) in enumerate(months, 1):
            days = [day for day in weekdays(first, last) if (day.year, day.month) == (year, month)]
            number += 1
            yield (number, calendar.id, sequence, days[0].strftime("%B"), days[0], days[-1], len(days),
                   changed(number))  # fmt: skip


def _structures(world: World) -> Iterator[Row]:
    for each in world.structures:
        yield each.id, each.calendar.id, each.name, f"{each.name} schedule", False, changed(each.id)


def _term_schedules(world: World) -> Iterator[Row]:
    for each in world.schedules:
        yield each.id, each.id, "Summer" if each.calendar.summer else "Quarters", True, changed(each.id)


def _terms(world: World) -> Iterator[Row]:
    for each in world.schedules:
        days = SUMMER_DAYS if each.calendar.summer else SCHOOL_DAYS
        count = 1 if each.calendar.summer else 4
        for term in range(count):
            part = days[term * len(days) // count : (term + 1) * len(days) // count]
            yield each.id, term + 1, f"Q{term + 1}", part[0], part[-1], changed(each.id + term)


def _period_schedules(world: World) -> Iterator[Row]:
    for each in world.schedules:
        for sequence, number in enumerate(each.period_schedules, 1):
            yield number, each.id, ("Regular", "Early release")[sequence - 1], sequence, changed(number)


def _periods(world: World) -> Iterator[Row]:
    for each in world.schedules:
        for schedule in each.period_schedules:
            for period in range(1, 9):
                yield (schedule, period, f"{period}", f"{7 + period:02d}:00", f"{7 + period:02d}:50", 50, period == 5,
                       changed(schedule + period))  # fmt: skip


def _days(world: World) -> Iterator[Row]:
    number = 0
    for each in world.schedules:
        for day in SUMMER_DAYS if each.calendar.summer else SCHOOL_DAYS:
            number += 1
            school = (day.month, day.day) not in ((11, 27), (11, 28), (12, 24), (12, 25), (12, 26), (1, 1), (1, 19))
            yield (number, each.id, each.period_schedules[0] if school else None, day, school, school, school,
                   None if school else "Holiday", changed(number))  # fmt: skip


def _grade_levels(world: World) -> Iterator[Row]:
    for each in world.schedules:
        for sequence, (grade, number) in enumerate(each.grades.items(), 1):
            excluded = grade == "PS" and each.calendar.school % 5 == 1
            yield number, each.id, grade, sequence, grade, 390, excluded, changed(number)


def _look_up(names: tuple[str, ...], *more: object) -> Callable[[World], Iterator[Row]]:
    def rows(world: World) -> Iterator[Row]:
        number = 0
        for school in range(1, world.schools + 1):
            for code, name in enumerate(names, 1):
                number += 1
                yield number, school, f"B{code:02d}", name, f"{code:03d}", *more, True, changed(number)

    return rows


def _course_codes(world: World) -> Iterator[Row]:
    for number in range(1, 8 * len(_SUBJECTS) + 1):
        subject = _SUBJECTS[number % len(_SUBJECTS)]
        yield (f"{20000 + number}", f"{subject} {number}", subject, Decimal("0.5") * (1 + number % 2),
               "GHR"[number % 3], True, changed(number))  # fmt: skip


STRUCTURE: dict[str, Callable[[World], Iterator[Row]]] = {
    "District": _district,
    "ReportingEntity": _reporting_entities,
    "School": _schools,
    "Calendar": _calendars,
    "AttendanceExcuse": _excuses,
    "Course": _courses,
    "Section": _sections,
    "SchoolMonth": _months,
    "ScheduleStructure": _structures,
    "TermSchedule": _term_schedules,
    "Term": _terms,
    "PeriodSchedule": _period_schedules,
    "Period": _periods,
    "Day": _days,
    "StructureGradeLevel": _grade_levels,
    "BehaviorType": _look_up(_BEHAVIOR, 2),
    "BehaviorResponseType": _look_up(_RESPONSES),
    "BehaviorResolutionType": _look_up(_RESOLUTIONS),
    "CourseCode": _course_codes,
}
"""Row generators by table, in the order of its columns."""
