"""What follows from an exclusion is told apart from what fails."""

from resync_tui.catalog import Catalog, DisObject, Rule
from tests.support.comparison import every_comparison
from tests.support.running import Heard, make_job, run
from tests.support.small import ENDS, ROWS, SAME, SMALL, TREE_DISTRICT, TREE_STATE, Database, pair

RULED_TREE = Catalog(
    "Tree",
    (DisObject("Tree", ("tree",), rule=(Rule("bare", "tree", "t.size = 0", "A bare tree"),)),),
    tenant_column="tenant",
)


def behind(heard: Heard) -> dict[tuple[object, ...], bool]:
    """Return, per blocked record, whether it is behind an exclusion."""
    return {
        (each.table, *key.values()): each.behind_exclusion
        for each in heard.refusals
        if each.kind == "blocked"
        for key in each.keys
    }


@every_comparison(ENDS)
async def test_the_chain_below_an_exclusion_is_behind_it(database: Database, ends: tuple[str, str]) -> None:
    orphan = "INSERT INTO b VALUES (3, 99, 'o'); INSERT INTO d VALUES (3, 3);"
    here = await pair(database, ends, f"{ROWS}UPDATE a SET name = 'hidden' WHERE id = 1;{orphan}")
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert behind(heard) == {("b", 1): True, ("d", 1): True, ("d", 3): False}


@every_comparison(SAME)
async def test_a_tree_below_an_exclusion_is_behind_it(database: Database, ends: tuple[str, str]) -> None:
    district = TREE_DISTRICT + (
        "INSERT INTO tree VALUES ('root', NULL, 0), ('child', 'root', 1), ('leaf', 'child', 1),"
        " ('big', NULL, 99999), ('twig', 'big', 1);"
    )
    here = await pair(database, ends, district=district, state=TREE_STATE)
    heard = await run(make_job(here.district, here.state, RULED_TREE, "01"))
    assert behind(heard) == {("tree", "child"): True, ("tree", "leaf"): True, ("tree", "twig"): False}


@every_comparison(ENDS)
async def test_without_the_parents_it_is_behind_it_too(database: Database, ends: tuple[str, str]) -> None:
    orphan = "INSERT INTO b VALUES (3, 99, 'o'); INSERT INTO d VALUES (3, 3);"
    here = await pair(database, ends, f"{ROWS}UPDATE a SET name = 'hidden' WHERE id = 1;{orphan}")
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["B"], check_dependencies=False))
    assert behind(heard) == {("b", 1): True, ("b", 2): False}
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["D"], check_dependencies=False, token=2))
    assert behind(heard) == {("d", 1): True, ("d", 3): False}
