"""What may be removed from the state: no more than was shown, nothing on which others hang, of the run's year alone."""

import secrets
from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog
from resync_tui.engine.events import RecordsFound
from resync_tui.engine.job import Job, Limits
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Finding, Purpose, Status, key_text
from tests.support.databases import login, run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import ROWS, SAME, SMALL, YEARS, Database, Pair, every_pair, pair

ANY = Limits(extra_share=1)
HANGING = """
DROP TABLE d; DROP TABLE c;
CREATE TABLE c (tenant varchar(9), id integer, code varchar(20), b integer, PRIMARY KEY (tenant, id));
CREATE TABLE d (tenant varchar(9), id integer, b integer, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, b) REFERENCES b (tenant, id) ON DELETE {action});
CREATE TABLE award (number integer PRIMARY KEY, tenant varchar(9), d integer, title text,
    FOREIGN KEY (tenant, d) REFERENCES d (tenant, id) ON DELETE CASCADE);
"""
ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT")


async def sent(database: Database, ends: tuple[str, str], more_state: str = "") -> Pair:
    """Return a pair whose state has all that its district has."""
    here = await pair(database, ends, ROWS, more_state)
    assert (await run(make_job(here.district, here.state, SMALL, "01"))).status is Status.COMPLETED
    return here


def job(here: Pair, purpose: Purpose, *names: str, token: int, catalog: Catalog = SMALL) -> Job:
    made = make_job(
        here.district, here.state, catalog, "01", names or None, token=token, check_dependencies=False, limits=ANY
    )
    return replace(made, purpose=purpose)


def extra(heard: Heard) -> dict[str, list[dict[str, object]]]:
    """Return the keys of extra records that a batch named, by table."""
    found = [each for each in heard.events if isinstance(each, RecordsFound) and each.finding is Finding.EXTRA]
    return {each.table: [dict(key) for key in each.keys] for each in found}


@every_pair
@pytest.mark.parametrize("action", ACTIONS)
async def test_a_record_stays_while_others_hang_on_it(database: Database, ends: tuple[str, str], action: str) -> None:
    here = await sent(database, ends, HANGING.format(action=action))
    await run_script(
        here.state,
        """INSERT INTO b VALUES ('01', 7, NULL, 'free'), ('01', 8, NULL, 'held'); INSERT INTO d VALUES ('01', 70, 8);
        INSERT INTO award VALUES (1, '01', 70, 'honours');""",
    )
    whole = "SELECT (SELECT count(*) FROM d), (SELECT count(b) FROM d), (SELECT count(*) FROM award)"
    before = await here.held(whole)
    told = (await run(job(here, Purpose.VERIFY, "B", token=2))).ended["B"].message
    assert told == f"1 of d (tenant, b) ON DELETE {action} hang on extra records of b, which stay"
    heard = await run(job(here, Purpose.REMOVE_EXTRA, "B", token=3))
    assert heard.counts["B"] == Counts(processed=2, extra=2, removed=1, rejected=1)
    assert [(*key, reason) for _, key, _, reason in heard.refused] == [
        (8, f"records hang on it by d (tenant, b) ON DELETE {action}")
    ]
    assert await here.held(whole) == before
    assert await here.held("SELECT id FROM b WHERE id > 2") == [(8,)]


@pytest.mark.parametrize("ends", SAME)
async def test_what_hangs_on_it_may_go_first_if_it_is_extra_too(database: Database, ends: tuple[str, str]) -> None:
    here = await sent(database, ends, HANGING.format(action="CASCADE"))
    await run_script(here.state, "INSERT INTO b VALUES ('01', 8, NULL, 'held'); INSERT INTO d VALUES ('01', 70, 8);")
    heard = await run(job(here, Purpose.REMOVE_EXTRA, "B", "D", token=3))
    assert {name: each.removed for name, each in heard.counts.items()} == {"B": 1, "D": 1}
    assert await here.held("SELECT count(*) FROM b WHERE id = 8") == [(0,)]


@pytest.mark.parametrize("ends", SAME)
async def test_a_tree_of_one_table_goes_from_its_leaves(database: Database, ends: tuple[str, str]) -> None:
    here = await sent(
        database,
        ends,
        """DROP TABLE c; CREATE TABLE c (tenant varchar(9), id integer, code varchar(20), b integer,
        PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, b) REFERENCES c (tenant, id) ON DELETE CASCADE);""",
    )
    await run_script(
        here.state, "INSERT INTO c VALUES ('01', 10, NULL, NULL), ('01', 11, NULL, 10), ('01', 12, NULL, 11);"
    )
    heard = await run(job(here, Purpose.REMOVE_EXTRA, "C", token=3))
    assert heard.counts["C"] == Counts(processed=3, extra=3, removed=3)


@every_pair
async def test_only_what_was_consented_to_may_go(database: Database, ends: tuple[str, str]) -> None:
    here = await sent(database, ends)
    await run_script(here.state, "INSERT INTO c VALUES ('01', 7, 'p', NULL);")
    shown = extra(await run(job(here, Purpose.VERIFY, "C", token=2)))
    consent = {table: frozenset(map(key_text, keys)) for table, keys in shown.items()}  # type: ignore[arg-type]
    await run_script(here.state, "INSERT INTO c VALUES ('01', 8, 'q', NULL);")
    removal = replace(job(here, Purpose.REMOVE_EXTRA, "C", token=3), consent=consent)
    heard = Heard()
    with pytest.raises(CannotRun, match=r"extra that the preview did not show \(1 of c\)"):
        await run(removal, heard)
    assert extra(heard) == {"c": [{"id": 7}, {"id": 8}]}
    assert await here.held("SELECT id FROM c WHERE id > 1 ORDER BY 1") == [(7,), (8,)]
    await run_script(here.state, "DELETE FROM c WHERE id = 8;")
    assert (await run(replace(removal, token=4))).counts["C"] == Counts(processed=1, extra=1, removed=1)
    await run_script(here.state, "INSERT INTO c VALUES ('01', 9, 'r', NULL);")
    with pytest.raises(CannotRun, match="did not show"):
        await run(replace(removal, token=5, consent={}))


DISTRICT = """CREATE TABLE calendar (cal integer PRIMARY KEY, endyear integer);
INSERT INTO calendar VALUES (1, 2026), (2, 2025);
CREATE TABLE visit (k {kind} PRIMARY KEY, cal integer NOT NULL REFERENCES calendar (cal));
INSERT INTO visit VALUES ({one}, 1), ({moved}, 1);"""
STATE = """CREATE TABLE calendar (tenant varchar(9), cal integer, endyear integer, PRIMARY KEY (tenant, cal));
CREATE TABLE visit (tenant varchar(9), k {kind}, cal integer NOT NULL, PRIMARY KEY (tenant, k){way});"""
WAY = ", FOREIGN KEY (tenant, cal) REFERENCES calendar (tenant, cal)"

KEYS = [
    ("postgresql", "postgresql", "uuid", "uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A1"),
    ("postgresql", "postgresql", "timestamp", "timestamp", "2026-01-03 08:00:0"),
    ("postgresql", "postgresql", "numeric", "numeric", "3.5"),
    ("postgresql", "postgresql", "bytea", "bytea", "\\x0"),
    ("postgresql", "postgresql", "text", "char(4)", "c "),
    ("sqlite", "postgresql", "text", "uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A1"),
    ("sqlite", "postgresql", "datetime", "timestamp", "2026-01-03 08:00:0"),
    ("sqlite", "postgresql", "date", "date", "2026-01-0"),
    ("sqlite", "postgresql", "decimal(6,2)", "numeric(6,2)", "3.5"),
    ("sqlite", "postgresql", "time", "time", "08:0"),
    ("sqlite", "sqlite", "datetime", "datetime", "2026-01-03 08:00:0"),
    ("sqlite", "sqlite", "date", "date", "2026-01-0"),
    ("sqlite", "sqlite", "text", "text", "c"),
]


@pytest.mark.parametrize(("source", "target", "ours", "theirs", "value"), KEYS)
async def test_what_the_district_has_in_another_year_is_not_extra(
    database: Database, source: str, target: str, ours: str, theirs: str, value: str
) -> None:
    one, moved = (f"'{value}{number}'" for number in (1, 2))
    here = await pair(
        database,
        (source, target),
        district=DISTRICT.format(kind=ours, one=one, moved=moved),
        state=STATE.format(kind=theirs, way=WAY),
    )
    assert (await run(make_job(here.district, here.state, YEARS, "01"))).counts["Visit"].inserted == 2
    await run_script(here.district, f"UPDATE visit SET cal = 2 WHERE k = {moved}")
    assert extra(await run(job(here, Purpose.VERIFY, token=2, catalog=YEARS))) == {}
    heard = await run(job(here, Purpose.REMOVE_EXTRA, token=3, catalog=YEARS))
    assert sum(each.removed for each in heard.counts.values()) == 0
    assert await here.held("SELECT count(*) FROM visit") == [(2,)]


async def test_what_hangs_unseen_keeps_all_of_its_table(database: Database) -> None:
    here = await sent(database, SAME[1], HANGING.format(action="NO ACTION"))
    role = f"guest_{secrets.token_hex(4)}"
    await run_script(
        here.state,
        f"""INSERT INTO d VALUES ('01', 70, NULL); INSERT INTO award VALUES (1, '01', 70, 'honours');
        CREATE ROLE {role} LOGIN PASSWORD 'geheim'; GRANT ALL ON a, b, c, d TO {role};
        GRANT ALL ON SCHEMA resync_stage TO {role}; GRANT ALL ON resync_stage.fence TO {role};""",
    )
    as_guest = Pair(here.district, login(here.state, role))
    reason = "this login need not see all that hangs on it by award (tenant, d) ON DELETE CASCADE"
    try:
        assert (await run(job(as_guest, Purpose.VERIFY, "D", token=2))).ended["D"].message == f"d: {reason}"
        with pytest.raises(CannotRun, match="Nothing was removed of d"):
            await run(job(as_guest, Purpose.REMOVE_EXTRA, "D", token=3))
        assert await here.held("SELECT count(*) FROM award") == [(1,)]
    finally:
        await run_script(here.state, f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
