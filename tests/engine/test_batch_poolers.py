"""Poolers between the agent and its databases: settings hold or are refused by name, lent sessions are refused."""

from urllib.parse import urlsplit

import pytest

from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts
from tests.support.databases import run_script
from tests.support.pooler import pooler
from tests.support.running import make_job, run
from tests.support.small import ROWS, SMALL, Database, pair

PG = ("postgresql", "postgresql")
SUM = "SELECT 0.1::float8 + 0.2::float8"


def database_name(url: str) -> str:
    return urlsplit(url).path[1:]


async def test_settings_hold_behind_a_pooler_that_drops_them(database: Database) -> None:
    here = await pair(
        database,
        PG,
        f"ALTER TABLE c ADD gpa float8; INSERT INTO c SELECT 1, 'x', 1, ({SUM})",
        "ALTER TABLE c ADD gpa float8",
    )
    await run_script(here.district, f"ALTER DATABASE {database_name(here.district)} SET extra_float_digits = 0")
    with pooler(here.district) as district, pooler(here.state) as state:
        heard = await run(make_job(district, state, SMALL, "01", ["C"]))
    assert heard.counts["C"] == Counts(processed=1, inserted=1)
    assert await here.held("SELECT gpa FROM c") == [(0.1 + 0.2,)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"extra_float_digits", b"extra_float_digitz", "extra_float_digits = 1: it is not known there"),
        (b"postgres\0\0\0\3UTC", b"iso_8601\0\0\0\3UTC", "IntervalStyle = postgres: it reads iso_8601"),
    ],
)
@pytest.mark.parametrize("end", [0, 1])
async def test_a_setting_that_does_not_hold_is_named(
    database: Database, old: bytes, new: bytes, told: str, end: int
) -> None:
    here = await pair(database, PG, ROWS)
    urls = [here.district, here.state]
    with pooler(urls[end], rewritten={old: new}) as urls[end]:
        with pytest.raises(CannotRun) as refused:
            await run(make_job(urls[0], urls[1], SMALL, "01"))
        assert told in refused.value.what
        assert f":{urlsplit(urls[end]).port}/" in refused.value.what
    assert "pooler in session mode" in refused.value.do
    assert await here.held("SELECT * FROM a") == []


@pytest.mark.parametrize(("end", "named"), [(0, "the district"), (1, "the state")])
async def test_a_pooler_in_transaction_mode_is_refused(database: Database, end: int, named: str) -> None:
    here = await pair(database, PG, ROWS)
    urls = [here.district, here.state]
    refusal = pytest.raises(CannotRun, match="A pooler in transaction mode stands before")
    with pooler(urls[end], by_transaction=True) as urls[end], refusal as refused:
        await run(make_job(urls[0], urls[1], SMALL, "01"))
    assert named in refused.value.what
    assert await here.held("SELECT * FROM a") == []
