"""Triggers and rules of the state: what was sent is there afterwards, or it is told and not counted as done."""

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts
from tests.support.comparison import every_comparison
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import ENDS, MIXED, SAME, Database, Pair, pair

PEOPLE = Catalog("People", (DisObject("Person", ("person",)),), tenant_column="tenant")
PERSON = "id integer, name text, touched text, PRIMARY KEY (id)"
HELD = "tenant varchar(9), id integer, name text, touched text, PRIMARY KEY (tenant, id)"
ON_POSTGRES = """CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN {back}; END $$;
    CREATE TRIGGER acts BEFORE {event} ON person FOR EACH ROW {when} EXECUTE FUNCTION act();"""
SKIPPED = "a trigger of the state skipped it"


def trigger(end: str, event: str, what: str) -> str:
    """Return a trigger of the state: it skips odd records, keeps what was there, or touches a record."""
    if end == "postgresql":
        return {
            "skips": ON_POSTGRES.format(body="", back="NULL", event=event, when="WHEN (NEW.id % 2 = 1)"),
            "keeps": ON_POSTGRES.format(body="", back="OLD", event=event, when=""),
            "touches": ON_POSTGRES.format(body="NEW.touched := 'by the state';", back="NEW", event=event, when=""),
        }[what]
    old = "name = OLD.name, touched = OLD.touched" if event == "UPDATE" else ""
    return {
        "skips": f"""CREATE TRIGGER acts BEFORE {event} ON person WHEN NEW.id % 2 = 1
            BEGIN SELECT RAISE(IGNORE); END;""",
        "keeps": f"CREATE TRIGGER acts AFTER {event} ON person BEGIN UPDATE person SET {old} WHERE id = NEW.id; END;",
        "touches": f"""CREATE TRIGGER acts AFTER {event} ON person
            BEGIN UPDATE person SET touched = 'by the state' WHERE id = NEW.id; END;""",
    }[what]


async def people(database: Database, ends: tuple[str, str], event: str, what: str, *, held: bool) -> Pair:
    """Make a district of ten people, and a state that holds nine of them otherwise, or none."""
    numbers = range(1, 10) if held else ()
    return await pair(
        database,
        ends,
        "".join(f"INSERT INTO person VALUES ({number}, 'new{number}', 'at noon');" for number in range(1, 11)),
        "".join(f"INSERT INTO person VALUES ('01', {number}, 'old', 'at noon');" for number in numbers)
        + trigger(ends[1], event, what),
        district=f"CREATE TABLE person ({PERSON});",
        state=f"CREATE TABLE person ({HELD});",
    )


async def send(here: Pair, catalog: Catalog = PEOPLE) -> Heard:
    heard = await run(make_job(here.district, here.state, catalog, "01"))
    counts = heard.counts["Person"]
    assert counts.processed == counts.accounted
    return heard


def reasons(heard: Heard) -> dict[int, str]:
    return {int(str(number)): reason for _, (number, *_), _, reason in heard.refused}


@every_comparison(ENDS)
async def test_records_that_a_trigger_skips_are_rejected(database: Database, ends: tuple[str, str]) -> None:
    here = await people(database, ends, "INSERT", "skips", held=False)
    heard = await send(here)
    assert heard.counts["Person"] == Counts(processed=10, inserted=5, rejected=5), heard.ended
    assert reasons(heard) == dict.fromkeys((1, 3, 5, 7, 9), SKIPPED)
    again = await send(here)
    assert again.counts["Person"] == Counts(processed=10, unchanged=5, rejected=5)


@every_comparison(SAME, more=[MIXED])
@pytest.mark.parametrize("what", ["skips", "keeps"])
async def test_updates_that_a_trigger_undoes_are_rejected(database: Database, ends: tuple[str, str], what: str) -> None:
    here = await people(database, ends, "UPDATE", what, held=True)
    undone = {number: number for number in range(1, 10) if what == "keeps" or number % 2}
    for _ in range(2):
        heard = await send(here)
        counts = heard.counts["Person"]
        assert (counts.rejected, counts.inserted + counts.updated + counts.unchanged) == (len(undone), 10 - len(undone))
        assert set(reasons(heard)) == set(undone)
        assert {reason.partition(":")[0] for reason in reasons(heard).values()} == {"name"}
    held = await here.held("SELECT count(*) FROM person WHERE name = 'old'")
    assert held == [(len(undone),)]


@every_comparison(ENDS)
async def test_a_column_that_a_trigger_sets_is_named(database: Database, ends: tuple[str, str]) -> None:
    here = await people(database, ends, "UPDATE", "touches", held=True)
    heard = await send(here)
    assert heard.counts["Person"] == Counts(processed=10, inserted=1, updated=9)
    assert heard.ended["Person"].message == (
        "a trigger of the state sets person.touched: list it in state_owned of Person, or it is sent in each run"
    )
    again = await send(here)
    assert again.counts["Person"] == Counts(processed=10, unchanged=1, rejected=9)
    assert {reason.partition(":")[0] for reason in reasons(again).values()} == {"touched"}
    owned = Catalog(
        "People", (DisObject("Person", ("person",), state_owned=("person.touched",)),), tenant_column="tenant"
    )
    third = await send(here, owned)
    assert third.counts["Person"] == Counts(processed=10, unchanged=10)


@pytest.mark.parametrize("ends", SAME)
async def test_an_insert_that_a_trigger_alters_is_no_insert(database: Database, ends: tuple[str, str]) -> None:
    here = await people(database, ends, "INSERT", "touches", held=False)
    heard = await send(here)
    assert heard.counts["Person"] == Counts(processed=10, rejected=10)
    assert {reason.partition(":")[0] for reason in reasons(heard).values()} == {"touched"}


@every_comparison([("postgresql", "postgresql")])
@pytest.mark.parametrize("does", ["NOTHING", "INSERT INTO other VALUES (NEW.id)"])
async def test_records_that_a_rule_diverts_are_rejected(database: Database, ends: tuple[str, str], does: str) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO person VALUES (1, 'a', 'x'), (2, 'b', 'x');",
        f"CREATE TABLE other (id integer); CREATE RULE diverts AS ON INSERT TO person DO INSTEAD {does};",
        district=f"CREATE TABLE person ({PERSON});",
        state=f"CREATE TABLE person ({HELD});",
    )
    heard = await send(here)
    assert heard.counts["Person"] == Counts(processed=2, rejected=2), heard.ended
    assert set(reasons(heard).values()) == {SKIPPED}


@pytest.mark.parametrize("ends", SAME)
async def test_children_of_a_skipped_parent_are_blocked(database: Database, ends: tuple[str, str]) -> None:
    catalog = Catalog("People", (DisObject("Person", ("person",)), DisObject("Pet", ("pet",), ("Person",))))
    table = "CREATE TABLE person (id integer PRIMARY KEY, name text, touched text);"
    pet = "CREATE TABLE pet (id integer PRIMARY KEY, person integer{});"
    here = await pair(
        database,
        ends,
        "INSERT INTO person VALUES (1, 'a', 'x'), (2, 'b', 'x'); INSERT INTO pet VALUES (7, 1), (8, 2);",
        trigger(ends[1], "INSERT", "skips"),
        district=table + pet.format(""),
        state=table + pet.format(" REFERENCES person (id)"),
    )
    heard = await run(make_job(here.district, here.state, catalog, None))
    assert heard.counts["Person"] == Counts(processed=2, inserted=1, rejected=1)
    assert heard.counts["Pet"] == Counts(processed=2, inserted=1, blocked=1)


@pytest.mark.parametrize("ends", SAME)
async def test_a_trigger_that_does_nothing_to_what_is_sent(database: Database, ends: tuple[str, str]) -> None:
    here = await people(database, ends, "DELETE", "skips" if ends[1] == "sqlite" else "keeps", held=True)
    if ends[1] == "sqlite":
        await run_script(here.state, "CREATE TABLE log (id integer);")
    heard = await send(here)
    assert heard.counts["Person"] == Counts(processed=10, inserted=1, updated=9)
    assert heard.ended["Person"].message == ""
