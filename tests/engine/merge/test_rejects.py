"""What is told of refused records beyond the reason: column, size of the value, and the parent by its key."""

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import NO_DETAIL, Detail
from tests.support.comparison import every_comparison
from tests.support.running import make_job, run
from tests.support.small import ENDS, ROWS, SAME, SMALL, STATE, TREE, TREE_DISTRICT, TREE_STATE, Database, pair


@every_comparison(ENDS)
async def test_refused_records_name_their_parent_and_column(database: Database, ends: tuple[str, str]) -> None:
    more = "UPDATE a SET name = 'hidden' WHERE id = 1; INSERT INTO b VALUES (3, 99, 'orphan');"
    long = f"INSERT INTO c VALUES (2, '{'secret' * 6}', 1);"
    here = await pair(database, ends, ROWS + more + long)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.details == {
        ("a", 1): NO_DETAIL,
        ("b", 1): Detail("a", None, "a", {"id": 1}),
        ("b", 3): Detail("a", None, "a", {"id": 99}),
        ("c", 2): Detail("code", 36),
        ("d", 1): Detail("b", None, "b", {"id": 1}),
    }
    assert "secret" not in repr(heard.events)


@every_comparison(SAME)
async def test_numbers_out_of_range_tell_their_size(database: Database, ends: tuple[str, str]) -> None:
    tree = "INSERT INTO tree VALUES ('root', NULL, 1234567), ('leaf', 'root', 5), ('bare', NULL, NULL);"
    here = await pair(database, ends, tree, district=TREE_DISTRICT, state=TREE_STATE)
    heard = await run(make_job(here.district, here.state, TREE, "01"))
    assert heard.details == {
        ("tree", "root"): Detail("size", 7),
        ("tree", "leaf"): Detail("up", None, "tree", {"id": "root"}),
        ("tree", "bare"): Detail("size"),
    }


@every_comparison(SAME)
async def test_doubled_values_name_their_columns(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, ROWS + "INSERT INTO c VALUES (2, 'z', 1);")
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.details == {("c", 2): Detail("code", holder_key={"id": 1})}


CODES = Catalog("Codes", (DisObject("P", ("p",)), DisObject("Q", ("q",), ("P",))), tenant_column="tenant")
CODES_DISTRICT = """
CREATE TABLE p (id integer PRIMARY KEY, code varchar(9), name varchar(40));
CREATE TABLE q (id integer PRIMARY KEY, code varchar(9), p integer);
"""
CODES_STATE = """
CREATE TABLE p (tenant varchar(9), id integer, code varchar(9), name varchar(4), PRIMARY KEY (tenant, id),
    UNIQUE (tenant, code));
CREATE TABLE q (tenant varchar(9), id integer, code varchar(9), p integer, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, code) REFERENCES p (tenant, code), FOREIGN KEY (tenant, p) REFERENCES p (tenant, id));
"""


@every_comparison(ENDS)
async def test_a_parent_by_another_key_is_named_by_its_own(database: Database, ends: tuple[str, str]) -> None:
    records = """
    INSERT INTO p VALUES (7, 'x', 'too long'), (8, 'y', 'too long'), (9, 'z', 'fits');
    INSERT INTO q VALUES (1, 'x', NULL), (2, NULL, 8), (3, 'none', NULL), (4, 'z', 9);
    """
    here = await pair(database, ends, records, district=CODES_DISTRICT, state=CODES_STATE)
    heard = await run(make_job(here.district, here.state, CODES, "01"))
    assert heard.details == {
        ("p", 7): Detail("name", 8),
        ("p", 8): Detail("name", 8),
        ("q", 1): Detail("code", None, "p", {"id": 7}),
        ("q", 2): Detail("p", None, "p", {"id": 8}),
        ("q", 3): Detail("code", None, "p", {"code": "none"}),
    }


@every_comparison(SAME)
async def test_a_broken_check_names_its_columns(database: Database, ends: tuple[str, str]) -> None:
    state = STATE.replace("note varchar(20),", "note varchar(20), CONSTRAINT short CHECK (length(note) < 3 OR a = 9),")
    here = await pair(database, ends, ROWS + "INSERT INTO b VALUES (3, 2, 'long');", state=state)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.details == {("b", 3): Detail("a, note")}


@every_comparison(ENDS)
async def test_a_refusal_in_the_merge_names_its_column(database: Database, ends: tuple[str, str]) -> None:
    once = "CREATE UNIQUE INDEX once ON d (b) WHERE id > 0;"
    here = await pair(database, ends, ROWS + "INSERT INTO d VALUES (2, 1);", once)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    (refused,) = heard.refusals
    where = " (once)" if ends[1] == "postgresql" else ""
    assert (refused.table, refused.reason) == ("d", f"refused by the state: duplicate value in b{where}")
