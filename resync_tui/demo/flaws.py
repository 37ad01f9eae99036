"""Flaws in the sample districts: records that a state refuses, each kind in some of the objects."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from resync_tui.demo.people import LEAVING


class FlawKind(StrEnum):
    """The reason why the state refuses a record."""

    ORPHAN = "orphan"
    """Its parent is missing, as it came in through SQL."""
    TOO_LONG = "too long"
    OUT_OF_RANGE = "out of range"
    MISSING = "missing"
    """A value required by the state is missing."""
    DUPLICATE = "duplicate"
    """Another record has the same value of a unique column of the state."""
    EXCLUDED = "excluded"
    """A rule of the catalog excludes it, such as one for records hidden from the state."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One kind of flaw in one column: in every `every`-th row of the table, from row `first` (counted from 1)."""

    kind: FlawKind
    table: str
    column: str
    every: int
    first: int
    value: Callable[[object, int], object]
    """Returns the flawed value for the good one and the row's number; unused for DUPLICATE."""

    def strikes(self, number: int) -> bool:
        """Whether the row of this number is flawed."""
        return number % self.every == self.first


NOBODY = 900_000_000
"""Offset that turns a row's number into a key without a parent."""


def _orphan(table: str, column: str, every: int, first: int) -> Flaw:
    return Flaw(FlawKind.ORPHAN, table, column, every, first, lambda _, number: NOBODY + number)


def _missing(table: str, column: str, every: int, first: int) -> Flaw:
    return Flaw(FlawKind.MISSING, table, column, every, first, lambda _, __: None)


def _long(table: str, column: str, every: int, first: int, filler: str, length: int) -> Flaw:
    return Flaw(FlawKind.TOO_LONG, table, column, every, first, lambda old, _: f"{old or ''}{filler * length}"[:length])


def _range(table: str, column: str, every: int, first: int, value: object) -> Flaw:
    return Flaw(FlawKind.OUT_OF_RANGE, table, column, every, first, lambda _, __: value)


def _duplicate(table: str, column: str, every: int, first: int) -> Flaw:
    return Flaw(FlawKind.DUPLICATE, table, column, every, first, lambda old, _: old)


def _excluded(table: str, every: int, first: int, column: str = "stateExclude", value: object = True) -> Flaw:
    return Flaw(FlawKind.EXCLUDED, table, column, every, first, lambda _, __: value)


UNCODED, UNPUBLISHED, LOCKED = 25, 26, 27
"""Tests that violate a requirement for test scores."""


FLAWS = (
    _excluded("Enrollment", 600, 37),
    _missing("Enrollment", "startStatus", 900, 62),
    _range("Enrollment", "percentEnrolled", 2_000, 583, 150),
    _duplicate("Person", "stateID", 600, 53),
    _long("Identity", "lastName", 500, 29, "-van der Berg", 60),
    _missing("Identity", "lastName", 3_000, 47),
    _range("Section", "maxStudents", 250, 43, 9_999),
    _orphan("Day", "periodScheduleID", 700, 101),
    _missing("CensusContactSummary", "contactName", 400, 19),
    _long("CensusContactSummary", "contactName", 1_500, 71, " c/o the neighbors", 90),
    _long("ContactLog", "details", 230, 17, " Left a message.", 800),
    _missing("Employment", "startDate", 300, 111),
    _orphan("Employment", "personID", 700, 123),
    _range("EmploymentAssignment", "fte", 160, 131, Decimal("37.500")),
    _duplicate("EmploymentCredential", "number", 130, 41),
    _range("HealthScreening", "heightInches", 250, 67, Decimal("172.00")),
    _long("MedicaidInsurance", "medicaidNumber", 170, 109, "0", 20),
    _range("TestScore", "percentile", 600, 59, 140),
    _excluded("TestScore", 1_000, 34, "testID", UNCODED),
    _excluded("TestScore", 1_000, 54, "testID", UNPUBLISHED),
    _excluded("TestScore", 1_000, 74, "testID", LOCKED),
    _excluded("TestScore", 1_000, 96, "personID", LEAVING),
    _excluded("TestScore", 1_008, 9, "date", None),
    _excluded("TestScore", 1_008, 22, "date", date(2023, 5, 4)),
    _orphan("Transportation", "personID", 280, 27),
    _orphan("Roster", "enrollmentID", 1_100, 97),
    _orphan("VaccineShot", "personID", 1_300, 89),
    _orphan("Truancy", "personID", 40, 17),
)
"""All flaws. One refused record in a hundred is red, so small tables have none, or only in larger districts.

Test scores 9 and 22 are of tests without an end year, like every twelfth one. Calendars and grade levels hidden from
the state are part of the districts themselves: see demo/world.py.
"""

ORPHANED = frozenset((flaw.table, flaw.column) for flaw in FLAWS if flaw.kind is FlawKind.ORPHAN)
"""Table and column of the foreign keys that some rows violate."""
