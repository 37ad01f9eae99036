"""A state that refuses every statement, or every record: only records that are there are counted, each once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Purpose, Status
from tests.support.databases import rows, run_script
from tests.support.running import make_job, run
from tests.support.small import SMALL, Database, pair

TO_POSTGRES = [("postgresql", "postgresql"), ("sqlite", "postgresql")]
STATEMENTS = 400
"""More than a few records take, and less than a chunk of numbers one by one."""

STUBBORN = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
CREATE TRIGGER stubborn BEFORE {} ON {} FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""
"""Refuses a statement that is about no row as well."""
STUBBORN_SQLITE = "CREATE TRIGGER stubborn BEFORE {} ON {} BEGIN SELECT RAISE(ABORT, 'not now'); END;"
FIVE = "INSERT INTO a VALUES (3, 'three'), (10, 'hidden'), (40, 'forty'), (50, 'fifty'), (60, 'hidden'), (70, 'x');"
HELD = "INSERT INTO a VALUES ('01', 3, 'three'), ('01', 40, 'changed'), ('01', 99, 'extra'), ('01', 98, 'extra');"


@contextmanager
def at_most(statements: int) -> Iterator[None]:
    """Fail at the first statement beyond so many."""
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += 1
        assert done <= statements

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def stubborn(kind: str, what: str, table: str) -> str:
    return (STUBBORN if kind == "postgresql" else STUBBORN_SQLITE).format(what, table)


@pytest.mark.parametrize("ends", [*TO_POSTGRES, ("sqlite", "sqlite")])
@pytest.mark.parametrize(
    ("refused", "counts"),
    [
        ("INSERT", Counts(processed=6, updated=1, unchanged=1, excluded=2, rejected=2, extra=2)),
        ("UPDATE", Counts(processed=6, inserted=2, unchanged=1, excluded=2, rejected=1, extra=2)),
    ],
)
async def test_only_records_that_are_there_are_rejected(
    database: Database, ends: tuple[str, str], refused: str, counts: Counts
) -> None:
    here = await pair(database, ends, FIVE, HELD + stubborn(ends[1], refused, "a"))
    with at_most(STATEMENTS):
        heard = await run(make_job(here.district, here.state, SMALL, "01", ["A"]))
    assert heard.counts["A"] == counts
    rejected = {key for _, key, kind, _ in heard.refused if kind == "rejected"}
    assert rejected == ({(50,), (70,)} if refused == "INSERT" else {(40,)})


@pytest.mark.parametrize("ends", TO_POSTGRES)
async def test_so_it_is_where_the_state_holds_nothing(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, FIVE, stubborn(ends[1], "INSERT", "a"))
    with at_most(STATEMENTS):
        heard = await run(make_job(here.district, here.state, SMALL, "01", ["A"]))
    assert heard.counts["A"] == Counts(processed=6, excluded=2, rejected=4)


@pytest.mark.parametrize("ends", TO_POSTGRES)
async def test_so_it_is_in_a_table_that_points_at_itself(database: Database, ends: tuple[str, str]) -> None:
    catalog = Catalog("Tree", (DisObject("T", ("t",)),))
    table = "CREATE TABLE t (id integer PRIMARY KEY, up integer REFERENCES t (id));"
    trees = "INSERT INTO t VALUES (1, NULL), (5, 1), (9, 5);"
    once = "INSERT INTO t VALUES (1, NULL);"
    here = await pair(
        database, ends, district=table + trees, state=table + once + stubborn(ends[1], "INSERT", "t")
    )  # fmt: skip
    with at_most(STATEMENTS):
        heard = await run(make_job(here.district, here.state, catalog, None))
    assert heard.counts["T"] == Counts(processed=3, unchanged=1, rejected=1, blocked=1)


@pytest.mark.parametrize("ends", TO_POSTGRES)
async def test_so_it_is_where_extra_records_are_to_go(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, FIVE, HELD)
    job = make_job(here.district, here.state, SMALL, "01", ["A"])
    await run(job)
    await run_script(here.state, stubborn(ends[1], "DELETE", "a"))
    removal = replace(job, token=2, purpose=Purpose.REMOVE_EXTRA, limits=replace(job.limits, extra_share=1))
    with at_most(STATEMENTS):
        heard = await run(removal)
    assert heard.statuses == {"A": Status.COMPLETED}
    assert heard.counts["A"] == Counts(processed=2, extra=2, rejected=2)
    assert await rows(here.state, "SELECT count(*) FROM a WHERE id > 90") == [(2,)]
