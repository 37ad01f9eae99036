"""Two school years of a sample district: this one's records, then a smaller one's of the year before.

The year before is made as the current one is, for a fifth of the students, and moved back: what is tied to a school
year gets keys and dates of its own and hangs on the same people, schools and look-up lists.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain

from resync_tui.demo_world import SMALLEST, YEAR, Row, World
from resync_tui.engine.derive_source import TableShape

SMALLER = 5
"""How many times fewer students the year before has."""
BACK = timedelta(weeks=52)
"""From a day to the same weekday of the school year before."""
_NAMES_NO_FOREIGN_KEY = {("Roster", "sectionID"): "Section"}
_NAMES = {f"{YEAR - 1}-{YEAR % 100}": f"{YEAR - 2}-{YEAR % 100 - 1}"}


class Years:
    """All good rows of a district; ask for the tables parents first."""

    def __init__(
        self,
        world: World,
        shapes: Iterable[TableShape],
        tied: Collection[str],
        rows_of: Callable[[World, str], Iterator[Row]],
    ) -> None:
        """`tied` are the tables whose records belong to a school year; `rows_of` makes those of a single year."""
        self._world = world
        self._before = replace(world, students=max(SMALLEST, world.students // SMALLER), seed=world.seed + 1)
        self._shapes = {shape.name: shape for shape in shapes}
        self._tied = tied
        self._rows_of = rows_of
        self._last: dict[str, int] = {}
        """The highest key of the current year, of each table with a key of its own."""

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
