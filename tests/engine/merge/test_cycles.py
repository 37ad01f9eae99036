"""Records and tables that hang together in circles: what goes in as one, and what a broken link blocks."""

from random import Random

from resync_tui.outcome import Counts
from tests.support.comparison import every_comparison
from tests.support.databases import insert
from tests.support.running import make_job, run
from tests.support.small import SAME, TREE, TREE_DISTRICT, TREE_STATE, Database, pair


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
