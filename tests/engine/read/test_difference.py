"""What is asked of every small table is asked in one statement, and a table that cannot be asked harms no other."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

import anyio
import asyncpg
import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.backends.base import Query, Source
from resync_tui.engine.backends.postgres.source import PostgresSource
from resync_tui.engine.backends.postgres.target import PostgresTarget
from resync_tui.engine.backends.sqlite.source import SqliteSource
from resync_tui.engine.backends.sqlite.target import SqliteTarget
from resync_tui.engine.job import Limits
from resync_tui.outcome import Status
from tests.support.databases import rows, run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import DISTRICT, ROWS, SAME, SMALL, STATE, Database, pair
from tests.support.waiting import until

CONCURRENCY = 2
"""Objects side by side, and so statements."""


async def asked(database: Database, ends: tuple[str, str], tables: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many queries a batch puts to both ends where so many tables are as they should be."""
    of_district = "".join(f"CREATE TABLE t{n} (id integer PRIMARY KEY, v integer);" for n in range(tables))
    of_state = "".join(
        f"CREATE TABLE t{n} (tenant varchar(9), id integer, v integer, PRIMARY KEY (tenant, id));"
        for n in range(tables)
    )
    filled = "".join(f"INSERT INTO t{n} VALUES (1, {n}), (2, NULL);" for n in range(tables))
    me = "CREATE TABLE me (number varchar(9)); INSERT INTO me VALUES ('01');"
    objects = tuple(DisObject(f"T{n}", (f"t{n}",)) for n in range(tables))
    catalog = Catalog("Many", objects, tenant_column="tenant", identity="me.number")
    here = await pair(database, ends, filled, district=of_district + me, state=of_state)
    first = await run(make_job(here.district, here.state, catalog, "01", token=1))
    assert sum(each.inserted for each in first.counts.values()) == 2 * tables
    queries = Counter[str]()
    with monkeypatch.context() as patch:
        for kind in (PostgresSource, PostgresTarget, SqliteSource, SqliteTarget):
            fetch = kind.fetch

            async def counting(self: object, query: Query, *, patient: bool = True, fetch: object = fetch) -> object:
                queries[type(self).__name__] += 1
                return await fetch(self, query, patient=patient)  # type: ignore[operator]

            patch.setattr(kind, "fetch", counting)
        again = await run(make_job(here.district, here.state, catalog, "01", token=2))
    assert sum(each.unchanged for each in again.counts.values()) == 2 * tables
    return queries.total()


async def test_how_many_tables_there_are_makes_no_difference(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = ("postgresql", "postgresql")
    few = await asked(database, ends, 2 * CONCURRENCY, monkeypatch)
    assert few == await asked(database, ends, 20 * CONCURRENCY, monkeypatch)


@pytest.mark.parametrize(("ends", "journal"), [(SAME[0], "delete"), (SAME[0], "wal"), (SAME[1], "")])
async def test_district_table_dropped_in_mid_batch_fails_alone(
    database: Database, ends: tuple[str, str], journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is the state's table of that name taken for it, which a connection to both files would offer."""
    others = "INSERT INTO c VALUES ('02', 77, 'other', NULL);"
    mode = f"PRAGMA journal_mode = {journal};" if journal else ""
    here = await pair(database, ends, ROWS, others, district=mode + DISTRICT, state=mode + STATE)
    reflect = Source.reflect

    async def then_drop(self: Source, names: Iterable[str]) -> object:
        found = await reflect(self, names)
        await run_script(here.district, "DROP TABLE c")
        return found

    monkeypatch.setattr(Source, "reflect", then_drop)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.statuses == {"A": Status.COMPLETED, "B": Status.COMPLETED, "C": Status.FAILED, "D": Status.COMPLETED}
    assert heard.counts["A"].inserted == heard.counts["B"].inserted == 2
    assert await here.held("SELECT tenant, id FROM c") == [("02", 77)]


async def test_districts_own_transaction_is_never_a_deadlock_victim(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    own = await asyncpg.connect(here.district)
    await own.execute(
        "SET deadlock_timeout = '500ms'"
    )  # before the batch would look: who finds a deadlock is its victim
    reflect = Source.reflect

    async def then_lock(self: Source, names: Iterable[str]) -> object:
        found = await reflect(self, names)
        await own.execute("BEGIN; LOCK TABLE b IN ACCESS EXCLUSIVE MODE")
        return found

    monkeypatch.setattr(Source, "reflect", then_lock)
    waiting = """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                 AND application_name LIKE 'resync-tui/%'"""
    outcome: list[Heard] = []

    async def work() -> None:
        job = make_job(here.district, here.state, SMALL, "01", limits=Limits(concurrency=1))
        outcome.append(await run(job))

    async def is_waiting() -> bool:
        return bool(await rows(here.district, waiting))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await until(is_waiting)
        await own.execute("LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
        await own.execute("ROLLBACK")
    await own.close()
    assert set(outcome[0].statuses.values()) == {Status.COMPLETED}


async def test_a_table_that_may_not_be_read_fails_alone(database: Database) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS, district=DISTRICT, state=STATE)
    parts = urlsplit(here.district)
    name = parts.path[1:]
    await run_script(
        here.district,
        f"CREATE ROLE {name} LOGIN PASSWORD 'reader'; GRANT SELECT ON me, a, b, d TO {name};",
    )
    reader = urlunsplit(parts._replace(netloc=f"{name}:reader@{parts.hostname}:{parts.port}"))
    try:
        heard = await run(make_job(reader, here.state, SMALL, "01"))
    finally:
        await run_script(here.district, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")
    assert heard.statuses == {"A": Status.COMPLETED, "B": Status.COMPLETED, "C": Status.FAILED, "D": Status.COMPLETED}
    assert "the district" in heard.ended["C"].message
