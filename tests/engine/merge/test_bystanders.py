"""Records that were not sent, but that a trigger of the state changes when others are, are told."""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Status
from tests.support.comparison import every_comparison
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import ENDS, SAME, Database, Pair, leftovers, pair

COLUMNS = "id integer, main boolean, j numeric(6, 2), note text"
SETS = "a trigger of the state sets {}: list it in state_owned of Home, or it is sent in each run"
REMOVED = "a trigger of the state removed 1 record of home that had not been sent"


def catalog(*owned: str) -> Catalog:
    return Catalog("Homes", (DisObject("Home", ("home",), state_owned=owned),), tenant_column="tenant")


def trigger(kind: str, body: str) -> str:
    """Return the DDL of a trigger of the state that does something after each insert."""
    if kind == "sqlite":
        return f"CREATE TRIGGER acts AFTER INSERT ON home BEGIN {body}; END;"
    return f"""CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$;
        CREATE TRIGGER acts AFTER INSERT ON home FOR EACH ROW EXECUTE FUNCTION act();"""


async def homes(database: Database, ends: tuple[str, str], body: str) -> Pair:
    """Make a state that holds two of the district's three homes, and another district's."""
    rows = "(1, true, 1.50, 'a'), (2, false, NULL, NULL)"
    held = "('01', 1, true, 1.50, 'a'), ('01', 2, false, NULL, NULL), ('02', 1, true, 1, 'x')"
    return await pair(
        database,
        ends,
        f"INSERT INTO home VALUES {rows}, (3, true, 2, 'c');",
        f"INSERT INTO home VALUES {held};" + trigger(ends[1], body),
        district=f"CREATE TABLE home ({COLUMNS}, PRIMARY KEY (id));",
        state=f"CREATE TABLE home (tenant varchar(9), {COLUMNS}, PRIMARY KEY (tenant, id));",
    )


async def sent(here: Pair, token: int, owned: tuple[str, ...] = ()) -> Heard:
    return await run(make_job(here.district, here.state, catalog(*owned), "01", token=token))


@every_comparison(ENDS)
async def test_columns_that_a_trigger_sets_in_others_are_told(database: Database, ends: tuple[str, str]) -> None:
    body = "UPDATE home SET main = false, note = 'moved' WHERE tenant = NEW.tenant AND id <> NEW.id AND main"
    here = await homes(database, ends, body)
    heard = await sent(here, 1)
    assert heard.counts["Home"] == Counts(processed=3, inserted=1, unchanged=2)
    assert heard.ended["Home"].message == SETS.format("home.main, home.note")
    assert heard.ended["Home"].status is Status.FAILED
    assert await leftovers(here.state) == []
    mended = await sent(here, 2)
    assert mended.counts["Home"] == Counts(processed=3, updated=1, unchanged=2)
    assert mended.ended["Home"].message == ""
    assert mended.ended["Home"].status is Status.COMPLETED


@pytest.mark.parametrize("ends", SAME)
async def test_what_is_the_states_own_is_not_told(database: Database, ends: tuple[str, str]) -> None:
    here = await homes(database, ends, "UPDATE home SET note = 'moved' WHERE id <> NEW.id")
    heard = await sent(here, 1, ("home.note",))
    assert heard.counts["Home"] == Counts(processed=3, inserted=1, unchanged=2)
    assert heard.ended["Home"].message == ""
    assert heard.ended["Home"].status is Status.COMPLETED


@pytest.mark.parametrize("ends", SAME)
async def test_records_that_a_trigger_removes_are_told(database: Database, ends: tuple[str, str]) -> None:
    here = await homes(database, ends, "DELETE FROM home WHERE id = 1")
    ended = (await sent(here, 1)).ended["Home"]
    assert (ended.message, ended.status) == (REMOVED, Status.FAILED)
    await run_script(here.state, "DROP TRIGGER acts" + (" ON home;" if ends[1] == "postgresql" else ";"))
    assert (await sent(here, 2)).counts["Home"] == Counts(processed=3, inserted=1, unchanged=2)
