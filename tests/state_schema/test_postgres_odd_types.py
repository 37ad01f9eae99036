"""SQLite takes any words for a type: what PostgreSQL does not know becomes the nearest type, and records arrive."""

from datetime import datetime

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts
from resync_tui.state_schema.derive import apply
from tests.support.databases import rows, run_script
from tests.support.running import make_job, run
from tests.support.small import Database

ODD = """
CREATE TABLE odd (id integer PRIMARY KEY, a STRING, b FLOATING POINT, c MYTYPE(3), d INT UNSIGNED, e, f DATETIME2);
INSERT INTO odd VALUES (1, '007', 1.5, 'abc', 7, 'e', '2026-01-01 00:00:00'), (2, NULL, NULL, NULL, NULL, NULL, NULL);
"""


async def test_words_that_are_no_type_of_postgresql_are_translated(database: Database) -> None:
    district, state = database("sqlite"), database("postgresql")
    await run_script(district, ODD)
    catalog = Catalog("Odd", (DisObject("Odd", ("odd",)),), tenant_column="tenant")
    await apply(district, state, catalog)
    heard = await run(make_job(district, state, catalog, "01"))
    assert heard.counts["Odd"] == Counts(processed=2, inserted=2), heard.ended
    query = "SELECT a, b, c, d, e, f FROM odd ORDER BY id"
    assert await rows(state, query) == [("7", 1.5, "abc", 7, "e", datetime(2026, 1, 1)), (None,) * 6]
    heard = await run(make_job(district, state, catalog, "01", token=2))
    assert heard.counts["Odd"] == Counts(processed=2, unchanged=2)
