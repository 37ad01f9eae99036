"""Which record of the state holds the unique value that a refused one wants: named if it is the same tenant's."""

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Detail
from tests.support.comparison import every_comparison
from tests.support.databases import insert
from tests.support.running import make_job, run
from tests.support.small import ENDS, SAME, Database, pair

CODES = Catalog("Codes", (DisObject("C", ("c",)),), tenant_column="tenant")
DISTRICT = "CREATE TABLE c (id integer, part varchar(9), code varchar(40), PRIMARY KEY (id, part));"
STATE = """
CREATE TABLE c (tenant varchar(9), id integer, part varchar(9), code varchar(20), PRIMARY KEY (tenant, id, part){});
"""
LONG = "x" * 21
"""A value that the state refuses: the record keeps there the one that it has."""
PER_TENANT, WHOLE_STATE = STATE.format(", UNIQUE (tenant, code)"), STATE.format(", UNIQUE (code)")


@every_comparison(ENDS)
async def test_a_holder_is_named_by_its_whole_key(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=DISTRICT, state=PER_TENANT)
    await insert(
        here.district, "c", [(1, "x", "secret"), (2, "x", "free"), (3, "x", "kept"), (9, "y", LONG), (7, "z", LONG)]
    )
    await insert(here.state, "c", [("01", 9, "y", "secret"), ("02", 8, "z", "free"), ("01", 7, "z", "kept")])
    heard = await run(make_job(here.district, here.state, CODES, "01"))
    assert heard.details == {
        ("c", 1): Detail("code", holder_key={"id": 9, "part": "y"}),
        ("c", 3): Detail("code", holder_key={"id": 7, "part": "z"}),
        ("c", 7): Detail("code", 21),
        ("c", 9): Detail("code", 21),
    }
    assert "secret" not in repr(heard.events)


@every_comparison(ENDS)
async def test_a_holder_of_another_district_is_not_named(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=DISTRICT, state=WHOLE_STATE)
    await insert(here.district, "c", [(1, "x", "theirs"), (2, "x", "ours"), (9, "y", LONG)])
    await insert(here.state, "c", [("02", 8, "foreign", "theirs"), ("01", 9, "y", "ours")])
    heard = await run(make_job(here.district, here.state, CODES, "01"))
    assert heard.details == {
        ("c", 1): Detail("code"),
        ("c", 2): Detail("code", holder_key={"id": 9, "part": "y"}),
        ("c", 9): Detail("code", 21),
    }
    assert "foreign" not in repr(heard.events)


@every_comparison(SAME)
async def test_each_unique_key_names_its_own_holder(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        district="CREATE TABLE c (id integer PRIMARY KEY, code varchar(40), at date);",
        state="CREATE TABLE c (tenant varchar(9), id integer, code varchar(20), at date, PRIMARY KEY (tenant, id),"
        " UNIQUE (tenant, at), UNIQUE (tenant, code));",
    )
    dated = [(1, "a", "2026-01-01"), (2, "b", "2026-01-02"), (3, "same", None), (4, "same", None)]
    await insert(here.district, "c", [*dated, (8, LONG, None), (9, LONG, None)])
    await insert(here.state, "c", [("01", 8, "a", None), ("01", 9, None, "2026-01-02")])
    heard = await run(make_job(here.district, here.state, CODES, "01"))
    assert heard.details == {
        ("c", 1): Detail("code", holder_key={"id": 8}),
        ("c", 2): Detail("at", holder_key={"id": 9}),
        ("c", 4): Detail("code", holder_key={"id": 3}),
        ("c", 8): Detail("code", 21),
        ("c", 9): Detail("code", 21),
    }


@every_comparison(SAME)
async def test_a_keyless_holder_has_no_name(database: Database, ends: tuple[str, str]) -> None:
    table = "CREATE TABLE c ({}code varchar(20), note varchar(20){});"
    here = await pair(
        database,
        ends,
        district=table.format("", ""),
        state=table.format("tenant varchar(9), ", ", UNIQUE (tenant, code)"),
    )
    await insert(here.district, "c", [("a", "new")])
    await insert(here.state, "c", [("01", "a", "old")])
    (refused,) = (await run(make_job(here.district, here.state, CODES, "01"))).refusals
    assert refused.details == (Detail("code"),)
