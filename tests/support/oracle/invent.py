"""Random districts, and a state that is mostly right about them; then flaws of every kind in the districts."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from tests.support.oracle.shape import Column, Foreign, Row, Table

_LETTERS = "abcdefghijklmnopqrstuvwxyz ABCXYZ0123456789'\"\\%_-;,\t\näöé漢🙂"
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}


@dataclass
class Shapes:
    """The tables to fill: as the state has them, and which of their columns the district has."""

    state: Mapping[str, Table]
    district: Mapping[str, Table]
    tenant_column: str | None
    sizes: Mapping[str, int] = field(default_factory=dict)
    mend: Mapping[str, Callable[[Row], None]] = field(default_factory=dict)
    """By table: makes a random row pass the checks that a column's type does not tell of."""

    def columns(self, table: str) -> list[Column]:
        """Return the district's columns, as strict as the state's where it has them."""
        state = self.state[table].columns
        return [
            state.get(column.name, column)
            for column in self.district[table].columns.values()
            if not column.generated and column.name != self.tenant_column
        ]

    def own(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Return columns without the tenant's."""
        return tuple(column for column in columns if column != self.tenant_column)

    def foreign(self, table: str) -> list[Foreign]:
        """Return the state's foreign keys without the tenant's column."""
        return [Foreign(self.own(key.columns), key.parent, self.own(key.referred)) for key in self.state[table].foreign]

    def keys(self, table: str) -> list[tuple[str, ...]]:
        """Return primary and unique keys without the tenant's column."""
        found = self.state[table]
        return [self.own(found.key), *(self.own(columns) for columns in found.unique)]


@dataclass
class World:
    """One district and the state's rows of it, both valid as far as the state is concerned."""

    district: dict[str, list[Row]]
    state: dict[str, list[Row]]


def invent(random: Random, shapes: Shapes, order: Collection[str], fixed: Mapping[str, list[Row]]) -> World:
    """Return a district and the state as it is before; tables in `order`, parents first; `fixed` are as given."""
    clean: dict[str, list[Row]] = {}
    for table in order:
        clean[table] = [dict(row) for row in fixed.get(table, ())] or _table(random, shapes, table, clean)
    for table in order:
        _close_circles(random, shapes, table, clean)
    district: dict[str, list[Row]] = {table: [] for table in order}
    state: dict[str, list[Row]] = {table: [] for table in order}
    for table, rows in clean.items():
        seldom = 0.02 if len(rows) < 25 else 0.12
        for row in rows:
            fate = random.random() if table not in fixed else 1
            if fate >= 0.05:
                district[table].append(row)
            if fate < 0.05 or fate >= 0.05 + seldom:
                state[table].append(row)
    _drop_orphans(shapes, state)
    for table in order:
        if table not in fixed:
            _age(random, shapes, table, state)
    return World(district, state)


def _table(random: Random, shapes: Shapes, table: str, made: Mapping[str, list[Row]]) -> list[Row]:
    rows: list[Row] = []
    keys = shapes.keys(table)
    seen: list[set[tuple[Any, ...]]] = [set() for _ in keys]
    for number in range(1, shapes.sizes.get(table, 30) + 1):
        for _ in range(20):
            row = _row(random, shapes, table, number, made)
            taken = [tuple(row[column] for column in key) for key in keys]
            if all(value not in past or None in value for value, past in zip(taken, seen, strict=True)):
                for value, past in zip(taken, seen, strict=True):
                    past.add(value)
                rows.append(row)
                break
    return rows


def _row(random: Random, shapes: Shapes, table: str, number: int, made: Mapping[str, list[Row]]) -> Row:
    key = shapes.own(shapes.state[table].key)
    row = {column.name: value(random, column) for column in shapes.columns(table)}
    if len(key) == 1 and shapes.state[table].columns[key[0]].kind in _BITS:
        row[key[0]] = number
    for foreign in shapes.foreign(table):
        parents = made.get(foreign.parent, ())
        loose = not any(shapes.state[table].columns[column].required for column in foreign.columns)
        if parents and not (loose and random.random() < 0.2):
            parent = random.choice(parents)
            row.update({ours: parent[theirs] for ours, theirs in zip(foreign.columns, foreign.referred, strict=True)})
        elif loose:
            row.update(dict.fromkeys(foreign.columns))
    if table in shapes.mend:
        shapes.mend[table](row)
    return row


def _close_circles(random: Random, shapes: Shapes, table: str, made: Mapping[str, list[Row]]) -> None:
    """Point rows at rows of their own table, or of one that comes later: trees, and true circles."""
    tables = list(made)
    for foreign in shapes.foreign(table):
        if foreign.parent in made and tables.index(foreign.parent) >= tables.index(table):
            loose = not any(shapes.state[table].columns[column].required for column in foreign.columns)
            for place, row in enumerate(made[table]):
                candidates = made[foreign.parent]
                if foreign.parent == table and random.random() < 0.7:
                    candidates = candidates[:place]
                if loose and (not candidates or random.random() < 0.2):
                    continue
                parent = random.choice(candidates or made[foreign.parent])
                pairs = zip(foreign.columns, foreign.referred, strict=True)
                row.update({ours: parent[theirs] for ours, theirs in pairs})


def _drop_orphans(shapes: Shapes, state: dict[str, list[Row]]) -> None:
    """Leave out of the state what points at a row that it does not have."""
    while True:
        gone = 0
        for table, rows in state.items():
            kept = rows
            for foreign in shapes.foreign(table):
                there = {tuple(row[column] for column in foreign.referred) for row in state[foreign.parent]}
                kept = [
                    row
                    for row in kept
                    if None in (value := tuple(row[column] for column in foreign.columns)) or value in there
                ]
            gone += len(rows) - len(kept)
            state[table] = kept
        if not gone:
            return


def _age(random: Random, shapes: Shapes, table: str, state: dict[str, list[Row]]) -> None:
    """Change some of the state's rows, its unique values too, so that it stays valid."""
    fixed = {*shapes.own(shapes.state[table].key), *(each for key in shapes.foreign(table) for each in key.columns)}
    columns = [column for column in shapes.columns(table) if column.name not in fixed]
    rows = state[table] = [dict(row) for row in state[table]]
    referred = {each for key in _pointing_at(shapes, table) for each in key.referred}
    columns = [
        column for column in columns if column.name not in referred and column.name in shapes.state[table].columns
    ]
    if not columns or not rows:
        return
    for row in random.sample(rows, len(rows) // 6):
        column, old = random.choice(columns), dict(row)
        row[column.name] = value(random, column)
        if table in shapes.mend:
            shapes.mend[table](row)
        if not _unique(shapes, table, rows):
            row.update(old)
    for key in shapes.keys(table)[1:]:
        free = [name for name in key if name not in fixed and name not in referred]
        for _ in range(3 if free else 0):  # a value that moves from one record to another
            one, other = random.choice(rows), random.choice(rows)
            _exchange(one, other, free)
            if not _unique(shapes, table, rows):
                _exchange(one, other, free)


def _exchange(one: Row, other: Row, names: Iterable[str]) -> None:
    for name in names:
        one[name], other[name] = other[name], one[name]


def _pointing_at(shapes: Shapes, table: str) -> list[Foreign]:
    return [key for each in shapes.state for key in shapes.foreign(each) if key.parent == table]


def _unique(shapes: Shapes, table: str, rows: list[Row]) -> bool:
    for key in shapes.keys(table):
        values = [value for row in rows if None not in (value := tuple(row[column] for column in key))]
        if len(set(values)) < len(values):
            return False
    return True


def value(random: Random, column: Column) -> Any:
    """Return a random value that a column takes; None where it may be missing."""
    if not column.required and random.random() < 0.15:
        return None
    match column.kind:
        case "smallint" | "integer" | "bigint":
            most = 2 ** _BITS[column.kind] - 1
            return random.choice((random.randint(0, 99), random.randint(0, 99), -1, most, -most - 1))
        case "numeric":
            precision, scale = (*column.size, 0)[:2] if column.size else (9, 3)
            digits = random.randint(-(10**precision) + 1, 10**precision - 1)
            return Decimal(digits).scaleb(-scale)
        case "double":
            return random.choice((random.random() * 1000, 0.0, -0.0, 0.1, 1e-7, 1e22, float("inf")))
        case "varchar" | "char" | "text":
            made = text(random, random.randint(0, min(column.length or 40, 40)))
            return made.rstrip(" ") if column.kind == "char" else made
        case "boolean":
            return random.random() < 0.5
        case "date":
            return date(2025, 7, 1) + timedelta(random.randint(0, 400))
        case "timestamp" | "timestamptz":
            moment = datetime(2025, 1, 1) + timedelta(seconds=random.randint(0, 40_000_000))
            zone = UTC if column.kind == "timestamptz" else None
            return moment.replace(microsecond=random.choice((0, 0, 123_456, 500_000)), tzinfo=zone)
        case "uuid":
            return UUID(int=random.getrandbits(128))
        case "bytea":
            return random.randbytes(random.randint(0, 12))
        case "enum":
            return random.choice(column.labels)
    return _ODD_KINDS[column.kind](random)


def text(random: Random, length: int) -> str:
    """Return a text of a length, quotes, tabs, line ends and other scripts included."""
    return "".join(random.choice(_LETTERS) for _ in range(length))


_ODD_KINDS: dict[str, Callable[[Random], str]] = {
    "json": lambda random: random.choice(('{"b": 1, "a": [1, 2]}', "null", "[ 1.0,1 ]", '"x"', "17")),
    "jsonb": lambda random: random.choice(('{"a": 1}', '{"a": 1.0}', "[]", '{"b": null, "aa": 2}', "null")),
    "interval": lambda random: random.choice(("1 day", "24:00:00", "1 mon", "30 days", "-00:00:01.5")),
    "text[]": lambda random: random.choice(("{}", "{a,b}", '{NULL,"NULL"}', '{"a,b",""}', "{{a,b},{c,d}}")),
    "integer[]": lambda random: random.choice(("{}", "{1,NULL,3}", "[0:1]={1,2}")),
    "inet": lambda random: random.choice(("10.0.0.1", "10.0.0.0/8", "::1")),
    "time": lambda random: random.choice(("00:00:00", "23:59:59.999", "12:30:00")),
    "timetz": lambda random: random.choice(("00:00:00+00", "12:30:00-07")),
}

Spoil = Callable[[Random, Row], None]


def spoil(
    random: Random,
    shapes: Shapes,
    world: World,
    share: float,
    *,
    loosely_typed: bool,
    untouched: Collection[str],
    more: Mapping[str, list[Spoil]],
) -> None:
    """Put flaws into a share of the district's rows; `more` are flaws that only the test knows, by table."""
    for table, rows in world.district.items():
        if table in untouched:
            continue
        world.district[table] = rows = [dict(row) for row in rows]
        flaws = [*_flaws(shapes, table, rows, loosely_typed=loosely_typed), *more.get(table, ())]
        some = share if len(rows) >= 25 else share / 4
        for row in rows:
            if flaws and random.random() < some:
                random.choice(flaws)(random, row)


def _flaws(shapes: Shapes, table: str, rows: list[Row], *, loosely_typed: bool) -> list[Spoil]:
    key = shapes.own(shapes.state[table].key)
    found: list[Spoil] = []
    for column in shapes.columns(table):
        if column.name in key or column.name not in shapes.state[table].columns:
            continue
        found += [_setting(column.name, bad) for bad in bad_values(column, loosely_typed=loosely_typed)]
    for foreign in shapes.foreign(table):
        free = [column for column in foreign.columns if column not in key]
        if free and shapes.state[table].columns[free[-1]].kind in _BITS:
            found.append(_setting(free[-1], lambda random: random.randint(900, 999)))
        elif free:
            nowhere = UUID(int=7) if shapes.state[table].columns[free[-1]].kind == "uuid" else "nowhere"
            found.append(_setting(free[-1], _setting_to(nowhere)))
    for unique in shapes.keys(table)[1:]:
        found += [_copying(rows, [column for column in unique if column not in key])] * 2
    return found


def _setting(column: str, make: Callable[[Random], Any]) -> Spoil:
    def flaw(random: Random, row: Row) -> None:
        row[column] = make(random)

    return flaw


def _copying(rows: list[Row], columns: list[str]) -> Spoil:
    def flaw(random: Random, row: Row) -> None:
        other = random.choice(rows)
        row.update({column: other[column] for column in columns})

    return flaw


def bad_values(column: Column, *, loosely_typed: bool) -> list[Callable[[Random], Any]]:
    """Return makers of values that the state's column cannot hold, or only in another form."""
    found: list[Callable[[Random], Any]] = []
    if column.required:
        found.append(lambda random: None)
    if column.kind == "char" and column.length is not None:
        found.append(lambda random: " " * random.randint(1, column.length or 1))  # no flaw: blanks mean nothing
    if column.length is not None:
        length = column.length
        found.append(lambda random: text(random, length) + "x")
    if column.kind in _BITS and column.kind != "bigint":
        most = 2 ** _BITS[column.kind]
        found.append(lambda random: random.choice((most, -most - 1, most * 40)))
    if column.kind == "numeric" and column.size:
        precision, scale = (*column.size, 0)[:2]
        found.append(lambda random: Decimal(10) ** (precision - scale))
        found.append(lambda random: Decimal(5).scaleb(-scale - 1))
    if loosely_typed:
        found += [_setting_to(bad) for bad in _JUNK.get(column.kind, ())]
    return found


def _setting_to(bad: Any) -> Callable[[Random], Any]:
    return lambda random: bad


_NO_TEXT = ("abc", b"\x01")
_JUNK: dict[str, tuple[Any, ...]] = {
    "smallint": (*_NO_TEXT, 1.5, ""), "integer": (*_NO_TEXT, 2.25, 1e300), "bigint": (*_NO_TEXT, 1e19),
    "numeric": (*_NO_TEXT, float("inf")), "boolean": (2, "yes", 0.5), "date": ("2025-02-30", "soon", 20250101, ""),
    "timestamp": ("2025-02-30 00:00:00", "soon", 7, ""), "varchar": (b"\xff",), "text": (b"\xff",), "char": (b"\xff",),
}  # fmt: skip
