"""What `state init` makes of a district's types, columns and indexes, what it leaves behind, and that it fits then."""

from collections.abc import Callable

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts
from resync_tui.state_schema.derive import apply, derive
from tests.support.databases import rows, run_script
from tests.support.running import make_job, run

Database = Callable[[str], str]
PG = "postgresql"
ONE = Catalog("One", (DisObject("Pupil", ("pupil",)),), tenant_column="tenant")
TYPES = """
CREATE TYPE mood AS ENUM ('glad', 'it''s so-so');
CREATE DOMAIN grade AS integer DEFAULT 3 CHECK (VALUE BETWEEN 1 AND 12);
CREATE DOMAIN upper_grade AS grade DEFAULT 7 CONSTRAINT high CHECK (VALUE > 6);
CREATE DOMAIN feeling AS mood NOT NULL;
CREATE SCHEMA odd;
CREATE DOMAIN odd."Short Text" AS varchar(3) COLLATE "C";
CREATE TYPE place AS (street text, "No" odd."Short Text");
CREATE TYPE grades AS RANGE (SUBTYPE = integer);
"""
PUPIL = """
CREATE TABLE pupil (id integer PRIMARY KEY, grade grade, upper upper_grade, feeling feeling, short odd."Short Text",
    many upper_grade[], home place, span grades, sorted text COLLATE "C");
INSERT INTO pupil (id, grade, feeling) VALUES (2, 12, 'glad');
INSERT INTO pupil VALUES (1, 3, 7, 'glad', 'abc', '{7,8}', ROW('High', '7'), '[1,4)', 'é');
"""


async def test_types_of_ones_own_are_made_and_accepted(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(district, TYPES + PUPIL)
    said: list[str] = []
    await apply(district, state, ONE, said.append)
    assert said == []
    assert await derive(district, state, ONE) == []
    heard = await run(make_job(district, state, ONE, "01"))
    assert heard.counts["Pupil"] == Counts(processed=2, inserted=2), heard.ended
    again = await run(make_job(district, state, ONE, "01", token=2))
    assert again.counts["Pupil"] == Counts(processed=2, unchanged=2)
    columns = "id, grade, upper, feeling, short, many::text, home::text, span::text, sorted"
    held = f"SELECT {columns} FROM pupil ORDER BY id"
    assert await rows(state, held) == await rows(district, held)
    for refused in ("grade = 13", "upper = 6"):
        with pytest.raises(Exception, match="violates check"):
            await run_script(state, f"UPDATE pupil SET {refused}")


async def test_only_types_of_new_tables_and_columns_are_made(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(district, TYPES + "CREATE TABLE pupil (id integer PRIMARY KEY, grade grade, home place)")
    await run_script(state, "CREATE TABLE pupil (tenant text, id integer, grade integer, PRIMARY KEY (tenant, id))")
    made = await apply(district, state, ONE)
    assert [each.partition(" AS")[0] for each in made] == [
        "CREATE SCHEMA IF NOT EXISTS \"odd\"",
        'CREATE DOMAIN odd."Short Text"',
        "CREATE TYPE place",
        'ALTER TABLE "pupil" ADD COLUMN "home" place',
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_nullable_column_that_the_district_gained_is_added(database: Database, kind: str) -> None:
    district, state = database(kind), database(kind)
    await run_script(district, "CREATE TABLE pupil (id integer PRIMARY KEY, name text)")
    await apply(district, state, ONE)
    await run_script(
        district,
        "ALTER TABLE pupil ADD COLUMN pronoun text; ALTER TABLE pupil ADD COLUMN size integer NOT NULL DEFAULT 7;"
        "CREATE INDEX by_pronoun ON pupil (pronoun); INSERT INTO pupil VALUES (1, 'A', 'they', 3)",
    )
    said: list[str] = []
    made = await apply(district, state, ONE, said.append)
    assert [each.partition(" ON")[0] for each in made] == [
        'ALTER TABLE "pupil" ADD COLUMN "pronoun" ' + ("text" if kind == "postgresql" else "TEXT"),
        'CREATE INDEX "by_pronoun"',
    ]
    assert said[0].startswith("Column size of pupil could not be made: only a nullable column without a default")
    assert said[1].startswith("The state's table pupil has no column size")
    await run_script(state, "ALTER TABLE pupil ADD COLUMN size integer NOT NULL DEFAULT 0")
    assert await apply(district, state, ONE, said.append) == []
    heard = await run(make_job(district, state, ONE, "01"))
    assert heard.counts["Pupil"] == Counts(processed=1, inserted=1), heard.ended


INDEXES = """
CREATE INDEX by_name ON pupil (name DESC NULLS LAST);
CREATE INDEX by_pattern ON pupil (name text_pattern_ops) INCLUDE (size);
CREATE INDEX by_c ON pupil (name COLLATE "C");
CREATE UNIQUE INDEX one_big ON pupil (lower(name)) WHERE size > 100;
CREATE INDEX by_words ON pupil USING gin (words);
ALTER TABLE pupil ADD CONSTRAINT alike UNIQUE NULLS NOT DISTINCT (name, size);
"""
DEFINED = (
    "SELECT regexp_replace(indexdef, '^.* USING', '') FROM pg_indexes WHERE tablename = 'pupil' ORDER BY indexname"
)


async def test_indexes_arrive_as_they_are_led_by_the_tenant(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(district, "CREATE TABLE pupil (id integer PRIMARY KEY, name text, size integer, words text[]);")
    await run_script(district, INDEXES)
    await apply(district, state, ONE)
    ours = [str(text) for (text,) in await rows(district, DEFINED)]
    led = [each if " gin " in each else each.replace("(", "(tenant, ", 1) for each in ours]
    assert [text for (text,) in await rows(state, DEFINED)] == led
    assert await derive(district, state, ONE) == []


LEFT = """
CREATE TABLE pupil (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, at timestamp DEFAULT now(),
    span int4range, size integer DEFAULT 3, EXCLUDE USING gist (span WITH &&));
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON pupil FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY p ON pupil USING (true);
"""


async def test_what_is_left_behind_is_listed_a_line_each(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(district, LEFT)
    printed: list[str] = []
    await derive(district, state, ONE, printed.append)
    said: list[str] = []
    await apply(district, state, ONE, said.append)
    assert said == printed == [
        f"pupil is made without {what}"
        for what in (
            "constraint pupil_span_excl",
            "default of at (now())",
            "identity of id",
            "policy p",
            "trigger t",
        )
    ]  # fmt: skip
    again: list[str] = []
    assert await apply(district, state, ONE, again.append) == []
    assert again == []


async def test_triggers_of_a_sqlite_district_are_left_behind(database: Database) -> None:
    district = database("sqlite")
    await run_script(
        district, "CREATE TABLE pupil (id integer PRIMARY KEY); CREATE TRIGGER t INSERT ON PUPIL BEGIN SELECT 1; END"
    )
    said: list[str] = []
    await apply(district, database("sqlite"), ONE, said.append)
    assert said == ["pupil is made without trigger t"]


@pytest.mark.parametrize("place", ["table", "column", "index"])
async def test_names_that_postgresql_would_cut_are_refused(database: Database, place: str) -> None:
    names = {"table": "pupil", "column": "name", "index": "by_name"} | {place: "é" * 32}
    district, state = database("sqlite"), database(PG)
    await run_script(
        district,
        f"CREATE TABLE {names['table']} (id integer PRIMARY KEY, {names['column']} text);"
        f"CREATE INDEX {names['index']} ON {names['table']} ({names['column']})",
    )
    catalog = Catalog("One", (DisObject("Pupil", (names["table"],)),), tenant_column="tenant")
    for make in (derive, apply):
        of_table = "" if place == "table" else f" of {names['table']}"
        with pytest.raises(CannotRun, match=f"The name {'é' * 32}{of_table} has 64 bytes") as refused:
            await make(district, state, catalog)
        assert "Nothing is made" in refused.value.do
    assert await rows(state, "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200") == [(0,)]


async def test_what_does_not_fit_in_the_end_is_told(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(district, "CREATE TABLE pupil (id integer PRIMARY KEY, at timestamp)")
    await run_script(state, "CREATE TABLE pupil (tenant text, id integer, at date, PRIMARY KEY (tenant, id))")
    said: list[str] = []
    await apply(district, state, ONE, said.append)
    (told,) = said
    assert told.startswith("pupil.at is timestamp without time zone in the district but date in the state")
