"""Records that are refused before anything is written: children without parents, and keys that occur twice."""

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts
from tests.support.comparison import every_comparison
from tests.support.databases import insert
from tests.support.running import make_job, run
from tests.support.small import ENDS, ROWS, SAME, SMALL, Database, pair

KEPT_OUT = "record did not reach the state: a rule excludes it, or a record above it"


@every_comparison(ENDS)
async def test_an_excluded_parent_blocks_its_children_and_theirs(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, ROWS + "UPDATE a SET name = 'hidden' WHERE id = 1;")
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.counts == {
        "A": Counts(processed=2, inserted=1, excluded=1), "B": Counts(processed=2, inserted=1, blocked=1),
        "C": Counts(processed=1, inserted=1), "D": Counts(processed=1, blocked=1),
    }  # fmt: skip
    assert set(heard.refused) == {
        ("a", (1,), "excluded", "Hidden from the state"),
        ("b", (1,), "blocked", f"its a {KEPT_OUT}"),
        ("d", (1,), "blocked", f"its b {KEPT_OUT}"),
    }


@every_comparison(SAME)
async def test_older_copy_of_a_refused_record_stays_with_its_children(
    database: Database, ends: tuple[str, str]
) -> None:
    older = "INSERT INTO a VALUES ('01', 1, 'older');"
    here = await pair(database, ends, ROWS + "UPDATE a SET name = 'hidden' WHERE id = 1;", older)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.counts["A"] == Counts(processed=2, inserted=1, excluded=1)
    assert (heard.counts["B"].inserted, heard.counts["D"].inserted) == (2, 1)
    assert await here.held("SELECT name FROM a WHERE id = 1") == [("older",)]


@every_comparison(SAME)
async def test_child_without_parent_is_blocked_with_what_to_resync(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, ROWS + "INSERT INTO b VALUES (3, 99, 'orphan');")
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["B"], check_dependencies=False))
    assert set(heard.refused) == {
        ("b", (1,), "blocked", "its a record is not in the state: resync A"),
        ("b", (2,), "blocked", "its a record is not in the state: resync A"),
        ("b", (3,), "rejected", "a names no a record"),
    }


@every_comparison(SAME)
async def test_empty_tables_are_green_and_what_the_state_has_is_extra(
    database: Database, ends: tuple[str, str]
) -> None:
    here = await pair(database, ends, "", "INSERT INTO a VALUES ('01', 1, 'left');")
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.counts == {"A": Counts(extra=1), "B": Counts(), "C": Counts(), "D": Counts()}


KEYS = Catalog("Keys", (DisObject("K", ("k",)),), tenant_column="tenant")


@every_comparison(SAME)
async def test_text_keys_are_told_apart_by_every_byte(database: Database, ends: tuple[str, str]) -> None:
    keys = [
        "a",
        "A",
        "ä",
        "a\u0308",
        "a ",
        " a",
        "",
        "1",
        "01",
        "it''s",
        "ß",
        "ss",
        "漢",
        "😀",
        "%",
        "\\",
        "a\tb",
        "NULL",
    ]
    here = await pair(
        database,
        ends,
        district="CREATE TABLE k (id varchar(9) PRIMARY KEY, v integer);",
        state="CREATE TABLE k (tenant varchar(9), id varchar(9), v integer, PRIMARY KEY (tenant, id));",
    )
    await insert(here.district, "k", [(key, place) for place, key in enumerate(keys)])
    await insert(here.state, "k", [("01", key, place % 3) for place, key in enumerate(keys[::2])])
    heard = await run(make_job(here.district, here.state, KEYS, "01"))
    assert heard.counts["K"].inserted == len(keys) // 2
    assert heard.counts["K"].processed == len(keys)
    assert sorted(await here.held("SELECT id, v FROM k"), key=str) == sorted(
        ((key.replace("''", "'"), place) for place, key in enumerate(keys)), key=str
    )


@every_comparison(SAME)
async def test_all_records_of_a_duplicate_key_are_refused(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        district="CREATE TABLE k (row integer PRIMARY KEY, id varchar(9), v integer);",
        state="CREATE TABLE k (tenant varchar(9), id varchar(9), v integer, PRIMARY KEY (tenant, id));",
    )
    doubled = [(1, "a", 1), (2, "a", 1), (5, "c", 7), (6, "c", 1)]
    await insert(here.district, "k", [*doubled, (3, "b", 1), (4, None, 1)])
    await insert(here.state, "k", [("01", "a", 7), ("01", "c", 7)])
    catalog = Catalog("Keys", (DisObject("K", ("k",), ignore_columns=("k.row",)),), tenant_column="tenant")
    heard = await run(make_job(here.district, here.state, catalog, "01"))
    assert heard.counts["K"] == Counts(processed=6, inserted=1, rejected=5)
    assert sorted(heard.refused.items(), key=str) == [
        (("k", ("a",), "rejected", "its key occurs more than once in the district"), 2),
        (("k", ("c",), "rejected", "its key occurs more than once in the district"), 2),
        (("k", (None,), "rejected", "id is missing"), 1),
    ]
    assert await here.held("SELECT id, v FROM k ORDER BY id") == [("a", 7), ("b", 1), ("c", 7)]
