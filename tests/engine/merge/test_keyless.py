"""A table without a key: its records are told apart by all that they hold, and equal ones by their number alone."""

from collections import Counter
from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog, DisObject, Rule
from resync_tui.engine.events import RecordsFound
from resync_tui.engine.job import Job, Limits
from resync_tui.engine.read import extract
from resync_tui.errors import CannotRun, ConnectionLost, LeaseLost
from resync_tui.outcome import Counts, Finding, Kind, Purpose, Status
from tests.support.comparison import every_comparison
from tests.support.interruption import MANY, SLOW, merging, under_way
from tests.support.oracle.shape import versions
from tests.support.running import Heard, make_job, run
from tests.support.small import ENDS, SAME, Database, Pair, every_pair, leftovers, pair

HIDDEN = Rule("hidden", "k", "t.code = 'hidden'", "Hidden from the state")
KEYLESS = Catalog(
    "Keyless", (DisObject("P", ("p",)), DisObject("K", ("k",), ("P",), rule=(HIDDEN,))), tenant_column="tenant"
)
ALONE = Catalog("Alone", (DisObject("K", ("k",)),), tenant_column="tenant")
DISTRICT = "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE k (id integer, code text, v numeric(9, 2));"
STATE = """
CREATE TABLE p (tenant varchar(9), id integer, PRIMARY KEY (tenant, id));
CREATE TABLE k (tenant varchar(9) NOT NULL, id integer, code varchar(9), v numeric(9, 2){});
"""
HELD = "SELECT id, code, v FROM k WHERE tenant = '01'"


def job_of(here: Pair, purpose: Purpose = Purpose.RESYNC, *, token: int = 1, limits: Limits | None = None) -> Job:
    job = make_job(here.district, here.state, KEYLESS, "01", token=token, limits=limits)
    return replace(job, purpose=purpose)


def told(heard: Heard) -> dict[Finding, tuple[int, list[object]]]:
    """Return how many records were found to be what, and by which keys."""
    events = [event for event in heard.events if isinstance(event, RecordsFound)]
    return {event.finding: (event.count, [dict(key) for key in event.keys]) for event in events}


@every_comparison(ENDS)
async def test_only_as_many_copies_go_in_as_the_state_has_too_few(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES (1, 'a', 1), (1, 'a', 1), (1, 'a', 1), (NULL, NULL, NULL), (NULL, NULL, NULL),"
        " (2, 'b', 2), (3, 'c', 3), (3, 'C', 3);",
        "INSERT INTO k VALUES ('01', 1, 'a', 1), ('01', NULL, NULL, NULL), ('01', 2, 'b', 2), ('01', 2, 'b', 2),"
        " ('01', 3, 'c', 4), ('02', 3, 'c', 3), ('02', 1, 'a', 1), ('02', 1, 'a', 1);",
        district=DISTRICT,
        state=STATE.format(""),
    )
    expected = Counts(processed=8, inserted=5, unchanged=3, extra=2)
    compared = await run(job_of(here, Purpose.VERIFY))
    assert compared.counts["K"] == expected
    copies = [{"record": place} for place in (2, 3, 5, 7, 8)]
    assert told(compared) == {Finding.MISSING: (5, copies), Finding.EXTRA: (2, [])}

    heard = await run(job_of(here))
    assert heard.counts["K"] == expected, heard.ended
    assert Counter(await here.held(HELD)) == Counter(
        {(1, "a", 1): 3, (None, None, None): 2, (2, "b", 2): 2, (3, "c", 3): 1, (3, "C", 3): 1, (3, "c", 4): 1}
    )
    assert await here.held("SELECT count(*) FROM k WHERE tenant = '02'") == [(3,)]
    written = await versions(here.state)
    assert (await run(job_of(here))).counts["K"] == Counts(processed=8, unchanged=8, extra=2)
    assert await versions(here.state) == written


@every_pair
async def test_a_first_load_takes_every_copy_and_a_second_run_none(database: Database, ends: tuple[str, str]) -> None:
    rows = "INSERT INTO k VALUES (1, 'a', 1), (1, 'a', 1), (NULL, NULL, NULL);"
    here = await pair(database, ends, rows, district=DISTRICT, state=STATE.format(""))
    assert (await run(job_of(here))).counts["K"] == Counts(processed=3, inserted=3)
    assert (await run(job_of(here))).counts["K"] == Counts(processed=3, unchanged=3)
    assert await here.held("SELECT count(*) FROM k") == [(3,)]


PRINTED = [
    ("numeric", "'1.0'", "'1.00'"), ("double precision", "'0'", "'-0'"), ("interval", "'1 day'", "'24:00:00'"),
    ("json", "'[1]'", "'[ 1]'"), ("jsonb", "'1'", "'1.0'"), ("point", "'(1,2)'", "'(2,1)'"), ("text", "'a'", "'a '"),
    ("bytea", "'\\x00'", "'\\x0000'"), ("text[]", "'{NULL}'", "'{\"NULL\"}'"),
    ("timestamptz", "'2026-01-01'", "'2026-01-02'"), ("boolean", "'f'", "NULL"),
]  # fmt: skip


async def test_copies_are_told_by_printed_value_not_by_type_equality(database: Database) -> None:
    columns = ", ".join(f"c{place} {kind}" for place, (kind, _, _) in enumerate(PRINTED))
    rows = [[one for _, one, _ in PRINTED] for _ in range(len(PRINTED) + 2)]
    for place, (_, _, other) in enumerate(PRINTED):
        rows[place][place] = other
    here = await pair(
        database,
        ("postgresql", "postgresql"),
        "".join(f"INSERT INTO k VALUES ({', '.join(row)});" for row in rows),
        f"INSERT INTO k VALUES ('01', {', '.join(rows[-1])});",
        district=f"CREATE TABLE k ({columns});",
        state=f"CREATE TABLE k (tenant text, {columns});",
    )
    job = make_job(here.district, here.state, ALONE, "01")
    many = len(rows)
    assert (await run(job)).counts["K"] == Counts(processed=many, inserted=many - 1, unchanged=1)
    assert (await run(job)).counts["K"] == Counts(processed=many, unchanged=many)


async def test_what_a_narrower_column_of_the_state_holds_is_found_again(database: Database) -> None:
    here = await pair(
        database,
        ("postgresql", "postgresql"),
        "INSERT INTO k VALUES ('2026-01-01 10:00:00', '10:00:00', 'a', 1.5, '1 day 00:00:01');"
        "INSERT INTO k VALUES ('2026-01-01 10:00:00.4', '10:00:00', 'a', 1.5, '1 day 00:00:01');",
        district="CREATE TABLE k (a timestamp, b time, c text, d numeric, e interval);",
        state="CREATE TABLE k (tenant text, a timestamp(0), b time(0), c char(5), d numeric(9, 4), e interval(0));",
    )
    job = make_job(here.district, here.state, ALONE, "01")
    assert (await run(job)).counts["K"] == Counts(processed=2, inserted=1, rejected=1)
    assert (await run(job)).counts["K"] == Counts(processed=2, unchanged=1, rejected=1)


@pytest.mark.parametrize("ends", SAME)
async def test_sqlite_and_postgresql_tell_a_number_from_its_text(database: Database, ends: tuple[str, str]) -> None:
    kind = "" if ends[1] == "sqlite" else "text"
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES ('1'), ('1.0'), (''), (NULL);",
        f"INSERT INTO k VALUES ('01', {'1' if ends[1] == 'sqlite' else '1.00'});",
        district=f"CREATE TABLE k (v {kind});",
        state=f"CREATE TABLE k (tenant text, v {kind});",
    )
    job = make_job(here.district, here.state, ALONE, "01")
    assert (await run(job)).counts["K"] == Counts(processed=4, inserted=4, extra=1)
    assert (await run(job)).counts["K"] == Counts(processed=4, unchanged=4, extra=1)


REFUSING = {
    "sqlite": "CREATE TRIGGER no BEFORE INSERT ON k WHEN NEW.id = 777 BEGIN SELECT RAISE(ABORT, 'secret'); END;",
    "postgresql": """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id = 777 THEN RAISE EXCEPTION 'secret of %', NEW.code; END IF; RETURN NEW; END $$;
        CREATE TRIGGER no BEFORE INSERT ON k FOR EACH ROW EXECUTE FUNCTION refuse();""",
}


@every_pair
async def test_refused_keyless_record_is_named_only_by_its_place(
    database: Database, ends: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "SPLIT_ROWS", 1)
    here = await pair(
        database,
        ends,
        "INSERT INTO p VALUES (1), (777); INSERT INTO k VALUES (1, 'a', 1), (1, 'far too long', 1), (1, 'hidden', 1),"
        " (1, 'broken', -5), (8, 'orphan', 1), (777, 'trigger', 1), (1, 'hidden', 1), (NULL, 'b', 1), (1, 'a', 1);",
        "INSERT INTO k VALUES ('01', NULL, 'hidden', 1);" + REFUSING[ends[1]],
        district=DISTRICT,
        state=STATE.format(", CONSTRAINT above CHECK (v > 0), FOREIGN KEY (tenant, id) REFERENCES p (tenant, id)"),
    )
    heard = await run(job_of(here))
    assert heard.counts["K"] == Counts(processed=9, inserted=3, excluded=2, rejected=4, extra=1), heard.ended
    assert {(event.kind, *(key["record"] for key in event.keys)) for event in heard.refusals} == {
        (Kind.EXCLUDED, 3, 7), (Kind.REJECTED, 2), (Kind.REJECTED, 4), (Kind.REJECTED, 5), (Kind.REJECTED, 6)
    }  # fmt: skip
    assert all(set(key) == {"record"} for event in heard.refusals for key in event.keys)
    assert not any(word in event.reason for event in heard.refusals for word in ("secret", "far too long", "orphan'"))
    again = await run(job_of(here))
    assert again.counts["K"] == Counts(processed=9, unchanged=3, excluded=2, rejected=4, extra=1)


@pytest.mark.parametrize("ends", SAME)
async def test_the_copy_of_a_refused_record_stays_and_is_not_extra(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES (1, 'hidden', 1), (1, 'hidden', 1);",
        "INSERT INTO k VALUES ('01', 1, 'hidden', 1), ('01', 1, 'hidden', 1), ('01', 1, 'hidden', 1);",
        district=DISTRICT,
        state=STATE.format(""),
    )
    heard = await run(job_of(here))
    assert heard.counts["K"] == Counts(processed=2, excluded=2, extra=1)
    assert await here.held("SELECT count(*) FROM k") == [(3,)]


@every_pair
async def test_of_copies_with_a_value_that_must_be_unique_one_goes_in(
    database: Database, ends: tuple[str, str]
) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES (1, 'a', 1), (1, 'a', 1), (NULL, 'n', 1), (NULL, 'n', 1), (2, 'b', 2), (3, 'x', 1),"
        " (3, 'y', 1), (4, 'held', 4), (4, 'held', 4);",
        "INSERT INTO k VALUES ('01', 2, 'older', 2), ('01', 4, 'held', 4);",
        district=DISTRICT,
        state=STATE.format(", UNIQUE (tenant, id)"),
    )
    heard = await run(job_of(here))
    assert heard.counts["K"] == Counts(processed=9, inserted=4, unchanged=1, rejected=4, extra=1), heard.refused
    again = await run(job_of(here))
    assert again.counts["K"] == Counts(processed=9, unchanged=5, rejected=4, extra=1), again.refused


OWNED = Catalog("Owned", (DisObject("K", ("k",), state_owned=("k.v",)),), tenant_column="tenant")


@every_pair
async def test_what_the_state_owns_tells_no_records_apart(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES (1, 'a', 1), (1, 'a', 2), (1, 'a', 3);",
        "INSERT INTO k VALUES ('01', 1, 'a', 8), ('01', 1, 'a', 9);",
        district=DISTRICT,
        state=STATE.format(""),
    )
    heard = await run(make_job(here.district, here.state, OWNED, "01"))
    assert heard.counts["K"] == Counts(processed=3, inserted=1, unchanged=2)
    assert sorted(await here.held("SELECT v FROM k"))[1:] == [(8,), (9,)]


@pytest.mark.parametrize("ends", SAME)
async def test_superseded_batch_duplicates_no_keyless_records(database: Database, ends: tuple[str, str]) -> None:
    rows = (
        f"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY - 1})"
        " INSERT INTO k SELECT i / 4, 'x', 1 FROM n;"
    )
    here = await pair(database, ends, rows, district=DISTRICT, state=STATE.format(""))
    async with under_way(job_of(here, limits=SLOW), merging) as outcome:
        newer = await run(job_of(here, token=2))
        assert newer.status is Status.COMPLETED
    # PostgreSQL may end its connection before it asks for the fence.
    assert isinstance(outcome[0], LeaseLost | ConnectionLost), outcome
    counts = newer.counts["K"]
    assert counts == Counts(processed=MANY, inserted=counts.inserted, unchanged=MANY - counts.inserted)
    assert counts.unchanged
    copies = "SELECT copies, count(*) FROM (SELECT count(*) AS copies FROM k GROUP BY id) AS k GROUP BY copies"
    assert await here.held(copies) == [(4, MANY // 4)]
    assert await leftovers(here.state) == []


CHANGED = "a trigger of the state changed what was sent; list the columns that it sets in state_owned"
SKIPPED = "a trigger of the state skipped it"
DOES = {
    "changes": ("NEW.code := upper(NEW.code); RETURN NEW", "UPDATE k SET code = upper(code) WHERE rowid = NEW.rowid"),
    "skips": ("RETURN NULL", "SELECT RAISE(IGNORE)"),
}


def trigger(kind: str, does: str) -> str:
    """Return the DDL of a trigger of the state on records whose v is 2."""
    typed, loose = DOES[does]
    if kind == "sqlite":
        when = "BEFORE" if does == "skips" else "AFTER"
        return f"CREATE TRIGGER up {when} INSERT ON k WHEN NEW.v = 2 BEGIN {loose}; END;"
    return f"""CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {typed}; END $$;
        CREATE TRIGGER up BEFORE INSERT ON k FOR EACH ROW WHEN (NEW.v = 2) EXECUTE FUNCTION up();"""


@every_comparison(ENDS)
@pytest.mark.parametrize(("does", "reason"), [("changes", CHANGED), ("skips", SKIPPED)])
async def test_keyless_records_that_a_trigger_alters_are_rejected(
    database: Database, ends: tuple[str, str], does: str, reason: str
) -> None:
    rows = "INSERT INTO k VALUES (1, 'a', 1), (2, 'b', 2), (2, 'b', 2), (2, 'B', 2), (2, 'b', 1), (3, NULL, NULL);"
    held = "INSERT INTO k VALUES ('01', 2, 'b', 2);"
    here = await pair(database, ends, rows, held + trigger(ends[1], does), district=DISTRICT, state=STATE.format(""))
    # Upper case comes through: one more of these is what was sent.
    refused = 1 if does == "changes" else 2
    for token, counts in enumerate((Counts(processed=6, inserted=5 - refused, unchanged=1, rejected=refused),) * 2, 1):
        heard = await run(job_of(here, token=token))
        done = counts if token == 1 else replace(counts, inserted=0, unchanged=counts.unchanged + counts.inserted)
        assert heard.counts["K"] == done, heard.ended
        assert {reason_ for _, _, _, reason_ in heard.refused} == {reason}
        assert len(await here.held(HELD)) == 6 - refused
    assert await leftovers(here.state) == []


async def test_a_trigger_deferred_to_the_commit_is_seen_too(database: Database) -> None:
    deferred = """CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE k SET code = upper(code) WHERE v = 2; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER up AFTER INSERT ON k DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.v = 2) EXECUTE FUNCTION up();"""
    rows = "INSERT INTO k VALUES (1, 'a', 1), (2, 'b', 2);"
    here = await pair(database, SAME[1], rows, deferred, district=DISTRICT, state=STATE.format(""))
    heard = await run(job_of(here))
    assert heard.counts["K"] == Counts(processed=2, inserted=1, rejected=1)
    assert [tuple(row)[:2] for row in await here.held(HELD)] == [(1, "a")]


@pytest.mark.parametrize("ends", SAME)
async def test_records_that_a_trigger_adds_fail_a_keyless_table(database: Database, ends: tuple[str, str]) -> None:
    copy = "INSERT INTO k VALUES ('01', 9, 'copy', 9)"
    adds = (
        f"CREATE TRIGGER adds AFTER INSERT ON k WHEN NEW.v = 2 BEGIN {copy}; END;"
        if ends[1] == "sqlite"
        else f"""CREATE FUNCTION adds() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {copy}; RETURN NULL; END $$;
        CREATE TRIGGER adds AFTER INSERT ON k FOR EACH ROW WHEN (NEW.v = 2) EXECUTE FUNCTION adds();"""
    )
    rows = "INSERT INTO k VALUES (1, 'a', 1), (2, 'b', 2);"
    here = await pair(database, ends, rows, adds, district=DISTRICT, state=STATE.format(""))
    heard = await run(job_of(here))
    assert heard.statuses["K"] is Status.FAILED
    assert heard.ended["K"].message.startswith("A trigger of the state adds records to k, and without a key nothing")
    assert await here.held(HELD) == []


@every_pair
async def test_extra_copies_are_not_removed_as_nothing_tells_which(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO p VALUES (1); INSERT INTO k VALUES (1, 'a', 1);",
        "INSERT INTO p VALUES ('01', 1), ('01', 2); INSERT INTO k VALUES ('01', 1, 'a', 1), ('01', 1, 'a', 1);",
        district=DISTRICT,
        state=STATE.format(""),
    )
    job = job_of(here, Purpose.REMOVE_EXTRA, limits=Limits(extra_share=1))
    with pytest.raises(CannotRun, match="k has no key to tell which of its records are extra: nothing was removed"):
        await run(job)
    assert await here.held("SELECT (SELECT count(*) FROM k), (SELECT count(*) FROM p)") == [(2, 2)]

    alone = replace(job, plan=make_job(here.district, here.state, KEYLESS, "01", ["P"]).plan)
    assert (await run(alone)).counts["P"].removed == 1


@pytest.mark.parametrize("ends", SAME)
async def test_removal_leaves_a_keyless_table_without_extras_alone(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO p VALUES (1); INSERT INTO k VALUES (1, 'a', 1), (1, 'far too long', 1);",
        "INSERT INTO p VALUES ('01', 1), ('01', 2); INSERT INTO k VALUES ('01', 1, 'a', 1);",
        district=DISTRICT,
        state=STATE.format(""),
    )
    heard = await run(job_of(here, Purpose.REMOVE_EXTRA, limits=Limits(extra_share=1)))
    assert heard.counts == {"P": Counts(processed=1, extra=1, removed=1), "K": Counts()}
    assert await here.held("SELECT (SELECT count(*) FROM k), (SELECT count(*) FROM p)") == [(1, 1)]


YEARLY = Catalog(
    "Yearly", (DisObject("P", ("p",)), DisObject("K", ("k",), ("P",), school_year=True)),
    tenant_column="tenant", year="p.year",
)  # fmt: skip


@every_pair
async def test_only_copies_of_the_year_are_sent_and_counted(database: Database, ends: tuple[str, str]) -> None:
    foreign = ", FOREIGN KEY (tenant, id) REFERENCES p (tenant, id)"
    here = await pair(
        database,
        ends,
        "ALTER TABLE p ADD year integer; INSERT INTO p VALUES (1, 2026), (2, 2025);"
        " INSERT INTO k VALUES (1, 'a', 1), (1, 'a', 1), (2, 'b', 1), (2, 'b', 1);",
        "ALTER TABLE p ADD year integer; INSERT INTO p VALUES ('01', 1, 2026), ('01', 2, 2025);"
        " INSERT INTO k VALUES ('01', 1, 'a', 1), ('01', 1, 'gone', 1), ('01', 2, 'gone', 1);",
        district=DISTRICT,
        state=STATE.format(foreign),
    )
    job = make_job(here.district, here.state, YEARLY, "01")
    assert (await run(job)).counts["K"] == Counts(processed=2, inserted=1, unchanged=1, extra=1)
    assert (await run(job)).counts["K"] == Counts(processed=2, unchanged=2, extra=1)
    last = replace(job, plan=replace(job.plan, year=2025), current_year=2026)
    assert (await run(last)).counts["K"] == Counts(processed=2, inserted=2, extra=1)


@every_pair
async def test_children_follow_a_parent_without_a_key(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        "INSERT INTO k VALUES (1, 'a', 1), (2, 'far too long', 2), (NULL, 'n', 1);"
        "CREATE TABLE c (k integer); INSERT INTO c VALUES (1), (1), (2), (NULL);",
        "CREATE TABLE c (tenant varchar(9), k integer, FOREIGN KEY (tenant, k) REFERENCES k (tenant, id));",
        district=DISTRICT,
        state=STATE.format(", UNIQUE (tenant, id)"),
    )
    catalog = Catalog("Below", (*ALONE.objects, DisObject("C", ("c",), ("K",))), tenant_column="tenant")
    job = make_job(here.district, here.state, catalog, "01")
    assert (await run(job)).counts["C"] == Counts(processed=4, inserted=3, blocked=1)
    assert (await run(job)).counts["C"] == Counts(processed=4, unchanged=3, blocked=1)


@pytest.mark.parametrize("back", ["itself", "another"])
async def test_self_referencing_keyless_table_fails_its_object_alone(database: Database, back: str) -> None:
    state = "CREATE TABLE k (tenant varchar(9), code varchar(9), k varchar(9), UNIQUE (tenant, k), FOREIGN KEY (tenant,"
    there = {"itself": " code) REFERENCES k (tenant, k));", "another": " code) REFERENCES l (tenant, k));"}[back]
    here = await pair(
        database,
        ("sqlite", "sqlite"),
        "INSERT INTO k VALUES ('a', 'a'), (NULL, 'b'); INSERT INTO l VALUES ('a', 'a');",
        district="CREATE TABLE k (code text, k text); CREATE TABLE l (code text, k text);",
        state=state + there + state.replace("TABLE k", "TABLE l") + " code) REFERENCES k (tenant, k));",
    )
    catalog = Catalog("Round", (DisObject("K", ("k", "l")),), tenant_column="tenant")
    heard = await run(make_job(here.district, here.state, catalog, "01"))
    assert heard.statuses == {"K": Status.FAILED}
    assert "points back to itself and has no key" in heard.ended["K"].message
    assert await here.held("SELECT count(*) FROM k") == [(0,)]


@every_pair
async def test_an_empty_district_leaves_every_copy_extra(database: Database, ends: tuple[str, str]) -> None:
    more = "INSERT INTO k VALUES ('01', 9, 'z', 9), ('01', 9, 'z', 9);"
    here = await pair(database, ends, "", more, district=DISTRICT, state=STATE.format(""))
    assert (await run(job_of(here))).counts["K"] == Counts(extra=2)


@every_pair
async def test_wholly_state_owned_records_are_told_apart_by_number(database: Database, ends: tuple[str, str]) -> None:
    rows, more = "INSERT INTO k VALUES (1, 'a', 1), (2, 'b', 2);", "INSERT INTO k VALUES ('01', 9, 'z', 9);"
    here = await pair(database, ends, rows, more, district=DISTRICT, state=STATE.format(""))
    owned = DisObject("K", ("k",), state_owned=("k.id", "k.code", "k.v"))
    job = make_job(here.district, here.state, Catalog("Owned", (owned,), tenant_column="tenant"), "01")
    assert (await run(job)).counts["K"] == Counts(processed=2, inserted=1, unchanged=1)
    assert (await run(job)).counts["K"] == Counts(processed=2, unchanged=2)
