"""What is wrong with the two databases, as far as one is to hold what the other has; and what is as odd but right."""

from random import Random

from tests.support.soundness.build import listed, quoted
from tests.support.soundness.catalog_slips import Change, all_records
from tests.support.soundness.invent import free_columns
from tests.support.soundness.model import TENANT, Column, Table, World
from tests.support.soundness.values import TYPES, literal

# --- keys and foreign keys ---


def no_links_at_state(random: Random, world: World) -> bool:
    """The state has no foreign keys, or lacks one."""
    links = [link for table in world.tables.values() for link in table.links]
    for link in links if random.random() < 0.5 else [random.choice(links)]:
        link.in_state = False
    world.made = True
    return True


def no_links_in_district(random: Random, world: World) -> bool:
    """The district has no foreign keys, or lacks one."""
    links = [link for table in world.tables.values() for link in table.links]
    for link in links if random.random() < 0.5 else [random.choice(links)]:
        link.in_district = False
    return True


def narrow_key(random: Random, world: World) -> bool:
    """The state's key has fewer columns than the district's, or there is none."""
    table = random.choice(list(world.tables.values()))
    table.state_key = () if len(table.key) == 1 or random.random() < 0.3 else (random.choice(table.key),)
    world.made = True
    world.held.clear()
    return True


# --- types ---

_NARROWER = {
    "postgresql": {
        "integer": ("smallint", "numeric(3,0)", "real", "text"),
        "bigint": ("integer", "real", "double precision", "numeric(12,0)"),
        "text": ("varchar(3)", "char(24)", "char(2)", "integer", "numeric", "name", "bytea", "date"),
        "varchar": ("varchar(3)", "char(24)", "integer", "json"),
        "numeric": ("numeric(9,1)", "integer", "real", "double precision", "numeric(4,2)", "bigint"),
        "double": ("real", "numeric(9,2)", "integer", "bigint"),
        "boolean": ("integer", "text"),
        "date": ("timestamp", "text"),
        "timestamp": ("timestamp(0)", "date", "timestamptz", "timestamptz(0)", "time"),
        "time": ("time(0)", "timetz", "interval", "text"),
    },
    "sqlite": {
        "integer": ("SMALLINT", "TEXT", "REAL", "BOOLEAN"),
        "bigint": ("REAL", "TEXT", "INTEGER", "DOUBLE PRECISION"),
        "text": ("STRING", "MONEY", "INTEGER", "NUMERIC", "REAL", "DATE", "VARCHAR(3)", "TEXT COLLATE NOCASE", "BLOB"),
        "varchar": ("STRING", "NUMERIC", "DATETIME", "CHAR(2)", "UUID"),
        "numeric": ("INTEGER", "TEXT", "NUMERIC(9,1)", "NUMERIC(4,2)", "DECIMAL(12,4)"),
        "double": ("INTEGER", "TEXT", "FLOAT", "NUMERIC(9,2)"),
        "boolean": ("INTEGER", "TEXT", "BIT"),
        "date": ("TEXT", "STRING", "INTEGER", "TIMESTAMP"),
        "timestamp": ("TEXT", "DATE", "INTEGER", "STRING"),
        "time": ("TEXT", "STRING", "NUMERIC"),
    },
}  # fmt: skip


def narrow_type(random: Random, world: World) -> bool:
    """A column of the state has another type, which may not hold every value."""
    table = random.choice(list(world.tables.values()))
    column = random.choice(table.columns)
    column.held = random.choice(_NARROWER[world.target][column.kind])
    if any(column.name in link.columns for link in table.links) or column.name in table.key:
        for each in world.tables.values():
            for link in each.links:
                link.in_state = link.in_state and world.target == "sqlite"
    world.made = True
    world.held.clear()
    return True


def loose_values(random: Random, world: World) -> bool:
    """A SQLite district holds what its types do not say."""
    if world.source != "sqlite":
        return False
    loose = {
        "time": ("08:30:00-07:00", "08:30Z", "8:30"), "date": ("2026-03-01T00:00:00+09:00", "2026-W09-7", "20260301"),
        "timestamp": ("2026-03-01T08:30Z", "2026-03-01 08:30:00-08:00", "1767225600"), "boolean": (2, "true"),
        "integer": (1.5, "abc", "12"), "numeric": (1.005, "1.10", 10**8), "text": (7, 1.5),
        "double": ("0.1", 2**60 + 1),
    }  # fmt: skip
    table = random.choice(list(world.tables.values()))
    if not (free := [each for each in free_columns(table) if each.kind in loose]):
        return False
    column = random.choice(free)
    for record in all_records(world, table):
        if random.random() < 0.5:
            record.values[column.name] = random.choice(loose[column.kind])
    world.held.clear()
    return True


# --- columns of one end ---


def required_at_state(_random: Random, world: World) -> bool:
    """The state wants a column that the district does not have."""
    _add(world, "wanted", in_district=False, held=f"{TYPES['text'][world.target]} NOT NULL")
    return True


def more_at_state(random: Random, world: World) -> bool:
    """The state has a column of its own."""
    kind = TYPES["text"][world.target]
    _add(world, "its own", in_district=False, held=random.choice((kind, f"{kind} DEFAULT 'x'")))
    world.advised = True
    return True


def _add(world: World, name: str, *, in_district: bool, held: str) -> None:
    table = list(world.tables.values())[-1]
    table.columns.append(Column(name, "text", TYPES["text"][world.source], held, in_district=in_district))
    for record in all_records(world, table):
        record.values[name] = None
    world.made = True
    world.held.clear()


def less_at_state(random: Random, world: World) -> bool:
    """The state lacks a column."""
    table = random.choice(list(world.tables.values()))
    if not (free := free_columns(table)):
        return False
    random.choice(free).in_state = False
    world.made = True
    return True


def column_dropped(random: Random, world: World) -> bool:
    """The district loses a column that the state goes on having."""
    table = random.choice(list(world.tables.values()))
    free = free_columns(table)
    if len(world.phases) < 2 or not free:
        return False
    column = random.choice(free)
    world.dropped = (table.name, column.name)
    world.must_tell.append(column.name)
    return True


def generated(random: Random, world: World) -> bool:
    """The district computes a column that is an ordinary one at the state."""
    table = random.choice(list(world.tables.values()))
    name = "computed"
    source = table.column(table.key[0])
    expression = f"{quoted(source.name)} || '!'" if source.kind == "text" else f"{quoted(source.name)} + 1"
    table.columns.append(
        Column(
            name, source.kind, TYPES[source.kind][world.source], TYPES[source.kind][world.target], generated=expression
        )
    )
    for record in all_records(world, table):
        key = record.values[source.name]
        record.values[name] = f"{key}!" if source.kind == "text" else key + 1
    world.held.clear()
    return True


def tenant_column_in_district(random: Random, world: World, *, agrees: bool = False) -> bool:
    """The district has a column of the tenant column's name that says another district."""
    table = random.choice(list(world.tables.values()))
    table.columns.append(Column(TENANT, "text", "VARCHAR(20)", "", in_state=False))
    for phase in world.phases:
        for tenant, rows in phase.items():
            for record in rows[table.name]:
                record.values[TENANT] = tenant if agrees or random.random() < 0.6 else random.choice((None, "02", "x"))
    world.held.clear()
    world.words.append(TENANT)
    return True


def tenant_column_agrees(random: Random, world: World) -> bool:
    """The district has a column of the tenant column's name that says the district."""
    return tenant_column_in_district(random, world, agrees=True)


def tenant_type(random: Random, world: World) -> bool:
    """The state's column for the tenants takes one for another."""
    types = {
        "sqlite": ("INTEGER", "NUMERIC", "TEXT COLLATE NOCASE", "STRING", "VARCHAR(1)"),
        "postgresql": ("integer", "char(2)", "char(1)", "varchar(1)", "numeric"),
    }
    world.tenant_type = random.choice(types[world.target])
    world.made = True
    world.held.clear()
    world.words += [TENANT, "tenant"]
    return len(world.tenants) == 2


# --- what acts at the state ---


def trigger(random: Random, world: World) -> bool:
    """A trigger of the state skips rows, keeps what it has, changes what it is sent, or other records of the table."""
    table = random.choice(list(world.tables.values()))
    free = [each for each in free_columns(table) if each.kind in ("text", "varchar", "integer")]
    if not free:
        return False
    column = random.choice(free)
    what = random.choice(("skips", "keeps", "changes", "demotes"))
    write = _sqlite_trigger if world.target == "sqlite" else _postgres_trigger
    world.state_sql += write(table, column, what)
    return True


def _sqlite_trigger(table: Table, column: Column, what: str) -> list[str]:
    name, changed = quoted(table.name), quoted(column.name)
    its_own = f"{quoted(TENANT)} IS NEW.{quoted(TENANT)}"
    this = " AND ".join(f"{quoted(each)} IS NEW.{quoted(each)}" for each in (TENANT, *table.key))
    event, body = {
        "skips": (f"BEFORE INSERT ON {name}", "SELECT RAISE(IGNORE)"),
        "keeps": (f"AFTER UPDATE OF {changed} ON {name}", f"UPDATE {name} SET {changed} = OLD.{changed} WHERE {this}"),
        "changes": (f"AFTER INSERT ON {name}", f"UPDATE {name} SET {changed} = NULL WHERE {this}"),
        "demotes": (f"AFTER INSERT ON {name}", f"UPDATE {name} SET {changed} = NULL WHERE {its_own} AND NOT ({this})"),
    }[what]
    return [f"CREATE TRIGGER meddles {event} WHEN NEW.{changed} IS NOT NULL BEGIN {body}; END"]


def _postgres_trigger(table: Table, column: Column, what: str) -> list[str]:
    name, changed = quoted(table.name), quoted(column.name)
    its_own = f"{quoted(TENANT)} = NEW.{quoted(TENANT)}"
    this = " AND ".join(f"{quoted(each)} = NEW.{quoted(each)}" for each in (TENANT, *table.key))
    body, when = {
        "skips": (f"IF NEW.{changed} IS NOT NULL THEN RETURN NULL; END IF; RETURN NEW;", "INSERT"),
        "keeps": ("RETURN OLD;", "UPDATE"),
        "changes": (f"NEW.{changed} := NULL; RETURN NEW;", "INSERT OR UPDATE"),
        "demotes": (f"UPDATE {name} SET {changed} = NULL WHERE {its_own} AND NOT ({this}); RETURN NEW;", "INSERT"),
    }[what]
    return [
        f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN {body} END $f$",
        f"CREATE TRIGGER meddles BEFORE {when} ON {quoted(table.name)} FOR EACH ROW EXECUTE FUNCTION meddle()",
    ]


def logging_trigger(_random: Random, world: World) -> bool:
    """A trigger of the state writes down what happens."""
    table = list(world.tables.values())[-1]
    world.state_sql.append("CREATE TABLE logged (what VARCHAR(20))")
    if world.target == "sqlite":
        world.state_sql.append(
            f"CREATE TRIGGER logs AFTER INSERT ON {quoted(table.name)} BEGIN INSERT INTO logged VALUES ('insert'); END"
        )
    else:
        world.state_sql += [
            "CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO logged VALUES ('it');"
            " RETURN NEW; END $f$",
            f"CREATE TRIGGER logs AFTER INSERT ON {quoted(table.name)} FOR EACH ROW EXECUTE FUNCTION log_it()",
        ]
    return True


def actions(random: Random, world: World) -> bool:
    """The state's foreign keys act when their parents change or go."""
    for table in world.tables.values():
        for link in table.links:
            link.actions = random.choice(
                ("ON DELETE CASCADE", "ON UPDATE CASCADE", "ON UPDATE CASCADE ON DELETE CASCADE")
            )
    world.made = world.advised = True
    return True


def check(random: Random, world: World) -> bool:
    """The state has a check that some records break, or a unique key."""
    table = random.choice(list(world.tables.values()))
    free = [each for each in free_columns(table) if each.kind in ("integer", "bigint")]
    if not free:
        return False
    column = random.choice(free)
    column.held += random.choice((f" CHECK ({quoted(column.name)} > 0)", " UNIQUE"))
    world.made = True
    world.held.clear()
    return True


def sub_table(random: Random, world: World) -> bool:
    """A table has a sub-table, at the district or at the state."""
    table = random.choice(list(world.tables.values()))
    script = [f"CREATE TABLE heir () INHERITS ({quoted(table.name)})"]
    if world.source == "postgresql" and random.random() < 0.5:
        world.district_sql += script
        first = next(iter(world.phases[0].values()))[table.name][0]
        names = [column.name for column in table.columns if not column.generated]
        values = {**first.values, **dict.fromkeys(table.key, 800)}
        if any(table.column(name).kind == "text" for name in table.key):
            return False
        written = ", ".join(literal(values[name], "postgresql") for name in names)
        world.district_sql.append(f"INSERT INTO heir ({listed(names)}) VALUES ({written})")
    elif world.target == "postgresql":
        world.state_sql += [*script, f"INSERT INTO heir SELECT * FROM {quoted(table.name)}"]
        world.made = True
    else:
        return False
    return True


def view(_random: Random, world: World) -> bool:
    """The district shows a table by a view."""
    table = list(world.tables.values())[-1]
    table.view = True
    world.made = True
    return world.source == "postgresql"


SLIPS: dict[str, Change] = {
    "state without foreign keys": no_links_at_state,
    "district without foreign keys": no_links_in_district,
    "state key narrower": narrow_key,
    "type of the state": narrow_type,
    "loose values": loose_values,
    "state wants a column": required_at_state,
    "state lacks a column": less_at_state,
    "district drops a column": column_dropped,
    "tenant column in the district": tenant_column_in_district,
    "type of the tenant column": tenant_type,
    "trigger": trigger,
    "check": check,
    "sub-table": sub_table,
    "view": view,
}
RIGHT: dict[str, Change] = {
    "state has a column of its own": more_at_state,
    "generated in the district": generated,
    "tenant column agrees": tenant_column_agrees,
    "logging trigger": logging_trigger,
    "actions": actions,
}
