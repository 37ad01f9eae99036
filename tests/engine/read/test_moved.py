"""Records that the state has in the run's school year and the district in another are seen, sent and named."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.events import RecordsFound
from resync_tui.engine.job import Job, Limits
from resync_tui.outcome import Counts, Finding, Purpose, Status
from resync_tui.plan import make_plan
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import MIXED, SAME, Database, Pair, pair

YEARS = Catalog(
    "Years",
    (
        DisObject("Calendar", ("calendar",), school_year=True),
        DisObject("Visit", ("visit",), ("Calendar",), school_year=True),
    ),
    tenant_column="tenant",
    year="calendar.endyear",
)
DISTRICT = """CREATE TABLE calendar (cal integer PRIMARY KEY, endyear integer);
CREATE TABLE visit (k integer{key}, cal integer NOT NULL REFERENCES calendar (cal), grade text);
INSERT INTO calendar VALUES (1, 2026), (2, 2025), (3, 2026);
INSERT INTO visit VALUES (1, 1, '09'), (2, 1, '09'), (3, 1, 'moves'), (4, 3, '11'), (5, 3, '12'), (6, 2, 'old');"""
STATE = """CREATE TABLE calendar (tenant varchar(9), cal integer, endyear integer, PRIMARY KEY (tenant, cal));
CREATE TABLE visit (tenant varchar(9), k integer, cal integer NOT NULL, grade text, PRIMARY KEY (tenant, k),
FOREIGN KEY (tenant, cal) REFERENCES calendar (tenant, cal));"""
OF_2026 = """SELECT count(*) FROM visit v JOIN calendar c ON c.tenant = v.tenant AND c.cal = v.cal
WHERE c.endyear = 2026 AND v.tenant = '01'"""
LEAVES = "UPDATE visit SET cal = 2 WHERE k = 3; UPDATE calendar SET endyear = 2025 WHERE cal = 3;"
KINDS = [
    (*SAME[0], True),
    (*SAME[0], False),
    (*SAME[1], True),
    *(pytest.param((*MIXED, wal), marks=pytest.mark.matrix) for wal in (True, False)),
]


def job(
    here: Pair,
    token: int,
    purpose: Purpose = Purpose.RESYNC,
    year: int = 2026,
    names: Sequence[str] = ("Calendar", "Visit"),
) -> Job:
    """Return a job of a school year, of which 2026 is the current one."""
    made = make_job(here.district, here.state, YEARS, "01", token=token)
    plan = make_plan(YEARS, names, year, check_dependencies=False)
    return replace(made, plan=plan, purpose=purpose, current_year=2026)


def moved(heard: Heard) -> dict[str, list[object]]:
    """Return the keys of moved records that a comparison named, by table."""
    found = [each for each in heard.events if isinstance(each, RecordsFound) and each.finding is Finding.MOVED]
    return {each.table: [value for key in each.keys for value in key.values()] for each in found}


async def sent(database: Database, kind: tuple[str, str, bool], key: str = " PRIMARY KEY") -> Pair:
    """Return ends of which the state has 2026, with another district's records beside it."""
    source, state, wal = kind
    here = await pair(database, (source, state), district=DISTRICT.format(key=key), state=STATE)
    if wal and source == "sqlite":
        await run_script(here.district, "PRAGMA journal_mode = WAL;")
        if state == "sqlite":
            await run_script(here.state, "PRAGMA journal_mode = WAL;")
    await run_script(
        here.state, "INSERT INTO calendar VALUES ('02', 1, 2026); INSERT INTO visit VALUES ('02', 3, 1, 'x');"
    )
    heard = await run(job(here, 1))
    assert heard.counts["Visit"] == Counts(processed=5, inserted=5)
    return here


@pytest.mark.parametrize("kind", KINDS)
async def test_what_left_the_year_is_compared_and_sent_with_it(database: Database, kind: tuple[str, str, bool]) -> None:
    here = await sent(database, kind)
    await run_script(here.district, LEAVES)
    told = await run(job(here, 2, Purpose.VERIFY))
    assert moved(told) == {"calendar": [3], "visit": [3, 4, 5]}
    assert told.counts["Calendar"] == Counts(processed=2, updated=1, unchanged=1)
    assert told.counts["Visit"] == Counts(processed=5, unchanged=4, blocked=1)
    assert told.ended["Visit"].message == "3 records of visit moved to 2024-25"
    heard = await run(job(here, 3))
    assert heard.counts["Calendar"] == Counts(processed=2, updated=1, unchanged=1)
    assert heard.counts["Visit"] == Counts(processed=5, unchanged=4, blocked=1)
    reason = "it moved to 2024-25, of which its parent is not in the state: send that year"
    assert heard.refused == {("visit", (3,), "blocked", reason): 1}
    assert heard.status is Status.COMPLETED
    assert await here.held(OF_2026) == [(3,)]
    await run(job(here, 4, year=2025))
    assert await here.held(OF_2026) == [(2,)]
    again = await run(job(here, 5, Purpose.VERIFY))
    assert again.counts["Visit"] == Counts(processed=2, unchanged=2)
    assert moved(again) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", [" PRIMARY KEY", ""])
async def test_a_run_of_its_old_year_mends_it(database: Database, kind: tuple[str, str, bool], key: str) -> None:
    here = await sent(database, kind, key)
    await run(job(here, 2, year=2025))
    await run_script(here.district, "UPDATE visit SET cal = 2, grade = 'moved' WHERE k IN (2, 3);")
    heard = await run(job(here, 3, names=("Visit",)))
    assert heard.counts["Visit"] == Counts(processed=5, updated=2, unchanged=3)
    assert await here.held(OF_2026) == [(3,)]
    assert await here.held("SELECT tenant, grade FROM visit WHERE k = 3 ORDER BY 1") == [("01", "moved"), ("02", "x")]
    gone = await run(job(here, 4, Purpose.REMOVE_EXTRA))
    assert sum(each.removed for each in gone.counts.values()) == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_what_moved_into_the_current_year_from_another(database: Database, kind: tuple[str, str, bool]) -> None:
    here = await sent(database, kind)
    await run(job(here, 2, year=2025))
    await run_script(here.district, "UPDATE visit SET cal = 1 WHERE k = 6;")
    told = await run(job(here, 3, Purpose.VERIFY, 2025))
    assert moved(told) == {"visit": [6]}
    assert told.ended["Visit"].message == "1 record of visit moved to 2025-26"
    heard = await run(job(here, 4, year=2025))
    assert heard.counts["Visit"] == Counts(processed=1, updated=1)
    assert await here.held(OF_2026) == [(6,)]


@pytest.mark.parametrize("kind", KINDS)
async def test_moved_and_extra_records_are_told_apart(database: Database, kind: tuple[str, str, bool]) -> None:
    here = await sent(database, kind)
    await run_script(here.district, LEAVES + "DELETE FROM visit WHERE k = 2;")
    told = await run(job(here, 2, Purpose.VERIFY))
    assert told.counts["Visit"] == Counts(processed=4, unchanged=3, blocked=1, extra=1)
    assert moved(told)["visit"] == [3, 4, 5]
    gone = await run(replace(job(here, 3, Purpose.REMOVE_EXTRA), limits=Limits(extra_share=1)))
    assert gone.counts["Visit"].removed == 1
    assert await here.held("SELECT k FROM visit WHERE tenant = '01' ORDER BY k") == [(1,), (3,), (4,), (5,)]
