"""A tenant's column of the state that does not hold the district's id as it is: refused before anything is read."""

import pytest

from resync_tui.outcome import Counts, Status
from tests.support.running import make_job, run
from tests.support.small import ENDS, ROWS, SMALL, Database, pair

TABLE = "DROP TABLE c; {}CREATE TABLE c (tenant {}, id integer, code varchar(20), b integer, PRIMARY KEY (tenant, id));"
KINDS = "CREATE DOMAIN narrow AS varchar(1); CREATE TYPE ids AS ENUM ('01', '02');"


def state(ends: tuple[str, str], column: str) -> str:
    """Return what gives one table's tenant column a type."""
    return TABLE.format(KINDS if ends[1] == "postgresql" else "", column)


@pytest.mark.parametrize(
    ("ends", "column", "named"),
    [
        (ENDS[1], "varchar(1)", "varchar(1)"),
        (ENDS[2], "char(1)", "char(1)"),
        (ENDS[1], "narrow", "narrow"),
        (ENDS[1], "integer", "integer"),
        (ENDS[1], "ids", "ids"),
        (ENDS[0], "integer", "integer"),
        (ENDS[0], "numeric(9)", "numeric(9)"),
        (ENDS[0], "real", "real"),
    ],
)
async def test_a_column_that_does_not_hold_the_id_fails_its_object(
    database: Database, ends: tuple[str, str], column: str, named: str
) -> None:
    here = await pair(database, ends, ROWS, state(ends, column))
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["A", "C"]))
    assert heard.statuses == {"A": Status.COMPLETED, "C": Status.FAILED}
    message = heard.ended["C"].message
    assert message.lower().startswith(f"c.tenant is {named} in the state: it does not hold the id 01"), message
    assert heard.counts["C"] == Counts()


@pytest.mark.parametrize(
    ("ends", "column"),
    [(ENDS[1], each) for each in ("varchar(2)", "char(9)")] + [(ENDS[0], "varchar(1)"), (ENDS[0], "")],
)
async def test_a_column_that_does_is_taken(database: Database, ends: tuple[str, str], column: str) -> None:
    here = await pair(database, ends, ROWS, state(ends, column))
    for token in (1, 2):
        heard = await run(make_job(here.district, here.state, SMALL, "01", token=token))
        assert heard.counts["C"] == Counts(processed=1, inserted=2 - token, unchanged=token - 1)


async def test_a_number_is_held_by_a_column_of_numbers_in_sqlite(database: Database) -> None:
    number = "UPDATE me SET number = '7';"
    here = await pair(database, ENDS[0], ROWS + number, state(ENDS[0], "integer"))
    heard = await run(make_job(here.district, here.state, SMALL, "7"))
    assert heard.counts["C"] == Counts(processed=1, inserted=1)
