"""Worlds in which nothing is wrong, however odd they are."""

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.support.soundness.build import copy_of
from tests.support.soundness.model import YEAR, CatalogText, Column, Link, Record, Rows, Table, World
from tests.support.soundness.values import TYPES, invent

PAIRS = (("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql"))
FORMS = ("number", "text", "short", "long", "date")
"""How a school year is written."""
_TO_SEND = ((YEAR,), (YEAR,), (YEAR,), (YEAR, YEAR - 1), (YEAR - 1, YEAR))

_NAMES = {
    "calendar": ("calendar", "Calendar", "School Year", "année", "order", "cal%endar"),
    "person": ("person", "Person", "PERSON", "user", "t", "Straße"),
    "enrollment": ("enrollment", "Enrollment", "En:roll", "group", "stage", "x'y"),
    "grade": ("grade", "Grade", "select", 'gra"de', "key", "n"),
    "district": ("district", "District", "Our District"),
}
_COLUMNS = (
    "name",
    "Name of it",
    "n",
    "key",
    "bucket",
    "order",
    "ID No",
    "ü",
    "a'b",
    "number",
    "code",
    "hash",
    "Value",
    "t",
)


def sound_world(random: Random, pair: tuple[str, str] | None = None, *, brief: bool = False) -> World:
    """Return a world in which nothing is wrong; a `brief` one has fewer batches."""
    source, target = pair or random.choice(PAIRS)
    form = random.choice((FORMS[0], *FORMS))
    tables = _tables(random, source, target, form)
    calendar = next(iter(tables.values()))
    district = random.choice(_NAMES["district"])
    years = _TO_SEND[:1] if brief else _TO_SEND
    tenants = (
        ["01"]
        if brief and random.random() < 0.7
        else random.choice((["01"], ["2026"], ["ä b"], ["01", "1"], ["ab", "AB"]))
    )
    world = World(
        source=source,
        target=target,
        tenants=tenants,
        tables=tables,
        identity=(district, random.choice(("number", "No", "District Number"))),
        years=(calendar.name, calendar.columns[1].name),
        catalog=CatalogText("", "", "districtNumber", {}),
        phases=[{tenant: records(random, tables, form) for tenant in tenants}],
        to_send=[random.choice(years[:4])],
        tenant_type=random.choice(("TEXT", "VARCHAR(20)")),
        made=random.random() < 0.4,
    )
    world.catalog.year = ".".join(world.years)
    world.catalog.identity = ".".join(world.identity)
    for name in tables:
        world.catalog.tables[world.object_of(name)] = [name]
    _hold_beforehand(random, world)
    if random.random() < (0.6 if brief else 0.3):
        return world
    later = {tenant: _changed(random, world, rows, form) for tenant, rows in world.phases[0].items()}
    world.phases.append(later)
    world.to_send.append(random.choice(years))
    return world


# --- tables ---


def _tables(random: Random, source: str, target: str, form: str) -> dict[str, Table]:
    def column(name: str, kind: str, *, required: bool = False) -> Column:
        return Column(name, kind, TYPES[kind][source], TYPES[kind][target], required)

    def more(taken: set[str]) -> list[Column]:
        found = []
        for name in random.sample(_COLUMNS, random.randint(2, 4)):
            if name.casefold() not in taken:
                taken.add(name.casefold())
                found.append(column(name, random.choice(list(TYPES))))
        return found

    names = {each: random.choice(choices) for each, choices in _NAMES.items()}
    cal, year = random.choice((("calendarID", "endYear"), ("cal", "year"), ("Cal ID", "End Year"), ("id", "n")))
    year_kind = {"number": "integer", "date": "date"}.get(form, "text")
    calendar = Table(
        names["calendar"],
        [
            column(cal, "integer", required=True),
            column(year, year_kind, required=True),
            *more({cal.casefold(), year.casefold()}),
        ],
        (cal,),
        school_year=True,
    )
    person_key = random.choice((("personID", "integer"), ("Person No", "text")))
    person = Table(
        names["person"],
        [column(*person_key, required=True), *more({person_key[0].casefold()})],
        (person_key[0],),
    )
    if random.random() < 0.5:
        person.columns.append(column("unique code", "integer"))
        person.unique.append(("unique code",))
    by_both = random.random() < 0.3
    own = [] if by_both else [column("id", "integer", required=True)]
    enrollment = Table(
        names["enrollment"],
        [*own, column("who", person_key[1], required=True), column("calendar", "integer", required=True),
         *more({"id", "who", "calendar"})],
        ("who", "calendar") if by_both else ("id",),
        [Link(("who",), person.name), Link(("calendar",), calendar.name)],
        school_year=True,
        way=1,
    )  # fmt: skip
    tables = [calendar, person, enrollment]
    if random.random() < 0.6:
        links = [f"of {name}" for name in enrollment.key]
        kinds = [enrollment.column(name).kind for name in enrollment.key]
        grade = Table(
            names["grade"],
            [column("id", "integer", required=True),
             *(column(name, kind, required=True) for name, kind in zip(links, kinds, strict=True)), *more({"id"})],
            ("id",),
            [Link(tuple(links), enrollment.name)],
            school_year=True,
            way=0,
        )  # fmt: skip
        tables.append(grade)
    return {each.name: each for each in tables}


def written_year(random: Random, year: int, form: str) -> Any:
    """Return a school year in a form."""
    match form:
        case "number":
            return year
        case "text":
            return str(year)
        case "short":
            return f"{year - 1}-{year % 100:02}"
        case "long":
            return f"{year - 1}-{year}"
    return date(year, 6, 30) - timedelta(random.randint(0, 120))


# --- records ---


def records(random: Random, tables: dict[str, Table], form: str) -> Rows:
    """Return what a district holds."""
    rows: Rows = {}
    for table in tables.values():
        rows[table.name] = []
        for number in range(1, random.randint(4, 9)):
            record = _record(random, tables, table, number, rows, form)
            key = tuple(record.values[name] for name in table.key)
            if all(key != tuple(each.values[name] for name in table.key) for each in rows[table.name]):
                rows[table.name].append(record)
    return rows


_TEXT_KEYS = ("a", "0007", "7", "1E5", "x y", "A1", "Zoë", "b'c", "00501", "~")


def _record(random: Random, tables: dict[str, Table], table: Table, number: int, rows: Rows, form: str) -> Record:
    record = Record({each.name: fresh(random, each) for each in table.columns if not each.generated})
    for name in table.key:
        record.values[name] = number if table.column(name).kind == "integer" else _TEXT_KEYS[number]
    for columns in table.unique:
        record.values.update(dict.fromkeys(columns, number))
    if table is next(iter(tables.values())):
        record.year = YEAR - (number % 3 if number > 1 else 0)
        record.values[table.columns[1].name] = written_year(random, record.year, form)
    for place, link in enumerate(table.links):
        point(random, tables, table, record, place, random.choice(rows[link.parent]))
    return record


def fresh(random: Random, column: Column) -> Any:
    """Return a value for a column; None now and then where it may be missing."""
    if not column.required and random.random() < 0.15:
        return None
    return invent(random, column.kind)


def point(random: Random, tables: dict[str, Table], table: Table, record: Record, place: int, parent: Record) -> None:
    """Let a record point to a parent, and be of its year where that is the way."""
    link = table.links[place]
    for ours, theirs in zip(link.columns, tables[link.parent].key, strict=True):
        record.values[ours] = parent.values[theirs]
    if place == table.way:
        record.year = parent.year


# --- what the state holds beforehand ---


def _hold_beforehand(random: Random, world: World) -> None:
    """Let the state hold copies, older ones and extra ones, of the districts and of one that nobody sends."""
    if random.random() < 0.4:
        return
    for tenant, rows in [*world.phases[0].items(), ("99", world.phases[0][world.tenants[0]])]:
        there: dict[str, list[Record]] = {}
        for table in world.tables.values():
            kept = [
                _older(random, table, record)
                for record in rows[table.name]
                if _parents_there(world, table, record, there) and random.random() < 0.8
            ]
            extra = _extra(random, world, table, kept, there)
            there[table.name] = [*kept, *extra]
            world.held += [(table.name, tenant, record.values) for record in there[table.name]]


def _parents_there(world: World, table: Table, record: Record, there: dict[str, list[Record]]) -> bool:
    return all(
        any(
            all(record.values[ours] == parent.values[theirs]
                for ours, theirs in zip(link.columns, world.tables[link.parent].key, strict=True))
            for parent in there[link.parent]
        )
        for link in table.links
    )  # fmt: skip


def _older(random: Random, table: Table, record: Record) -> Record:
    copy = copy_of(record)
    free = free_columns(table)
    if free and random.random() < 0.4:
        column = random.choice(free)
        copy.values[column.name] = fresh(random, column)
    return copy


def free_columns(table: Table) -> list[Column]:
    """Return the columns that nothing depends on."""
    bound = {*table.key, *(name for link in table.links for name in link.columns), *sum(table.unique, ())}
    first = [] if table.links or not table.school_year else [table.columns[1].name]
    return [each for each in table.columns if each.name not in {*bound, *first} and not each.generated]


def _extra(
    random: Random, world: World, table: Table, kept: list[Record], there: dict[str, list[Record]]
) -> list[Record]:
    """Return records that the district does not have, like those that it has."""
    if not kept or table.column(table.key[0]).kind != "integer" or len(table.key) > 1 or random.random() < 0.5:
        return []
    copy = copy_of(random.choice(kept))
    copy.values[table.key[0]] = 900
    for columns in table.unique:
        copy.values.update(dict.fromkeys(columns, 900))
    return [copy]


# --- what changes ---


def _changed(random: Random, world: World, rows: Rows, form: str) -> Rows:
    """Return a district's records some time later: changed, gone, new, of another year."""
    tables = world.tables
    later: Rows = {name: [copy_of(each) for each in some] for name, some in rows.items()}
    calendar = next(iter(tables.values()))
    for table in tables.values():
        for record in later[table.name]:
            for column in free_columns(table):
                if random.random() < 0.15:
                    record.values[column.name] = fresh(random, column)
    if random.random() < 0.4:
        moved = random.choice(later[calendar.name])
        moved.year = random.choice((YEAR, YEAR - 1, YEAR - 2))
        moved.values[calendar.columns[1].name] = written_year(random, moved.year, form)
    for table in tables.values():
        for place, link in enumerate(table.links):
            if not set(link.columns) & set(table.key):
                for record in later[table.name]:
                    if random.random() < 0.2:
                        point(random, tables, table, record, place, random.choice(later[link.parent]))
        for columns in table.unique:
            one, other = (random.choice(later[table.name]) for _ in range(2))
            for name in columns:
                one.values[name], other.values[name] = other.values[name], one.values[name]
    _drop_some(random, tables, later)
    follow_years(tables, later)
    return later


def _drop_some(random: Random, tables: dict[str, Table], rows: Rows) -> None:
    pointed = {link.parent for table in tables.values() for link in table.links}
    for name, some in rows.items():
        if name not in pointed and len(some) > 2 and random.random() < 0.5:
            some.pop(random.randrange(len(some)))


def follow_years(tables: dict[str, Table], rows: Rows) -> None:
    """Set each record's year to the one of the record to which it points."""
    for table in tables.values():
        if table.way is not None:
            link = table.links[table.way]
            theirs = tables[link.parent].key
            years = {tuple(each.values[name] for name in theirs): each.year for each in rows[link.parent]}
            for record in rows[table.name]:
                record.year = years.get(tuple(record.values[name] for name in link.columns))
