"""Slips of the catalog, and what is as odd but right."""

from collections.abc import Callable
from random import Random

from tests.support.soundness.build import quoted
from tests.support.soundness.invent import follow_years, free_columns
from tests.support.soundness.model import Column, Link, Record, Table, World
from tests.support.soundness.values import TYPES, invent, literal

Change = Callable[[Random, World], bool]
"""Changes a world; False if it does not fit it, which is then to be thrown away."""


def misspelt(random: Random, name: str) -> str:
    """Return a name with a slip of the pen."""
    place = random.randrange(len(name))
    slips = [
        name.swapcase(),
        name.upper(),
        name.lower(),
        name + "s",
        name + " ",
        name[:place] + name[place + 1 :] or "x",
    ]
    return random.choice([slip for slip in slips if slip != name])


def calendar_of(world: World) -> Table:
    """Return the table of the years."""
    return next(iter(world.tables.values()))


def all_records(world: World, table: Table) -> list[Record]:
    """Return a table's records of all districts and phases."""
    return [record for phase in world.phases for rows in phase.values() for record in rows[table.name]]


# --- year, identity, tenant ---


def year_table(random: Random, world: World) -> bool:
    """`year` names a table wrongly."""
    world.catalog.year = f"{misspelt(random, world.years[0])}.{world.years[1]}"
    world.words.append("year")
    return True


def year_column(random: Random, world: World) -> bool:
    """`year` names a column wrongly."""
    world.catalog.year = f"{world.years[0]}.{misspelt(random, world.years[1])}"
    world.words.append("year")
    return True


def identity(random: Random, world: World) -> bool:
    """`identity` names a column wrongly, and the configuration takes two districts for each other."""
    table, column = world.identity
    if random.random() < 0.5:
        table = misspelt(random, table)
    else:
        column = misspelt(random, column)
    world.catalog.identity = f"{table}.{column}"
    world.swapped = len(world.tenants) == 2
    return world.swapped


def tenant_column(random: Random, world: World) -> bool:
    """`tenant_column` is none of the state's."""
    world.catalog.tenant_column = misspelt(random, world.catalog.tenant_column)
    world.made = True
    return True


def year_form(random: Random, world: World) -> bool:
    """Years are written in a form that nobody knows, all of them or some."""
    table, column = calendar_of(world), world.years[1]
    if table.column(column).kind != "text":
        return False
    form = random.choice(("FY{short}", "{short}", "{before}:{year}", "SY {year}", " {year}?"))
    for record in all_records(world, table):
        if record.year is not None and random.random() < 0.8:
            year = record.year
            record.values[column] = form.format(short=f"{year % 100:02}", before=year - 1, year=year)
    world.held.clear()
    return True


def two_ways(random: Random, world: World) -> bool:
    """Two foreign keys lead to the year, and the catalog does not say which one is meant."""
    table = random.choice([each for each in world.tables.values() if each.way is not None])
    calendar = calendar_of(world)
    name = random.choice(("another", "zone"))
    if any(column.name == name for column in table.columns):
        return False
    required = random.random() < 0.5
    table.columns.append(
        Column(name, "integer", TYPES["integer"][world.source], TYPES["integer"][world.target], required)
    )
    table.links.append(Link((name,), calendar.name))
    for phase in world.phases:
        for rows in phase.values():
            for record in rows[table.name]:
                other = random.choice(rows[calendar.name])
                record.values[name] = other.values[calendar.key[0]] if required or random.random() < 0.6 else None
    if random.random() < 0.5:
        table.way = len(table.links) - 1
        for phase in world.phases:
            for rows in phase.values():
                follow_years(world.tables, rows)
    world.held.clear()
    return True


def no_link(random: Random, world: World) -> bool:
    """Some records have no link to the year."""
    table = random.choice([each for each in world.tables.values() if each.way is not None])
    assert table.way is not None
    link = table.links[table.way]
    if set(link.columns) & set(table.key):
        return False
    for name in link.columns:
        table.column(name).required = False
    for phase in world.phases:
        for rows in phase.values():
            for record in rows[table.name]:
                if random.random() < 0.4:
                    record.values.update(dict.fromkeys(link.columns))
            follow_years(world.tables, rows)
    world.held.clear()
    return True


# --- columns ---


def own(random: Random, world: World) -> tuple[Table, str] | None:
    """Let a column be meant to be the state's; return it."""
    table = random.choice(list(world.tables.values()))
    free = free_columns(table)
    if len(world.phases) < 2 or not free:
        return None
    column = random.choice(free)
    world.owned.add((table.name, column.name))
    value = literal(invent(random, column.kind), world.target)
    world.between.append(f"UPDATE {quoted(table.name)} SET {quoted(column.name)} = {value}")
    return table, column.name


def state_owned(random: Random, world: World) -> bool:
    """`state_owned` names a column wrongly."""
    if (found := own(random, world)) is None:
        return False
    table, column = found
    world.catalog.owned.append((world.object_of(table.name), f"{table.name}.{misspelt(random, column)}"))
    return True


def state_owned_rightly(random: Random, world: World) -> bool:
    """A column is the state's."""
    if (found := own(random, world)) is None:
        return False
    table, column = found
    world.catalog.owned.append((world.object_of(table.name), f"{table.name}.{column}"))
    return True


def ignore_column(random: Random, world: World) -> bool:
    """`ignore_columns` names a column wrongly."""
    table = random.choice(list(world.tables.values()))
    if not (free := free_columns(table)):
        return False
    column = random.choice(free).name
    world.ignored.add((table.name, column))
    world.held.clear()
    world.catalog.ignored.append((world.object_of(table.name), f"{table.name}.{misspelt(random, column)}"))
    return True


def ignore_column_rightly(random: Random, world: World) -> bool:
    """A column is the district's own."""
    table = random.choice(list(world.tables.values()))
    if not (free := free_columns(table)):
        return False
    column = random.choice(free)
    column.in_state = random.random() < 0.5
    world.ignored.add((table.name, column.name))
    world.held.clear()
    world.catalog.ignored.append((world.object_of(table.name), f"{table.name}.{column.name}"))
    return True


# --- rules ---


def _hold_back(random: Random, world: World) -> Table:
    """Mark some records of a table that nothing points to as meant to be held back."""
    pointed = {link.parent for each in world.tables.values() for link in each.links}
    table = random.choice([each for each in world.tables.values() if each.name not in pointed])
    table.columns.append(
        Column("hold", "integer", TYPES["integer"][world.source], TYPES["integer"][world.target], required=True)
    )
    for record in all_records(world, table):
        record.excluded = random.random() < 0.3
        record.values["hold"] = int(record.excluded)
    world.held.clear()
    return table


def rule_column(random: Random, world: World) -> bool:
    """A rule names a column wrongly."""
    table = _hold_back(random, world)
    name = random.choice(("holt", "holds", "hold "))
    world.catalog.rules.append((world.object_of(table.name), table.name, f't."{name}" = 1'))
    world.must_refuse.add(table.name)
    return True


def rule_rightly(random: Random, world: World) -> bool:
    """A rule holds records back."""
    table = _hold_back(random, world)
    condition = random.choice(('t."hold" = 1', '"hold" = 1', "t.hold = 1 AND :year > 0"))
    world.catalog.rules.append((world.object_of(table.name), table.name, condition))
    return True


_ASKS_ANOTHER = 'EXISTS (SELECT 1 FROM held_back AS h WHERE h.n = t."hold" AND h.n > 0)'


def rule_asks_state(random: Random, world: World) -> bool:
    """A rule asks a table that only the state has."""
    table = _hold_back(random, world)
    world.catalog.rules.append((world.object_of(table.name), table.name, _ASKS_ANOTHER))
    world.state_sql += ["CREATE TABLE held_back (n INTEGER)"]
    world.must_refuse.add(table.name)
    return True


def rule_asks_district(random: Random, world: World) -> bool:
    """A rule asks a table that both ends have, with other rows at the state."""
    table = _hold_back(random, world)
    world.catalog.rules.append((world.object_of(table.name), table.name, _ASKS_ANOTHER))
    world.district_sql += ["CREATE TABLE held_back (n INTEGER)", "INSERT INTO held_back VALUES (1)"]
    world.state_sql += ["CREATE TABLE held_back (n INTEGER)"]
    return True


def table_twice(random: Random, world: World) -> bool:
    """Two objects name one table in two ways."""
    name = random.choice(list(world.tables))
    other = f"public.{name}" if world.source == "postgresql" else name.swapcase()
    if other == name:
        return False
    world.catalog.tables["Twin"] = [other]
    return True


SLIPS: dict[str, Change] = {
    "year: table": year_table,
    "year: column": year_column,
    "year: form": year_form,
    "year: two ways": two_ways,
    "year: no link": no_link,
    "identity": identity,
    "tenant_column": tenant_column,
    "state_owned": state_owned,
    "ignore_columns": ignore_column,
    "rule: column": rule_column,
    "rule: asks the state": rule_asks_state,
    "table twice": table_twice,
}
RIGHT: dict[str, Change] = {
    "state_owned": state_owned_rightly,
    "ignore_columns": ignore_column_rightly,
    "rule": rule_rightly,
    "rule: asks the district": rule_asks_district,
}
