"""Reference tables of a district: a sketch of Infinite Campus, a module a family of DIS objects, a class a table.

Each class names the DIS object that the table belongs to (`schema/objects.toml` says the parents and where the object
exists), and what is inferred: Campus's documents name objects and how they depend on each other, but few tables and
columns. A district is laxer than the state: the state's tables are derived from these (`resync-tui state init`), and
what the state demands beyond them is in `schema/state.toml`.
"""

from resync_tui.schema.campus import (
    assessments,
    attendance,
    behavior,
    bie,
    calendars,
    courses,
    districts,
    employment,
    enrollments,
    health,
    kentucky,
    people,
    plans,
    programs,
)
from resync_tui.schema.campus.columns import METADATA

__all__ = [
    "METADATA",
    "assessments",
    "attendance",
    "behavior",
    "bie",
    "calendars",
    "courses",
    "districts",
    "employment",
    "enrollments",
    "health",
    "kentucky",
    "people",
    "plans",
    "programs",
]
