"""Every record is accounted for: the engine's numbers against those of an oracle that shares no code with it."""

import os
import secrets
from collections.abc import Callable
from random import Random

import anyio
import pytest

from tests.accounts.campus import CATALOG, KNOWN, make_campus
from tests.accounts.oracle import Oracle
from tests.accounts.shape import dump
from tests.accounts.verdict import compare
from tests.engine.running import Heard, make_job, run

Database = Callable[[str], str]
ALL = [each.name for each in CATALOG.objects]


@pytest.fixture
def random() -> Random:
    """Chance from a fresh seed, which a failure prints and the environment may give."""
    seed = int(os.environ.get("RESYNC_TUI_TEST_SEED", secrets.randbits(32)))
    print(f"RESYNC_TUI_TEST_SEED={seed}")
    return Random(seed)


@pytest.mark.parametrize(("source", "target"), [("sqlite", "sqlite"), ("sqlite", "postgresql")])
async def test_one_district(database: Database, random: Random, source: str, target: str) -> None:
    campus = await make_campus(database, random, source, target, ("01",))
    before = await dump(campus.state)
    oracle = Oracle(CATALOG, ALL, "01", await dump(campus.districts["01"]), before, KNOWN)
    heard = await run(make_job(campus.districts["01"], campus.state, CATALOG, "01"))
    after = await dump(campus.state)
    compare(oracle, heard, after)


async def test_two_postgres_districts_at_once(database: Database, random: Random) -> None:
    campus = await make_campus(database, random, "postgresql", "postgresql", ("01", "02"))
    before = await dump(campus.state)
    oracles = {
        tenant: Oracle(CATALOG, ALL, tenant, await dump(url), before, KNOWN) for tenant, url in campus.districts.items()
    }
    heard: dict[str, Heard] = {}

    async def one(tenant: str) -> None:
        heard[tenant] = await run(make_job(campus.districts[tenant], campus.state, CATALOG, tenant))

    async with anyio.create_task_group() as tasks:
        for tenant in campus.districts:
            tasks.start_soon(one, tenant)
    after = await dump(campus.state)
    for tenant, oracle in oracles.items():
        compare(oracle, heard[tenant], after, others=campus.districts.keys() - {tenant})
