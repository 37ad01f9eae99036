"""Records that hang together: parents and children, trees and circles, values that only one record may have."""

from random import Random

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts
from tests.accounts.shape import dump
from tests.databases import run_script
from tests.engine.comparison import every_comparison
from tests.engine.running import make_job, run
from tests.engine.small import ENDS, ROWS, SAME, SMALL, Database, pair

TREE = Catalog("Tree", (DisObject("Tree", ("tree",)),), tenant_column="tenant")
TREE_DISTRICT = "CREATE TABLE tree (id varchar(20) PRIMARY KEY, up varchar(20), size integer);"
TREE_STATE = """
CREATE TABLE tree (tenant varchar(9), id varchar(20), up varchar(20), size smallint NOT NULL, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, up) REFERENCES tree (tenant, id));
"""


async def insert(url: str, table: str, rows: list[tuple[object, ...]]) -> None:
    """Insert rows of texts and numbers."""

    def written(value: object) -> str:
        return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)

    values = ", ".join(f"({', '.join(map(written, row))})" for row in rows)
    await run_script(url, f"INSERT INTO {table} VALUES {values}")


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
        ("b", (1,), "blocked", "its a record did not reach the state"),
        ("d", (1,), "blocked", "its b record did not reach the state"),
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


@every_comparison(SAME)
async def test_chain_of_a_thousand_arrives_in_any_row_order(
    database: Database, random: Random, ends: tuple[str, str]
) -> None:
    here = await pair(database, ends, district=TREE_DISTRICT, state=TREE_STATE)
    chain: list[tuple[object, ...]] = [(f"k{n}", f"k{n - 1}" if n else None, 1) for n in range(1000)]
    random.shuffle(chain)
    await insert(here.district, "tree", chain)
    heard = await run(make_job(here.district, here.state, TREE, "01"))
    assert heard.counts["Tree"] == Counts(processed=1000, inserted=1000)


@every_comparison(SAME)
async def test_broken_link_blocks_its_descendants_and_no_true_circle(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=TREE_DISTRICT, state=TREE_STATE)
    chain: list[tuple[object, ...]] = [(f"k{n}", f"k{n - 1}" if n else None, 99999 if n == 5 else 1) for n in range(10)]
    circle = [("o1", "o3", 1), ("o2", "o1", 1), ("o3", "o2", 1), ("self", "self", 1), ("on it", "o2", 1)]
    broken = [("x1", "x2", 1), ("x2", "x1", None)]
    await insert(here.district, "tree", [*chain, *circle, *broken])
    heard = await run(make_job(here.district, here.state, TREE, "01"))
    assert heard.counts["Tree"] == Counts(processed=17, inserted=10, rejected=2, blocked=5)
    held = {key for (key,) in await here.held("SELECT id FROM tree")}
    assert held == {"k0", "k1", "k2", "k3", "k4", "o1", "o2", "o3", "self", "on it"}


REFUSING = {
    "sqlite": "CREATE TRIGGER no BEFORE INSERT ON tree WHEN NEW.id LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'no'); END;",
    "postgresql": """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id LIKE 'bad%' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER no BEFORE INSERT ON tree FOR EACH ROW EXECUTE FUNCTION refuse();
    """,
}


@every_comparison(SAME)
async def test_row_refused_by_the_state_blocks_only_what_needs_it(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=TREE_DISTRICT, state=TREE_STATE + REFUSING[ends[1]])
    bad = [("bad", None, 1), ("below", "bad", 1), ("lower", "below", 1)]
    ring = [("bad1", "r2", 1), ("r2", "r3", 1), ("r3", "bad1", 1), ("on ring", "r2", 1)]
    good = [("o1", "o2", 1), ("o2", "o1", 1), ("root", None, 1), ("leaf", "root", 1)]
    await insert(here.district, "tree", [*bad, *ring, *good])
    heard = await run(make_job(here.district, here.state, TREE, "01"))
    held = {key for (key,) in await here.held("SELECT id FROM tree")}
    assert held == {"o1", "o2", "root", "leaf"}
    kinds = {str(key[0]): kind for _, key, kind, _ in heard.refused}
    assert kinds == {
        "bad": "rejected", "below": "blocked", "lower": "blocked",
        "bad1": "rejected", "r2": "rejected", "r3": "rejected", "on ring": "blocked",
    }  # fmt: skip
    assert heard.counts["Tree"] == Counts(processed=11, inserted=4, rejected=4, blocked=3)


@every_comparison(SAME)
async def test_a_row_that_waits_for_a_value_keeps_its_children_in(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database, ends, district=TREE_DISTRICT, state=TREE_STATE + "CREATE UNIQUE INDEX one ON tree (size);"
    )
    await insert(
        here.district, "tree", [("old", None, 2), ("new", None, 1), ("child", "new", 3), ("grandchild", "child", 4)]
    )
    await insert(here.state, "tree", [("01", "old", None, 1)])
    heard = await run(make_job(here.district, here.state, TREE, "01"))
    assert heard.refused == {}
    assert heard.counts["Tree"] == Counts(processed=4, inserted=3, updated=1), heard.ended


CODES = Catalog("Codes", (DisObject("C", ("c",)),), tenant_column="tenant")


@every_comparison(ENDS)
async def test_values_change_hands_in_swaps_chains_and_rings(database: Database, ends: tuple[str, str]) -> None:
    now = [(1, "b"), (2, "a"), (3, "d"), (4, "e"), (5, "new"), (6, "g"), (7, "h"), (8, "f"), (9, None), (10, "i")]
    before = [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e"), (6, "f"), (7, "g"), (8, "h"), (9, "i")]
    here = await pair(database, ends)
    await insert(here.district, "c", [(*row, 0) for row in now])
    await insert(here.state, "c", [("01", *row, 0) for row in before])
    heard = await run(make_job(here.district, here.state, CODES, "01"))
    assert heard.refused == {}
    assert heard.counts["C"] == Counts(processed=10, inserted=1, updated=9)
    assert await here.held("SELECT id, code FROM c ORDER BY id") == now


@every_comparison(SAME)
async def test_unique_value_moves_to_a_new_record_if_its_holder_goes(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends)
    await insert(
        here.district, "c", [(1, "gone", 0), (2, "a", 0), (3, "kept", 0), (4, "kept", 0), (5, "x" * 21, 0), (6, "b", 0)]
    )
    await insert(here.state, "c", [("01", 1, "a", 0), ("01", 4, "kept", 0), ("01", 5, "b", 0), ("02", 1, "gone", 0)])
    heard = await run(make_job(here.district, here.state, CODES, "01"))
    either = ("another record of the state holds this code", "another record of the district has the same code")
    (reason,) = (reason for _, key, _, reason in heard.refused if key == (3,))
    assert reason in either  # both are true; which is found depends on what was staged
    assert set(heard.refused) == {
        ("c", (3,), "rejected", reason),
        ("c", (5,), "rejected", "code is longer than 20"),
        ("c", (6,), "rejected", "another record of the state holds this code"),
    }
    assert heard.counts["C"] == Counts(processed=6, inserted=1, updated=1, unchanged=1, rejected=3)
    assert (await here.held("SELECT id, code FROM c WHERE tenant = '01' ORDER BY id")) == [
        (1, "gone"), (2, "a"), (4, "kept"), (5, "b")
    ]  # fmt: skip


DATES = Catalog("Dates", (DisObject("Day", ("day",)),))
DAYS = "CREATE TABLE day (id integer PRIMARY KEY, at date NOT NULL, flag boolean NOT NULL{unique});"


@every_comparison(SAME)
async def test_values_that_cannot_be_missing_change_hands_too(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database, ends, district=DAYS.format(unique=""), state=DAYS.format(unique=", UNIQUE (at, flag), UNIQUE (at)")
    )
    days = ["2026-01-01", "2026-01-02", "2026-01-03"]
    flags = [1, 0, 1] if ends[0] == "sqlite" else ["true", "false", "true"]
    await insert(here.district, "day", [(n, days[n], flags[n]) for n in range(3)])
    flags = [1, 0, 1] if ends[1] == "sqlite" else ["true", "false", "true"]
    await insert(here.state, "day", [(n, days[(n + 1) % 3], flags[n]) for n in range(3)])
    heard = await run(make_job(here.district, here.state, DATES, None))
    assert heard.refused == {}
    assert heard.counts["Day"] == Counts(processed=3, updated=3)
    after = await dump(here.state)
    assert [str(row["at"]) for row in sorted(after.rows["day"], key=lambda row: int(row["id"]))] == days


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
