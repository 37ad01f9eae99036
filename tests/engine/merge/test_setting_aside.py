"""Extra records that give up a unique value to a record of the district, and what keeps others from it."""

from random import Random

import pytest

from resync_tui.outcome import Counts, Detail, Purpose
from tests.support.courses import ANEW, COURSES, HOLDS, site
from tests.support.databases import insert, run_script
from tests.support.oracle.oracle import Knowledge, Oracle
from tests.support.oracle.shape import dump
from tests.support.oracle.verdict import compare, outcome
from tests.support.running import make_job, run
from tests.support.small import SAME, Database, pair

HELD = "SELECT id, code FROM course ORDER BY id"
SECTIONS = "SELECT id, course FROM section ORDER BY id"
ROOMY = "varchar(9) NOT NULL"
TOLD = "1 extra record of course {} up a unique value to records of the district: see verify, then remove-extra"


@pytest.mark.parametrize("ends", SAME)
async def test_an_extra_record_gives_up_its_value(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW, code=ROOMY)
    heard = await made.done(Purpose.VERIFY)
    assert heard.counts["Course"] == Counts(processed=2, unchanged=1, inserted=1, extra=1)
    assert heard.ended["Course"].message == TOLD.format("would give")
    heard = await made.done()
    assert heard.counts["Course"] == Counts(processed=2, unchanged=1, inserted=1, extra=1)
    assert heard.counts["Section"] == Counts(processed=2, unchanged=1, updated=1)
    assert heard.ended["Course"].message == TOLD.format("gave")
    assert await made.here.held(HELD) == [(1, "C1"), (7, "~~7"), (107, "C7")]
    assert await made.here.held(SECTIONS) == [(1, 1), (7, 107)]
    again = await made.done()
    assert again.counts["Course"] == Counts(processed=2, unchanged=2, extra=1)
    assert again.ended["Course"].message == ""
    assert (await made.done(Purpose.REMOVE_EXTRA)).counts["Course"].removed == 1
    assert await made.here.held(HELD) == [(1, "C1"), (107, "C7")]


@pytest.mark.parametrize("ends", SAME)
async def test_a_record_that_changes_takes_a_value_too(database: Database, ends: tuple[str, str]) -> None:
    taken = "UPDATE section SET course = 1; DELETE FROM course WHERE id = 7; UPDATE course SET code = 'C7' WHERE id = 1"
    made = await site(database, ends, taken, code=ROOMY)
    assert (await made.done()).counts["Course"] == Counts(processed=1, updated=1, extra=1)
    assert await made.here.held(HELD) == [(1, "C7"), (7, "~~7")]


@pytest.mark.parametrize("ends", SAME)
async def test_values_in_a_ring_and_of_an_extra_record(database: Database, ends: tuple[str, str]) -> None:
    now = """UPDATE section SET course = 1; DELETE FROM course WHERE id = 7; UPDATE course SET code = 'C7' WHERE id = 1;
    INSERT INTO course VALUES (9, 'C1');"""
    made = await site(database, ends, now, code=ROOMY)
    assert (await made.done()).counts["Course"] == Counts(processed=2, inserted=1, updated=1, extra=1)
    assert await made.here.held(HELD) == [(1, "C7"), (7, "~~7"), (9, "C1")]


@pytest.mark.parametrize("ends", SAME)
async def test_a_parent_sent_alone_leaves_the_value(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW, code=ROOMY)
    heard = await made.done(Purpose.RESYNC, "Course")
    assert heard.counts["Course"] == Counts(processed=2, unchanged=1, rejected=1, extra=1)
    assert heard.ended["Course"].message.startswith(f"{HOLDS}send Section too")
    assert await made.here.held(HELD) == [(1, "C1"), (7, "C7")]


SEAT = """CREATE TABLE seat (tenant varchar(9), course integer,
    FOREIGN KEY (tenant, course) REFERENCES course (tenant, id)); INSERT INTO seat VALUES ('01', 7);"""
ROOM = """CREATE TABLE room (tenant varchar(9), code varchar(9),
    FOREIGN KEY (tenant, code) REFERENCES course (tenant, code) ON UPDATE CASCADE);"""
OTHERS = "INSERT INTO course VALUES ('01', 8, '~~7')"


@pytest.mark.parametrize("more", [SEAT, ROOM, OTHERS], ids=["pointed at", "code pointed at", "taken"])
@pytest.mark.parametrize("ends", SAME)
async def test_a_value_that_something_depends_on_stays(database: Database, ends: tuple[str, str], more: str) -> None:
    made = await site(database, ends, ANEW, code=ROOMY)
    await run_script(made.here.state, more)
    counts = (await made.done()).counts["Course"]
    assert (counts.inserted, counts.updated, counts.rejected) == (0, 0, 1)
    assert await made.here.held("SELECT code FROM course WHERE id = 7") == [("C7",)]


@pytest.mark.parametrize("ends", SAME)
async def test_a_placeholder_that_the_state_refuses(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW, code=f"{ROOMY} CHECK (code NOT LIKE '~%')")
    heard = await made.done()
    assert heard.counts["Course"] == Counts(processed=2, unchanged=1, rejected=1, extra=1)
    assert heard.ended["Course"].message.startswith(HOLDS)
    assert heard.details["course", 107] == Detail("code", holder_key={"id": 7})
    assert await made.here.held(HELD) == [(1, "C1"), (7, "C7")]


@pytest.mark.parametrize("ends", SAME)
async def test_neither_is_written_if_the_taker_is_refused(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW, code=ROOMY)
    await run_script(made.here.state, "CREATE UNIQUE INDEX only_the_state_finds ON course ((id % 100))")
    assert (await made.done()).counts["Course"] == Counts(processed=2, unchanged=1, rejected=1, extra=1)
    assert await made.here.held(HELD) == [(1, "C1"), (7, "C7")]


@pytest.mark.parametrize("ends", SAME)
async def test_a_value_that_may_be_missing_is_left_out(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW, code="varchar(2)")
    assert (await made.done()).counts["Course"].inserted == 1
    assert await made.here.held(HELD) == [(1, "C1"), (7, None), (107, "C7")]


WORLD = """
CREATE TABLE course ({tenant} id integer{key}, code varchar(9) {code}, room integer {uniques}{course});
CREATE TABLE section ({tenant} id integer{key}, course integer{section});
"""
STRICT = {
    "tenant": "tenant varchar(9),", "key": "", "code": "NOT NULL",
    "uniques": ", UNIQUE (tenant, code), UNIQUE (tenant, room)", "course": ", PRIMARY KEY (tenant, id)",
    "section": ", PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, course) REFERENCES course (tenant, id)",
}  # fmt: skip
LOOSE = {"tenant": "", "key": " PRIMARY KEY", "code": "", "uniques": "", "course": "", "section": ""}


@pytest.mark.parametrize("ends", SAME)
async def test_chance_says_who_gives_up_what(database: Database, ends: tuple[str, str], random: Random) -> None:
    here = await pair(
        database, ends, district=WORLD.format(**LOOSE), state=WORLD.format(**STRICT) + SEAT.partition("INSERT")[0]
    )
    ids = range(1, 31)
    gone, codes, rooms = set(random.sample(ids, 9)), random.sample(ids, 30), random.sample(ids, 30)
    there = [number for number in range(1, 36) if number not in gone]
    await insert(here.state, "course", [("01", n, f"C{n}", random.choice((n, None))) for n in ids])
    await insert(here.state, "section", [("01", n, random.choice(ids)) for n in ids])
    await insert(here.state, "seat", [("01", n) for n in random.sample(ids, 5)])
    await insert(here.district, "course", [(n, f"C{codes[n % 30]}", rooms[n % 30]) for n in there])
    await insert(here.district, "section", [(n, random.choice(there)) for n in random.sample(ids, 24)])
    district, before = await dump(here.district), await dump(here.state)
    job = make_job(here.district, here.state, COURSES, "01")
    heard, after = await run(job), await dump(here.state)
    compare(Oracle(COURSES, ["Course", "Section"], "01", district, before, Knowledge()), outcome(heard), after)
    again = await run(job)
    assert not sum(counts.inserted + counts.updated for counts in again.counts.values())
