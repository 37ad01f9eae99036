"""A catalog that the databases do not bear out fails its object beforehand; no name is ever all records, or none."""

from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog, DisObject, Rule
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Kind, Purpose, Status
from resync_tui.state_schema.derive import apply
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import SAME, Database, Pair, every_pair, pair

CALENDAR = DisObject("Calendar", ("calendar",), school_year=True)
VISIT = DisObject("Visit", ("visit",), ("Calendar",), school_year=True)
YEARS = Catalog("Years", (CALENDAR, VISIT), tenant_column="tenant", year="calendar.endyear")
DISTRICT = """
CREATE TABLE calendar (cal integer PRIMARY KEY, endyear integer NOT NULL);
INSERT INTO calendar VALUES (1, 2026), (2, 2025), (3, 2024);
CREATE TABLE visit (id integer PRIMARY KEY, cal integer NOT NULL REFERENCES calendar (cal), other integer, note text);
INSERT INTO visit VALUES (1, 1, NULL, 'this year'), (2, 2, NULL, 'last year'), (3, 1, 2, 'this year, last elsewhere');
"""
STATE = """
CREATE TABLE calendar (tenant varchar(9), cal integer, endyear integer NOT NULL, PRIMARY KEY (tenant, cal));
CREATE TABLE visit (tenant varchar(9), id integer, cal integer NOT NULL, other integer, note text,
    PRIMARY KEY (tenant, id){});
"""
WAY = ", FOREIGN KEY (tenant, cal) REFERENCES calendar (tenant, cal)"
OTHER = ", FOREIGN KEY (tenant, other) REFERENCES calendar (tenant, cal)"
TWO_WAYS = DISTRICT.replace("other integer", "other integer REFERENCES calendar (cal)")


async def sent(here: Pair, catalog: Catalog = YEARS, purpose: Purpose = Purpose.RESYNC, year: int = 2026) -> Heard:
    job = make_job(here.district, here.state, catalog, "01")
    return await run(replace(job, plan=replace(job.plan, year=year), current_year=2026, purpose=purpose))


def fault(heard: Heard, name: str = "Visit") -> str:
    ended = heard.ended[name]
    assert (ended.status, ended.counts) == (Status.FAILED, Counts())
    return ended.message


# --- the way to the year ---


@pytest.mark.parametrize("ends", SAME)
async def test_of_several_ways_the_catalog_says_which(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=TWO_WAYS, state=STATE.format(WAY + OTHER))
    heard = await sent(here)
    assert fault(heard).startswith(
        "The district's table visit has several ways to calendar.endyear: visit.cal, visit.o"
    )
    assert 'year_path = ["visit.cal"]' in fault(heard)
    assert heard.counts["Calendar"].inserted == 1
    assert await here.held("SELECT count(*) FROM visit") == [(0,)]
    said = replace(YEARS, year_path=("visit.cal",))
    assert (await sent(here, said, year=2025)).counts["Visit"] == Counts(processed=1, inserted=1)
    assert (await sent(here, said)).counts["Visit"] == Counts(processed=2, inserted=2)
    slip = fault(await sent(here, replace(YEARS, year_path=("visit.call",))))
    assert 'year_path names "visit.call", but visit has no such column in the district; the nearest is cal' in slip
    assert "by its year_path visit.note" in fault(await sent(here, replace(YEARS, year_path=("visit.note",))))


@pytest.mark.parametrize("ends", SAME)
@pytest.mark.parametrize("purpose", [Purpose.RESYNC, Purpose.VERIFY])
async def test_a_way_is_proven_in_the_state_too(database: Database, ends: tuple[str, str], purpose: Purpose) -> None:
    more = "INSERT INTO calendar VALUES ('01', 2, 2025); INSERT INTO visit VALUES ('01', 9, 2, NULL, 'archived');"
    here = await pair(database, ends, district=DISTRICT, state=STATE.format("") + more)
    heard = await sent(here, purpose=purpose)
    assert fault(heard).startswith("The state's table visit has no way to calendar.endyear along foreign keys")
    with pytest.raises(CannotRun, match="nothing was removed"):
        await sent(here, purpose=Purpose.REMOVE_EXTRA)
    assert await here.held("SELECT id FROM visit") == [(9,)]


@pytest.mark.parametrize("ends", SAME)
async def test_both_ends_lead_to_the_same_calendar(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=DISTRICT, state=STATE.format(OTHER))
    told = fault(await sent(here))
    assert told.startswith("The way of visit to calendar.endyear is visit.cal in the district but visit.other in the s")


@pytest.mark.parametrize("ends", SAME)
async def test_a_district_borrows_foreign_keys_to_its_keys(database: Database, ends: tuple[str, str]) -> None:
    lax = DISTRICT.replace(" REFERENCES calendar (cal)", "")
    here = await pair(database, ends, district=lax, state=STATE.format(WAY))
    assert (await sent(here, year=2025)).counts["Visit"].inserted == 1
    assert (await sent(here)).counts["Visit"].inserted == 2
    keyless = lax.replace("cal integer PRIMARY KEY", "cal integer NOT NULL")
    here = await pair(database, ends, district=keyless, state=STATE.format(WAY))
    assert fault(await sent(here)).startswith("The district's table visit has no way to calendar.endyear along foreign")


STEPS = """
CREATE TABLE calendar (cal integer PRIMARY KEY, endyear integer NOT NULL);
CREATE TABLE term (cal integer REFERENCES calendar (cal), term integer, PRIMARY KEY (cal, term));
CREATE TABLE room (id integer PRIMARY KEY, next integer REFERENCES room (id),
    cal integer NOT NULL REFERENCES calendar (cal), term integer, FOREIGN KEY (cal, term) REFERENCES term (cal, term));
CREATE TABLE visit (id integer PRIMARY KEY, room integer NOT NULL REFERENCES room (id));
INSERT INTO calendar VALUES (1, 2026), (2, 2025); INSERT INTO term VALUES (1, 1), (2, 1);
INSERT INTO room VALUES (1, NULL, 1, 1), (2, 1, 1, NULL), (3, NULL, 2, 1);
INSERT INTO visit VALUES (1, 1), (2, 2), (3, 3);
"""


@every_pair
async def test_ways_that_are_provably_one_need_no_saying(database: Database, ends: tuple[str, str]) -> None:
    """By its term a room has the calendar of its own column; a room points to another room, too."""
    tables = (("calendar", ()), ("term", ("calendar",)), ("room", ("term",)), ("visit", ("room",)))
    objects = tuple(DisObject(name, (name,), parents, school_year=True) for name, parents in tables)
    catalog = replace(YEARS, object=objects)
    here = Pair(database(ends[0]), database(ends[1]))
    await run_script(here.district, STEPS)
    await apply(here.district, here.state, catalog)
    assert {name: each.inserted for name, each in (await sent(here, catalog)).counts.items()} == {
        "calendar": 1, "term": 1, "room": 2, "visit": 2,
    }  # fmt: skip
    assert (await sent(here, catalog, Purpose.VERIFY)).counts["visit"] == Counts(processed=2, unchanged=2)


@every_pair
async def test_records_without_a_year_are_told_by_number(database: Database, ends: tuple[str, str]) -> None:
    district = DISTRICT.replace("cal integer NOT NULL", "cal integer") + "INSERT INTO visit VALUES (4, NULL, NULL, '');"
    here = await pair(
        database, ends, district=district, state=STATE.format(WAY).replace("cal integer NOT", "cal integer")
    )
    now, before = await sent(here), await sent(here, year=2025)
    none = "1 record of visit without calendar.endyear: they belong to no year"
    assert (now.ended["Visit"].message, now.counts["Visit"].inserted) == (f"{none} and go with the current one", 3)
    assert (before.ended["Visit"].message, before.counts["Visit"].inserted) == (f"{none} and are not sent with it", 1)


# --- years in other forms ---

FORMS = [
    ("text", "'2025-26'", "'2024-25'"),
    ("varchar(9)", "'2025-2026'", "'2024-2025'"),
    ("char(9)", "'2026'", "'2025'"),
    ("date", "'2026-06-12'", "'2024-08-20'"),
    ("timestamp", "'2025-08-20 08:00:00'", "'2025-06-12 00:00:00'"),
]


@every_pair
@pytest.mark.parametrize(("declared", "this", "last"), FORMS)
async def test_known_forms_are_read_at_both_ends(
    database: Database, ends: tuple[str, str], declared: str, this: str, last: str
) -> None:
    def of_form(script: str) -> str:
        return script.replace("endyear integer", f"endyear {declared}")

    district = of_form(DISTRICT).replace("2026), (2, 2025), (3, 2024)", f"{this}), (2, {last})")
    here = await pair(database, ends, district=district, state=of_form(STATE.format(WAY)))
    assert (await sent(here, year=2025)).counts["Visit"].inserted == 1
    assert (await sent(here)).counts["Visit"].inserted == 2
    more = f"INSERT INTO calendar VALUES ('01', 8, {last}); INSERT INTO visit VALUES ('01', 9, 8, NULL, 'gone');"
    await run_script(here.state, more)
    assert (await sent(here, purpose=Purpose.VERIFY)).counts["Visit"] == Counts(processed=2, unchanged=2)
    assert (await sent(here, purpose=Purpose.VERIFY, year=2025)).counts["Visit"].extra == 1


@pytest.mark.parametrize("ends", SAME)
async def test_a_form_that_is_not_known_fails_the_objects(database: Database, ends: tuple[str, str]) -> None:
    text = (
        DISTRICT.replace("endyear integer", "endyear text"),
        STATE.format(WAY).replace("endyear integer", "endyear text"),
    )
    here = await pair(
        database, ends, "UPDATE calendar SET endyear = 'FY26' WHERE cal > 1;", district=text[0], state=text[1]
    )
    told = "calendar.endyear of the district holds no school year in a known form in 2 of 3 records"
    heard = await sent(here)
    assert [fault(heard, name).startswith(told) for name in ("Calendar", "Visit")] == [True, True]
    await run_script(here.district, "UPDATE calendar SET endyear = '2026';")
    await sent(here)
    await run_script(here.state, "UPDATE calendar SET endyear = 'FY26' WHERE cal = 1;")
    told = told.replace("the district", "the state").replace("2 of 3", "1 of 3")
    assert fault(await sent(here, purpose=Purpose.VERIFY)).startswith(told)
    assert (await sent(here)).counts["Calendar"] == Counts(processed=3, updated=1, unchanged=2)


@pytest.mark.parametrize(
    ("kind", "value"), [("boolean", "true"), ("timestamp with time zone", "'2026-06-30 23:30-07'")]
)
async def test_a_type_that_holds_no_years_is_refused(database: Database, kind: str, value: str) -> None:
    """A moment with an offset is in another school year elsewhere."""
    scripts = [each.replace("endyear integer", f"endyear {kind}") for each in (DISTRICT, STATE.format(WAY))]
    for year in ("2026", "2025", "2024"):
        scripts[0] = scripts[0].replace(year, value)
    here = await pair(database, SAME[1], district=scripts[0], state=scripts[1])
    assert fault(await sent(here)).startswith(f"calendar.endyear is {kind} in the district: no school year is read")


@pytest.mark.parametrize("ends", SAME)
async def test_a_year_that_no_record_has_is_told(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=DISTRICT, state=STATE.format(WAY))
    heard = await sent(here, year=2027)
    assert heard.ended["Visit"].message == "calendar.endyear of the district has no 2026-27"


# --- names ---


@pytest.mark.parametrize("ends", SAME)
@pytest.mark.parametrize("year", ["calender.endyear", "calendar.endyaer"])
async def test_a_slip_of_the_year_is_not_every_year(database: Database, ends: tuple[str, str], year: str) -> None:
    here = await pair(database, ends, district=DISTRICT, state=STATE.format(WAY))
    heard = await sent(here, replace(YEARS, year=year))
    assert "; the nearest is calendar" in fault(heard) or "; the nearest is endyear" in fault(heard)
    assert await here.held("SELECT count(*) FROM calendar") == [(0,)]


@pytest.mark.parametrize("ends", SAME)
async def test_names_are_compared_as_the_database_does(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, district=DISTRICT, state=STATE.format(WAY))
    other_case = replace(YEARS, year="calendar.endYear", object=(CALENDAR, replace(VISIT, state_owned=("visit.NOTE",))))
    heard = await sent(here, other_case)
    if ends[0] == "postgresql":
        assert "; the nearest is endyear" in fault(heard, "Calendar")
        assert 'state_owned of Visit names "visit.NOTE"' in fault(
            await sent(here, replace(other_case, year=YEARS.year))
        )
        return
    assert heard.counts["Visit"].inserted == 2
    await run_script(here.state, "UPDATE visit SET note = 'its own';")
    assert (await sent(here, other_case)).counts["Visit"] == Counts(processed=2, unchanged=2)


@pytest.mark.parametrize("key", ["state_owned", "ignore_columns"])
@pytest.mark.parametrize("ends", SAME)
async def test_a_slip_of_a_column_protects_no_less(database: Database, ends: tuple[str, str], key: str) -> None:
    here = await pair(database, ends, district=DISTRICT, state=STATE.format(WAY))
    slip = replace(YEARS, object=(CALENDAR, replace(VISIT, **{key: ("visit.note ",)})))  # type: ignore[arg-type]
    told = fault(await sent(here, slip))
    assert told.startswith(
        f'The catalog\'s {key} of Visit names "visit.note ", but visit has no such column in the dis'
    )
    assert "the nearest is note" in told


@pytest.mark.parametrize("ends", SAME)
async def test_init_refuses_what_a_run_refuses(database: Database, ends: tuple[str, str]) -> None:
    here = Pair(database(ends[0]), database(ends[1]))
    await run_script(here.district, TWO_WAYS)
    for catalog, what in (
        (YEARS, "several ways to calendar.endyear"),
        (replace(YEARS, year="calender.endyear"), "the district has no table calender; the nearest is calendar"),
        (replace(YEARS, identity="calendar.number"), "identity names"),
        (
            replace(YEARS, object=(replace(CALENDAR, tables=("calendr",)), VISIT)),
            "no table calendr; the nearest is cal",
        ),
    ):
        with pytest.raises(CannotRun, match=what):
            await apply(here.district, here.state, catalog)
    await apply(here.district, here.state, replace(YEARS, year_path=("visit.cal",)))
    assert await here.held("SELECT count(*) FROM visit") == [(0,)]


@pytest.mark.parametrize("ends", SAME)
async def test_a_rule_asks_the_district_alone(database: Database, ends: tuple[str, str]) -> None:
    """The state has a table that the rule names; the district does not, though one connection may see both files."""
    rule = Rule("held", "visit", "EXISTS (SELECT 1 FROM held h WHERE h.id = t.id)", "Held at the state")
    more = "PRAGMA journal_mode = WAL;" * (ends[1] == "sqlite")
    more += "CREATE TABLE held (id integer); INSERT INTO held VALUES (1);"
    here = await pair(database, ends, more_state=more, district=DISTRICT, state=STATE.format(WAY))
    heard = await sent(here, replace(YEARS, object=(CALENDAR, replace(VISIT, rule=(rule,)))))
    assert fault(heard).startswith("Rule held of Visit is not valid SQL:")
    await run_script(here.district, "CREATE TABLE held (id integer); INSERT INTO held VALUES (3);")
    heard = await sent(here, replace(YEARS, object=(CALENDAR, replace(VISIT, rule=(rule,)))))
    assert heard.counts["Visit"] == Counts(processed=2, inserted=1, excluded=1)


@pytest.mark.parametrize(("ends", "other"), [(SAME[0], "VISIT"), (SAME[0], "main.visit"), (SAME[1], "public.visit")])
async def test_two_names_of_one_table_are_refused(database: Database, ends: tuple[str, str], other: str) -> None:
    here = await pair(database, ends, district=DISTRICT, state=STATE.format(WAY))
    twice = replace(YEARS, object=(CALENDAR, VISIT, DisObject("Again", (other,), ("Calendar",), school_year=True)))
    heard = await sent(here, twice)
    assert fault(heard).startswith(f"visit of Visit and {other} of Again are one table")
    assert fault(heard, "Again").startswith(f"{other} of Again and visit of Visit are one table")
    alone = replace(YEARS, object=(CALENDAR, replace(VISIT, tables=(other,))))
    assert (await sent(here, alone)).counts["Visit"].inserted == 2
    assert (await sent(here, alone)).counts["Visit"].unchanged == 2


async def test_foreign_keys_are_followed_in_any_case(database: Database) -> None:
    """SQLite takes these words for the names of the tables and columns; so does what derives the state."""
    here = Pair(database("sqlite"), database("sqlite"))
    await run_script(here.district, DISTRICT.replace("calendar (cal)", "CALENDAR (Cal)"))
    await apply(here.district, here.state, YEARS)
    await run_script(here.district, "PRAGMA foreign_keys = OFF; INSERT INTO visit VALUES (4, 99, NULL, 'orphan');")
    heard = await sent(here)
    assert heard.counts["Visit"] == Counts(processed=3, inserted=2, rejected=1)
    assert [each.kind for each in heard.refusals] == [Kind.REJECTED]
