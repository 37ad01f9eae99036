"""Every record is accounted for: what agents report and the state holds, against an oracle that shares no code with it.

It is the same chance each time; RESYNC_TUI_TEST_SEED gives another seed.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from resync_tui.agent.service import run_agent
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.outcome import Counts, Status
from resync_tui.plan import Request, make_plan
from tests.support.comparison import Comparison
from tests.support.oracle.campus import CATALOG, Campus, known, make_campus
from tests.support.oracle.oracle import Oracle
from tests.support.oracle.shape import dump, versions
from tests.support.oracle.verdict import Outcome, compare, outcome
from tests.support.running import TODAY, make_job, run

pytestmark = pytest.mark.long
Database = Callable[[str], str]
ALL = [each.name for each in CATALOG.objects]
TERMS = ("processed", "inserted", "updated", "unchanged", "excluded", "rejected", "blocked", "extra")
CONFIG = """
[control]
url = "sqlite:///control.db"
[state]
name = "NV"
url = "{state}"
[years]
current = 2026
"""
DISTRICT = """
[[district]]
id = "{id}"
name = "District {id}"
url = "{url}"
"""


def configured(folder: Path, campus: Campus) -> Settings:
    """Return the settings of a campus' districts and state."""
    districts = [DISTRICT.format(id=tenant, url=url) for tenant, url in campus.districts.items()]
    (folder / "resync.toml").write_text(CONFIG.format(state=campus.state) + "".join(districts))
    return load_settings(folder / "resync.toml")


async def resync(settings: Settings) -> dict[str, Outcome]:
    """Send everything for all districts, let an agent do it, and return what history and errors say of each."""
    store = await Store.open(settings.control_url())
    try:
        plan = make_plan(load_catalog(settings), ALL, 2026)
        districts = [each.id for each in settings.district]
        batches = await store.submit(Request(districts, plan, initiator="district", requested_by=store.rights.user))
        await run_agent(settings, once=True, idle_seconds=None)
        outcomes = {}
        for batch in batches:
            ended = await store.batch(batch.batch)
            assert (ended.status, ended.message) == (Status.COMPLETED, "")
            refused = [
                (each.table, tuple(each.key.values()), str(each.kind), each.reason)
                for each in await store.errors(batch.batch)
            ]
            outcomes[batch.district] = Outcome(history(settings, batch.batch), refused)
        return outcomes
    finally:
        await store.close()


def history(settings: Settings, batch: int) -> dict[str, tuple[Status, Counts, str]]:
    """Return a batch's rows of DISBatchHistory, read by a plain driver."""
    query = f'SELECT "objectName", "status", "message", {", ".join(TERMS)} FROM "DISBatchHistory" WHERE "batchID" = ?'
    with closing(sqlite3.connect(settings.path.parent / "control.db")) as connection:
        rows = connection.execute(query, (batch,)).fetchall()
    return {
        name: (Status(status), Counts(**dict(zip(TERMS, terms, strict=True))), message)
        for name, status, message, *terms in rows
    }


@pytest.mark.parametrize(
    ("source", "target", "tenants"),
    [
        ("sqlite", "sqlite", ("01",)),
        ("postgresql", "postgresql", ("01", "02")),
        pytest.param("sqlite", "postgresql", ("01",), marks=pytest.mark.matrix),
    ],
)
async def test_result_equals_the_oracle_and_a_rerun_changes_nothing(
    database: Database, tmp_path: Path, random: Random, source: str, target: str, tenants: tuple[str, ...]
) -> None:
    campus = await make_campus(database, random, source, target, tenants)
    settings = configured(tmp_path, campus)
    knowledge = known(datetime.now().astimezone().date())
    districts = {tenant: await dump(url) for tenant, url in campus.districts.items()}
    before = await dump(campus.state)
    oracles = {tenant: Oracle(CATALOG, ALL, tenant, districts[tenant], before, knowledge) for tenant in tenants}
    outcomes = await resync(settings)
    after = await dump(campus.state)
    for tenant, oracle in oracles.items():
        compare(oracle, outcomes[tenant], after, others=set(tenants) - {tenant})

    written = await versions(campus.state)
    again = await resync(settings)
    assert await versions(campus.state) == written
    for tenant in tenants:
        oracle = Oracle(CATALOG, ALL, tenant, districts[tenant], after, knowledge)
        compare(oracle, again[tenant], after)
        assert not sum(counts.inserted + counts.updated for _, counts, _ in again[tenant].ends.values())


@pytest.mark.parametrize(
    ("kind", "comparison"),
    [
        pytest.param("postgresql", Comparison.TEXT, marks=pytest.mark.matrix),
        pytest.param("postgresql", Comparison.OFF, marks=pytest.mark.matrix),
        pytest.param("sqlite", Comparison.BESIDE, marks=pytest.mark.matrix),
    ],
    indirect=["comparison"],
)
async def test_state_equals_the_oracle_with_every_comparison_method(
    database: Database, random: Random, kind: str
) -> None:
    campus = await make_campus(database, random, kind, kind, ("01",))
    district, before = await dump(campus.districts["01"]), await dump(campus.state)
    job = make_job(campus.districts["01"], campus.state, CATALOG, "01")
    compare(
        Oracle(CATALOG, ALL, "01", district, before, known(TODAY)), outcome(await run(job)), await dump(campus.state)
    )
    after, written = await dump(campus.state), await versions(campus.state)
    compare(Oracle(CATALOG, ALL, "01", district, after, known(TODAY)), outcome(await run(job)), after)
    assert await versions(campus.state) == written


@pytest.mark.parametrize("check_dependencies", [True, pytest.param(False, marks=pytest.mark.matrix)])
async def test_partial_resync_touches_exactly_the_tables_of_its_plan(
    database: Database, random: Random, check_dependencies: bool
) -> None:
    campus = await make_campus(database, random, "sqlite", "postgresql", ("01",))
    before, written = await dump(campus.state), await versions(campus.state)
    job = make_job(
        campus.districts["01"], campus.state, CATALOG, "01", ["Enrollment"], check_dependencies=check_dependencies
    )
    planned = {table for name in job.plan.names for table in CATALOG[name].tables}
    heard = await run(job)
    oracle = Oracle(CATALOG, job.plan.names, "01", await dump(campus.districts["01"]), before, known(TODAY))
    compare(oracle, outcome(heard), await dump(campus.state))
    now = await versions(campus.state)
    touched = {table for table, rows in now.items() if rows != written[table]}
    changed = {table for table in planned if oracle.accounts.counts[table]["updated"]}
    assert changed <= touched <= planned
    assert "Enrollment" in touched
