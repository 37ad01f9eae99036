"""Never a false "unchanged": a value that prints differently is found, however both ends are compared.

Each pair of values has a table of its own, so that no neighbour's difference gives it away. Two releases of PostgreSQL
stand for a district and a state that were not upgraded together. The servers that the tests bring along know the
collations C, POSIX and their builtin ones alone: those of ICU, nondeterministic ones among them, are tried where
RESYNC_TUI_TEST_POSTGRES names a server that has ICU, and those of other languages' locales nowhere.
"""

from dataclasses import dataclass

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.backends.registry import open_source, open_target
from resync_tui.engine.hashing import Hashing
from resync_tui.engine.job import Job
from resync_tui.engine.read.fingerprints import prove
from resync_tui.outcome import Counts
from tests.support.comparison import every_comparison
from tests.support.databases import rows
from tests.support.oracle.shape import versions
from tests.support.running import make_job, run
from tests.support.small import Database, Pair, pair
from tests.support.values import DIFFERENT, MOODS, OTHER_ORDER, literal

SAME_RELEASE = ("postgresql", "postgresql")
OLDER_STATE = ("postgresql", "postgresql-16")
OLDER_DISTRICT = ("postgresql-16", "postgresql")
LONG = "x" * 200_000


@dataclass(frozen=True)
class Case:
    """A column's type and value at each end."""

    district: str
    value: str | None
    state: str
    held: str | None


def alike(kind: str, *pairs: tuple[str, str | None]) -> list[Case]:
    """Return cases of one type at both ends."""
    return [Case(kind, value, kind, held) for value, held in pairs]


DIFFERING = [
    *(case for kind, pairs in DIFFERENT.items() for case in alike(kind, *pairs)),
    *alike("numeric", ("1.5", "-1.5"), ("NaN", "-Infinity"), ("Infinity", "-Infinity"), ("0", None), ("1e3", "1000.0")),
    *alike("numeric(9, 2)", ("7.25", "-7.25"), ("NaN", "0"), ("100", "1")),
    *alike("bigint", ("9007199254740993", "9007199254740992"), ("-1", "4294967295"), ("0", None)),
    *alike("integer", ("-1", "1"), ("-2147483648", "2147483647"), ("0", None)),
    *alike("timestamp", ("2026-01-01 00:00:00", "2026-01-01 01:11:34.967297"), ("infinity", "-infinity"),
           ("0044-03-15 00:00 BC", "0044-03-15 00:00"),
           ("75069-04-03 19:00:13.693951", "75069-04-03 19:53:54.919424")),
    *alike("date", ("infinity", "5874897-12-31"), ("infinity", "2941805-04-07"), ("-infinity", "4713-01-01 BC")),
    *alike("boolean", ("false", None), ("true", None)),
    *alike("timestamp(0)", ("2026-01-01 00:00:01", "2026-01-01 00:00:00")),
    *alike("text", (LONG + "a", LONG + "b"), (LONG, LONG + " "), ("\u212b", "\u00c5"), ("\ufb01", "fi"),
           ("\uac00", "\u1100\u1161"), ("a\u200d", "a"), ("NULL", None), ("1", "01")),
    *alike("varchar(9)", ("a", "a "), ("ä", "a\u0308")),
    *alike("char(5)", ("a", "A"), ("a", None), (" a", "a"), ("ä", "a\u0308")),
    *alike("numeric[]", ("{1.0}", "{1.00}"), ("{1.0,NULL}", "{1.0}")),
    *alike("double precision[]", ("{0}", "{-0}"), ("{NaN}", "{0}")),
    *alike("interval[]", ("{1 day}", "{24:00:00}")),
    *alike("jsonb[]", ("{1}", "{1.0}")),
    *alike("bytea", (f"\\x{'00' * 99_999}01", f"\\x{'00' * 99_999}02")),
    *alike("numrange", ("[1.0,2)", "[1.00,2)"), ("empty", "[1,2)")),
    *alike("macaddr", ("08:00:2b:01:02:03", "08:00:2b:01:02:04")),
    *alike("bit(3)", ("101", "100")),
    *alike("few", ("1.5", "-1.5"), ("1.0", "1.00")),
    Case("integer", "5", "bigint", "4294967301"), Case("bigint", "-5", "integer", "5"),
    Case("smallint", "5", "numeric(6, 2)", "-5"), Case("integer", "5", "numeric", "5.5"),
    Case("varchar(9)", "a", "text", "a "), Case("mood", "glad", "text", "grim"), Case("text", "glad", "mood", "grim"),
    Case("numeric(9, 4)", "1.2345", "numeric", "1.23450"), Case("real", "0.1", "double precision", "0.2"),
]  # fmt: skip
SAME = [
    Case("char(3)", "a", "char(9)", "a"), Case("varchar(9)", "a  ", "char(9)", "a"), Case("char(9)", "a", "text", "a"),
    Case("smallint", "-5", "bigint", "-5"), Case("bigint", "5", "smallint", "5"),
    Case("integer", "5", "numeric(6, 2)", "5"), Case("numeric", "1.5", "numeric(9, 4)", "1.5000"),
    Case("mood", "glad", "text", "glad"), Case("text", "glad", "mood", "glad"), Case("mood", "glad", "mood", "glad"),
    *alike("numeric", ("-1.50", "-1.50"), ("NaN", "NaN"), ("-Infinity", "-Infinity")),
    *alike("double precision", ("-0", "-0"), ("NaN", "NaN"), ("1e22", "1e22"), ("0.1", "0.1")),
    *alike("real", ("0.1", "0.1"), ("16777217", "16777216")),
    *alike("jsonb", ('{"b":1,"a":1.0}', '{"a": 1.0, "b": 1}')),
    *alike("interval", ("1 day 24:00", "1 day 24:00")),
    *alike("timestamptz", ("2026-01-01 12:00+02", "2026-01-01 10:00Z")),
    *alike("text[]", ("{a,NULL}", "{a,NULL}")), *alike("bytea", ("\\x00ff", "\\x00FF")), *alike("text", (LONG, LONG)),
    *alike("uuid", ("A0EEBC999C0B4EF8BB6D6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
]  # fmt: skip
FEW = "CREATE DOMAIN few AS numeric;"


async def one_table_each(database: Database, ends: tuple[str, str], cases: list[Case]) -> tuple[Pair, Catalog]:
    """Make both ends, a table of a single row for each case."""
    district, state = MOODS + FEW, OTHER_ORDER + FEW
    table = "CREATE TABLE v{} (id integer PRIMARY KEY, v {}); INSERT INTO v{} VALUES (1, {});".format
    for number, case in enumerate(cases):
        district += table(number, case.district, number, literal(case.value))
        state += table(number, case.state, number, literal(case.held))
    objects = tuple(DisObject(f"V{number}", (f"v{number}",)) for number in range(len(cases)))
    return await pair(database, ends, district=district, state=state), Catalog("Values", objects)


def others(found: dict[str, Counts], cases: list[Case], expected: Counts) -> list[tuple[Case, Counts]]:
    """Return the cases that came to something else."""
    counted = [(case, found[f"V{number}"]) for number, case in enumerate(cases)]
    return [(case, counts) for case, counts in counted if counts != expected]


@every_comparison([SAME_RELEASE], once=[OLDER_STATE])
async def test_a_value_that_prints_differently_is_updated_once(database: Database, ends: tuple[str, str]) -> None:
    here, catalog = await one_table_each(database, ends, DIFFERING)
    job = make_job(here.district, here.state, catalog, None)
    heard = await run(job)
    assert others(heard.counts, DIFFERING, Counts(processed=1, updated=1)) == []
    written = await versions(here.state)
    again = await run(job)
    assert others(again.counts, DIFFERING, Counts(processed=1, unchanged=1)) == []
    assert await versions(here.state) == written


@every_comparison([SAME_RELEASE], once=[OLDER_STATE])
async def test_values_that_have_changed_places_are_found(database: Database, ends: tuple[str, str]) -> None:
    """Between two records, and between the columns of one."""
    values = [(kind, *map(literal, pair)) for kind, pairs in DIFFERENT.items() for pair in pairs]
    district, state = MOODS, OTHER_ORDER
    for number, (kind, one, other) in enumerate(values):
        records = f"CREATE TABLE r{number} (id integer PRIMARY KEY, v {kind}); INSERT INTO r{number} VALUES "
        columns = f"CREATE TABLE c{number} (id integer PRIMARY KEY, v {kind}, w {kind}); INSERT INTO c{number} VALUES "
        district += f"{records} (1, {one}), (2, {other}); {columns} (1, {one}, {other});"
        state += f"{records} (1, {other}), (2, {one}); {columns} (1, {other}, {one});"
    here = await pair(database, ends, district=district, state=state)
    names = [f"{side}{number}" for number in range(len(values)) for side in "rc"]
    catalog = Catalog("Values", tuple(DisObject(name.upper(), (name,)) for name in names))
    heard = await run(make_job(here.district, here.state, catalog, None))
    expected = {"r": Counts(processed=2, updated=2), "c": Counts(processed=1, updated=1)}
    assert [name for name in names if heard.counts[name.upper()] != expected[name[0]]] == []


@every_comparison([SAME_RELEASE], once=[OLDER_STATE])
async def test_a_value_that_the_state_prints_alike_is_not_written(database: Database, ends: tuple[str, str]) -> None:
    here, catalog = await one_table_each(database, ends, SAME)
    written = await versions(here.state)
    heard = await run(make_job(here.district, here.state, catalog, None))
    assert others(heard.counts, SAME, Counts(processed=1, unchanged=1)) == []
    assert await versions(here.state) == written


@pytest.mark.parametrize("ends", [SAME_RELEASE, OLDER_STATE, OLDER_DISTRICT])
async def test_two_releases_are_proven_to_hash_alike(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=FEW, state=FEW)
    job = make_job(here.district, here.state, Catalog("None", ()), None)
    assert await _proven(job) is Hashing.NATIVE


async def _proven(job: Job) -> Hashing:
    source, target = open_source(job.source, job.target), open_target(job.target)
    try:
        await target.claim()
        async with source.snapshot():
            return await prove(source, target)
    finally:
        await target.drop_stages()
        await source.close()
        await target.close()
    raise AssertionError("unreachable")


OLD_BINS = "ALTER FUNCTION pg_catalog.date_bin(interval, timestamp, timestamp) RENAME TO date_bin_of_later_releases;"
OLD_XORS = "ALTER AGGREGATE pg_catalog.bit_xor(bigint) RENAME TO bit_xor_of_later_releases;"


@pytest.mark.parametrize(("lacking", "expected"), [(OLD_BINS, Hashing.TEXT), (OLD_BINS + OLD_XORS, Hashing.OFF)])
async def test_comparison_falls_back_where_the_state_cannot_hash_alike(
    database: Database, lacking: str, expected: Hashing
) -> None:
    table = "CREATE TABLE v (id integer PRIMARY KEY, v timestamp);"
    rows = "INSERT INTO v SELECT i, timestamp '1999-01-01' + i * interval '1 hour' FROM generate_series(1, 99) i;"
    late = "UPDATE v SET v = '2026-01-01' WHERE id < 10; DELETE FROM v WHERE id > 90;"
    here = await pair(database, SAME_RELEASE, rows, rows + late + lacking, district=table, state=table)
    job = make_job(here.district, here.state, Catalog("V", (DisObject("V", ("v",)),)), None)
    assert await _proven(job) is expected
    assert (await run(job)).counts["V"] == Counts(processed=99, inserted=9, updated=9, unchanged=81)


@every_comparison([SAME_RELEASE])
async def test_a_null_where_none_may_be_hides_no_other_column(database: Database, ends: tuple[str, str]) -> None:
    table = "CREATE TABLE v (id integer PRIMARY KEY, a integer, v text);"
    late = "ALTER TABLE v ADD CONSTRAINT filled NOT NULL a NOT VALID;"
    ours, theirs = (f"INSERT INTO v VALUES (1, NULL, '{v}'), (2, 2, 'same');" + late for v in ("new", "old"))
    here = await pair(database, ends, ours, theirs, district=table, state=table)
    heard = await run(make_job(here.district, here.state, Catalog("V", (DisObject("V", ("v",)),)), None))
    assert heard.counts["V"] == Counts(processed=2, unchanged=1, rejected=1)


@every_comparison([SAME_RELEASE])
async def test_a_table_may_have_as_many_columns_as_postgresql_takes(database: Database, ends: tuple[str, str]) -> None:
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(("integer", "timestamp", "text") * 200))
    table = f"CREATE TABLE v (id integer PRIMARY KEY, {columns});"
    rows = "INSERT INTO v (id, c599) VALUES (1, 'a'), (2, '{}');".format
    here = await pair(database, ends, rows("new"), rows("old"), district=table, state=table)
    heard = await run(make_job(here.district, here.state, Catalog("V", (DisObject("V", ("v",)),)), None))
    assert heard.counts["V"] == Counts(processed=2, unchanged=1, updated=1)


@every_comparison([SAME_RELEASE])
async def test_functions_of_the_same_name_hash_nothing(database: Database, ends: tuple[str, str]) -> None:
    function = "CREATE FUNCTION {}({}, integer) RETURNS bigint LANGUAGE SQL IMMUTABLE AS 'SELECT 1::bigint';".format
    theirs = function("hashtextextended", "text") + function("hashint4extended", "integer")
    table = theirs + "CREATE TABLE v (id integer PRIMARY KEY, v text);"
    rows = "INSERT INTO v VALUES (1, '{}');".format
    here = await pair(database, ends, rows("new"), rows("old"), district=table, state=table)
    heard = await run(make_job(here.district, here.state, Catalog("V", (DisObject("V", ("v",)),)), None))
    assert heard.counts["V"] == Counts(processed=1, updated=1)


@every_comparison([SAME_RELEASE, ("sqlite", "postgresql")])
async def test_keys_that_are_one_to_the_state_are_both_refused(database: Database, ends: tuple[str, str]) -> None:
    table = "CREATE TABLE v (id {} PRIMARY KEY, v varchar(9));".format
    many = ", ".join(f"('{number}', 'same')" for number in range(99))
    here = await pair(
        database,
        ends,
        f"INSERT INTO v VALUES ('a', 'old'), ('a ', 'new'), {many};",
        f"INSERT INTO v VALUES ('a', 'old'), {many};",
        district=table("varchar(9)"),
        state=table("char(9)"),
    )
    heard = await run(make_job(here.district, here.state, Catalog("V", (DisObject("V", ("v",)),)), None))
    assert heard.counts["V"] == Counts(processed=101, unchanged=99, rejected=2)
    assert await here.held("SELECT v FROM v WHERE id = 'a'") == [("old",)]


@every_comparison([SAME_RELEASE, ("sqlite", "sqlite"), ("sqlite", "postgresql")])
async def test_state_only_column_is_neither_compared_nor_written(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO v VALUES (1, 'a'), (2, 'b');",
        "INSERT INTO v VALUES (1, 'a', 'theirs'), (2, 'B', 'theirs');",
        district="CREATE TABLE v (id integer PRIMARY KEY, v varchar(9));",
        state="CREATE TABLE v (id integer PRIMARY KEY, v varchar(9), more varchar(9));",
    )
    heard = await run(make_job(here.district, here.state, Catalog("V", (DisObject("V", ("v",)),)), None))
    assert heard.counts["V"] == Counts(processed=2, unchanged=1, updated=1)
    assert await here.held("SELECT * FROM v ORDER BY id") == [(1, "a", "theirs"), (2, "b", "theirs")]


@pytest.fixture
async def icu(postgres_server: str) -> None:
    """Skip where the server has none of ICU's collations."""
    if not await rows(postgres_server, "SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"):
        pytest.skip("this server has no ICU")


CASELESS = "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level1', deterministic = false);"


@pytest.mark.usefixtures("icu")
@every_comparison([SAME_RELEASE])
async def test_collation_equates_keys_but_not_texts(database: Database, ends: tuple[str, str]) -> None:
    table = "CREATE TABLE v (id text{} PRIMARY KEY, v text{}, UNIQUE (v));"
    here = await pair(
        database,
        ends,
        "INSERT INTO v VALUES ('a', 'x'), ('b', 'Y'), ('c', 'z'), ('C', 'zz'), ('d', 'D'), ('é', 'é');",
        "INSERT INTO v VALUES ('A', 'X'), ('b', 'Y'), ('C', 'old'), ('É', 'e');",
        district=CASELESS + table.format("", ""),
        state=CASELESS + table.format(" COLLATE caseless", " COLLATE caseless"),
    )
    job = make_job(here.district, here.state, Catalog("V", (DisObject("V", ("v",)),)), None)
    heard = await run(job)
    assert heard.counts["V"] == Counts(processed=6, inserted=1, updated=2, unchanged=1, rejected=2), heard.refused
    assert await here.held("SELECT * FROM v ORDER BY v COLLATE \"C\"") == [
        ("d", "D"), ("b", "Y"), ("C", "old"), ("A", "x"), ("É", "é")
    ]  # fmt: skip
    again = await run(job)
    assert again.counts["V"] == Counts(processed=6, unchanged=4, rejected=2)
