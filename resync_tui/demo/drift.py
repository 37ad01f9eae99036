"""Drift between district and state: stale, missing, extra and flawed records, and those of other school years.

Most records are the same at both ends. The state's records keep its own constraints, whatever happens to their
parents.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain

from resync_tui.catalog import Catalog
from resync_tui.demo.flaws import FLAWS, Flaw, FlawKind
from resync_tui.demo.world import SMALLEST, YEAR, Draw, Row, World
from resync_tui.state_schema.introspect import TableShape

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

    def __init__(self, catalog: Catalog, shapes: Iterable[TableShape], draw: Callable[[str], Draw]) -> None:
        """`shapes` are the district's tables with the state's constraints, without a tenant column."""
        self._shapes = {shape.name: shape for shape in shapes}
        self._state_owned = {column for each in catalog.objects for column in each.state_owned}
        self._draw = draw
        self._unsent: dict[str, set[object]] = {name: set() for name in self._shapes}
        self._dropped: dict[str, set[object]] = {name: set() for name in self._shapes}

    def sides(self, table: str, rows: Iterable[Row]) -> Sides:
        """Yield each good row of a table as the district's and as the state's row; None where that end lacks it."""
        shape, draw = self._shapes[table], self._draw(f"{table}/ageing")
        names = [column.name for column in shape.columns]
        key = names.index(shape.primary[0])
        parents = [
            (names.index(each.columns[0]), self._unsent[each.parent], self._dropped[each.parent])
            for each in shape.foreign
        ]
        excluded = names.index("stateExclude") if "stateExclude" in names else None
        flaws = [(flaw, names.index(flaw.column)) for flaw in FLAWS if flaw.table == table]
        make_stale = _staleness(shape, draw)
        note = self._state_note(table, names)
        unsent, dropped, steady = self._unsent[table], self._dropped[table], table in STEADY
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


def _staleness(shape: TableShape, draw: Draw) -> Callable[[Row, Row | None], Row]:
    """Return a function that makes a row stale: an older change, often with another value, its neighbor's."""
    names = [column.name for column in shape.columns]
    changed = names.index("modifiedDate")
    held = {*shape.primary, *(name for columns in shape.unique for name in columns)}
    held |= {name for key in shape.foreign for name in key.columns}
    held |= {name for check in shape.checks for name in names if name in check}
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
        shapes: Iterable[TableShape],
        tied: Collection[str],
        rows_of: Callable[[World, str], Iterator[Row]],
    ) -> None:
        """`tied` are the tables with records of a school year; `rows_of` makes those of a single year."""
        self._world = world
        self._before = replace(world, students=max(SMALLEST, world.students // SMALLER), seed=world.seed + 1)
        self._shapes = {shape.name: shape for shape in shapes}
        self._tied = tied
        self._rows_of = rows_of
        self._last: dict[str, int] = {}
        """Highest key of the current year, per table with a key of its own."""

    def rows(self, table: str) -> Iterator[Row]:
        """Yield a table's rows, the current year's first."""
        current = self._rows_of(self._world, table)
        if table not in self._tied:
            return current
        return chain(self._counted(table, current), self._moved_back(table))

    def _counted(self, table: str, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if isinstance(row[0], int):
                self._last[table] = max(row[0], self._last.get(table, 0))
            yield row

    def _moved_back(self, table: str) -> Iterator[Row]:
        shape = self._shapes[table]
        keys = {key.columns[0]: key.parent for key in shape.foreign if key.parent in self._tied}
        keys |= {column: parent for (owner, column), parent in _NAMES_NO_FOREIGN_KEY.items() if owner == table}
        if len(shape.primary) == 1:
            keys[shape.primary[0]] = table
        added = [self._last[keys[column.name]] if column.name in keys else 0 for column in shape.columns]
        years = [column.name == "endYear" for column in shape.columns]
        for row in self._rows_of(self._before, table):
            yield tuple(_back(*each) for each in zip(row, added, years, strict=True))


def _back(value: object, added: int, is_year: bool) -> object:
    if isinstance(value, date):
        return value - BACK
    if isinstance(value, int) and (added or is_year):
        return value + added - is_year
    return _NAMES.get(value, value) if isinstance(value, str) else value
