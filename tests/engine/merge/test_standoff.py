"""A unique value that a record holds which the district no longer has: what is told, and that it leads out."""

from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Purpose
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import SAME, Database, pair

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
TOLD = "1 record of course cannot have values that extra records hold: send Section too, then remove-extra, then send"


@pytest.mark.parametrize("purpose", [Purpose.RESYNC, Purpose.VERIFY])
@pytest.mark.parametrize("ends", SAME)
async def test_a_value_that_an_extra_record_holds_is_told(
    database: Database, ends: tuple[str, str], purpose: Purpose
) -> None:
    here = await pair(database, ends, district=DISTRICT, state=STATE)

    async def done(purpose: Purpose, token: int) -> Heard:
        job = make_job(here.district, here.state, COURSES, "01", token=token)
        return await run(replace(job, purpose=purpose))

    assert (await done(Purpose.RESYNC, 1)).ended["Course"].message == ""
    await run_script(here.district, ANEW)
    heard = await done(purpose, 2)
    counts = heard.counts["Course"]
    assert (counts.processed, counts.unchanged, counts.rejected, counts.extra) == (2, 1, 1, 1)
    assert heard.ended["Course"].message.startswith(TOLD)
    assert heard.counts["Section"] == Counts(processed=2, unchanged=1, blocked=1)
    assert heard.ended["Section"].message == ""
