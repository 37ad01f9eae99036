"""Sample records that depend on one other: on a person or an enrollment, and the parts of a plan."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from resync_tui.demo.people import FIRST_NAMES, LAST_NAMES
from resync_tui.demo.world import OPENS, SCHOOL_DAYS, YEAR, Draw, Row, World, changed, pick

Make: TypeAlias = Callable[[int, Draw], Row]
"""Makes a record's columns after the owner's and before `modifiedDate`, from its number and random source."""


@dataclass(frozen=True, slots=True)
class Share:
    """The number of a table's records per owner, and the kind of owner."""

    of: str
    """Kind of owner: `student`, `staff` or `enrollment`; or a table with rows numbered from 1."""
    rate: float
    make: Make


def day(draw: Draw) -> date:
    """Return a random day of the school year."""
    return pick(draw, SCHOOL_DAYS)


def moment(draw: Draw) -> datetime:
    """Return a random time within the school year."""
    return datetime.combine(day(draw), datetime.min.time()) + timedelta(minutes=480 + int(draw() * 400))


def cents(draw: Draw, low: int, high: int, places: int = 2) -> Decimal:
    """Return a random decimal from `low` up to `high`, in units of the last place."""
    return Decimal(low + int(draw() * (high - low))).scaleb(-places)


def person(draw: Draw) -> str:
    """Return a random full name."""
    return f"{pick(draw, FIRST_NAMES)} {pick(draw, LAST_NAMES)}"


def _student(rate: float, make: Make) -> Share:
    return Share("student", rate, make)


def _staff(rate: float, make: Make) -> Share:
    return Share("staff", rate, make)


def _enrolled(rate: float, make: Make) -> Share:
    return Share("enrollment", rate, make)


_VACCINES = ("DTaP", "MMR", "Polio", "HepB", "Varicella")
_PROGRAMS = ("Homeless", "Migrant", "Foster", "Military", "Title I", "CTE")

RECORDS: dict[str, Share] = {
    "AdultEd": _student(0.01, lambda n, r: (pick(r, ("GED", "ESL")), OPENS, None, cents(r, 0, 20000), "F1")),
    "ALPSS": _student(0.01, lambda n, r: (pick(r, ("Tutoring", "Mentoring")), day(r), None, person(r))),
    "AtRisk": _student(0.06, lambda n, r: (pick(r, ("Attendance", "Credits", "Behavior")), day(r), None, None)),
    "CensusContactSummary": _student(
        1.68,
        lambda n, r: (
            person(r), pick(r, ("Mother", "Father", "Guardian", "Aunt")), n % 4 > 0, n % 3 > 0,
            f"775-555-{int(r() * 10_000):04d}", f"c{n}@mail.example", n % 2 + 1,
        ),
    ),
    "ContactLog": _student(
        0.4, lambda n, r: (moment(r), pick(r, ("Phone", "Email", "Visit")), "Spoke about attendance.", person(r))
    ),
    "CTEDataME": _student(0.03, lambda n, r: (pick(r, ("Health", "Trades")), "51.3902", n % 2 == 0, cents(r, 0, 400))),
    "Employment": _staff(
        1, lambda n, r: (date(2000 + n % 25, 8, 1), None, "Certified" if n % 3 else "Classified", cents(r, 0, 3000),
                         Decimal("1.000"))
    ),
    "EmploymentBackground": _staff(1, lambda n, r: (pick(r, ("State", "FBI")), OPENS, day(r), "Clear")),
    "EmploymentCredential": _staff(
        1,
        lambda n, r: (pick(r, ("Initial", "Professional")), f"C{100_000 + n}", pick(r, ("Math", "Reading", "Music")),
                      date(2022, 7, 1), date(2027, 6, 30), n % 7 > 0),
    ),
    "Form": _student(0.1, lambda n, r: (pick(r, ("Field trip", "Media release")), 1, day(r), f'{{"answer": {n % 2}}}')),
    "FRYSCGroupProgramKY": _student(0.01, lambda n, r: ("After school club", pick(r, ("Family", "Youth")), day(r), 8)),
    "GiftedStatusKY": _student(0.04, lambda n, r: (pick(r, ("Creative", "Leadership", "Arts")), OPENS, None, True)),
    "HealthScreening": _student(
        0.9,
        lambda n, r: (pick(r, ("Vision", "Hearing", "BMI")), day(r), "Pass" if n % 12 else "Refer",
                      cents(r, 3800, 7400), cents(r, 4000, 20000), person(r)),
    ),
    "ImmCertificate": _student(0.2, lambda n, r: (pick(r, ("Permanent", "Medical")), day(r), None, person(r))),
    "LEPKY": _student(0.05, lambda n, r: ("LEP", day(r), None, pick(r, ("Spanish", "Navajo")), cents(r, 10, 60, 1))),
    "MedicaidInsurance": _student(0.15, lambda n, r: (f"MD{1_000_000 + n}", OPENS, None, n % 5 > 0)),
    "NASIS": _student(0.02, lambda n, r: (f"T{n % 90}", cents(r, 625, 10000, 4), f"CDIB{n}", day(r))),
    "Plan": _student(
        0.12, lambda n, r: (pick(r, ("IEP", "504", "PLP")), day(r), date(2026, 8, 1), person(r), n % 3 == 0)
    ),
    "PlanGoal": Share("Plan", 2, lambda n, r: (n % 2 + 1, pick(r, ("Reading", "Math")), "Reads at grade level.")),
    "PlanProgressReport": Share("Plan", 1.5, lambda n, r: (day(r), pick(r, ("P", "M", "I")), None)),
    "POSEligibility": _student(
        0.6,
        lambda n, r: (YEAR, pick(r, "FRP"), pick(r, ("Application", "Direct")), OPENS, date(2026, 6, 30), day(r)),
    ),
    "ProcessMessage": _student(0.05, lambda n, r: ("Attendance", "Absence letter posted", moment(r), day(r))),
    "ProgramParticipation": _student(
        0.3, lambda n, r: (f"P{n % 6}", _PROGRAMS[n % 6], OPENS, None, day(r) if n % 2 else None)
    ),
    "TEDSKY": _student(0.02, lambda n, r: (f"{n % 40:02d}.0{n % 9}", "Exploring", None, None)),
    "Transportation": _student(
        0.45, lambda n, r: (f"T{n % 5}", OPENS, None, f"{n % 80 + 1}", f"{n % 80 + 1}", cents(r, 20, 2500))
    ),
    "VaccineShot": _student(2, lambda n, r: (_VACCINES[n % 5], n % 4 + 1, day(r), "Registry", n % 60 == 0)),
    "AttendanceBIEAbsentDays": _enrolled(0.02, lambda n, r: (n % 10 + 1, cents(r, 0, 500), cents(r, 1000, 2200))),
    "AttendanceExactCount": _enrolled(0.05, lambda n, r: (day(r), pick(r, (0, 195, 390)), 390)),
    "AttendanceGroupKY": _enrolled(0.02, lambda n, r: (pick(r, ("A", "B")), OPENS, None)),
    "AttendanceKYMinute": _enrolled(0.05, lambda n, r: (day(r), int(r() * 390), "UNX")),
    "AttendanceSDMinute": _enrolled(0.02, lambda n, r: (n % 10 + 1, int(r() * 8000), 8000)),
    "CustomStudent": _enrolled(0.2, lambda n, r: (pick(r, ("Locker", "Bus pass", "Device")), f"{n}", day(r))),
    "ESSKY": _enrolled(0.02, lambda n, r: (pick(r, ("Math", "Reading")), "After", cents(r, 0, 4000), "Met")),
    "Evaluation": _enrolled(0.06, lambda n, r: (pick(r, ("Initial", "Triennial")), day(r), day(r), None, n % 3 > 0)),
    "FRYSCStatusKY": _enrolled(0.02, lambda n, r: (pick(r, ("Food", "Clothing")), day(r), n % 3 + 1)),
    "Graduation": _enrolled(0.29, lambda n, r: (2026 + n % 4, "Standard", None, pick(r, ("College", "Work", None)))),
    "PreSchoolKY": _enrolled(0.01, lambda n, r: (pick(r, ("Center", "Home")), "State", 4)),
    "Title1KY": _enrolled(0.02, lambda n, r: ("Schoolwide", pick(r, ("Reading", "Math")), OPENS)),
}  # fmt: skip
"""Tables with a number and an owner as first columns."""


def _owners(world: World, of: str) -> tuple[int, int]:
    """Return the first owner's number and the number of owners."""
    if of == "staff":
        return world.students + 1, world.staff
    if of in RECORDS:
        return 1, count(world, of)
    return 1, world.students


def count(world: World, table: str) -> int:
    """Return the number of a district's records of a table in RECORDS."""
    share = RECORDS[table]
    return max(3, int(_owners(world, share.of)[1] * share.rate))


def owned(world: World, table: str) -> Iterator[Row]:
    """Yield the rows of a table in RECORDS, spread evenly over their owners."""
    share, total, draw = RECORDS[table], count(world, table), world.draw(table)
    first, owners = _owners(world, share.of)
    make = share.make
    for number in range(1, total + 1):
        yield (number, first + (number - 1) * owners // total, *make(number, draw), changed(number))
