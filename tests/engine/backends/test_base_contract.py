"""What any source, target and dialect must do, held against every kind of database and every allowed pair.

A third kind that lives in the tests alone (`odd_kind`) is one of them: a backend is added without touching the package.
"""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from resync_tui.catalog import Catalog, DisObject, Rule
from resync_tui.databases.registry import can_feed, require_pair
from resync_tui.engine.backends.base import Source
from resync_tui.engine.backends.registry import open_source, open_target
from resync_tui.engine.batch import run_batch
from resync_tui.engine.dialect import logical_type, of
from resync_tui.engine.job import Job
from resync_tui.engine.types import LogicalType
from resync_tui.errors import CannotRun, ConfigError, LeaseLost
from resync_tui.outcome import Counts, Status
from tests.support import odd_kind
from tests.support.databases import rows, run_script
from tests.support.running import Heard, make_job, run

Database = Callable[[str], str]

odd_kind.register()
SOURCES = ["sqlite", "postgresql", "odd"]
TARGETS = ["sqlite", "postgresql"]
PAIRS = [("sqlite", "sqlite"), ("sqlite", "postgresql"), ("postgresql", "postgresql"), ("odd", "sqlite")]
"""The odd kind's values are staged as its dialect sends them, which is what a SQLite state takes."""

PLAIN = """
CREATE TABLE me (number text);
CREATE TABLE parent (id integer PRIMARY KEY, name text, paid boolean, born date, due numeric(8,2));
CREATE TABLE child (id integer PRIMARY KEY, parent integer, name text);
"""
STATE = """
CREATE TABLE parent (id integer PRIMARY KEY, name text, paid boolean, born date, due numeric(8,2));
CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent (id), name text);
"""
RECORDS: dict[str, list[tuple[Any, ...]]] = {
    "me": [("01",)],
    "parent": [
        (1, "Ada", True, date(2010, 2, 28), 12.5),
        (2, "Ben", False, date(2012, 2, 29), 0),
        (3, "hidden", True, date(2011, 1, 1), 1),
        (4, "Cid", None, None, None),
        (5, "too young", False, date(2027, 1, 1), 1),
    ],
    "child": [(1, 1, "a"), (2, 3, "of a hidden one"), (3, 2, "b"), (4, 9, "of none")],
}
CATALOG = Catalog(
    "Any",
    (
        DisObject(
            "Parent",
            ("parent",),
            rule=(
                Rule("hidden", "parent", dict.fromkeys(SOURCES, "t.name = 'hidden'"), "Hidden from the state"),
                Rule("unborn", "parent", dict.fromkeys(SOURCES, "t.born > :today"), "Not born yet"),
            ),
        ),
        DisObject("Child", ("child",), ("Parent",)),
    ),
    identity="me.number",
)


@pytest.fixture
def district(database: Database, tmp_path: Path) -> Callable[[str], Any]:
    """Make a district of a kind that holds RECORDS; return its URL."""

    async def made(kind: str) -> str:
        if kind == "odd":
            return odd_kind.create(tmp_path / "odd.file", PLAIN, RECORDS)
        url = database(kind)
        await run_script(url, PLAIN + "".join(_insert(table, each) for table, many in RECORDS.items() for each in many))
        return url

    return made


def _insert(table: str, values: tuple[Any, ...]) -> str:
    words = ", ".join(_literal(each) for each in values)
    return f"INSERT INTO {table} VALUES ({words});\n"


def _literal(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).replace("None", "NULL")
    return f"'{value}'" if isinstance(value, str | date) else str(value)


def _job(source: str, target: str, **more: Any) -> Job:
    return make_job(source, target, CATALOG, None, **more)


@pytest.mark.parametrize("kind", SOURCES)
async def test_reflected_columns_know_their_dialect_and_type(district: Callable[[str], Any], kind: str) -> None:
    source = open_source(_job(url := await district(kind), url).source, _job(url, url).target)
    try:
        tables = await source.reflect(["parent", "child", "absent"])
    finally:
        await source.close()
    assert set(tables) == {"parent", "child"}
    columns = tables["parent"].c
    assert {of(each) for each in columns} == {source.dialect}
    assert [logical_type(each) for each in columns] == [
        LogicalType.INTEGER, LogicalType.TEXT, LogicalType.BOOLEAN, LogicalType.DATE, LogicalType.NUMERIC,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", SOURCES)
async def test_a_source_says_its_district_and_keeps_one_snapshot(
    district: Callable[[str], Any], database: Database, kind: str
) -> None:
    url = await district(kind)
    job = _job(url, database("sqlite"))
    source = open_source(job.source, job.target)
    try:
        assert await source.says_district("me.number") == {"01"}
        tables = await source.reflect(["parent"])
        query = tables["parent"].select().with_only_columns(tables["parent"].c.id)
        async with source.snapshot():
            before = sorted(await source.fetch(query))
            await _add_a_record(url)
            assert sorted(await source.fetch(query)) == before == [(1,), (2,), (3,), (4,), (5,)]
            assert sorted([row async for chunk in source.rows(query) for row in chunk]) == before
        async with source.snapshot():
            assert len(await source.fetch(query)) == 6
    finally:
        await source.close()


async def _add_a_record(url: str) -> None:
    if url.startswith("odd:"):
        with closing(sqlite3.connect(odd_kind.file_of(url), timeout=0)) as connection, connection:
            connection.execute("INSERT INTO parent (id) VALUES (6)")
        return
    await run_script(url, "INSERT INTO parent (id) VALUES (6)")


@pytest.mark.parametrize("kind", TARGETS)
async def test_an_older_claim_commits_nothing_more(database: Database, kind: str) -> None:
    url = database(kind)
    await run_script(url, STATE)
    job = _job(url, url)
    older, newer = open_target(job.target), open_target(replace(job, token=2).target)
    try:
        await older.claim()
        table = (await older.reflect(["parent"]))["parent"]
        async with older.transaction() as connection:
            await connection.execute(table.insert().values(id=1))
        await newer.claim()
        with pytest.raises((LeaseLost, CannotRun)):
            async with older.transaction() as connection:
                await connection.execute(table.insert().values(id=2))
        assert await rows(url, "SELECT id FROM parent") == [(1,)]
        await newer.drop_stages()
    finally:
        await older.close()
        await newer.close()


@pytest.mark.parametrize("kind", TARGETS)
async def test_a_target_remembers_whose_copy_it_is(database: Database, kind: str) -> None:
    url = database(kind)
    target = open_target(_job(url, url).target)
    try:
        await target.claim()
        assert await target.owner() is None
        assert await target.own("01") == "01"
        assert await target.own("02") == "01"
        await target.drop_stages()
    finally:
        await target.close()


@pytest.mark.parametrize("ends", PAIRS)
async def test_a_batch_accounts_for_every_record_and_a_second_one_changes_nothing(
    district: Callable[[str], Any], database: Database, ends: tuple[str, str]
) -> None:
    source, state = await district(ends[0]), database(ends[1])
    await run_script(state, STATE)
    heard = await run(_job(source, state))
    assert heard.status is Status.FAILED or heard.status is Status.COMPLETED
    assert heard.counts["Parent"] == Counts(processed=5, inserted=3, excluded=2)
    assert heard.counts["Child"] == Counts(processed=4, inserted=2, blocked=1, rejected=1)
    assert all(
        each.processed == each.inserted + each.updated + each.unchanged + each.errors for each in heard.counts.values()
    )
    held = await rows(state, "SELECT id, name, paid, born, due FROM parent ORDER BY id")
    assert [_plain(row) for row in held] == [
        (1, "Ada", True, "2010-02-28", Decimal("12.5")),
        (2, "Ben", False, "2012-02-29", Decimal(0)),
        (4, "Cid", None, None, None),
    ]
    again = await run(_job(source, state, token=2, batch=2))
    assert again.counts["Parent"] == Counts(processed=5, unchanged=3, excluded=2)
    assert again.counts["Child"] == Counts(processed=4, unchanged=2, blocked=1, rejected=1)


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    number, name, paid, born, due = row
    return (
        number,
        name,
        None if paid is None else bool(paid),
        None if born is None else str(born)[:10],
        None if due is None else Decimal(str(due)),
    )


async def test_a_pair_that_cannot_be_is_refused_by_name(database: Database) -> None:
    odd, file, server = "odd:///nowhere", "sqlite:///nowhere.db", "postgresql://nowhere/x"
    assert [can_feed(one, other) for one in (server, file, odd) for other in (server, file)] == [
        True, False, True, True, True, True,
    ]  # fmt: skip
    with pytest.raises(CannotRun, match="A PostgreSQL district cannot be pushed into a SQLite state"):
        require_pair(server, file)
    with pytest.raises(CannotRun, match="A SQLite district cannot be pushed into a odd state"):
        await run_batch(_job(file, odd), Heard())
    with pytest.raises(ConfigError, match="oracle:// is no database"):
        await run_batch(_job("oracle://x/y", file), Heard())


WITHOUT = """
import asyncio, importlib.abc, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(f"{name}.".startswith(f"{each}.") for each in sys.argv[3:]):
            raise ImportError(f"{name} is not to be imported")
sys.meta_path.insert(0, Blocker())
from datetime import date
from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.batch import run_batch
from resync_tui.engine.job import Job, Limits
from resync_tui.plan import make_plan
catalog = Catalog("Any", (DisObject("Parent", ("parent",)), DisObject("Child", ("child",), ("Parent",))))
plan = make_plan(catalog, ["Child"], 2026)
names = dict(source_name="the district", target_name="the state", today=date(2026, 3, 1))
job = Job(sys.argv[1], sys.argv[2], catalog, plan, "01", None, batch=1, token=1, limits=Limits(), **names)
print(asyncio.run(run_batch(job, lambda event: None)))
"""


@pytest.mark.parametrize(("kind", "other"), [("postgresql", "sqlite"), ("sqlite", "postgres")])
async def test_a_batch_needs_nothing_of_the_other_kind(
    district: Callable[[str], Any], database: Database, kind: str, other: str
) -> None:
    source, state = await district(kind), database(kind)
    await run_script(state, STATE)
    driver = {"sqlite": "aiosqlite", "postgres": "asyncpg"}[other]
    blocked = [driver, f"resync_tui.engine.backends.{other}", f"resync_tui.databases.{other}"]
    done = await anyio.run_process([sys.executable, "-c", WITHOUT, source, state, *blocked], check=False)
    assert done.stdout.decode().strip() in ("completed", "failed"), done.stderr.decode()
    assert await rows(state, "SELECT count(*) FROM parent") == [(5,)]


def test_the_third_kind_is_no_file_of_the_package() -> None:
    assert issubclass(odd_kind.OddSource, Source)
    package = Path(__file__).parents[3] / "resync_tui"
    assert not [path for path in package.rglob("*.py") if "odd:" in path.read_text("utf-8")]
