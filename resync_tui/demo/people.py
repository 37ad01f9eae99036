"""The sample districts' people and enrollments."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from resync_tui.demo.world import CLOSES, OPENS, SUMMER_DAYS, YEAR, Row, Structure, World, changed, pick

LAST_NAMES = (
    "Abbott", "Adams", "Alvarez", "Anderson", "Baker", "Begay", "Bennett", "Brooks", "Campbell", "Carter", "Chavez",
    "Chen", "Clark", "Cooper", "Cruz", "Davis", "Diaz", "Edwards", "Evans", "Flores", "Foster", "Garcia", "Gomez",
    "Gray", "Green", "Hall", "Harris", "Hernandez", "Hill", "Howard", "Hughes", "Jackson", "James", "Johnson", "Jones",
    "Kelly", "Kim", "King", "Lee", "Lewis", "Long", "Lopez", "Martin", "Martinez", "Miller", "Mitchell", "Moore",
    "Morales", "Morgan", "Nelson", "Nguyen", "Ortiz", "Parker", "Patel", "Perez", "Peterson", "Phillips", "Price",
    "Ramirez", "Reed", "Reyes", "Rivera", "Roberts", "Robinson", "Ross", "Sanchez", "Scott", "Smith", "Stewart",
    "Taylor", "Thomas", "Torres", "Tsosie", "Turner", "Walker", "Ward", "Watson", "White", "Williams", "Wilson", "Wood",
    "Wright", "Yazzie", "Young",
)  # fmt: skip
FIRST_NAMES = (
    "Aiden", "Alexis", "Amelia", "Andre", "Anna", "Anthony", "Ava", "Benjamin", "Brooke", "Caleb", "Camila", "Carlos",
    "Chloe", "Daniel", "David", "Diego", "Elena", "Eli", "Ella", "Emma", "Ethan", "Eva", "Gabriel", "Grace", "Hannah",
    "Henry", "Isaac", "Isabel", "Jack", "Jacob", "James", "Jasmine", "Jose", "Julia", "Kai", "Kaitlyn", "Kevin", "Leah",
    "Leo", "Liam", "Lily", "Logan", "Lucas", "Lucia", "Luis", "Maria", "Mason", "Maya", "Mia", "Mollie", "Naomi",
    "Nathan", "Noah", "Nora", "Oliver", "Olivia", "Owen", "Peter", "Quinn", "Rosa", "Ruby", "Ryan", "Samuel", "Sara",
    "Sofia", "Thomas", "Tyler", "Victor", "Violet", "Wyatt", "Zoe",
)  # fmt: skip
_BORN = date(2007, 9, 1)
LEAVING = 25
"""Interval of the students who leave before the year ends: every 25th."""


def _people(world: World) -> Iterator[Row]:
    draw = world.draw("Person")
    for n in range(1, world.people + 1):
        student = n <= world.students
        bits = int(draw() * 2**32)
        yield (
            n,
            f"{100_000_000 + n * 7}" if student else None,
            f"{200_000 + n}" if student else None,
            f"T{n}" if world.students < n <= world.students + world.staff else None,
            f"{bits:08x}-{int(world.number):04d}-4000-8000-{n:012d}",
            f"p{n}@{world.name.lower()}.example" if n % 3 else None,
            f"775-555-{bits % 10_000:04d}" if n % 5 else None,
            "Call the grandmother first" if n % 400 == 0 else None,
            changed(n),
        )


def _identities(world: World) -> Iterator[Row]:
    draw = world.draw("Identity")
    for n in range(1, world.people + world.people // 40 + 1):
        person = n if n <= world.people else (n - world.people) * 40  # a few have had another name
        born = _BORN + timedelta(days=int(draw() * 4_400)) if person <= world.students else date(1962, 1, 1)
        yield (
            n, person, pick(draw, LAST_NAMES), pick(draw, FIRST_NAMES), pick(draw, FIRST_NAMES) if n % 3 else None,
            "Jr" if n % 90 == 0 else None, "FM"[n % 2] if n % 200 else "X", born, f"{int(draw() * 7) + 1}", n % 4 == 0,
            "US" if n % 12 else "MX", OPENS, changed(n),
        )  # fmt: skip


def _placed(world: World, number: int) -> tuple[int, Structure, str]:
    """Return the person, schedule and grade of an enrollment."""
    structures, students = world.structures, world.students
    if number > students:
        summers = [each for each in world.schedules if each.calendar.summer]
        structure = summers[number % len(summers)]
        person = 1 + (number - students - 1) * students // (world.enrollments - students)
        return person, structure, list(structure.grades)[-1]
    structure = structures[number % world.schools]
    grades = list(structure.grades)
    turn = number // world.schools
    if grades[0] == "PS":
        grades = grades[:1] if turn % 167 == 1 else grades[1:]
    return number, structure, grades[turn % len(grades)]


def _enrollments(world: World) -> Iterator[Row]:
    draw = world.draw("Enrollment")
    for n in range(1, world.enrollments + 1):
        person, structure, grade = _placed(world, n)
        summer = structure.calendar.summer
        late = timedelta(days=int(draw() * 90)) if n % 12 == 0 and not summer else timedelta(0)
        left = n % LEAVING == 0 and not summer
        yield (
            n, person, structure.calendar.id, structure.id, structure.grades[grade], YEAR, grade,
            "S" if summer else "P", (SUMMER_DAYS[0] if summer else OPENS) + late, "E1" if n % 9 else "R3",
            CLOSES - timedelta(days=int(draw() * 60)) if left else None, "W1" if left else None,
            world.number, 100 if n % 40 else 50, False, "Residency checked" if n % 50 == 0 else None, changed(n),
        )  # fmt: skip


def stayed(student: int) -> int:
    """Return the student, or the previous one for a student who leaves early."""
    return student if student % LEAVING else student - 1


def calendar_of(world: World, enrollment: int) -> int:
    """Return the calendarID of an enrollment."""
    return _placed(world, enrollment)[1].calendar.id


def _unnumbered(world: World) -> Iterator[Row]:
    draw = world.draw("PersonNoStateID")
    for n in range(1, max(3, world.students // 100) + 1):
        number = 1_000_000 + n
        yield (number, f"N{number}", pick(draw, LAST_NAMES), pick(draw, FIRST_NAMES), "FM"[n % 2],
               _BORN + timedelta(days=int(draw() * 4_400)), OPENS, changed(n))  # fmt: skip


PEOPLE: dict[str, Callable[[World], Iterator[Row]]] = {
    "Person": _people,
    "Identity": _identities,
    "Enrollment": _enrollments,
    "PersonNoStateID": _unnumbered,
}
"""Row generators by table, in the order of its columns."""
