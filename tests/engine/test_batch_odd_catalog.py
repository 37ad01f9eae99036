"""The engine on a catalog of another shape than Campus', with random rows: every record accounted for all the same."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.support.comparison import every_comparison
from tests.support.databases import rows
from tests.support.oracle.odd import KNOWN, make_odd
from tests.support.oracle.oracle import Oracle
from tests.support.oracle.shape import dump, versions
from tests.support.oracle.verdict import compare, outcome
from tests.support.running import make_job, run
from tests.support.small import ENDS

Database = Callable[[str], str]


@pytest.mark.parametrize(
    ("tenant", "first_load"),
    [
        pytest.param(True, False, id="tenant-differences"),
        pytest.param(False, True, id="plain-copy-first-load"),
        pytest.param(True, True, id="tenant-first-load", marks=pytest.mark.matrix),
        pytest.param(False, False, id="plain-copy-differences", marks=pytest.mark.matrix),
    ],
)
@every_comparison(ENDS)
async def test_odd_tables_match_the_oracle_and_rerun_changes_nothing(
    database: Database, random: Random, ends: tuple[str, str], tenant: bool, first_load: bool
) -> None:
    odd = await make_odd(database, random, ends, tenant=tenant, first_load=first_load)
    district, before = await dump(odd.district), await dump(odd.state)
    oracle = Oracle(odd.catalog, odd.names, odd.tenant, district, before, KNOWN)
    job = make_job(odd.district, odd.state, odd.catalog, odd.tenant)
    heard = await run(job)
    after = await dump(odd.state)
    compare(oracle, outcome(heard), after)
    marks = Counter(mark for (mark,) in await rows(odd.state, 'SELECT "mark" FROM "order"'))
    held, inserted = len(before.rows["order"]), oracle.accounts.counts["order"]["inserted"]
    assert marks == +Counter({"kept": held, "new": inserted})

    written = await versions(odd.state)
    again = await run(job)
    assert await versions(odd.state) == written
    compare(Oracle(odd.catalog, odd.names, odd.tenant, district, after, KNOWN), outcome(again), after)
    assert not sum(counts.inserted + counts.updated for counts in again.counts.values())
