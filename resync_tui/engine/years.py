"""School years as databases write them: 2026, '2026', '2025-26', '2025-2026', or a date in that year."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isfinite

KNOWN_FORMS = "2026, 2025-26, 2025-2026 or a date in that year"
_FIRST, _LAST = 1900, 2199
_TEXT = re.compile(r"(\d{4})(?:-(\d{2}|\d{4}))?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]|$)", re.ASCII)
"""A date, or how a moment begins; weeks of ISO 8601 have as many characters, and sort otherwise."""
ISO_DATE = len("2026-07-01")


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """A school year, named by the calendar year in which it ends, as the span of its dates."""

    ends: int
    first: date
    """Its first day."""
    after: date
    """The first day of the next one."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Its forms as text, other than dates."""
        begins = self.ends - 1
        return (str(self.ends), f"{begins}-{self.ends % 100:02}", f"{begins}-{self.ends}")


@dataclass(frozen=True, slots=True)
class YearStart:
    """First day of school years, by which dates are read; 1 July unless configured."""

    month: int = 7
    day: int = 1
    in_same_year: bool = False
    """Whether a school year begins in the calendar year in which it ends."""

    @classmethod
    def of(cls, opens: date | None, closes: date | None) -> "YearStart":
        """Return the start that `[years] opens` and `closes` of any one year say."""
        if opens is None:
            return cls()
        same = closes is not None and (opens.month, opens.day) < (closes.month, closes.day)
        return cls(opens.month, opens.day, same)

    def school_year(self, ends: int) -> SchoolYear:
        """Return the school year that ends in a calendar year."""
        begins = ends if self.in_same_year else ends - 1
        return SchoolYear(ends, self._first_day(begins), self._first_day(begins + 1))

    def read(self, value: object) -> int | None:
        """Return the calendar year in which a written school year ends; None for a form that is not known."""
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return int(value) if isfinite(value) and _FIRST <= value <= _LAST and value == int(value) else None
        if isinstance(value, date):
            return self._year_of(date(value.year, value.month, value.day))
        return self._read_text(value.strip(" ")) if isinstance(value, str) else None

    def _read_text(self, text: str) -> int | None:
        if (found := _TEXT.fullmatch(text)) is not None:
            first, second = int(found[1]), found[2]
            year = first if second is None else first + 1
            written = second in (None, str(year), f"{year % 100:02}")
            return year if written and _FIRST <= year <= _LAST else None
        if _DATE.match(text) is None:
            return None
        try:
            return self._year_of(date.fromisoformat(text[:ISO_DATE]))
        except ValueError:
            return None

    def _year_of(self, day: date) -> int | None:
        begins = day.year if day >= self._first_day(day.year) else day.year - 1
        ends = begins if self.in_same_year else begins + 1
        return ends if _FIRST <= ends <= _LAST else None

    def _first_day(self, year: int) -> date:
        if (self.month, self.day) == (2, 29):
            return date(year, 3, 1)
        return date(year, self.month, self.day)


FROM_JULY = YearStart()
