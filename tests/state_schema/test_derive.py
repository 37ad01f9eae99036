"""The state's tables derived from a district's, on real databases; the second catalog is of an odd shape."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from resync_tui.catalog import Catalog, DisObject, load
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts
from resync_tui.state_schema.derive import apply, derive, table_order
from tests.support.campus import create_campus
from tests.support.databases import rows, run_script
from tests.support.running import make_job, run

Database = Callable[[str], str]
REFUSED = (asyncpg.IntegrityConstraintViolationError, sqlite3.IntegrityError)
ENDS = [
    ("sqlite", "sqlite"),
    ("postgresql", "postgresql"),
    pytest.param("sqlite", "postgresql", marks=pytest.mark.matrix),
]

ODD = Catalog(
    "Odd",
    (
        DisObject("Groups", ("user", "Order Line"), ignore_columns=("user.local note",)),
        DisObject("Loop", ("left", "right")),
        DisObject("Kinds", ("Kinds",)),
        DisObject("Elsewhere", ("odd.select",), ("Kinds",)),
    ),
)
ODD_SQL = """
CREATE TABLE "user" (
    "group" varchar(10) NOT NULL, "Name" varchar(20) NOT NULL, "boss group" varchar(10), "bossName" varchar(20),
    "local note" text, "size" integer DEFAULT 3 NOT NULL CHECK ("size" > 0),
    "twice" integer GENERATED ALWAYS AS ("size" * 2) STORED,
    PRIMARY KEY ("group", "Name"), UNIQUE ("Name", "size"),
    FOREIGN KEY ("boss group", "bossName") REFERENCES "user" ("group", "Name") ON DELETE CASCADE
);
CREATE INDEX "by size" ON "user" ("size");
CREATE UNIQUE INDEX "one big" ON "user" ("Name") WHERE "size" > 100;
CREATE INDEX "note index" ON "user" ("local note");
CREATE TABLE "Order Line" (
    "tenant" varchar(5), "group" varchar(10) NOT NULL, "Name" varchar(20) NOT NULL, "no" smallint NOT NULL,
    PRIMARY KEY ("group", "Name", "no"),
    FOREIGN KEY ("group", "Name") REFERENCES "user" ("group", "Name") DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE "left" ("id" integer PRIMARY KEY, "right" integer NOT NULL{left});
CREATE TABLE "right" ("id" integer PRIMARY KEY, "left" integer NOT NULL REFERENCES "left" ("id"));
"""
LOOP = ' REFERENCES "right" ("id")'
POSTGRES_ONLY = """
ALTER TABLE "left" ADD FOREIGN KEY ("right") REFERENCES "right" ("id");
CREATE SCHEMA odd;
CREATE TYPE mood AS ENUM ('glad', 'it''s so-so');
CREATE TYPE odd."Shade" AS ENUM ('light', 'dark');
CREATE DOMAIN short AS varchar(3) CHECK (length(VALUE) > 1);
CREATE TABLE "Kinds" (
    "id" uuid PRIMARY KEY, "serial" bigserial, "mood" mood DEFAULT 'glad', "moods" mood[], "shade" odd."Shade",
    "amount" numeric(12,4), "loose" numeric, "at" timestamp(3), "zoned" timestamptz, "raw" bytea, "doc" json,
    "bdoc" jsonb, "words" text[], "flag" boolean DEFAULT false, "short" short, "span" interval, "ip" inet,
    "char" char(3), "real" double precision
);
CREATE INDEX "Kinds_bdoc" ON "Kinds" USING gin ("bdoc");
CREATE INDEX "Kinds_lower" ON "Kinds" (lower("char"), "amount");
CREATE TABLE odd."select" ("from" text PRIMARY KEY, "kind" uuid REFERENCES "Kinds");
"""
SQLITE_ONLY = """
CREATE TABLE "Kinds" (
    "id" UUID PRIMARY KEY, "amount" DECIMAL(12, 4), "at" DATETIME, "zoned" TIMESTAMP WITH TIME ZONE, "raw" BLOB,
    "doc" JSON, "flag" BOOLEAN DEFAULT 0, "real" FLOAT, "big" BIGINT, "bare"
);
"""


async def odd_district(database: Database, kind: str) -> str:
    url = database(kind)
    inline = LOOP if kind == "sqlite" else ""
    await run_script(url, ODD_SQL.replace("{left}", inline))
    await run_script(url, SQLITE_ONLY if kind == "sqlite" else POSTGRES_ONLY)
    return url


def odd_catalog(kind: str, tenant: str | None = None) -> Catalog:
    objects = ODD.objects if kind == "postgresql" else ODD.objects[:-1]
    return Catalog("Odd", objects, tenant_column=tenant)


async def types_of(url: str, table: str) -> dict[str, str]:
    query = (
        f"SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        f" WHERE attrelid = '{table}'::regclass AND attnum > 0"
    )
    return {str(name): str(kind) for name, kind in await rows(url, query)}


@pytest.mark.parametrize(("source", "target"), ENDS)
async def test_every_key_of_the_state_begins_with_the_district(database: Database, source: str, target: str) -> None:
    district, state, catalog = database(source), database(target), load()
    await create_campus(district)
    statements = await apply(district, state, catalog)
    tables = [each for each in statements if each.startswith("CREATE TABLE")]
    assert [each.split('"')[1] for each in tables] == list(table_order(catalog))
    for statement in statements:
        for line in statement.splitlines():
            for keyword in ("PRIMARY KEY (", "UNIQUE (", "FOREIGN KEY (", 'INDEX "'):
                if keyword in line and not line.strip().startswith('"'):
                    assert line.partition("(")[2].startswith('"districtNumber"'), line
    assert not any("districtNote" in each for each in statements)
    assert any("stateNote" in each for each in statements)


@pytest.mark.parametrize(("source", "target"), ENDS)
async def test_existing_tables_stay_as_they_are_and_missing_are_made(
    database: Database, source: str, target: str
) -> None:
    district, state, catalog = database(source), database(target), load()
    await create_campus(district)
    await run_script(state, 'CREATE TABLE "CourseCode" ("mine" integer)')
    said: list[str] = []
    printed = await derive(district, state, catalog, said.append)
    assert said == ["Primary key of CourseCode could not be made: the table has no column districtNumber"]
    assert await derive(district, state, catalog) == printed
    assert not any('"CourseCode"' in each for each in printed)
    assert await apply(district, state, catalog) == printed
    assert await apply(district, state, catalog) == []
    assert await rows(state, 'SELECT "mine" FROM "CourseCode"') == []


async def test_a_state_file_that_does_not_exist_is_only_made_by_apply(database: Database, tmp_path: Path) -> None:
    district, state = database("sqlite"), f"sqlite:///{tmp_path}/state.db"
    await create_campus(district)
    printed = await derive(district, state, load())
    assert not (tmp_path / "state.db").exists()
    assert await apply(district, state, load()) == printed
    assert await rows(state, "PRAGMA journal_mode") == [("wal",)], "what is made here is read while it is written"


FAMILY = """
CREATE TABLE "parent" ("id" integer PRIMARY KEY, "code" varchar(5) UNIQUE, "name" varchar(9), "note" varchar(9));
CREATE TABLE "child" ("id" integer PRIMARY KEY, "parentID" integer REFERENCES "parent" ("id"), "n" integer,
    UNIQUE ("parentID", "n"));
CREATE INDEX "parent_name" ON "parent" ("name");
CREATE INDEX "child_n" ON "child" ("n");
"""
BARE_PARENT = """
CREATE TABLE "parent" ("t" text NOT NULL, "id" integer NOT NULL, "code" varchar(5), "name" varchar(9), "mine" integer,
    "note" varchar(9), PRIMARY KEY ("t", "id"));
CREATE INDEX "mine" ON "parent" ("mine");
"""
BARE_CHILD = """
CREATE TABLE "child" ("t" text NOT NULL, "id" integer NOT NULL, "parentID" integer, "n" integer,
    PRIMARY KEY ("t", "id"));
"""
TWO = Catalog("Two", (DisObject("P", ("parent",)), DisObject("C", ("child",), ("P",))), tenant_column="t")
KEYS = ('("t", "code")', '("t", "parentID", "n")')


async def half_made(database: Database, target: str, records: str = "") -> tuple[str, str]:
    """Return a district, and a state whose tables have lost all but their primary keys."""
    district, state = database("sqlite"), database(target)
    await run_script(district, FAMILY)
    await run_script(state, BARE_PARENT + BARE_CHILD + records)
    return district, state


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_existing_tables_get_the_keys_and_indexes_they_lack(database: Database, target: str) -> None:
    district, state = await half_made(database, target)
    said: list[str] = []
    made = await apply(district, state, TWO, said.append)
    assert [each for each in made if "parent_name" in each or "child_n" in each] == [
        'CREATE INDEX "parent_name" ON "parent" ("t", "name")',
        'CREATE INDEX "child_n" ON "child" ("t", "n")',
    ]
    assert all(any("UNIQUE" in each and key in each for each in made) for key in KEYS)
    good = """INSERT INTO "parent" ("t", "id", "code") VALUES ('01', 1, 'a'), ('02', 1, 'a');
        INSERT INTO "child" ("t", "id", "parentID", "n") VALUES ('01', 1, 1, 1);"""
    await run_script(state, good)
    refused = ["""INSERT INTO "parent" ("t", "id", "code") VALUES ('01', 2, 'a')"""]
    if target == "postgresql":
        assert said == []
        refused.append("""INSERT INTO "child" ("t", "id", "parentID", "n") VALUES ('01', 2, 9, 1)""")
    else:
        (line,) = said
        assert "Foreign key (t, parentID) of child" in line
        assert "SQLite adds no key to a table that exists" in line
    for statement in refused:
        with pytest.raises(REFUSED):
            await run_script(state, statement)
    assert await apply(district, state, TWO) == []


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_key_broken_by_records_is_named_and_the_others_are_made(database: Database, target: str) -> None:
    district, state = await half_made(
        database,
        target,
        """INSERT INTO "parent" ("t", "id", "code") VALUES ('01', 1, 'Zoe'), ('01', 2, 'Zoe');
        INSERT INTO "child" ("t", "id", "parentID", "n") VALUES ('01', 1, 77, 1);""",
    )
    said: list[str] = []
    made = await apply(district, state, TWO, said.append)
    assert len(made) == 3
    assert said[0] == "Unique key (t, code) of parent could not be made: some of its records have the same values"
    if target == "postgresql":
        assert said[1:] == [
            "Foreign key (t, parentID) of child could not be made: some of its records name no parent record"
        ]
    assert "Zoe" not in str(said)
    assert "77" not in str(said)
    repeated = await derive(district, state, TWO)
    assert len(repeated) == (1 if target == "sqlite" else 2)
    await run_script(state, """DELETE FROM "child"; DELETE FROM "parent" WHERE "id" = 2;""")
    assert await apply(district, state, TWO) == repeated
    assert await derive(district, state, TWO) == []


async def test_what_a_table_has_in_another_way_is_not_made_again(database: Database) -> None:
    district, state = await half_made(
        database,
        "postgresql",
        """CREATE UNIQUE INDEX mine_too ON "parent" ("code", "t"); CREATE INDEX parent_name ON "parent" ("mine");
        CREATE INDEX other ON "child" ("t", "n"); ALTER TABLE "child" ADD UNIQUE ("n", "parentID", "t");
        ALTER TABLE "parent" ADD UNIQUE ("id", "t");
        ALTER TABLE "child" ADD FOREIGN KEY ("parentID", "t") REFERENCES "parent" ("id", "t");""",
    )
    assert await derive(district, state, TWO) == []


async def test_new_table_may_reference_one_that_gets_its_key_just_then(database: Database) -> None:
    district, state = database("sqlite"), database("postgresql")
    await run_script(district, FAMILY)
    await run_script(state, BARE_PARENT.replace(', PRIMARY KEY ("t", "id")', ""))
    made = await apply(district, state, TWO)
    assert made[0] == 'ALTER TABLE "parent" ADD PRIMARY KEY ("t", "id")'
    assert await derive(district, state, TWO) == []


@pytest.mark.parametrize(("source", "target"), ENDS)
async def test_an_odd_catalog_without_a_tenant_is_copied_plainly(database: Database, source: str, target: str) -> None:
    district, state = await odd_district(database, source), database(target)
    await apply(district, state, odd_catalog(source))
    await run_script(state, """INSERT INTO "user" ("group", "Name", "size") VALUES ('a', 'x', 101), ('b', 'y', 7)""")
    assert await rows(state, """SELECT "twice" FROM "user" WHERE "group" = 'b'""") == [(14,)]
    for refused in (
        """INSERT INTO "user" ("group", "Name", "size") VALUES ('a', 'x', 9)""",
        """INSERT INTO "user" ("group", "Name", "size") VALUES ('c', 'x', 101)""",
        """INSERT INTO "user" ("group", "Name", "size") VALUES ('c', 'x', 102)""",
        """INSERT INTO "user" ("group", "Name", "size") VALUES ('c', 'z', 0)""",
        """INSERT INTO "user" ("group", "Name", "boss group", "bossName") VALUES ('c', 'z', 'a', 'nobody')""",
        """INSERT INTO "left" VALUES (1, 1)""",
    ):
        with pytest.raises(REFUSED):
            await run_script(state, ("PRAGMA foreign_keys = ON;" if target == "sqlite" else "") + refused)
    names = {str(name) for (name,) in await rows(state, _COLUMNS[target].format("user"))}
    assert "local note" not in names


_COLUMNS = {
    "sqlite": "SELECT name FROM pragma_table_xinfo('{}')",
    "postgresql": "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{}'",
}


@pytest.mark.parametrize(("source", "target"), ENDS)
async def test_an_odd_catalog_with_a_tenant_holds_two_districts(database: Database, source: str, target: str) -> None:
    district, state = await odd_district(database, source), database(target)
    statements = await apply(district, state, odd_catalog(source, "tenant"))
    line = next(each for each in statements if each.startswith('CREATE TABLE "Order Line"'))
    assert line.count('"tenant" ') == 1
    assert 'PRIMARY KEY ("tenant", "group", "Name", "no")' in line
    for tenant in ("01", "02"):
        await run_script(state, f"""INSERT INTO "user" ("tenant", "group", "Name") VALUES ('{tenant}', 'a', 'x')""")
    with pytest.raises(REFUSED):
        await run_script(
            state,
            ("PRAGMA foreign_keys = ON;" if target == "sqlite" else "")
            + """INSERT INTO "user" ("tenant", "group", "Name", "boss group", "bossName")"""
            + """ VALUES ('02', 'b', 'y', 'a', 'nobody')""",
        )


async def test_postgres_types_arrive_as_they_are(database: Database) -> None:
    district, state = await odd_district(database, "postgresql"), database("postgresql")
    catalog = odd_catalog("postgresql")
    await apply(district, state, catalog)
    wanted = await types_of(district, '"Kinds"')
    assert await types_of(state, '"Kinds"') == wanted
    assert await rows(state, "SELECT enum_range(NULL::mood)::text") == await rows(
        district, "SELECT enum_range(NULL::mood)::text"
    )
    indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'Kinds' ORDER BY indexname"
    assert await rows(state, indexes) == await rows(district, indexes)
    assert await derive(district, state, catalog) == []


async def test_an_enum_that_the_state_has_is_used(database: Database) -> None:
    district, state = await odd_district(database, "postgresql"), database("postgresql")
    await run_script(state, "CREATE TYPE mood AS ENUM ('glad', 'it''s so-so', 'grim')")
    statements = await apply(district, state, odd_catalog("postgresql"))
    assert [each for each in statements if each.startswith("CREATE TYPE")] == [
        "CREATE TYPE odd.\"Shade\" AS ENUM ('light', 'dark')"
    ]


async def test_sqlite_types_become_postgres_types(database: Database) -> None:
    district, state = await odd_district(database, "sqlite"), database("postgresql")
    await apply(district, state, odd_catalog("sqlite"))
    assert await types_of(state, '"Kinds"') == {
        "id": "uuid", "amount": "numeric(12,4)", "at": "timestamp without time zone",
        "zoned": "timestamp with time zone", "raw": "bytea", "doc": "json", "flag": "boolean",
        "real": "double precision", "big": "bigint", "bare": "text",
    }  # fmt: skip


async def test_sqlite_types_stay_as_they_are_declared(database: Database) -> None:
    district, state = await odd_district(database, "sqlite"), database("sqlite")
    await apply(district, state, odd_catalog("sqlite"))
    query = "SELECT name, type FROM pragma_table_xinfo('Kinds')"
    assert await rows(state, query) == await rows(district, query)


async def test_unvalidated_orphans_of_a_district_do_not_hinder_derive(database: Database) -> None:
    district, state = database("postgresql"), database("postgresql")
    await run_script(
        district,
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY, p integer);"
        "INSERT INTO c VALUES (1, 99); ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (id) NOT VALID",
    )
    catalog = Catalog("Two", (DisObject("P", ("p",)), DisObject("C", ("c",), ("P",))))
    statements = await apply(district, state, catalog)
    assert statements[-1] == 'ALTER TABLE "c" ADD FOREIGN KEY ("p") REFERENCES "p" ("id")'


async def test_a_table_that_the_district_lacks_is_named(database: Database) -> None:
    district = database("sqlite")
    await run_script(district, 'CREATE TABLE "Enrolment" (id integer PRIMARY KEY)')
    catalog = Catalog("One", (DisObject("Enrollment", ("Enrollment",)),))
    with pytest.raises(CannotRun, match="no table Enrollment; the nearest is Enrolment"):
        await derive(district, database("sqlite"), catalog)


async def test_a_refused_table_is_named_and_keeps_no_other_out(database: Database) -> None:
    district, state = database("sqlite"), database("postgresql")
    await run_script(
        district,
        "CREATE TABLE a (id integer PRIMARY KEY);"
        "CREATE TABLE b (id integer PRIMARY KEY, x integer CHECK (x IS NOT typeof(id))); CREATE INDEX bx ON b (x);"
        "CREATE TABLE c (id integer PRIMARY KEY, b integer REFERENCES b, a integer REFERENCES a)",
    )
    catalog = Catalog("Three", (DisObject("A", ("a",)), DisObject("B", ("b",)), DisObject("C", ("c",), ("A", "B"))))
    said: list[str] = []
    with pytest.raises(CannotRun, match="The state refuses 1 table: b; all else is made"):
        await apply(district, state, catalog, said.append)
    assert [line.partition(" could")[0] for line in said] == ["Table b", "Foreign key (b) of c"]
    made = "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
    assert await rows(state, made) == [("c", "a")]


async def test_a_sqlite_state_cannot_take_a_postgres_district(database: Database) -> None:
    with pytest.raises(CannotRun, match="SQLite state"):
        await derive("postgresql://nowhere/x", database("sqlite"), load())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_generated_column_ends_where_its_brackets_do(database: Database, kind: str) -> None:
    """The whole table stands on one line, as SQLite keeps it."""
    columns = (
        '"id" integer',
        '"b" text',
        """"c" text GENERATED ALWAYS AS (coalesce("b", ')') || '(') STORED""",
        '"d" text GENERATED ALWAYS AS (upper("b")) STORED',
    )
    made = f'CREATE TABLE "a" ({", ".join(columns)}, PRIMARY KEY ("id"))'
    district, state = database("sqlite"), database(kind)
    await run_script(district, made)
    await apply(district, state, Catalog("One", (DisObject("A", ("a",)),)))
    await run_script(state, """INSERT INTO "a" ("id", "b") VALUES (1, 'x')""")
    assert await rows(state, 'SELECT "c", "d" FROM "a"') == [("x(", "X")]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_short_forms_of_generated_columns_are_made(database: Database, kind: str) -> None:
    """Neither GENERATED ALWAYS nor a type, as SQLite allows; what is made is what a run accepts."""
    district, state = database("sqlite"), database(kind)
    await run_script(
        district,
        "CREATE TABLE a (id integer PRIMARY KEY, b text, c text AS (upper(b)), d date GENERATED ALWAYS AS (b) STORED,"
        "cc text AS (b || ',)') VIRTUAL NOT NULL); INSERT INTO a (id, b) VALUES (1, '2026-11-30');",
    )
    catalog = Catalog("One", (DisObject("A", ("a",)),))
    if kind == "postgresql":  # no cast from text to date is immutable there
        await run_script(state, "CREATE TABLE a (id integer PRIMARY KEY, b text, c text, d date, cc text)")
    await apply(district, state, catalog)
    heard = await run(make_job(district, state, catalog, None))
    assert heard.counts["A"] == Counts(processed=1, inserted=1), heard.ended
    assert [tuple(map(str, row)) for row in await rows(state, "SELECT c, d, cc FROM a")] == [
        ("2026-11-30", "2026-11-30", "2026-11-30,)")
    ]
    assert (await run(make_job(district, state, catalog, None, token=2))).counts["A"].unchanged == 1
