"""Single values: which are the same, which are right, and what becomes of those that are neither."""

import re
import sqlite3
from contextlib import closing

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.outcome import Counts
from tests.support.comparison import every_comparison
from tests.support.oracle.shape import dump, versions
from tests.support.running import make_job, run
from tests.support.small import ENDS, Database, pair
from tests.support.values import DIFFERENT, MOODS, OTHER_ORDER, literal

POSTGRES = [("postgresql", "postgresql")]
VALUES = Catalog("Values", (DisObject("V", ("v",)),))


@every_comparison(POSTGRES)
async def test_values_that_print_differently_are_updated_to_the_same(database: Database, ends: tuple[str, str]) -> None:
    columns = ", ".join(f'"{kind}" {kind}' for kind in DIFFERENT)
    table = f"CREATE TABLE v (id integer PRIMARY KEY, {columns});"
    cases: list[tuple[int, tuple[str, str, str | None]]] = list(
        enumerate((kind, one, other) for kind, values in DIFFERENT.items() for one, other in values)
    )
    insert = 'INSERT INTO v (id, "{}") VALUES ({}, {});'.format
    ours = "".join(insert(kind, n, literal(one)) for n, (kind, one, _) in cases)
    theirs = "".join(insert(kind, n, literal(other)) for n, (kind, _, other) in cases)
    here = await pair(database, ends, ours, theirs, district=MOODS + table, state=OTHER_ORDER + table)
    job = make_job(here.district, here.state, VALUES, None)
    heard = await run(job)
    assert heard.counts["V"] == Counts(processed=len(cases), updated=len(cases)), heard.ended
    district, state = await dump(here.district), await dump(here.state)
    assert {row["id"]: row for row in state.rows["v"]} == {row["id"]: row for row in district.rows["v"]}
    written = await versions(here.state)
    again = await run(job)
    assert again.counts["V"] == Counts(processed=len(cases), unchanged=len(cases))
    assert await versions(here.state) == written


@every_comparison(POSTGRES)
async def test_padding_and_zeros_are_no_difference_lost_values_are(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO v VALUES (1, 'a', 'b  ', 1.5, 7, '10:00'), (2, 'a', 'b', 1.500, 8, '10:00'),"
        " (3, 'a  ', 'b', 1, 9, '10:00'), (4, 'a', 'b', 1, 9, '10:00:00.4');",
        "INSERT INTO v VALUES (1, 'a', 'b', 1.5, 7, '10:00'), (2, 'a', 'b', 1.5, 8, '10:00'),"
        " (3, 'a', 'b', 1, 9, '10:00'), (4, 'a', 'b', 1, 9, '10:00');",
        district="CREATE TABLE v (id integer PRIMARY KEY, c text, d char(5), n numeric, i smallint, t time);",
        state="CREATE TABLE v (id integer PRIMARY KEY, c char(3), d char(3), n numeric(6, 3), i bigint, t time(0));",
    )
    heard = await run(make_job(here.district, here.state, VALUES, None))
    assert heard.counts["V"] == Counts(processed=4, unchanged=2, rejected=2)
    assert {(key, reason) for _, key, _, reason in heard.refused} == {
        ((3,), "c would be altered: char(3) drops trailing blanks"),
        ((4,), "t would be altered: time(0) without time zone rounds fractions of a second"),
    }


@every_comparison(POSTGRES)
async def test_what_a_domain_of_the_state_forbids_is_refused_alone(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO v VALUES (1, 'good', 1.5), (2, 'x', 1), (3, 'much too long', 1),"
        " (4, NULL, NULL), (5, 'fine', 1), (6, NULL, 1.25);",
        "INSERT INTO v VALUES (2, 'old', 1), (5, 'old', 1);",
        district="CREATE DOMAIN short AS varchar(20); CREATE DOMAIN few AS numeric; CREATE TABLE v (id integer"
        " PRIMARY KEY, d short, n few);",
        state="CREATE DOMAIN short AS varchar(5) CHECK (length(VALUE) > 1); CREATE DOMAIN few AS numeric(4, 1);"
        "CREATE TABLE v (id integer PRIMARY KEY, d short, n few);",
    )
    heard = await run(make_job(here.district, here.state, VALUES, None))
    assert heard.counts["V"] == Counts(processed=6, inserted=2, updated=1, rejected=3), heard.ended
    assert {key for _, key, _, _ in heard.refused} == {(2,), (3,), (6,)}


JUNK: list[tuple[str, str, str]] = [
    ("i", "'abc'", "not a valid"), ("i", "1.5", "not a valid"), ("i", "99999999999999999999", "not a valid"),
    ("i", "x'31'", "not a valid"), ("i", "''", "not a valid"), ("i", "3000000000", "is out of range"),
    ("s", "40000", "is out of range"), ("n", "'abc'", "not a valid"), ("n", "123.456", "has more than 2"),
    ("n", "123456.5", "is out of range"), ("n", "9e999", "(not a valid|is out of range)"),
    ("f", "'abc'", "not a valid"),
    ("b", "2", "not a valid"), ("b", "'yes'", "not a valid"), ("b", "0.5", "not a valid"),
    ("d", "'2026-02-30'", "not a valid"), ("d", "'soon'", "not a valid"), ("d", "20260101", "not a valid"),
    ("d", "''", "not a valid"), ("d", "'2026-01-01 10:00:00'", "not a valid"), ("d", "'20260101'", "not a valid"),
    ("at", "'2026-13-01 00:00:00'", "not a valid"), ("at", "7", "not a valid"), ("at", "'10:00'", "not a valid"),
    ("t", "x'ff'", "not a valid"), ("t", "CAST(x'61ff62' AS TEXT)", "not a valid"), ("t", "char(97, 0)", "not a valid"),
    ("t", "'123456789'", "is longer than 8"), ("z", "'2026-13-01'", "not a valid"), ("r", "'text'", "not a valid"),
    ("u", "'not-a-uuid'", "not a valid"), ("j", "'{'", "not a valid"), ("c", "'abcd'", "is longer than 3"),
    ("n", "'1_0'", "not a valid"), ("n", "' 1 x'", "not a valid"),
]  # fmt: skip
FINE: list[tuple[str, str, str | None]] = [
    ("i", "'12'", "12"), ("i", "5.0", "5"), ("i", "-2147483648", "-2147483648"), ("s", "32767", "32767"),
    ("n", "0.1", "0.10"), ("n", "'7.25'", "7.25"), ("n", "-0.0", "0.00"), ("f", "1e300", "1e+300"), ("f", "3", "3"),
    ("f", "9e999", "Infinity"), ("b", "1", "true"), ("b", "0", "false"), ("d", "'2026-02-28'", "2026-02-28"),
    ("at", "'2026-02-28 10:00:00'", "2026-02-28 10:00:00"), ("at", "'2026-02-28T10:00:00.5'", "2026-02-28 10:00:00.5"),
    ("at", "'2026-02-28'", "2026-02-28 00:00:00"), ("t", "12", "12"), ("t", "''", ""), ("t", "'a  '", "a  "),
    ("t", "'🙂🙂🙂🙂🙂🙂🙂🙂'", "🙂🙂🙂🙂🙂🙂🙂🙂"), ("t", "NULL", None), ("c", "'a  '", "a"),
    ("z", "'2026-01-01 12:00:00+02:00'", "2026-01-01 10:00:00+00"), ("r", "x'00ff'", "\\x00ff"), ("r", "x''", "\\x"),
    ("u", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), ("j", "'[1.0]'", "[1.0]"),
]  # fmt: skip
LOOSE = (
    "CREATE TABLE v (id INTEGER PRIMARY KEY, i INTEGER, s SMALLINT, n NUMERIC(6, 2), f DOUBLE, b BOOLEAN, d DATE,"
    " at TIMESTAMP, t VARCHAR(8), z TIMESTAMPTZ, r BLOB, u UUID, j JSON, c CHAR(3));"
)
TYPED = (
    "CREATE TABLE v (id integer PRIMARY KEY, i integer, s smallint, n numeric(6, 2), f double precision, b boolean,"
    " d date, at timestamp, t varchar(8), z timestamptz, r bytea, u uuid, j json, c char(3));"
)
ONLY_TYPED = {
    ("i", "3000000000"), ("t", "char(97, 0)"), ("z", "'2026-13-01'"), ("u", "'not-a-uuid'"), ("j", "'{'"),
    ("d", "'20260101'"),
}  # fmt: skip
"""What a SQLite column holds as well as any other value."""


def fill(url: str, cases: list[tuple[str, str]]) -> None:
    """Insert a row for each value, written as SQL."""
    with closing(sqlite3.connect(sqlite_path(url))) as connection:
        for number, (column, value) in enumerate(cases, 1):
            connection.execute(f"INSERT INTO v (id, {column}) VALUES ({number}, {value})")
        connection.commit()


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_values_that_do_not_fit_their_column_are_refused_alone(database: Database, target: str) -> None:
    here = await pair(database, ("sqlite", target), district=LOOSE, state=LOOSE if target == "sqlite" else TYPED)
    cases = [case for case in JUNK if target == "postgresql" or case[:2] not in ONLY_TYPED]
    fill(here.district, [case[:2] for case in cases])
    heard = await run(make_job(here.district, here.state, VALUES, None))
    reasons = {key: reason for _, (key,), _, reason in heard.refused}
    found = [(case, reasons.get(number, "goes in")) for number, case in enumerate(cases, 1)]
    wrong = [each for each in found if not re.match(f"{each[0][0]}:? (is )?{each[0][2]}", each[1])]
    print(*wrong, sep="\n")
    assert not wrong
    assert heard.counts["V"] == Counts(processed=len(cases), rejected=len(cases))


async def test_loosely_typed_values_become_what_the_typed_column_means(database: Database) -> None:
    here = await pair(database, ("sqlite", "postgresql"), district=LOOSE, state=TYPED)
    fill(here.district, [case[:2] for case in FINE])
    job = make_job(here.district, here.state, VALUES, None)
    heard = await run(job)
    assert heard.refused == {}
    state = await dump(here.state)
    held = {int(row["id"]): row for row in state.rows["v"]}
    assert [(case, held[n][case[0]]) for n, case in enumerate(FINE, 1) if held[n][case[0]] != case[2]] == []
    again = await run(job)
    assert again.counts["V"] == Counts(processed=len(FINE), unchanged=len(FINE))


@every_comparison([("sqlite", "sqlite")])
async def test_sqlite_keeps_every_value_as_it_is_stored(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=LOOSE, state=LOOSE)
    fill(here.district, [case[:2] for case in FINE])
    job = make_job(here.district, here.state, VALUES, None)
    heard = await run(job)
    assert heard.refused == {}
    district, state = await dump(here.district), await dump(here.state)
    assert list(map(repr, state.rows["v"])) == list(map(repr, district.rows["v"]))
    assert (await run(job)).counts["V"] == Counts(processed=len(FINE), unchanged=len(FINE))


OWNED = Catalog("Owned", (DisObject("V", ("v",), state_owned=("v.o", "v.i")),))


@every_comparison(ENDS)
async def test_state_owned_column_keeps_and_is_judged_by_its_own_value(
    database: Database, ends: tuple[str, str]
) -> None:
    junk = "'junk'" if ends[0] == "sqlite" else "-1"
    here = await pair(
        database,
        ends,
        f"INSERT INTO v VALUES (1, 'a', 'too long', 1), (2, 'b', 'too long', 1), (3, 'c', 'too long', 1),"
        f" (4, 'd', 'ok', {junk}), (5, 'e', 'ok', {junk}), (6, 'f', 'ok', 1);",
        "INSERT INTO v VALUES (1, 'a', 'mine', 5), (2, 'old', 'mine', 5), (4, 'd', 'mine', 5), (6, 'f', 'mine', 5);",
        district="CREATE TABLE v (id integer PRIMARY KEY, t varchar(9), o text, i integer);",
        state="CREATE TABLE v (id integer PRIMARY KEY, t varchar(9), o varchar(5), i integer CHECK (i > 0));",
    )
    heard = await run(make_job(here.district, here.state, OWNED, None))
    assert heard.counts["V"] == Counts(processed=6, updated=1, unchanged=3, rejected=2), heard.refused
    assert {key for _, key, _, _ in heard.refused} == {(3,), (5,)}
    assert await here.held("SELECT t, o, i FROM v ORDER BY id") == [
        ("a", "mine", 5), ("b", "mine", 5), ("d", "mine", 5), ("f", "mine", 5)
    ]  # fmt: skip
