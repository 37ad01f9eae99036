"""Never a false "unchanged": a value that prints differently is found, however both ends are compared.

Two releases of PostgreSQL
stand for a district and a state that were not upgraded together. The servers that the tests bring along know the
collations C, POSIX and their builtin ones alone: those of ICU, nondeterministic ones among them, are tried where
RESYNC_TUI_TEST_POSTGRES names a server that has ICU, and those of other languages' locales nowhere.
"""

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
from tests.support.small import Database, pair
from tests.support.values import DIFFERENT, DIFFERING, FEW, MOODS, OTHER_ORDER, SAME, Case, literal

SAME_RELEASE = ("postgresql", "postgresql")
OLDER_STATE = ("postgresql", "postgresql-16")
OLDER_DISTRICT = ("postgresql-16", "postgresql")


def tables_of_types(differing: list[Case], same: list[Case]) -> dict[tuple[str, str], list[Case]]:
    """Return the cases by the types of their columns, those that differ first."""
    tables: dict[tuple[str, str], list[Case]] = {}
    for case in (*differing, *same):
        tables.setdefault((case.district, case.state), []).append(case)
    return tables


@every_comparison([SAME_RELEASE], once=[OLDER_STATE])
async def test_a_value_that_prints_differently_is_updated_once(database: Database, ends: tuple[str, str]) -> None:
    """And one that the state prints alike is not written. That no neighbour's hash gives a value away: see
    `tests/engine/backends/postgres/test_hashing.py`.
    """
    tables = tables_of_types(DIFFERING, SAME)
    district, state, same_rows = MOODS + FEW, OTHER_ORDER + FEW, []
    for number, ((ours, theirs), cases) in enumerate(tables.items()):
        create = "CREATE TABLE v{} (id integer PRIMARY KEY, v {}); INSERT INTO v{} VALUES {};".format
        rows_of = [", ".join(f"({n}, {literal(value)})" for n, value in enumerate(values)) for values in ends_of(cases)]
        district += create(number, ours, number, rows_of[0])
        state += create(number, theirs, number, rows_of[1])
        same_rows += [(f"v{number}", n) for n, case in enumerate(cases) if case in SAME]
    here = await pair(database, ends, district=district, state=state)
    catalog = Catalog("Values", tuple(DisObject(f"V{n}", (f"v{n}",)) for n in range(len(tables))))
    expected = {}
    for number, cases in enumerate(tables.values()):
        unchanged = sum(case in SAME for case in cases)
        expected[f"V{number}"] = Counts(processed=len(cases), updated=len(cases) - unchanged, unchanged=unchanged)
    before = await versions(here.state)
    job = make_job(here.district, here.state, catalog, None)
    heard = await run(job)
    assert heard.counts == expected
    written = await versions(here.state)
    assert [(table, n) for table, n in same_rows if before[table][n] not in written[table]] == []
    again = await run(job)
    assert {counts.unchanged == counts.processed for counts in again.counts.values()} == {True}
    assert await versions(here.state) == written


def ends_of(cases: list[Case]) -> tuple[list[str | None], list[str | None]]:
    """Return the values of each end."""
    return [case.value for case in cases], [case.held for case in cases]


@every_comparison([SAME_RELEASE])
async def test_values_that_have_changed_places_are_found(database: Database, ends: tuple[str, str]) -> None:
    """Between two records, and between the columns of one; each type's hashes: see the tests of the backend."""
    values = {kind: [literal(value) for value in DIFFERENT[kind][0]] for kind in ("integer[]", "text", "date", "money")}
    district, state = MOODS, OTHER_ORDER
    for number, (kind, (one, other)) in enumerate(values.items()):
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
async def test_a_key_whose_blanks_the_state_drops_is_refused_alone(database: Database, ends: tuple[str, str]) -> None:
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
    assert heard.counts["V"] == Counts(processed=101, unchanged=100, rejected=1)
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
