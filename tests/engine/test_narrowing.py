"""Columns of the state that refuse some of what the district's may hold are told beforehand; what fits goes."""

import re

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Status
from resync_tui.state_schema.derive import apply
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import SAME, Database, every_pair, pair

COURSES = Catalog("Courses", (DisObject("Course", ("course",)),), tenant_column="tenant")
SAMES = ("smallint", "integer", "bigint", "numeric(6,2)", "numeric(20,0)", "varchar(5)", "char(5)", "text")
WIDE_ENOUGH = (
    ("varchar(5)", "text"),
    ("varchar(5)", "varchar(6)"),
    ("smallint", "integer"),
    ("integer", "numeric(10,0)"),
    ("bigint", "numeric(19,0)"),
    ("numeric(6,2)", "numeric(8,3)"),
    *((each, each) for each in SAMES),
)
NARROWER = (
    ("varchar(6)", "varchar(5)", "texts of more than 5 characters"),
    ("text", "varchar(5)", "texts of more than 5 characters"),
    ("char(7)", "char(6)", "texts of more than 6 characters"),
    ("numeric(8,3)", "numeric(8,2)", "numbers of more digits than 8,2"),
    ("numeric(8,2)", "numeric(8,3)", "numbers of more digits than 8,3"),
    ("numeric", "numeric(8,2)", "numbers of more digits than 8,2"),
    ("integer", "numeric(9,0)", "numbers of more digits than 9,0"),
    ("integer", "smallint", "numbers beyond -32768 to 32767"),
)
OF_SERVERS = (
    ("bigint", "integer", "numbers beyond -2147483648 to 2147483647"),
    ("mood", "mood", "values that are none of its own"),
    ("text", "mood", "values that are none of its own"),
    ("mood", "varchar(3)", "texts of more than 3 characters"),
    ("code", "code", "texts of more than 4 characters"),
)
ENUM_FITS = ("mood", "varchar(4)")
TYPES = "CREATE TYPE mood AS ENUM ('glad'{}); CREATE DOMAIN code AS varchar({});"


def _course(kinds: list[str], key: str) -> str:
    columns = "".join(f"c{number} {kind}, " for number, kind in enumerate(kinds))
    return f"CREATE TABLE course (id integer, {columns}{key});"


@every_pair
async def test_columns_that_refuse_more_are_named_by_the_run(database: Database, ends: tuple[str, str]) -> None:
    both = ends == SAME[1]
    narrower = (*NARROWER, *(OF_SERVERS if both else ()))
    pairs = [*((ours, theirs) for ours, theirs, _ in narrower), *WIDE_ENOUGH, *([ENUM_FITS] if both else [])]
    here = await pair(
        database,
        ends,
        district=TYPES.format(", 'sad'", 5) * both + _course([each[0] for each in pairs], "PRIMARY KEY (id)"),
        state=TYPES.format("", 4) * both
        + _course([each[1] for each in pairs], "tenant text, PRIMARY KEY (tenant, id)"),
    )
    heard = await run(make_job(here.district, here.state, COURSES, "01"))
    assert heard.statuses == {"Course": Status.COMPLETED}, heard.ended
    assert [re.sub(r"(\d), ", r"\1,", each).casefold() for each in heard.notes if each.startswith("course.")] == [
        f"course.c{number} is {ours} in the district but {theirs} in the state: {refused} are rejected"
        for number, (ours, theirs, refused) in enumerate(narrower)
    ]


@every_pair
async def test_records_that_fit_go_and_others_are_rejected(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO course VALUES (1, 'abcde'), (2, 'abcdef');",
        district=_course(["varchar(6)"], "PRIMARY KEY (id)"),
        state=_course(["varchar(5)"], "tenant text, PRIMARY KEY (tenant, id)"),
    )
    heard = await run(make_job(here.district, here.state, COURSES, "01"))
    assert heard.counts["Course"] == Counts(processed=2, inserted=1, rejected=1)
    assert list(heard.refused) == [("course", (2,), "rejected", "c0 is longer than 5")]


@every_pair
async def test_no_column_that_state_init_makes_is_narrower(database: Database, ends: tuple[str, str]) -> None:
    district, state = map(database, ends)
    kinds = [*SAMES, "numeric", "boolean", "date", *(["mood"] if ends == SAME[1] else [])]
    own = TYPES.format("", 4) if ends == SAME[1] else ""
    await run_script(district, own + _course(kinds, "PRIMARY KEY (id)"))
    await apply(district, state, COURSES)
    heard = await run(make_job(district, state, COURSES, "01"))
    assert heard.statuses == {"Course": Status.COMPLETED}, heard.ended
    assert [each for each in heard.notes if each.startswith("course.")] == []
