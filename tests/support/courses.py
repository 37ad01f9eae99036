"""A district's courses and their sections, and a state with a unique code: what becomes of a course made anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.job import Limits
from resync_tui.outcome import Purpose
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import Database, Pair, pair

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
CREATE TABLE course (tenant varchar(9), id integer, code {code}, PRIMARY KEY (tenant, id),
    UNIQUE (tenant, code));
CREATE TABLE section (tenant varchar(9), id integer, course integer NOT NULL, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, course) REFERENCES course (tenant, id));
"""
ANEW = """
UPDATE course SET code = 'old' WHERE id = 7; INSERT INTO course VALUES (107, 'C7');
UPDATE section SET course = 107 WHERE course = 7; DELETE FROM course WHERE id = 7;
"""
TIGHT = "varchar(2) NOT NULL"
"""Type of a code in which nothing can be set aside."""
HOLDS = "1 record of course cannot have values that extra records hold (id 7): "


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


async def site(
    database: Database, ends: tuple[str, str], then: str, *, more_state: str = "", code: str = TIGHT
) -> Site:
    """Return a pair of which all was sent before the district changed."""
    made = Site(await pair(database, ends, district=DISTRICT, state=STATE.format(code=code) + more_state))
    assert (await made.done()).ended["Course"].message == ""
    await run_script(made.here.district, then)
    return made
