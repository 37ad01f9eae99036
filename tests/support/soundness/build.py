"""The SQL and TOML of a world."""

from collections.abc import Iterable, Iterator
from json import dumps

from tests.support.soundness.model import TENANT, YEAR, Column, Record, Row, Rows, Table, World
from tests.support.soundness.values import literal

CONFIG = """
[control]
url = "sqlite:///control.db"
[state]
name = "NV"
url = {state}
[years]
current = {year}
[catalog]
file = "objects.toml"
"""
DISTRICT = """
[[district]]
id = {id}
name = {id}
url = {url}
previous = {previous}
"""


def quoted(name: str) -> str:
    """Return a name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Return names as a list in SQL."""
    return ", ".join(map(quoted, names))


# --- the district ---


def district_tables(world: World) -> str:
    """Return the DDL of every district."""
    table, column = world.identity
    script = [f"CREATE TABLE {quoted(table)} ({quoted(column)} VARCHAR(20) PRIMARY KEY)"]
    for each in world.tables.values():
        parts = [_district_column(column) for column in each.columns if column.in_district]
        parts.append(f"PRIMARY KEY ({listed(each.key)})")
        parts += [f"UNIQUE ({listed(columns)})" for columns in each.unique]
        parts += [
            f"FOREIGN KEY ({listed(link.columns)}) REFERENCES {quoted(link.parent)}"
            f" ({listed(world.tables[link.parent].key)})"
            for link in each.links
            if link.in_district and not world.tables[link.parent].view
        ]
        script.append(f"CREATE TABLE {quoted(_stored(each))} ({', '.join(parts)})")
        if each.view:
            script.append(f"CREATE VIEW {quoted(each.name)} AS SELECT * FROM {quoted(_stored(each))}")
    return ";\n".join([*script, *world.district_sql, ""])


def _stored(table: Table) -> str:
    return f"{table.name} behind" if table.view else table.name


def _district_column(column: Column) -> str:
    if column.generated:
        return f"{quoted(column.name)} {column.declared} GENERATED ALWAYS AS ({column.generated}) STORED"
    return f"{quoted(column.name)} {column.declared}{' NOT NULL' * column.required}"


def district_records(world: World, tenant: str, rows: Rows) -> str:
    """Return what replaces all that a district holds."""
    table, column = world.identity
    tables = list(world.tables.values())
    script = [f"DELETE FROM {quoted(_stored(each))}" for each in reversed(tables)]
    script.append(f"DELETE FROM {quoted(table)}")
    script.append(f"INSERT INTO {quoted(table)} ({quoted(column)}) VALUES ({literal(tenant, world.source)})")
    for each in tables:
        names = [column.name for column in each.columns if column.in_district and not column.generated]
        script += [_insert(_stored(each), names, record.values, world.source) for record in rows[each.name]]
    return ";\n".join([*script, ""])


def _insert(table: str, names: list[str], values: Row, dialect: str) -> str:
    written = ", ".join(literal(values[name], dialect) for name in names)
    return f"INSERT INTO {quoted(table)} ({listed(names)}) VALUES ({written})"


# --- the state ---


def state_tables(world: World) -> str:
    """Return the DDL of a state that is made by hand."""
    tenant = quoted(TENANT)
    script = ["PRAGMA journal_mode = WAL"] if world.target == "sqlite" else []
    for each in world.tables.values():
        key = each.key if each.state_key is None else each.state_key
        parts = [f"{tenant} {world.tenant_type} NOT NULL"]
        parts += [_state_column(column) for column in each.columns if column.in_state]
        if key:
            parts.append(f"PRIMARY KEY ({tenant}, {listed(key)})")
        parts += [f"UNIQUE ({tenant}, {listed(columns)})" for columns in each.unique]
        parts += [
            f"FOREIGN KEY ({tenant}, {listed(link.columns)}) REFERENCES {quoted(link.parent)}"
            f" ({tenant}, {listed(world.tables[link.parent].key)}) {link.actions}"
            for link in each.links
            if link.in_state and world.tables[link.parent].state_key is None
        ]
        script.append(f"CREATE TABLE {quoted(each.name)} ({', '.join(parts)})")
    return ";\n".join([*script, ""])


def _state_column(column: Column) -> str:
    if column.computed:
        return f"{quoted(column.name)} {column.held} GENERATED ALWAYS AS ({column.computed}) STORED"
    return f"{quoted(column.name)} {column.held}{' NOT NULL' * column.required}"


def state_records(world: World) -> str:
    """Return what puts into the state what it holds beforehand."""
    script = []
    for table, tenant, values in world.held:
        columns = {column.name: column for column in world.tables[table].columns}
        names = [name for name in values if columns[name].in_state and not columns[name].computed]
        row = {name: values[name] for name in names} | {TENANT: tenant}
        script.append(_insert(table, [TENANT, *names], row, world.target))
    return ";\n".join([*script, ""])


# --- the files ---


def catalog_toml(world: World) -> str:
    """Return the catalog."""
    text = world.catalog
    lines = ['name = "World"', f"tenant_column = {dumps(text.tenant_column)}"]
    lines += [f"identity = {dumps(text.identity)}"] if text.identity else []
    lines += [f"year = {dumps(text.year)}"] if text.year else []
    for name, tables in text.tables.items():
        lines += list(_object_toml(world, name, tables))
    return "\n".join(lines)


def _object_toml(world: World, name: str, tables: list[str]) -> Iterator[str]:
    text = world.catalog
    mine = [each for each in world.tables.values() if world.object_of(each.name) == name]
    parents = sorted({world.object_of(link.parent) for table in mine for link in table.links} - {name})
    yield f"[[object]]\nname = {dumps(name)}\ntables = {dumps(tables, ensure_ascii=False)}\nparents = {dumps(parents)}"
    if any(table.school_year for table in mine):
        yield "school_year = true"
    for key, named in (("state_owned", text.owned), ("ignore_columns", text.ignored)):
        if columns := [column for owner, column in named if owner == name]:
            yield f"{key} = {dumps(columns, ensure_ascii=False)}"
    for number, (owner, table, condition) in enumerate(text.rules):
        if owner == name:
            yield (
                f'[[object.rule]]\nid = "rule-{number}"\ntable = {dumps(table, ensure_ascii=False)}\n'
                f'when = {dumps(condition, ensure_ascii=False)}\nreason = "Held back"'
            )


def config_toml(world: World, state: str, districts: dict[str, str]) -> str:
    """Return the configuration; `districts` are URLs by tenant."""
    of_years = {world.object_of(each.name) for each in world.tables.values() if each.school_year}
    previous = dumps(sorted(of_years))
    text = CONFIG.format(state=dumps(state), year=YEAR)
    for tenant in world.tenants:
        url = districts[world.true_tenant(tenant)]
        text += DISTRICT.format(id=dumps(tenant), url=dumps(url), previous=previous)
    return text


def copy_of(record: Record) -> Record:
    """Return a record that can be changed without changing this one."""
    return Record(dict(record.values), record.year, record.excluded)
