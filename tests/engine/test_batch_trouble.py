"""What a database refuses while a batch reads: told in words, with what to do, and without a value."""

from dataclasses import replace

import pytest

from resync_tui.catalog import Rule
from resync_tui.errors import CannotRun
from resync_tui.outcome import Status
from tests.support.running import make_job, run
from tests.support.small import ROWS, SMALL, Database, pair

FAILS = {"sqlite": "abs(t.id - 9223372036854775807 - 2) > 0", "postgresql": "1 / (t.id - 1) > 0"}


@pytest.mark.parametrize(("kind", "code"), [("sqlite", "SQLITE_ERROR"), ("postgresql", "22012")])
async def test_a_rule_that_fails_on_a_record_is_told(database: Database, kind: str, code: str) -> None:
    here = await pair(database, (kind, kind), ROWS)
    rule = Rule("odd", "a", FAILS[kind], "Odd")
    catalog = replace(SMALL, object=(replace(SMALL["A"], rule=(rule,)),))
    heard = await run(make_job(here.district, here.state, catalog, "01"))
    assert heard.statuses == {"A": Status.FAILED}
    message = heard.ended["A"].message
    assert message.startswith("In the state or the district a value could not be")
    assert code in message
    assert await here.held("SELECT * FROM a") == []


async def test_a_stage_that_others_made_otherwise_is_told(database: Database) -> None:
    here = await pair(
        database,
        ("postgresql", "postgresql"),
        ROWS,
        "CREATE SCHEMA resync_stage; CREATE TABLE resync_stage.fence (tenant text PRIMARY KEY)",
    )
    with pytest.raises(CannotRun, match="a table, column, type or function is not there, or not as it was") as refused:
        await run(make_job(here.district, here.state, SMALL, "01"))
    assert "42703" in refused.value.what
