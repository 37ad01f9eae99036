"""A unique value that a record holds which the district no longer has: what is told, and that it leads out."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.job import Limits
from resync_tui.outcome import Counts, Purpose
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import SAME, Database, Pair, pair

COURSES = Catalog(
    "Courses",
    (DisObject("Course", ("course",)), DisObject("Section", ("section",), ("Course",))),
    tenant_column="tenant",
)
DISTRICT = """
CREATE TABLE course (id integer PRIMARY KEY, code varchar(9) NOT NULL UNIQUE);
CREATE TABLE section (id integer PRIMARY KEY, course integer NOT NULL REFERENCES course (id));
INSERT INTO course VALUES (1, 'C1'), (7, 'C7'); INSERT INTO section VALUES (1, 1), (7, 7);
"""
STATE = """
CREATE TABLE course (tenant varchar(9), id integer, code varchar(9) NOT NULL, PRIMARY KEY (tenant, id),
    UNIQUE (tenant, code));
CREATE TABLE section (tenant varchar(9), id integer, course integer NOT NULL, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, course) REFERENCES course (tenant, id));
"""
ANEW = """
UPDATE course SET code = 'old' WHERE id = 7; INSERT INTO course VALUES (107, 'C7');
UPDATE section SET course = 107 WHERE course = 7; DELETE FROM course WHERE id = 7;
"""
HOLDS = "1 record of course cannot have values that extra records hold (id 7): "
BY_HAND = f"{HOLDS}records of Section point to these and wait for those: give these another code in the state by hand"


@dataclass(frozen=True)
class Site:
    """A pair of ends, and batches of it."""

    here: Pair
    tokens: Iterator[int] = field(default_factory=lambda: count(1))

    async def done(self, purpose: Purpose = Purpose.RESYNC, *objects: str) -> Heard:
        job = make_job(
            self.here.district,
            self.here.state,
            COURSES,
            "01",
            objects or None,
            token=next(self.tokens),
            check_dependencies=False,
            limits=Limits(extra_share=1),
        )
        return await run(replace(job, purpose=purpose))


async def site(database: Database, ends: tuple[str, str], then: str, *, more_state: str = "") -> Site:
    """Return a pair of which all was sent before the district changed."""
    made = Site(await pair(database, ends, district=DISTRICT, state=STATE + more_state))
    assert (await made.done()).ended["Course"].message == ""
    await run_script(made.here.district, then)
    return made


@pytest.mark.parametrize("purpose", [Purpose.RESYNC, Purpose.VERIFY])
@pytest.mark.parametrize("ends", SAME)
async def test_what_waits_for_the_records_kept_out_is_told(
    database: Database, ends: tuple[str, str], purpose: Purpose
) -> None:
    made = await site(database, ends, ANEW)
    heard = await made.done(purpose)
    counts = heard.counts["Course"]
    assert (counts.processed, counts.unchanged, counts.rejected, counts.extra) == (2, 1, 1, 1)
    assert heard.ended["Course"].message.startswith(BY_HAND)
    assert heard.counts["Section"] == Counts(processed=2, unchanged=1, blocked=1)
    assert heard.ended["Section"].message == ""


@pytest.mark.parametrize("ends", SAME)
async def test_the_step_by_hand_leads_out(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW)
    await made.done()
    await run_script(made.here.state, "UPDATE course SET code = 'old' WHERE id = 7")
    heard = await made.done()
    assert {name: (each.inserted, each.updated, each.errors) for name, each in heard.counts.items()} == {
        "Course": (1, 0, 0), "Section": (0, 1, 0)
    }  # fmt: skip
    assert (await made.done(Purpose.REMOVE_EXTRA)).counts["Course"].removed == 1
    assert await made.here.held("SELECT id, code FROM course ORDER BY id") == [(1, "C1"), (107, "C7")]
    assert await made.here.held("SELECT id, course FROM section ORDER BY id") == [(1, 1), (7, 107)]


@pytest.mark.parametrize("ends", SAME)
async def test_an_object_outside_the_batch_is_to_be_sent_too(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW.replace("course = 107", "course = 1"))
    heard = await made.done(Purpose.RESYNC, "Course")
    way = "then remove-extra, then send this again"
    assert heard.ended["Course"].message == f"{HOLDS}send Section too, {way}"
    heard = await made.done()
    assert heard.counts["Section"] == Counts(processed=2, unchanged=1, updated=1)
    heard = await made.done()
    assert heard.ended["Course"].message == HOLDS + way.removeprefix("then ")
    assert (await made.done(Purpose.REMOVE_EXTRA)).counts["Course"].removed == 1
    assert (await made.done()).counts["Course"] == Counts(processed=2, unchanged=1, inserted=1)


@pytest.mark.parametrize("ends", SAME)
async def test_a_table_of_no_object_is_named(database: Database, ends: tuple[str, str]) -> None:
    seat = """CREATE TABLE seat (tenant varchar(9), id integer, course integer,
        FOREIGN KEY (tenant, course) REFERENCES course (tenant, id));"""
    made = await site(database, ends, ANEW.replace("course = 107", "course = 1"), more_state=seat)
    await run_script(made.here.state, "INSERT INTO seat VALUES ('01', 1, 7)")
    told = "records of seat point to these: move or remove them in the state, then remove-extra"
    assert (await made.done()).ended["Course"].message == HOLDS + told
