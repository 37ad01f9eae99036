"""Small new tables without a stage: the same records, counts and reasons as through one."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.backends.base import Source
from resync_tui.engine.backends.postgres.target import PostgresTarget
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge.direct import DirectMerge
from resync_tui.engine.objects import ObjectRun
from resync_tui.errors import LeaseLost
from resync_tui.outcome import Counts
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import Database, Pair, leftovers, pair

ENDS = ("postgresql", "postgresql")
CATALOG = Catalog(
    "Plain", (DisObject("P", ("p",)), DisObject("K", ("k",), ("P",)), DisObject("O", ("o",))), tenant_column="tenant"
)
DISTRICT = """
CREATE TABLE p (id integer PRIMARY KEY, name text);
CREATE TABLE k (id integer PRIMARY KEY, p integer, code varchar(10), size numeric(8,2));
CREATE TABLE o (id integer PRIMARY KEY, at timestamptz, share real, raw bytea, tags text[]);
INSERT INTO p VALUES (1, E'tab\\tline\\nback\\\\slash'), (2, ''), (3, NULL), (4, '\\N'), (5, '\\.');
INSERT INTO k VALUES (1, 1, 'a', 1.5), (2, 2, 'b', NULL), (3, NULL, NULL, 'NaN');
INSERT INTO o VALUES (1, '2026-03-01 12:00:00.5+02', 0.1, '\\x00ff', ARRAY['x', NULL, 'y,z']);
"""
STATE = """
CREATE TABLE p (tenant varchar(9), id integer, name text, PRIMARY KEY (tenant, id));
CREATE TABLE k (tenant varchar(9), id integer, p integer, code varchar(10), size numeric(8,2),
    PRIMARY KEY (tenant, id), UNIQUE (tenant, code), CHECK (id < 1000),
    FOREIGN KEY (tenant, p) REFERENCES p (tenant, id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE o (tenant varchar(9), id integer, at timestamptz, share real, raw bytea, tags text[],
    PRIMARY KEY (tenant, id));
"""
ALL = (
    "SELECT 'p', p::text FROM p UNION ALL SELECT 'k', k::text FROM k UNION ALL SELECT 'o', o::text FROM o ORDER BY 1, 2"
)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tables that were staged."""
    names: list[str] = []
    create = PostgresTarget.create_stages

    async def listen(self: PostgresTarget, mappings: Sequence[TableMapping], source: Source) -> None:
        names.extend(mapping.name for mapping in mappings)
        await create(self, mappings, source)

    monkeypatch.setattr(PostgresTarget, "create_stages", listen)
    return names


async def plain(database: Database, more_district: str = "", more_state: str = "") -> Pair:
    return await pair(database, ENDS, more_district, more_state, district=DISTRICT, state=STATE)


async def send(here: Pair, *, direct: bool = True, token: int = 1) -> Heard:
    return await run(replace(make_job(here.district, here.state, CATALOG, "01", token=token), direct=direct))


async def test_small_new_tables_take_no_stage(database: Database, staged: list[str]) -> None:
    here = await plain(database)
    heard = await send(here)
    assert staged == []
    assert heard.counts == {
        "P": Counts(processed=5, inserted=5),
        "K": Counts(processed=3, inserted=3),
        "O": Counts(processed=1, inserted=1),
    }
    direct = await here.held(ALL)
    assert await leftovers(here.state) == []
    await run_script(here.state, "TRUNCATE p, k, o")
    assert (await send(here, direct=False, token=2)).counts == heard.counts
    assert sorted(staged) == ["k", "o", "p"]
    assert await here.held(ALL) == direct
    assert (await send(here, token=3)).counts["P"] == Counts(processed=5, unchanged=5)


@pytest.mark.parametrize(
    "bad",
    [
        "INSERT INTO k VALUES (1000, 1, 'x', 1)",
        "INSERT INTO k VALUES (7, 1, 'b', 1), (8, 99, 'c', 1)",
        "DELETE FROM p WHERE id = 1",
    ],
    ids=["check", "unique value and no parent", "parents gone"],
)
async def test_what_the_state_refuses_is_told_as_ever(database: Database, staged: list[str], bad: str) -> None:
    here = await plain(database, bad)
    direct = await send(here)
    assert staged == ["k"]
    assert direct.counts["K"].errors > 0
    held = await here.held(ALL)
    await run_script(here.state, "TRUNCATE p, k, o")
    ordinary = await send(here, direct=False, token=2)
    assert (direct.counts, direct.refused) == (ordinary.counts, ordinary.refused)
    assert direct.details == ordinary.details
    assert await here.held(ALL) == held
    assert await leftovers(here.state) == []


@pytest.mark.parametrize(
    "unlike",
    [
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.code := 'set'; RETURN NEW; END $$;"
        " CREATE TRIGGER t BEFORE INSERT ON k FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TABLE log (id integer); CREATE RULE r AS ON INSERT TO k DO ALSO INSERT INTO log VALUES (1)",
        "ALTER TABLE k DISABLE TRIGGER ALL",
        "ALTER TABLE k ALTER code TYPE varchar(2)",
        "ALTER TABLE k ALTER size TYPE numeric(8,1)",
        "ALTER TABLE k ALTER p TYPE bigint",
        "DROP TABLE k; CREATE TABLE k (tenant varchar(9), id integer, p integer, code varchar(10), size numeric(8,2))",
    ],
    ids=["trigger", "rule", "not enforced", "narrower", "rounds", "another type", "no key"],
)
async def test_a_table_that_may_alter_or_keep_more_is_staged(
    database: Database, staged: list[str], unlike: str
) -> None:
    here = await plain(database, "INSERT INTO k VALUES (8, 99, 'c', 1)", unlike)
    heard = await send(here)
    assert staged == ["k"]
    await run_script(here.state, "TRUNCATE p, k, o")
    assert (await send(here, direct=False, token=2)).counts == heard.counts


async def test_rows_too_large_for_memory_are_staged(database: Database, staged: list[str]) -> None:
    here = await plain(database, "INSERT INTO p SELECT 6, repeat('x', 2000000)")
    heard = await send(here)
    assert staged == ["p"]
    assert heard.counts["P"] == Counts(processed=6, inserted=6)
    assert heard.counts["K"] == Counts(processed=3, inserted=3)
    assert await here.held("SELECT length(name) FROM p WHERE id = 6") == [(2_000_000,)]


async def test_a_superseded_batch_inserts_no_held_rows(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    here = await plain(database)
    insert = DirectMerge.insert

    async def superseded(self: DirectMerge, runs: Sequence[ObjectRun]) -> None:
        await run_script(here.state, "UPDATE resync_stage.fence SET token = 2")
        await insert(self, runs)

    monkeypatch.setattr(DirectMerge, "insert", superseded)
    with pytest.raises(LeaseLost):
        await send(here)
    assert await here.held(ALL) == []
