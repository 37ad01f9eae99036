"""ON UPDATE actions of the state: no update rewrites records that were found equal."""

from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Purpose
from tests.support.comparison import every_comparison
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import ENDS, MIXED, SAME, Database, Pair, pair

COURSES = Catalog(
    "Courses",
    (DisObject("Course", ("course",)), DisObject("Section", ("section",), ("Course",))),
    tenant_column="tenant",
)
DISTRICT = """CREATE TABLE course (id integer PRIMARY KEY, code varchar(9), name text);
CREATE TABLE section (id integer PRIMARY KEY, course varchar(9));
INSERT INTO course VALUES (1, 'ART', 'x'), (2, 'BIO', 'x'), (3, 'NEW', 'x');
INSERT INTO section VALUES (1, 'ART'), (2, 'BIO');"""
STATE = """CREATE TABLE course (tenant varchar(9), id integer, code varchar(9), name text,
    PRIMARY KEY (tenant, id), UNIQUE (tenant, code));
CREATE TABLE section (tenant varchar(9), id integer, course varchar(9), PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, course) REFERENCES course (tenant, code) ON UPDATE {action});"""
SWAP = "UPDATE course SET code = CASE code WHEN 'ART' THEN 'BIO' ELSE 'ART' END WHERE code IN ('ART', 'BIO');"


async def sent(database: Database, ends: tuple[str, str], action: str) -> Pair:
    """Make both ends, and send everything once."""
    here = await pair(database, ends, district=DISTRICT, state=STATE.format(action=action))
    assert all(not each.errors for each in (await send(here)).counts.values())
    return here


async def send(here: Pair) -> Heard:
    return await run(make_job(here.district, here.state, COURSES, "01"))


@every_comparison(SAME, more=[MIXED])
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
async def test_a_swap_rewrites_no_record_found_equal(database: Database, ends: tuple[str, str], action: str) -> None:
    here = await sent(database, ends, action)
    await run_script(here.district, SWAP)
    heard = await send(here)
    assert heard.counts["Course"] == Counts(processed=3, unchanged=1, rejected=2), heard.ended
    assert heard.counts["Section"] == Counts(processed=2, unchanged=2)
    told = f"its code would change records of section (tenant, course) ON UPDATE {action}"
    assert {reason for _, _, _, reason in heard.refused} == {told}
    assert await here.held("SELECT id, course FROM section ORDER BY id") == [(1, "ART"), (2, "BIO")]
    verified = await run(replace(make_job(here.district, here.state, COURSES, "01", token=2), purpose=Purpose.VERIFY))
    assert {name: each.rejected for name, each in verified.counts.items()} == {"Course": 2, "Section": 0}


@every_comparison(ENDS)
async def test_what_nothing_refers_to_is_updated(database: Database, ends: tuple[str, str]) -> None:
    here = await sent(database, ends, "CASCADE")
    await run_script(
        here.district, "UPDATE course SET code = 'OTHER' WHERE id = 3; UPDATE course SET name = 'y' WHERE id = 1;"
    )
    heard = await send(here)
    assert heard.counts["Course"] == Counts(processed=3, unchanged=1, updated=2), heard.refused


@every_comparison(ENDS)
async def test_records_that_change_with_it_are_carried_on(database: Database, ends: tuple[str, str]) -> None:
    here = await sent(database, ends, "CASCADE")
    await run_script(
        here.district, "UPDATE course SET code = 'ARTS' WHERE id = 1; UPDATE section SET course = 'ARTS' WHERE id = 1;"
    )
    heard = await send(here)
    assert heard.counts["Course"] == Counts(processed=3, unchanged=2, updated=1), heard.refused
    assert heard.counts["Section"].errors == 0
    assert await here.held("SELECT id, course FROM section ORDER BY id") == [(1, "ARTS"), (2, "BIO")]
    assert all(each.unchanged == each.processed for each in (await send(here)).counts.values())
