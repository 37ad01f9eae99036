"""Whether two tables fit: views, numbered columns, domains, names of any characters, keys that nothing rests on."""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Status
from resync_tui.state_schema.derive import apply
from tests.support.databases import rows, run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import SAME, Database

PG = "postgresql"
ONE = Catalog("One", (DisObject("Person", ("person",)),), tenant_column="tenant")
TWO = Catalog("Two", (DisObject("Grade", ("grade",)), DisObject("Room", ("room",), ("Grade",))), tenant_column="tenant")


async def sent(database: Database, kind: str, catalog: Catalog, district: str, state: str) -> tuple[Heard, str]:
    """Send a district to a state of these tables; return what was heard, and the state."""
    source, target = database(kind), database(kind)
    await run_script(source, district)
    await run_script(target, state)
    return await run(make_job(source, target, catalog, "01")), target


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_view_is_a_source(database: Database, kind: str) -> None:
    district, state = database(kind), database(kind)
    await run_script(
        district,
        "CREATE TABLE everybody (id integer PRIMARY KEY, name text); INSERT INTO everybody VALUES (1, 'a');"
        "CREATE VIEW person AS SELECT * FROM everybody",
    )
    said: list[str] = []
    await apply(district, state, ONE, said.append)
    assert said == ["person is made without a key: it is a view or a foreign table of the district"]
    for token, counts in ((1, Counts(processed=1, inserted=1)), (2, Counts(processed=1, unchanged=1))):
        heard = await run(make_job(district, state, ONE, "01", token=token))
        assert heard.counts["Person"] == counts, heard.ended
    assert await rows(state, "SELECT id, name FROM person") == [(1, "a")]


async def test_a_materialised_view_is_a_source(database: Database) -> None:
    heard, _ = await sent(
        database,
        PG,
        ONE,
        "CREATE MATERIALIZED VIEW person AS SELECT 1 AS id, 'a'::text AS name",
        "CREATE TABLE person (tenant text, id integer, name text, PRIMARY KEY (tenant, id))",
    )
    assert heard.counts["Person"] == Counts(processed=1, inserted=1), heard.ended


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_view_is_never_a_target(database: Database, kind: str) -> None:
    heard, _ = await sent(
        database,
        kind,
        ONE,
        "CREATE TABLE person (id integer PRIMARY KEY)",
        "CREATE TABLE all_of_it (tenant text, id integer, PRIMARY KEY (tenant, id));"
        "CREATE VIEW person AS SELECT * FROM all_of_it",
    )
    assert heard.ended["Person"].message.startswith(
        "The state's person is a view or a foreign table: nothing can be written to it"
    )


@pytest.mark.parametrize("unique", ["", ", self integer, UNIQUE (tenant, self), FOREIGN KEY (tenant, self) "
                                        "REFERENCES person (tenant, id)"])  # fmt: skip
async def test_numbers_that_the_state_gives_itself_are_overridden(database: Database, unique: str) -> None:
    heard, state = await sent(
        database,
        PG,
        ONE,
        f"CREATE TABLE person (id integer PRIMARY KEY, name text{', self integer' * bool(unique)});"
        f"INSERT INTO person SELECT i * 7, 'n' || i{', i * 7' * bool(unique)} FROM generate_series(1, 5) i",
        "CREATE TABLE person (tenant text, id integer GENERATED ALWAYS AS IDENTITY, name text,"
        f" PRIMARY KEY (tenant, id){unique})",
    )
    assert heard.counts["Person"] == Counts(processed=5, inserted=5), heard.ended
    assert await rows(state, "SELECT id, name FROM person ORDER BY id") == [(i * 7, f"n{i}") for i in range(1, 6)]


@pytest.mark.parametrize(("owned", "status"), [((), Status.FAILED), (("person.n",), Status.COMPLETED)])
async def test_numbers_of_the_state_beside_a_key_are_told_beforehand(
    database: Database, owned: tuple[str, ...], status: Status
) -> None:
    heard, _ = await sent(
        database,
        PG,
        Catalog("One", (DisObject("Person", ("person",), state_owned=owned),), tenant_column="tenant"),
        "CREATE TABLE person (id integer PRIMARY KEY, n integer); INSERT INTO person VALUES (1, 9)",
        "CREATE TABLE person (tenant text, id integer, n integer GENERATED ALWAYS AS IDENTITY,"
        " PRIMARY KEY (tenant, id))",
    )
    assert heard.statuses == {"Person": status}
    if status is Status.FAILED:
        assert heard.ended["Person"].message.startswith("person.n is GENERATED ALWAYS AS IDENTITY in the state")


DOMAINS = "CREATE DOMAIN grade AS integer CHECK (VALUE BETWEEN 1 AND 12); CREATE DOMAIN upper_grade AS grade;"


@pytest.mark.parametrize("district", ["integer", "grade", "upper_grade"])
@pytest.mark.parametrize("state", ["integer", "grade", "upper_grade", "bigint"])
async def test_a_domain_fits_its_base(database: Database, district: str, state: str) -> None:
    heard, target = await sent(
        database,
        PG,
        ONE,
        f"{DOMAINS} CREATE TABLE person (id integer PRIMARY KEY, grade {district});"
        "INSERT INTO person VALUES (1, 3), (2, 12), (3, NULL)",
        f"{DOMAINS} CREATE TABLE person (tenant text, id integer, grade {state}, PRIMARY KEY (tenant, id))",
    )
    assert heard.counts["Person"] == Counts(processed=3, inserted=3), heard.ended
    assert await rows(target, "SELECT grade::integer FROM person ORDER BY id") == [(3,), (12,), (None,)]


ODD = ("grade, level", "a.b", 'q"uote', "100%", "[x]", "new\nline", "semi;colon", "a:b", "it's", "(brackets)")


@pytest.mark.parametrize(("source", "target"), SAME)
@pytest.mark.parametrize("name", ODD)
async def test_foreign_keys_have_columns_of_any_name(database: Database, source: str, target: str, name: str) -> None:
    district, state, column = database(source), database(target), '"' + name.replace('"', '""') + '"'
    await run_script(
        district,
        f"CREATE TABLE grade ({column} integer PRIMARY KEY);"
        f"CREATE TABLE room (id integer PRIMARY KEY, {column} integer REFERENCES grade ({column}));"
        "INSERT INTO grade VALUES (1); INSERT INTO room VALUES (1, 1);",
    )
    said: list[str] = []
    await apply(district, state, TWO, said.append)
    assert said == []
    heard = await run(make_job(district, state, TWO, "01"))
    assert heard.counts == dict.fromkeys(("Grade", "Room"), Counts(processed=1, inserted=1)), heard.ended
    key = {
        "sqlite": "SELECT count(DISTINCT id) FROM pragma_foreign_key_list('room')",
        "postgresql": "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'room'::regclass",
    }
    assert await rows(state, key[target]) == [(1,)]


async def test_a_foreign_key_to_no_key_is_told_beforehand(database: Database) -> None:
    """SQLite lets one be made, and refuses each write then."""
    heard, _ = await sent(
        database,
        "sqlite",
        TWO,
        "CREATE TABLE grade (id integer PRIMARY KEY, code text); CREATE TABLE room (id integer PRIMARY KEY, code text)",
        "CREATE TABLE grade (tenant text, id integer, code text, PRIMARY KEY (tenant, id));"
        "CREATE TABLE room (tenant text, id integer, code text, PRIMARY KEY (tenant, id),"
        " FOREIGN KEY (tenant, code) REFERENCES grade (tenant, code))",
    )
    assert heard.statuses == {"Grade": Status.COMPLETED, "Room": Status.FAILED}
    assert "points to tenant, code of grade, which is no key" in heard.ended["Room"].message


async def test_an_invalid_index_is_no_key(database: Database) -> None:
    district, state = database(PG), database(PG)
    await run_script(
        district,
        "CREATE TABLE person (id integer PRIMARY KEY, code text); INSERT INTO person VALUES (1, 'a'), (2, 'b')",
    )
    await run_script(
        state,
        "CREATE TABLE person (tenant text, id integer, code text, PRIMARY KEY (tenant, id));"
        "INSERT INTO person VALUES ('02', 1, 'x'), ('02', 2, 'x')",
    )
    with pytest.raises(Exception, match="could not create unique index"):
        await run_script(state, "CREATE UNIQUE INDEX CONCURRENTLY half ON person (tenant, code)")
    heard = await run(make_job(district, state, ONE, "01"))
    assert heard.counts["Person"] == Counts(processed=2, inserted=2), heard.ended


@pytest.mark.parametrize("kind", ["real", "double precision"])
async def test_numbers_at_the_limits_of_their_type_arrive(database: Database, kind: str) -> None:
    values = ("'Infinity'", "'-Infinity'", "'NaN'", "3.4028235e38", "-3.4028235e38", "1.4012985e-45", "0")
    listed = ", ".join(f"({number}, {value})" for number, value in enumerate(values))
    heard, state = await sent(
        database,
        PG,
        ONE,
        f"CREATE TABLE person (id integer PRIMARY KEY, r {kind}); INSERT INTO person VALUES {listed}",
        f"CREATE TABLE person (tenant text, id integer, r {kind}, PRIMARY KEY (tenant, id))",
    )
    assert heard.counts["Person"] == Counts(processed=len(values), inserted=len(values)), heard.ended
    assert [text for (text,) in await rows(state, "SELECT r::text FROM person ORDER BY id")] == [
        "Infinity", "-Infinity", "NaN", "3.4028235e+38", "-3.4028235e+38",
        "1e-45" if kind == "real" else "1.4012985e-45", "0",
    ]  # fmt: skip
