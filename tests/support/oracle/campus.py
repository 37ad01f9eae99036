"""Campus' reference tables filled at random, and what the catalog's rules and the state's checks mean in Python."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import networkx as nx

from resync_tui.catalog import Catalog, load
from resync_tui.demo.state import load_state_rules, tightened
from resync_tui.state_schema.derive import create, derived_tables
from tests.support.campus import create_campus
from tests.support.databases import run_script
from tests.support.oracle.fill import fill, loose_ddl
from tests.support.oracle.invent import Shapes, Spoil, World, invent, spoil
from tests.support.oracle.oracle import Knowledge
from tests.support.oracle.shape import Dump, Row, dump

CATALOG = load().for_state("NV")
TENANT = "districtNumber"
SIZES = {
    "School": 6, "Calendar": 9, "ScheduleStructure": 10, "TermSchedule": 12, "PeriodSchedule": 12, "Person": 100,
    "Identity": 110, "Enrollment": 110, "StructureGradeLevel": 30, "Test": 40, "Roster": 120, "Section": 40,
}  # fmt: skip


def _not_before(row: Row) -> None:
    if row["endDate"] is not None and row["startDate"] is not None:
        row["endDate"] = max(row["endDate"], row["startDate"])


def _within(column: str, most: int) -> Callable[[Row], None]:
    def mend(row: Row) -> None:
        if row[column] is not None:
            row[column] = abs(row[column]) % most

    return mend


def _one_of(column: str, *values: Any) -> Callable[[Row], None]:
    def mend(row: Row) -> None:
        if row[column] is not None:
            row[column] = values[len(row[column].encode()) % len(values)]

    return mend


def _enrollment(row: Row) -> None:
    if row["enrollmentID"] % 3:
        row["endDate"] = None
    _not_before(row)
    _within("percentEnrolled", 100)(row)
    row["stateExclude"] = False


def _test(row: Row) -> None:
    if row["testID"] % 5:
        row.update(published=True, editNotAvailable=False, endYear=2026, stateCode=row["stateCode"] or "S")


def _percentile(row: Row) -> None:
    if row["percentile"] is not None:
        row["percentile"] = abs(row["percentile"]) % 99 + 1


def _included(row: Row) -> None:
    row["stateExclude"] = False


def _calendar(row: Row) -> None:
    row["endYear"] = 2026 if row["calendarID"] % 6 else 2025
    _not_before(row)
    _included(row)


MEND: dict[str, Callable[[Row], None]] = {
    "Calendar": _calendar, "AttendanceExcuse": _one_of("status", "A", "T", "E"), "Plan": _not_before,
    "Identity": _one_of("gender", "F", "M", "X"), "Enrollment": _enrollment, "StructureGradeLevel": _included,
    "Section": _within("maxStudents", 500), "EmploymentAssignment": _within("fte", 2), "TestScore": _percentile,
    "Test": _test,
}  # fmt: skip


def _exclude(_random: Random, row: Row) -> None:
    row["stateExclude"] = True


def _backwards(_random: Random, row: Row) -> None:
    if row["startDate"] is not None:
        row["endDate"] = row["startDate"] - timedelta(1)


def _set(column: str, value: Any) -> Spoil:
    def flaw(_random: Random, row: Row) -> None:
        row[column] = value

    return flaw


FLAWS: dict[str, list[Spoil]] = {
    "Calendar": [_exclude, _backwards], "StructureGradeLevel": [_exclude], "Plan": [_backwards],
    "Enrollment": [_exclude, _exclude, _backwards, _set("percentEnrolled", 101)],
    "Identity": [_set("gender", "?")], "AttendanceExcuse": [_set("status", "Z")], "Section": [_set("maxStudents", 501)],
    "EmploymentAssignment": [_set("fte", Decimal("2.5"))], "TestScore": [_set("percentile", 0)],
}  # fmt: skip


def _truth(value: Any) -> bool | None:
    """Return what a district's database takes a value for: to SQLite any number but 0 is true, a word is 0."""
    if value is None:
        return None
    return value == "true" or (isinstance(value, int | float) and value != 0)


def _excluded(row: Row, _district: Dump) -> bool:
    return _truth(row["stateExclude"]) is True


def _test_of(row: Row, district: Dump) -> list[Row]:
    return [test for test in district.rows["Test"] if str(test["testID"]) == str(row["testID"])]


def _without_code(row: Row, district: Dump) -> bool:
    codes = [(test["stateCode"], test["nationalCode"]) for test in _test_of(row, district)]
    return any(not any(isinstance(code, bytes) or (code or "").strip(" ") for code in pair) for pair in codes)


def _not_published(row: Row, district: Dump) -> bool:
    return any(_truth(test["published"]) is not True for test in _test_of(row, district))


def _locked(row: Row, district: Dump) -> bool:
    return any(_truth(test["editNotAvailable"]) is not False for test in _test_of(row, district))


def _no_date(row: Row, district: Dump) -> bool:
    root = row["parentScoreID"] is None and row["date"] is None
    return root and any(test["endYear"] is None for test in _test_of(row, district))


def _other_year(row: Row, district: Dump) -> bool:
    day = as_date(row["date"])
    inside = day is not None and "2025-07-01" <= day <= "2026-06-30"
    return any(
        (row["date"] is not None or test["endYear"] is not None) and not inside and str(test["endYear"]) != "2026"
        for test in _test_of(row, district)
    )


def _not_enrolled(row: Row, district: Dump, today: str) -> bool:
    years = {str(each["calendarID"]): str(each["endYear"]) for each in district.rows["Calendar"]}
    return not any(
        row["personID"] is not None
        and str(each["personID"]) == str(row["personID"])
        and years.get(str(each["calendarID"])) == "2026"
        and (as_date(each["startDate"]) or "9999") <= today
        and (each["endDate"] is None or (as_date(each["endDate"]) or "") >= today)
        for each in district.rows["Enrollment"]
    )


def as_date(value: Any) -> str | None:
    """Return a district's date, None where it is none."""
    if value is None or (isinstance(value, str) and re.fullmatch(r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])", value)):
        return value
    with closing(sqlite3.connect(":memory:")) as connection:  # what SQLite takes for a Julian day, as it does
        found: str | None = connection.execute("SELECT date(?)", (value,)).fetchone()[0]
    return found


def _ordered(row: Row) -> bool:
    return None in (row["endDate"], row["startDate"]) or row["endDate"] >= row["startDate"]


def _between(column: str, least: int, most: int) -> Callable[[Row], bool]:
    return lambda row: row[column] is None or least <= Decimal(row[column]) <= most


def _among(column: str, *values: str) -> Callable[[Row], bool]:
    return lambda row: row[column] is None or row[column] in values


def known(today: date) -> Knowledge:
    """Return what the catalog's rules and the state's checks say on a day."""
    # fmt: off
    rules: dict[str, Callable[[Row, Dump], bool]] = {
        **{f"state-excluded-{each}": _excluded for each in ("calendar", "grade-level", "enrollment")},
        "test-without-code": _without_code, "test-not-published": _not_published, "test-district-locked": _locked,
        "score-without-date-or-end-year": _no_date, "score-outside-scope-year": _other_year,
        "student-not-enrolled": lambda row, district: _not_enrolled(row, district, today.isoformat()),
    }
    checks: dict[str, list[Callable[[Row], bool]]] = {
        "Calendar": [_ordered], "Plan": [_ordered], "AttendanceExcuse": [_among("status", "A", "T", "E")],
        "Identity": [_among("gender", "F", "M", "X")], "Section": [_between("maxStudents", 0, 500)],
        "Enrollment": [_ordered, _between("percentEnrolled", 0, 100)],
        "EmploymentAssignment": [_between("fte", 0, 2)], "TestScore": [_between("percentile", 1, 99)],
    }
    # fmt: on
    return Knowledge(rules, checks)


@dataclass
class Campus:
    """A state with its districts' rows, and the districts."""

    state: str
    districts: dict[str, str]
    """URL by tenant."""


def table_order(tables: Dump, catalog: Catalog) -> list[str]:
    """Return the catalog's tables, parents first as far as foreign keys tell."""
    names = [table for each in catalog.objects for table in each.tables]
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(
        (key.parent, name) for name in names for key in tables.tables[name].foreign if key.parent != name
    )
    return list(nx.lexicographical_topological_sort(graph, key=names.index))


async def make_campus(
    database: Callable[[str], str], random: Random, source: str, target: str, tenants: tuple[str, ...]
) -> Campus:
    """Fill a state and the districts of `tenants`; the state holds yet another district, `98`, of the same keys."""
    strict, state = database(source), database(target)
    await create_campus(strict)
    derived = await derived_tables(strict, state, CATALOG)
    await create(replace(derived, tables=tightened(derived.tables, load_state_rules(), TENANT)), state)
    there, theirs = await dump(strict), await dump(state)
    shapes = Shapes(theirs.tables, there.tables, TENANT, SIZES, MEND)
    order = table_order(theirs, CATALOG)
    districts = {}
    for tenant in (*tenants, "98"):
        world = _world(random, shapes, order, tenant, loosely_typed=(source, target) == ("sqlite", "postgresql"))
        await fill(state, theirs.tables, {name: world.state[name] for name in order}, {TENANT: tenant})
        if tenant in tenants:
            url = districts[tenant] = database(source)
            await run_script(url, "".join(loose_ddl(there.tables[name], source) for name in order))
            loose = await dump(url)
            await fill(url, loose.tables, world.district)
    return Campus(state, districts)


def _world(random: Random, shapes: Shapes, order: list[str], tenant: str, *, loosely_typed: bool) -> World:
    columns = dict.fromkeys(shapes.district["District"].columns)
    district = {**columns, "districtID": 1, "number": tenant, "name": "Abbott"}
    world = invent(random, shapes, order, {"District": [district]})
    for rows in world.state.values():
        for row in rows:
            row.pop("districtNote", None)
    for table in ("Enrollment",):
        for row in world.district[table]:
            row["stateNote"] = random.choice((None, "the district's"))
    spoil(random, shapes, world, 0.08, loosely_typed=loosely_typed, untouched={"District"}, more=FLAWS)
    return world
