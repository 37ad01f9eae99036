"""A large table is read over two connections where another object's turn is free, each record once."""

from typing import Any

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.backends.postgres import copy, target
from resync_tui.engine.job import Limits
from resync_tui.engine.read import extract
from resync_tui.outcome import Counts
from tests.support.running import make_job, run
from tests.support.small import Database, pair

TABLE = 'CREATE TABLE t (id integer, v varchar({{}}), w uuid, x text COLLATE "C", PRIMARY KEY ({}));'
ROWS = (
    "INSERT INTO t SELECT i, i, gen_random_uuid(), i FROM generate_series(-500, 1499) i;"
    "UPDATE t SET v = 'too long' WHERE id % 500 = 7"
)
CATALOG = Catalog("Large", (DisObject("T", ("t",)),))


@pytest.fixture
def pipes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The queries that are copied; a thousand rows are many."""
    queries, pipe = list[Any](), copy.pipe

    async def noting(*arguments: Any) -> None:
        queries.append(arguments[2])
        await pipe(*arguments)

    monkeypatch.setattr(extract, "SPLIT_ROWS", 1000)
    monkeypatch.setattr(target, "pipe", noting)
    return queries


@pytest.mark.parametrize("key", ["id", "id, v", "w", "x"])
@pytest.mark.parametrize(("concurrency", "copies"), [(2, 2), (1, 1)])
async def test_each_record_of_a_large_table_is_read_once(
    database: Database, pipes: list[Any], concurrency: int, copies: int, key: str
) -> None:
    table = TABLE.format(key).format
    here = await pair(database, ("postgresql", "postgresql"), ROWS, "", district=table(40), state=table(4))
    job = make_job(here.district, here.state, CATALOG, None, limits=Limits(concurrency=concurrency))
    heard = await run(job)
    assert heard.counts["T"] == Counts(processed=2000, inserted=1997, rejected=3)
    assert len(pipes) == copies
    assert (await here.held("SELECT count(*), min(id), max(id), sum(id) FROM t"))[0][:3] == (1997, -500, 1499)
    again = await run(job)
    assert again.counts["T"] == Counts(processed=2000, unchanged=1997, rejected=3)
    assert len(pipes) == copies + 1, "only the buckets of the bad records are copied again"
