"""A state's key that cannot tell apart what the district's does is refused; one that may not, record by record."""

import pytest

from resync_tui.outcome import Counts, Status
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import SMALL, YEARS, Database, every_pair, pair

DISTRICT = """CREATE TABLE calendar (cal integer PRIMARY KEY, endyear integer);
INSERT INTO calendar VALUES (1, 2026), (2, 2025);
CREATE TABLE visit (k integer, cal integer NOT NULL REFERENCES calendar (cal), grade text{key});
INSERT INTO visit VALUES (1, 1, 'now'), (1, 2, 'before'), (2, 1, 'now'), (3, 2, 'before');"""
STATE = """CREATE TABLE calendar (tenant varchar(9), cal integer, endyear integer, PRIMARY KEY (tenant, cal));
CREATE TABLE visit (tenant varchar(9), k integer, cal integer NOT NULL, grade text, PRIMARY KEY (tenant, k),
FOREIGN KEY (tenant, cal) REFERENCES calendar (tenant, cal));"""


@every_pair
@pytest.mark.parametrize("key", [", PRIMARY KEY (k, cal)", ", UNIQUE (cal, k)"])
async def test_a_part_of_the_districts_key_is_refused(database: Database, ends: tuple[str, str], key: str) -> None:
    here = await pair(database, ends, district=DISTRICT.format(key=key), state=STATE)
    heard = await run(make_job(here.district, here.state, YEARS, "01"))
    assert heard.statuses == {"Calendar": Status.COMPLETED, "Visit": Status.FAILED}
    told = "The key of the state's table visit (k) cannot tell apart what the district's key does."
    assert heard.ended["Visit"].message.startswith(told)
    assert await here.held("SELECT count(*) FROM visit") == [(0,)]


@every_pair
async def test_a_key_that_two_years_share_is_rejected(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=DISTRICT.format(key=""), state=STATE)
    for token, inserted in ((1, 1), (2, 0)):
        heard = await run(make_job(here.district, here.state, YEARS, "01", token=token))
        assert heard.counts["Visit"] == Counts(processed=2, inserted=inserted, unchanged=1 - inserted, rejected=1)
        assert heard.refused == {("visit", (1,), "rejected", "its key occurs more than once in the district"): 1}
    assert await here.held("SELECT k, grade FROM visit") == [(2, "now")]


@every_pair
async def test_a_unique_part_of_the_districts_key_is_a_key(database: Database, ends: tuple[str, str]) -> None:
    district = "DROP TABLE c; CREATE TABLE c (id integer UNIQUE, code varchar(40), b integer, PRIMARY KEY (id, b));"
    here = await pair(database, ends, district)
    await run_script(here.district, "INSERT INTO c VALUES (1, 'z', 1);")
    assert (await run(make_job(here.district, here.state, SMALL, "01", ["C"]))).counts["C"].inserted == 1
