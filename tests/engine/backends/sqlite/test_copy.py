"""Loads from SQLite file to SQLite file, which never leave SQLite: what is looked at all the same, and cut off."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import anyio
import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.engine.backends.sqlite import copy
from resync_tui.engine.events import Event
from resync_tui.engine.job import Limits
from resync_tui.outcome import Counts, Status
from tests.support.comparison import Comparison, every_comparison
from tests.support.databases import rows, run_script
from tests.support.interruption import MANY, MANY_ROWS, SLOW, job_of, merging, reading, under_way
from tests.support.running import Heard, make_job, run
from tests.support.small import SMALL, Database, Pair, leftovers, pair

FILES = ("sqlite", "sqlite")
JOURNALS = ["delete", "wal"]
TEXTS = Catalog("Texts", (DisObject("T", ("t",)),))

WRONG = [
    *(b"\x80", b"abc\xbf", b"\xc3", b"\xc3(", b"\xe2\x82", b"\xf0\x9f\x99"),
    *(b"\xc0\xaf", b"\xed\xa0\x80", b"\xff", b"\xf5\x80\x80\x80", b"a\x00\xff"),
]
"""Lone continuations and leads, what ends too soon, overlong, a surrogate, what is never UTF-8, behind a NUL."""
RIGHT = [b"", b"plain", "Zoë".encode(), "漢字".encode(), "\U0001f642".encode(), b"a\x00b", b"\x00", b"'\"\\"]


async def in_journal(here: Pair, district: str, state: str = "wal") -> None:
    """Let both files keep their journals so."""
    await run_script(here.district, f"PRAGMA journal_mode = {district}")
    await run_script(here.state, f"PRAGMA journal_mode = {state}")


def store(url: str, column: str, values: list[bytes], kind: str = "TEXT") -> None:
    """Insert rows whose texts are these bytes, as SQLite takes them."""
    with closing(sqlite3.connect(sqlite_path(url))) as connection:
        insert = f"INSERT INTO t (id, {column}) VALUES (?, CAST(? AS {kind}))"
        connection.executemany(insert, list(enumerate(values, 1)))
        connection.commit()


async def stored(url: str, column: str) -> list[tuple[object, ...]]:
    """Return what is stored, by its kind and its bytes."""
    return await rows(url, f"SELECT id, typeof({column}), CAST({column} AS BLOB) FROM t ORDER BY id")


@pytest.mark.parametrize("state", JOURNALS)
@pytest.mark.parametrize("district", JOURNALS)
@pytest.mark.parametrize("rowid", ["", " WITHOUT ROWID"])
async def test_invalid_utf_8_is_refused_and_other_text_kept_bytewise(
    database: Database, district: str, state: str, rowid: str
) -> None:
    table = "CREATE TABLE t (id integer PRIMARY KEY, v text, n integer)"
    here = await pair(database, FILES, district=f"{table}{rowid};", state=f"{table};")
    await in_journal(here, district, state)
    store(here.district, "v", WRONG + RIGHT)
    job = make_job(here.district, here.state, TEXTS, None)
    heard = await run(job)
    assert heard.counts["T"] == Counts(processed=len(WRONG + RIGHT), inserted=len(RIGHT), rejected=len(WRONG))
    assert {(key, reason) for _, key, _, reason in heard.refused} == {
        ((number,), "v is not a valid text") for number in range(1, len(WRONG) + 1)
    }
    assert await stored(here.state, "v") == (await stored(here.district, "v"))[len(WRONG) :]
    again = await run(job)
    assert again.counts["T"] == Counts(processed=len(WRONG + RIGHT), unchanged=len(RIGHT), rejected=len(WRONG))


@pytest.mark.parametrize("declared", ["JSON", "UUID", "BLOB", "whatever", "TIME"])
async def test_where_any_value_may_be_stored_it_goes_in_as_bytes(database: Database, declared: str) -> None:
    table = f"CREATE TABLE t (id integer PRIMARY KEY, v {declared});"
    here = await pair(database, FILES, district=table, state=table)
    store(here.district, "v", WRONG)
    held = list[list[tuple[object, ...]]]()
    for journal in JOURNALS:
        await in_journal(here, "wal", journal)
        await run_script(here.state, "DELETE FROM t")
        heard = await run(make_job(here.district, here.state, TEXTS, None, token=len(held) + 1))
        assert heard.counts["T"] == Counts(processed=len(WRONG), inserted=len(WRONG))
        held.append(await stored(here.state, "v"))
    assert held[0] == held[1] == [(number, "blob", value) for number, value in enumerate(WRONG, 1)]


@pytest.mark.parametrize("kind", ["text", "date", "real", "int"])
async def test_a_key_that_is_not_utf_8_is_named(database: Database, kind: str) -> None:
    table = f"CREATE TABLE t (id {kind} NOT NULL PRIMARY KEY, v text);"
    here = await pair(database, FILES, district=table, state=table)
    await in_journal(here, "wal")
    with closing(sqlite3.connect(sqlite_path(here.district))) as connection:
        connection.execute("INSERT INTO t VALUES (CAST(x'41ff' AS TEXT), 'a')")
        connection.commit()
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    assert heard.counts["T"] == Counts(processed=1, rejected=1)
    assert {key for _, key, _, _ in heard.refused} == {("41ff",)}


async def test_invalid_utf_8_is_found_while_another_object_is_read(database: Database) -> None:
    many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) INSERT INTO"
    tables = "CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE TABLE u (id integer PRIMARY KEY, v text)"
    here = await pair(
        database,
        FILES,
        f"{many} t SELECT i, CASE WHEN i % 1000 = 0 THEN CAST(x'ff' AS text) ELSE 'x' END FROM n;"
        f"{many} u SELECT i, 'x' FROM n;",
        district=f"{tables} WITHOUT ROWID;",
        state=f"{tables};",
    )
    await in_journal(here, "wal")
    catalog = Catalog("Two", (DisObject("U", ("u",)), DisObject("T", ("t",))))
    heard = await run(make_job(here.district, here.state, catalog, None))
    assert heard.counts["T"] == Counts(processed=40_000, inserted=39_960, rejected=40)
    assert heard.counts["U"] == Counts(processed=40_000, inserted=40_000)


async def test_long_texts_are_looked_at_a_few_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = list[int]()

    def noting(value: bytes) -> bool:
        looked_at.append(len(value))
        return is_text(value)

    is_text = copy.is_text
    monkeypatch.setattr(copy, "is_text", noting)
    monkeypatch.setattr(copy, "FIRST_ROWS", 16)
    monkeypatch.setattr(copy, "TEXT_AT_ONCE", 100_000)
    table = "CREATE TABLE t (id integer PRIMARY KEY, v text);"
    here = await pair(database, FILES, district=table, state=table)
    await in_journal(here, "wal")
    store(here.district, "v", [b"x" * 50_000] * 60)
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    assert heard.counts["T"] == Counts(processed=60, inserted=60)
    assert looked_at[0] >= 800_000
    assert max(looked_at[3:]) <= 200_000


@every_comparison([FILES, ("sqlite", "postgresql")])
async def test_numbers_at_the_end_of_all_stop_no_other(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO t VALUES (1, -9223372036854775808, 0), (2, 1.5, 9007199254740993);"
        "INSERT INTO t VALUES (3, -1000, 1), (4, -999.99, -2);",
        district="CREATE TABLE t (id integer PRIMARY KEY, v numeric, n numeric);",
        state="CREATE TABLE t (id integer PRIMARY KEY, v numeric(5, 2), n numeric(19));",
    )
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    assert heard.counts["T"] == Counts(processed=4, inserted=2, rejected=2)
    assert {(key, reason) for _, key, _, reason in heard.refused} == {
        ((number,), "v is out of range (numeric 5,2)") for number in (1, 3)
    }
    assert await here.held("SELECT n FROM t ORDER BY id") == [(9007199254740993,), (-2,)]


async def test_keys_equal_as_numbers_are_refused_and_extra_is_counted(
    database: Database,
) -> None:
    here = await pair(
        database,
        FILES,
        "INSERT INTO t VALUES ('1', 'a'), (1, 'a');",
        "INSERT INTO t VALUES (1, 'a'), (77, 'b');",
        district="CREATE TABLE t (id PRIMARY KEY, v text);",
        state="CREATE TABLE t (id numeric PRIMARY KEY, v text);",
    )
    await in_journal(here, "wal")
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    assert heard.counts["T"] == Counts(processed=2, rejected=2, extra=1)


async def test_an_orphan_is_one_whatever_a_trigger_makes_of_it(database: Database) -> None:
    tables = "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE t (id integer PRIMARY KEY, p integer{});"
    here = await pair(
        database,
        FILES,
        "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1, 1), (2, 99);",
        "CREATE TRIGGER moves AFTER INSERT ON t BEGIN UPDATE t SET p = 1 WHERE id = new.id; END;",
        district=tables.format(""),
        state=tables.format(" REFERENCES p"),
    )
    await in_journal(here, "wal")
    catalog = Catalog("Two", (DisObject("P", ("p",)), DisObject("T", ("t",), ("P",))))
    for inserted, unchanged in ((1, 0), (0, 1)):
        heard = await run(make_job(here.district, here.state, catalog, None, token=1 + unchanged))
        assert heard.counts["T"] == Counts(processed=2, inserted=inserted, unchanged=unchanged, rejected=1)


async def test_values_of_the_wrong_sqlite_type_convert_or_are_refused(database: Database) -> None:
    table = "CREATE TABLE t (id integer PRIMARY KEY, v varchar(9), n integer, d date);"
    here = await pair(database, FILES, district=table, state=table)
    await in_journal(here, "wal")
    of_v, of_n, of_d = (
        f"{name} is not a valid {kind}" for name, kind in (("v", "text"), ("n", "integer"), ("d", "date"))
    )
    values = [
        ("12", "'12'", "'2026-02-28'", ""), ("1.5", "12.0", "NULL", ""), ("x'61'", "1", "NULL", of_v),
        ("NULL", "'1x'", "NULL", of_n), ("NULL", "1.5", "NULL", of_n), ("NULL", "x'31'", "NULL", of_n),
        ("NULL", "NULL", "20260228", of_d), ("NULL", "NULL", "'2026-02-30'", of_d),
        ("NULL", "NULL", "'-4713-11-24'", of_d), ("NULL", "NULL", "'2026-02-28 10:00:00'", of_d),
        ("NULL", "NULL", "CAST(x'323032362d30312d303100ff' AS TEXT)", of_d),
    ]  # fmt: skip
    for number, (v, n, d, _) in enumerate(values, 1):
        await run_script(here.district, f"INSERT INTO t VALUES ({number}, {v}, {n}, {d})")
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    reasons = {key: reason for _, (key,), _, reason in heard.refused}
    assert reasons == {number: reason for number, (*_, reason) in enumerate(values, 1) if reason}
    assert await here.held("SELECT id, v, n, d FROM t") == [(1, "12", 12, "2026-02-28"), (2, "1.5", 12, None)]


async def test_bad_rows_and_orphans_of_a_long_table_are_each_named(database: Database) -> None:
    """In several chunks, some without any, so that looking ahead, trusting the state and halving all happen."""
    here = await pair(database, FILES)
    await in_journal(here, "wal")
    count = 30_000
    fill = f"""
    INSERT INTO a VALUES (1, 'x');
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
    INSERT INTO b SELECT i, CASE WHEN i % 7000 = 0 THEN 99 ELSE 1 END,
        CASE WHEN i % 9000 = 1 THEN 'far longer than anybody would want' ELSE 'note' END FROM n;
    """
    await run_script(here.district, fill)
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["A", "B"]))
    orphans, long = [7000, 14_000, 21_000, 28_000], [1, 9001, 18_001, 27_001]
    expected = {("b", (n,), "rejected", "a names no a record") for n in orphans}
    expected |= {("b", (n,), "rejected", "note is longer than 20") for n in long}
    assert set(heard.refused) == expected
    assert heard.counts["B"] == Counts(processed=count, inserted=count - 8, rejected=8)


async def stages_left(here: Pair) -> list[str]:
    """Return the stages that are left; the log of a state that is kept in one is no stage."""
    return [name for name in await leftovers(here.state) if ".resync-" in name]


@pytest.mark.parametrize("journal", JOURNALS)
@pytest.mark.parametrize("far_enough", [reading, merging])
async def test_a_cancelled_load_leaves_nothing_behind(
    database: Database, journal: str, far_enough: Callable[[Event], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "ROWS_AT_ONCE", 1_000)
    here = await pair(database, FILES, MANY_ROWS)
    await in_journal(here, journal)
    reached = False

    def watch(event: Event) -> None:
        nonlocal reached
        if far_enough(event) and not reached:
            reached = True
            scope.cancel()

    with anyio.CancelScope() as scope:
        await run(job_of(here), watch)
    assert reached
    assert await stages_left(here) == []
    ((held,),) = await here.held("SELECT count(*) FROM a")
    assert isinstance(held, int)
    assert held < MANY
    again = await run(job_of(here, token=2, limits=Limits()))
    assert again.counts["A"] == Counts(processed=MANY, inserted=MANY - held, unchanged=held)


async def test_a_limit_paces_a_load_that_sqlite_does_itself(database: Database) -> None:
    here = await pair(database, FILES, MANY_ROWS)
    await in_journal(here, "wal")
    begun = anyio.current_time()
    heard = await run(job_of(here, limits=SLOW))
    assert anyio.current_time() - begun >= 2 * MANY / SLOW.max_records_per_second
    read = [event.read for event in heard.progress("A")]
    assert read == sorted(read)
    assert len({each for each in read if 0 < each < MANY}) >= 3
    assert heard.counts["A"] == Counts(processed=MANY, inserted=MANY)


async def test_the_district_goes_on_writing_and_is_only_read(database: Database) -> None:
    here = await pair(database, FILES, MANY_ROWS)
    await in_journal(here, "wal")
    file = sqlite_path(here.district)
    added = False

    def watch(event: Event) -> None:
        nonlocal added
        if reading(event) and not added:
            added = True
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("UPDATE a SET name = 'later'")
                connection.commit()

    heard = await run(job_of(here), watch)
    assert added
    assert heard.counts["A"] == Counts(processed=MANY, inserted=MANY)
    assert await here.held("SELECT count(*) FROM a WHERE name = 'later'") == [(0,)]
    before = file.read_bytes()
    assert (await run(job_of(here, token=2, limits=Limits()))).counts["A"] == Counts(processed=MANY, updated=MANY)
    assert file.read_bytes() == before


async def test_two_batches_of_one_district_never_share_a_stage(database: Database) -> None:
    here = await pair(database, FILES, MANY_ROWS)
    await in_journal(here, "wal")
    async with under_way(job_of(here), reading) as outcome:
        newer = await run(job_of(here, token=2, limits=Limits()))
    assert newer.counts["A"] == Counts(processed=MANY, inserted=MANY)
    assert not isinstance(outcome[0], Heard)
    assert await here.held("SELECT count(*) FROM a") == [(MANY,)]


@every_comparison([FILES])
async def test_the_extra_records_of_a_table_that_differs_are_found(
    database: Database, ends: tuple[str, str], comparison: Comparison | None
) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO a VALUES (1, 'x'), (2, 'y'), (3, 'z');",
        "INSERT INTO a VALUES ('01', 2, 'y'), ('01', 7, 'gone'), ('01', 3, 'old'), ('02', 8, 'other');",
    )
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["A"]))
    assert heard.counts["A"] == Counts(processed=3, inserted=1, updated=1, unchanged=1, extra=1), comparison
    assert heard.statuses == {"A": Status.COMPLETED}


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
async def test_files_in_another_encoding_are_read_as_well(database: Database, encoding: str) -> None:
    table = "CREATE TABLE t (id integer PRIMARY KEY, v text);"
    here = await pair(database, FILES, district=f"PRAGMA encoding = '{encoding}'; {table}", state=table)
    await in_journal(here, "wal")
    await run_script(here.district, "INSERT INTO t VALUES (1, 'Zo\u00eb'), (2, '\u6f22'), (3, 'a')")
    job = make_job(here.district, here.state, TEXTS, None)
    assert (await run(job)).counts["T"] == Counts(processed=3, inserted=3)
    assert await here.held("SELECT v FROM t ORDER BY id") == [("Zo\u00eb",), ("\u6f22",), ("a",)]
    assert (await run(job)).counts["T"] == Counts(processed=3, unchanged=3)
