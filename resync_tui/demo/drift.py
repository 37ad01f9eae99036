"""Drift between district and state: stale, missing, extra and flawed records, and those of other school years.

Most records are the same at both ends. The state's records keep its own constraints, whatever happens to their
parents.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain

from sqlalchemy import CheckConstraint, Table
from sqlalchemy.schema import ColumnCollectionConstraint

from resync_tui.catalog import Catalog
from resync_tui.demo.flaws import FLAWS, Flaw, FlawKind
from resync_tui.demo.state import Stricter
from resync_tui.demo.world import SMALLEST, YEAR, Draw, Row, World

STALE, UNSENT, DROPPED = 0.03, 0.012, 0.006
"""Shares of a table's records that are stale at the state, missing there, and dropped by the district (extra)."""
STEADY = frozenset(
    ("District", "ReportingEntity", "School", "Calendar", "ScheduleStructure", "TermSchedule", "PeriodSchedule",
     "StructureGradeLevel", "BehaviorType", "BehaviorResponseType", "BehaviorResolutionType", "Test")
)  # fmt: skip
"""Tables complete at both ends, as too many others depend on them."""

Sides = Iterator[tuple[Row | None, Row | None]]
"""Pairs of a record's rows in the district and in the state."""


class Ageing:
    """The drift between one district and its part of the state; pass its tables parents first."""

    def __init__(
        self, catalog: Catalog, tables: Iterable[Table], rules: Sequence[Stricter], draw: Callable[[str], Draw]
    ) -> None:
        """`rules` are the state's constraints beyond those of the district's `tables`."""
        self._rules = rules
        self._state_owned = {column for each in catalog.objects for column in each.state_owned}
        self._draw = draw
        self._unsent: dict[str, set[object]] = {table.name: set() for table in tables}
        self._dropped: dict[str, set[object]] = {name: set() for name in self._unsent}

    def sides(self, table: Table, rows: Iterable[Row]) -> Sides:
        """Yield each good row of a table as the district's and as the state's row; None where that end lacks it."""
        draw = self._draw(f"{table.name}/ageing")
        names = table.columns.keys()
        key = names.index(table.primary_key.columns.keys()[0])
        parents = [
            (names.index(column), self._unsent[parent], self._dropped[parent])
            for column, parent in parents_of(table).items()
        ]
        excluded = names.index("stateExclude") if "stateExclude" in names else None
        flaws = [(flaw, names.index(flaw.column)) for flaw in FLAWS if flaw.table == table.name]
        make_stale = _staleness(table, [rule for rule in self._rules if rule.table == table.name], draw)
        note = self._state_note(table.name, names)
        unsent, dropped, steady = self._unsent[table.name], self._dropped[table.name], table.name in STEADY
        before: Row | None = None
        for number, good in enumerate(rows, 1):
            chance = draw()
            flaw, at = next(((flaw, at) for flaw, at in flaws if flaw.strikes(number)), (None, 0))
            at_district = at_state = True
            if flaw is None and not steady:
                at_district, at_state = chance >= DROPPED, not DROPPED <= chance < DROPPED + UNSENT
            elif flaw is not None:
                at_state = flaw.kind is not FlawKind.EXCLUDED and chance < 0.5
            for place, unsent_parents, dropped_parents in parents:
                if good[place] in dropped_parents:
                    at_district, flaw = False, None
                if good[place] in unsent_parents:
                    at_state = False
            if excluded is not None and good[excluded]:
                at_state = False
            if not at_state:
                unsent.add(good[key])
            if not at_district:
                dropped.add(good[key])
            ours = good if flaw is None else _flawed(good, flaw, at, number, before)
            theirs = note(make_stale(good, before) if chance > 1 - STALE else good, number)
            if at_district or at_state:
                yield ours if at_district else None, theirs if at_state else None
            if at_district and flaw is None:
                before = good

    def _state_note(self, table: str, names: list[str]) -> Callable[[Row, int], Row]:
        """Return a function that sets the state's own remarks in a row."""
        owned = [name for name in names if f"{table}.{name}" in self._state_owned]
        if not owned:
            return lambda row, _: row
        at = names.index(owned[0])
        return lambda row, number: row if number % 20 else (*row[:at], "Reviewed by the state", *row[at + 1 :])


def _flawed(good: Row, flaw: Flaw, at: int, number: int, before: Row | None) -> Row:
    if flaw.kind is FlawKind.DUPLICATE:
        value = before[at] if before is not None else good[at]
    else:
        value = flaw.value(good[at], number)
    return (*good[:at], value, *good[at + 1 :])


def parents_of(table: Table) -> dict[str, str]:
    """Return the parent table by the column of the foreign key."""
    return {key.column_keys[0]: key.referred_table.name for key in table.foreign_key_constraints}


def _staleness(table: Table, rules: Iterable[Stricter], draw: Draw) -> Callable[[Row, Row | None], Row]:
    """Return a function that makes a row stale: an older change, often with another value, its neighbor's."""
    names = table.columns.keys()
    changed = names.index("modifiedDate")
    constraints = [each for each in table.constraints if isinstance(each, ColumnCollectionConstraint)]
    checks = [str(each.sqltext) for each in constraints if isinstance(each, CheckConstraint)]
    checks += [rule.check for rule in rules if rule.check is not None]
    held = {column.name for each in constraints for column in each.columns}
    held |= {name for rule in rules for name in rule.unique}
    held |= {name for check in checks for name in names if name in check}
    held |= {"modifiedDate", "stateExclude", "stateNote", "districtNote", "endYear"}
    free = [at for at, name in enumerate(names) if name not in held]

    def stale(row: Row, before: Row | None) -> Row:
        older = list(row)
        moment = row[changed]
        assert isinstance(moment, datetime)
        older[changed] = moment - timedelta(days=1 + int(draw() * 200))
        if free and before is not None:
            at = free[int(draw() * len(free))]
            older[at] = before[at]
        return tuple(older)

    return stale


SMALLER = 5
"""Factor by which the year before has fewer students."""
BACK = timedelta(weeks=52)
"""Distance from a day to the same weekday of the school year before."""
_NAMES_NO_FOREIGN_KEY = {("Roster", "sectionID"): "Section"}
_NAMES = {f"{YEAR - 1}-{YEAR % 100}": f"{YEAR - 2}-{YEAR % 100 - 1}"}


class Years:
    """All good rows of a district; request its tables parents first."""

    def __init__(
        self,
        world: World,
        tied: Collection[str],
        rows_of: Callable[[World, str], Iterator[Row]],
    ) -> None:
        """`tied` are the tables with records of a school year; `rows_of` makes those of a single year."""
        self._world = world
        self._before = replace(world, students=max(SMALLEST, world.students // SMALLER), seed=world.seed + 1)
        self._tied = tied
        self._rows_of = rows_of
        self._last: dict[str, int] = {}
        """Highest key of the current year, per table with a key of its own."""

    def rows(self, table: Table) -> Iterator[Row]:
        """Yield a table's rows, the current year's first."""
        current = self._rows_of(self._world, table.name)
        if table.name not in self._tied:
            return current
        return chain(self._counted(table.name, current), self._moved_back(table))

    def _counted(self, table: str, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if isinstance(row[0], int):
                self._last[table] = max(row[0], self._last.get(table, 0))
            yield row

    def _moved_back(self, table: Table) -> Iterator[Row]:
        keys = {column: parent for column, parent in parents_of(table).items() if parent in self._tied}
        keys |= {column: parent for (owner, column), parent in _NAMES_NO_FOREIGN_KEY.items() if owner == table.name}
        primary = table.primary_key.columns.keys()
        if len(primary) == 1:
            keys[primary[0]] = table.name
        names = table.columns.keys()
        added = [self._last[keys[name]] if name in keys else 0 for name in names]
        years = [name == "endYear" for name in names]
        for row in self._rows_of(self._before, table.name):
            yield tuple(_back(*each) for each in zip(row, added, years, strict=True))


def _back(value: object, added: int, is_year: bool) -> object:
    if isinstance(value, date):
        return value - BACK
    if isinstance(value, int) and (added or is_year):
        return value + added - is_year
    return _NAMES.get(value, value) if isinstance(value, str) else value
