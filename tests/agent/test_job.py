"""The agent and the real engine, tied together by resync.toml."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from resync_tui.agent.service import run_agent
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.outcome import Counts, Finding, Purpose, Status
from resync_tui.plan import Request, make_plan
from tests.support.small_site import CATALOG, CONFIG, DISTRICT, STATE


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name, script in (("district", DISTRICT), ("state", STATE)):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
            connection.executescript(script)
    (tmp_path / "resync.toml").write_text(CONFIG)
    (tmp_path / "objects.toml").write_text(CATALOG)
    return load_settings(tmp_path / "resync.toml")


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    store = await Store.open(settings.control_url())
    yield store
    await store.close()


async def run(settings: Settings, store: Store) -> int:
    """Send everything, and let an agent do it; return the batch's number."""
    plan = make_plan(load_catalog(settings), ["School"], 2026)
    (batch,) = await store.submit(Request(["01"], plan, initiator="district", requested_by=store.rights.user))
    await run_agent(settings, once=True, idle_seconds=None)
    return batch.batch


@pytest.mark.parametrize("purpose", [Purpose.RESYNC, Purpose.VERIFY])
async def test_batch_of_an_unconfigured_year_reads_and_writes_nothing(
    settings: Settings, store: Store, purpose: Purpose
) -> None:
    plan = make_plan(load_catalog(settings), ["School"], 2025)
    user = store.rights.user
    (sent,) = await store.submit(Request(["01"], plan, initiator="district", requested_by=user, purpose=purpose))
    (settings.path.parent / "district.db").unlink()
    await run_agent(settings, once=True, idle_seconds=None)
    batch = await store.batch(sent.batch)
    assert batch.status is Status.FAILED
    assert "District 01 is not configured for the school year 2024-25" in batch.message
    with closing(sqlite3.connect(settings.path.parent / "state.db")) as state:
        assert state.execute('SELECT count(*) FROM "School"').fetchall() == [(0,)]


async def test_batch_reaches_the_state_and_accounts_for_every_record(settings: Settings, store: Store) -> None:
    number = await run(settings, store)
    batch = await store.batch(number)
    assert batch.message == ""
    assert batch.status is Status.COMPLETED
    assert {each.object: each.counts for each in batch.objects} == {
        "District": Counts(processed=1, unchanged=1),
        "School": Counts(processed=3, inserted=2, rejected=1),
    }
    (refused,) = await store.errors(number)
    assert (refused.table, dict(refused.key)) == ("School", {"schoolID": 3})
    with closing(sqlite3.connect(settings.path.parent / "state.db")) as state:
        names = state.execute('SELECT "name" FROM "School" ORDER BY "schoolID"').fetchall()
    assert names == [("North",), ("South",)]
    log = (settings.path.parent / "agent.log").read_text("utf-8")
    assert "too long" not in log.replace(refused.reason, "")


async def test_source_that_is_another_district_fails_its_batch(settings: Settings, store: Store) -> None:
    with closing(sqlite3.connect(settings.path.parent / "district.db")) as district:
        district.execute("UPDATE \"District\" SET number = '02'")
        district.commit()
    batch = await store.batch(await run(settings, store))
    assert batch.status is Status.FAILED
    assert "says that it is district 02, not 01" in batch.message
    assert {each.status for each in batch.objects} == {Status.SKIPPED}


REGIONAL_RULE = """[[object.rule]]
id = "kept-back"
table = "School"
when = 't."schoolID" = 4'
reason = "Kept back by the state"
"""


async def test_a_region_says_so_in_every_reason_but_a_rules_own(settings: Settings, store: Store) -> None:
    """The trigger keeps the record that holds the name from being set aside."""
    folder, word = settings.path.parent, '[state]\nkind = "regional"\n'
    settings.path.write_text(CONFIG.replace("[state]\n", word))
    (folder / "objects.toml").write_text(CATALOG + REGIONAL_RULE)
    for name, script in (
        ("district", "INSERT INTO School VALUES (4, 1, 'Kept'); ALTER TABLE School ADD state VARCHAR(2);"
                     "UPDATE School SET state = 'NVX' WHERE schoolID = 2"),
        ("state", "ALTER TABLE School ADD state VARCHAR(2); CREATE UNIQUE INDEX u ON School (districtNumber, name);"
                  "INSERT INTO School VALUES ('01', 9, 1, 'North', NULL);"
                  "CREATE TRIGGER keep AFTER DELETE ON School BEGIN SELECT 1; END"),
    ):  # fmt: skip
        with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
            connection.executescript(script)
    number = await run(load_settings(settings.path), store)
    assert {each.key["schoolID"]: each.reason for each in await store.errors(number)} == {
        1: "another record of the region holds this name",
        2: "state is longer than 2",
        3: "name is longer than 9",
        4: "Kept back by the state",
    }
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        connection.execute("ALTER TABLE School DROP COLUMN state")
    (_, school) = (await store.batch(await run(load_settings(settings.path), store))).objects
    assert school.message.startswith("The region's table School has no column state")
    log = (folder / "agent.log").read_text("utf-8").replace("Kept back by the state", "")
    assert "of the region holds" in log
    assert "the state" not in log.lower()


async def test_a_comparison_says_what_differs_and_changes_nothing(settings: Settings, store: Store) -> None:
    plan = make_plan(load_catalog(settings), ["School"], 2026)
    user = store.rights.user
    (batch,) = await store.submit(Request(["01"], plan, initiator="state", requested_by=user, purpose=Purpose.VERIFY))
    await run_agent(settings, once=True, idle_seconds=None)
    assert (await store.batch(batch.batch)).status is Status.COMPLETED
    (group,) = await store.finding_groups(batch.batch)
    assert (group.object, group.finding, group.count) == ("School", Finding.MISSING, 2)
    assert [each.key["schoolID"] for each in await store.findings(batch.batch)] == [1, 2]
    with closing(sqlite3.connect(settings.path.parent / "state.db")) as connection:
        assert connection.execute('SELECT count(*) FROM "School"').fetchone() == (0,)
