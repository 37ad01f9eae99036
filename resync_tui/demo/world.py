"""A sample district: its size, and the schools, calendars and schedules on which its other records depend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from random import Random
from typing import NamedTuple, TypeAlias, TypeVar

YEAR = 2026
"""The current school year, by the calendar year in which it ends."""
SMALLEST = 3
"""Students of the smallest district: every table has about that many records, without duplicates."""
OPENS = date(2025, 8, 18)
CLOSES = date(2026, 6, 5)
SUMMER = date(2026, 6, 8)

Row: TypeAlias = tuple[object, ...]
Draw: TypeAlias = Callable[[], float]
"""A random source: returns numbers from 0 up to 1."""

T = TypeVar("T")


class Calendar(NamedTuple):
    """One school's year, or its summer."""

    id: int
    school: int
    name: str
    summer: bool
    excluded: bool
    """Hidden from the state; it has little but its schedule."""
    level: str
    """`ES`, `MS` or `HS`."""


class Structure(NamedTuple):
    """A schedule of a calendar."""

    id: int
    calendar: Calendar
    name: str
    period_schedules: tuple[int, ...]
    grades: dict[str, int]
    """structureGradeID by grade."""


GRADES = {
    "ES": ("PS", "KG", "01", "02", "03", "04", "05"),
    "MS": ("06", "07", "08"),
    "HS": ("09", "10", "11", "12"),
}


def weekdays(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last` that are Monday to Friday."""
    days = (first + timedelta(number) for number in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


SCHOOL_DAYS = weekdays(OPENS, CLOSES)
SUMMER_DAYS = weekdays(SUMMER, date(2026, 6, 30))
_CHANGES = [datetime(2025, 7, 1, 6) + timedelta(minutes=397 * number) for number in range(997)]


def pick(draw: Draw, choices: Sequence[T]) -> T:
    """Return a random one of `choices`."""
    return choices[int(draw() * len(choices))]


def changed(number: int) -> datetime:
    """Return the time of a record's last change, the same for the same number."""
    return _CHANGES[number * 31 % 997]


@dataclass(frozen=True)
class World:
    """A sample district; everything about it follows from these values."""

    number: str
    name: str
    students: int
    seed: int

    def draw(self, table: str) -> Draw:
        """Return this district's own random source for a table."""
        return Random(f"{self.seed}/{self.number}/{table}").random  # noqa: S311 - sample data

    @property
    def staff(self) -> int:
        """Number of employees (documented: 12,638 beside 97,574 enrollments); their personIDs follow the students'."""
        return max(3, self.students * 13 // 100)

    @property
    def people(self) -> int:
        """Number of students, staff and others (documented: 1.17 people per enrollment)."""
        return self.students + self.staff + max(1, self.students * 4 // 100)

    @property
    def schools(self) -> int:
        """Number of schools (documented: 178 and 194 for about 100,000 students)."""
        return max(4, round(self.students / 540))

    @property
    def enrollments(self) -> int:
        """Number of enrollments: one per student, and a few more in a summer or a state-excluded calendar."""
        return self.students + max(2, self.students * 6 // 1000)

    @cached_property
    def calendars(self) -> tuple[Calendar, ...]:
        """Each school's year, then summers; every third of those is hidden from the state."""
        levels = ("ES", "ES", "MS", "HS")
        main = [Calendar(n, n, "2025-26", False, False, levels[(n - 1) % 4]) for n in range(1, self.schools + 1)]
        more = range(max(2, self.schools // 5))
        return (
            *main,
            *(Calendar(self.schools + 1 + n, 1 + n, f"Summer {n + 1}", True, n % 3 == 1, main[n].level) for n in more),
        )

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        """A schedule for each calendar and a second one for every eighth school."""
        made: list[Structure] = []
        grade_id = period_id = 0
        plain = [(calendar, "Main") for calendar in self.calendars]
        second = [(calendar, "Block") for calendar in self.calendars[: self.schools : 8]]
        for number, (calendar, name) in enumerate(plain + second, 1):
            levels = () if calendar.excluded else GRADES[calendar.level]
            grades = {grade: grade_id + place for place, grade in enumerate(levels, 1)}
            grade_id += len(grades)
            how_many = 0 if calendar.excluded else 1 + (number % 6 == 0)
            schedules = tuple(period_id + place for place in range(1, how_many + 1))
            period_id += len(schedules)
            made.append(Structure(number, calendar, name, schedules, grades))
        return tuple(made)

    @property
    def taught(self) -> list[Calendar]:
        """The calendars with courses: those not hidden from the state."""
        return [calendar for calendar in self.calendars if not calendar.excluded]

    @property
    def schedules(self) -> list[Structure]:
        """The structures of the taught calendars."""
        return [structure for structure in self.structures if not structure.calendar.excluded]

    @property
    def courses(self) -> list[tuple[int, Calendar]]:
        """Pairs of courseID and calendar."""
        owners = [calendar for calendar in self.taught for _ in range(3 if calendar.summer else 18)]
        return list(enumerate(owners, 1))

    @cached_property
    def sections(self) -> int:
        """Number of sections of all courses."""
        return 3 * len(self.courses)
