"""What row-level security hides from a login is not absent: its object fails in words, or its policies are trusted."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from resync_tui.databases.registry import open_engine
from resync_tui.engine.backends.postgres.dialect import DIALECT
from resync_tui.engine.events import RecordsFound
from resync_tui.engine.job import Job, Limits
from resync_tui.engine.visibility import Policed, policed_tables
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Purpose, Status
from tests.support.databases import login, rows, run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import SMALL, Database, Pair, leftovers, pair

ENDS = ("postgresql", "postgresql")
ROWS = """
INSERT INTO a SELECT n, 'n' || n FROM generate_series(1, 100) n;
INSERT INTO b SELECT n, n, 'm' FROM generate_series(1, 100) n;
INSERT INTO c SELECT n, 'c' || n, 1 FROM generate_series(1, 100) n;
INSERT INTO d SELECT n, n FROM generate_series(1, 100) n;
"""
HIDING = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_site ON {table} TO {role} USING (id % 10 <> 0) WITH CHECK (id < 1000);
"""
GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
DO $$ BEGIN EXECUTE 'GRANT CREATE ON DATABASE ' || current_database() || ' TO {role}'; END $$;
"""


@asynccontextmanager
async def guest(*urls: str, hides: str = "", attributes: str = "") -> AsyncIterator[str]:
    """Make a login with all grants at these databases, from which policies hide a tenth of the table `hides`."""
    role = f"guest_{secrets.token_hex(4)}"
    await run_script(urls[0], f"CREATE ROLE {role} LOGIN PASSWORD 'geheim' {attributes}")
    try:
        for url in urls:
            await run_script(url, GRANTS.format(role=role))
            if hides:
                await run_script(url, HIDING.format(table=hides, role=role))
        yield role
    finally:
        for url in urls:
            await run_script(url, f"DROP OWNED BY {role} CASCADE")
        await run_script(urls[0], f"DROP ROLE {role}")


async def sent(database: Callable[[str], str]) -> Pair:
    """Make a district whose records the state has, sent by the owner of both."""
    here = await pair(database, ENDS, ROWS)
    heard = await run(make_job(here.district, here.state, SMALL, "01"))
    assert heard.counts["C"] == Counts(processed=100, inserted=100)
    return here


def of_purpose(job: Job, purpose: Purpose) -> Job:
    return replace(job, purpose=purpose, token=job.token + 1)


async def compared(job: Job) -> Heard:
    return await run(of_purpose(job, Purpose.VERIFY))


def found(heard: Heard) -> dict[tuple[str, str], int]:
    """Return how many records each table was found to have missing, different or extra."""
    events = [each for each in heard.events if isinstance(each, RecordsFound)]
    return {(each.table, str(each.finding)): each.count for each in events}


async def held_of_c(here: Pair) -> int:
    return len(await rows(here.state, "SELECT id FROM c"))


@pytest.mark.parametrize("purpose", [Purpose.RESYNC, Purpose.VERIFY])
async def test_object_with_district_hidden_records_fails_alone(
    database: Callable[[str], str], purpose: Purpose
) -> None:
    here = await sent(database)
    async with guest(here.district, hides="c") as role:
        job = make_job(login(here.district, role), here.state, SMALL, "01")
        heard = await run(of_purpose(job, purpose))
        message = heard.ended["C"].message
        words = f"Row-level security (policy by_site) hides records of c from login {role} at the district. Give that"
        assert message.startswith(words)
        assert 'policies = "trusted"' in message
        assert heard.ended["C"].counts == Counts()
        assert found(heard) == {}
        done = Counts(processed=100, unchanged=100)
        assert {name: heard.counts[name] for name in "ABD"} == dict.fromkeys("ABD", done)
        assert (heard.status, heard.statuses["C"], heard.statuses["D"]) == (
            Status.FAILED,
            Status.FAILED,
            Status.COMPLETED,
        )
        assert await held_of_c(here) == 100


async def test_what_a_district_hides_is_never_removed_as_extra(database: Callable[[str], str]) -> None:
    here = await sent(database)
    async with guest(here.district, hides="c") as role:
        job = make_job(login(here.district, role), here.state, SMALL, "01", limits=Limits(extra_share=1))
        with pytest.raises(CannotRun, match="nothing was removed"):
            await run(of_purpose(job, Purpose.REMOVE_EXTRA))
        assert await held_of_c(here) == 100
        assert await leftovers(here.state) == []


@pytest.mark.parametrize("purpose", [Purpose.RESYNC, Purpose.VERIFY])
async def test_object_with_state_hidden_records_fails_alone(database: Callable[[str], str], purpose: Purpose) -> None:
    here = await sent(database)
    async with guest(here.state, hides="c") as role:
        job = make_job(here.district, login(here.state, role), SMALL, "01")
        await run_script(here.state, f"GRANT ALL ON SCHEMA resync_stage TO {role}")
        await run_script(here.state, f"GRANT ALL ON ALL TABLES IN SCHEMA resync_stage TO {role}")
        heard = await run(of_purpose(job, purpose))
        words = f"Row-level security (policy by_site) hides records of c from login {role} at the state. Give that"
        assert heard.ended["C"].message.startswith(words)
        assert found(heard) == {}
        assert {heard.statuses[name] for name in "ABD"} == {Status.COMPLETED}
        assert await held_of_c(here) == 100


@pytest.mark.parametrize("end", ["district", "state"])
async def test_hidden_parent_fails_only_the_object_that_looks_it_up(database: Callable[[str], str], end: str) -> None:
    """The parent is no table of the batch, so only the statement that reads it finds out."""
    here = await sent(database)
    url = here.district if end == "district" else here.state
    # something to stage, so that parents are asked for
    await run_script(here.district, "UPDATE b SET a = 7 WHERE id = 5; UPDATE c SET code = 'other' WHERE id = 5")
    async with guest(url, hides="a") as role:
        if end == "state":
            await run_script(here.state, f"GRANT ALL ON SCHEMA resync_stage TO {role}")
            await run_script(here.state, f"GRANT ALL ON ALL TABLES IN SCHEMA resync_stage TO {role}")
        source = login(here.district, role) if end == "district" else here.district
        target = login(here.state, role) if end == "state" else here.state
        job = make_job(source, target, SMALL, "01", ["B", "C"], check_dependencies=False, token=2)
        heard = await run(job)
        assert heard.ended["B"].message.startswith(f"Row-level security hides records of a in the {end} ({role}@")
        assert heard.counts["C"] == Counts(processed=100, unchanged=99, updated=1)


async def test_trigger_reading_hidden_rows_is_told_with_the_table_name(
    database: Callable[[str], str],
) -> None:
    here = await pair(database, ENDS, ROWS)
    await run_script(
        here.state,
        """
        CREATE TABLE seen (id integer); ALTER TABLE seen ENABLE ROW LEVEL SECURITY;
        CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM 1 FROM seen; RETURN NEW; END';
        CREATE TRIGGER look BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION look();
        """,
    )
    async with guest(here.state) as role:
        heard = await run(make_job(here.district, login(here.state, role), SMALL, "01"))
        assert heard.ended["C"].message.startswith(f"Row-level security hides records of seen in the state ({role}@")
        assert "Unexpected" not in heard.ended["C"].message
        assert {heard.statuses[name] for name in "ABD"} == {Status.COMPLETED}


@pytest.mark.parametrize("attributes", ["BYPASSRLS", "SUPERUSER"])
async def test_a_login_that_policies_do_not_hold_is_not_affected(
    database: Callable[[str], str], attributes: str
) -> None:
    here = await sent(database)
    async with guest(here.district, hides="c", attributes=attributes) as role:
        heard = await compared(make_job(login(here.district, role), here.state, SMALL, "01"))
        assert heard.counts["C"] == Counts(processed=100, unchanged=100)


async def test_foreign_keys_hold_under_forced_policies_on_parents(
    database: Callable[[str], str],
) -> None:
    """PostgreSQL itself looks the parent up, as the owner of the table."""
    here = await pair(database, ENDS, ROWS)
    async with guest(here.state, attributes="BYPASSRLS") as role:
        forced = "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY; ALTER TABLE {0} FORCE ROW LEVEL SECURITY; "
        owned = "ALTER TABLE {0} OWNER TO {1}; "
        await run_script(here.state, "".join((owned + forced).format(name, role) for name in "abd"))
        heard = await run(make_job(here.district, login(here.state, role), SMALL, "01"))
        assert heard.counts == dict.fromkeys("ABCD", Counts(processed=100, inserted=100))


async def test_trusted_district_policies_call_no_policed_record_extra(
    database: Callable[[str], str],
) -> None:
    here = await sent(database)
    await run_script(here.district, "UPDATE c SET b = 2 WHERE id IN (1, 10); DELETE FROM d WHERE id = 100")
    async with guest(here.district, hides="c") as role:
        job = replace(make_job(login(here.district, role), here.state, SMALL, "01"), trusts_source_policies=True)
        heard = await compared(job)
        assert heard.counts["C"] == Counts(processed=90, unchanged=89, updated=1)
        assert heard.counts["D"] == Counts(processed=99, unchanged=99, extra=1)
        assert found(heard) == {("c", "different"): 1, ("d", "extra"): 1}
        told = "Policies may hide records of c at the district: these are not called extra"
        assert told in heard.notes
        assert (heard.ended["C"].message, heard.ended["D"].message) == (told, "")
        heard = await run(replace(job, token=3))
        assert heard.counts["C"] == Counts(processed=90, unchanged=89, updated=1)
        assert await here.held("SELECT id FROM c WHERE b = 2") == [(1,)]
        with pytest.raises(CannotRun, match="nothing was removed"):
            await run(replace(job, token=4, purpose=Purpose.REMOVE_EXTRA))
        assert len(await rows(here.state, "SELECT id FROM d")) == await held_of_c(here) == 100
        # Named alone, an object whose tables are all seen is looked at as ever.
        alone = make_job(job.source_url, here.state, SMALL, "01", ["D"], check_dependencies=False, token=5)
        heard = await run(replace(alone, purpose=Purpose.REMOVE_EXTRA, trusts_source_policies=True))
        assert heard.counts["D"] == Counts(processed=1, extra=1, removed=1)


async def test_a_refused_removal_names_table_and_end(database: Callable[[str], str]) -> None:
    here = await sent(database)
    async with guest(here.district, hides="c") as role:
        job = replace(make_job(login(here.district, role), here.state, SMALL, "01"), trusts_source_policies=True)
        heard = Heard()
        with pytest.raises(CannotRun):
            await run(of_purpose(job, Purpose.REMOVE_EXTRA), heard)
        assert heard.ended["C"].message.startswith(f"c is under row-level security for login {role} at the district")


async def test_only_policies_that_bind_this_login_are_found(
    database: Callable[[str], str],
) -> None:
    url = database("postgresql")
    await run_script(
        url,
        """CREATE SCHEMA "my school"; CREATE TABLE "my school"."a ""b" (id integer); CREATE TABLE same (id integer);
        CREATE TABLE "my school".same (id integer); ALTER TABLE same ENABLE ROW LEVEL SECURITY;
        CREATE POLICY others ON same TO pg_monitor; CREATE POLICY one ON same; CREATE POLICY two ON same;
        ALTER TABLE "my school"."a ""b" ENABLE ROW LEVEL SECURITY""",
    )
    async with guest(url) as role:
        names = ["same", "my school.same", 'my school.a "b']
        found = {}
        for who in (login(url, role), url):
            engine = open_engine(who)
            async with engine.connect() as connection:
                found[who] = policed_tables(await DIALECT.reflect(connection, names))
            await engine.dispose()
        odd = Policed('my school.a "b', role, "")
        assert found == {login(url, role): {"same": Policed("same", role, "one, two"), odd.table: odd}, url: {}}


async def test_hidden_keyless_records_are_neither_extra_nor_added(
    database: Callable[[str], str],
) -> None:
    keyless = {"district": "CREATE TABLE me (number text); CREATE TABLE c (id integer); INSERT INTO me VALUES ('01');"}
    keyless["state"] = "CREATE TABLE c (tenant text, id integer)"
    here = await pair(database, ENDS, "INSERT INTO c SELECT generate_series(1, 100)", **keyless)
    await run(make_job(here.district, here.state, SMALL, "01", ["C"]))
    async with guest(here.district, hides="c") as role:
        job = replace(make_job(login(here.district, role), here.state, SMALL, "01", ["C"]), trusts_source_policies=True)
        assert (await compared(job)).counts["C"] == Counts(processed=90, unchanged=90)
    async with guest(here.state, hides="c") as role:
        await run_script(here.state, f"GRANT ALL ON SCHEMA resync_stage TO {role}")
        await run_script(here.state, f"GRANT ALL ON ALL TABLES IN SCHEMA resync_stage TO {role}")
        job = make_job(here.district, login(here.state, role), SMALL, "01", ["C"], token=3)
        heard = await run(replace(job, trusts_target_policies=True))
        assert "c, which has no key, from login" in heard.ended["C"].message
        assert await held_of_c(here) == 100


async def test_trusted_state_policies_never_overwrite_a_hidden_record(
    database: Callable[[str], str],
) -> None:
    here = await sent(database)
    await run_script(here.district, "INSERT INTO c VALUES (101, 'new', 1), (1001, 'beyond', 1)")
    async with guest(here.state, hides="c") as role:
        await run_script(here.state, f"GRANT ALL ON SCHEMA resync_stage TO {role}")
        await run_script(here.state, f"GRANT ALL ON ALL TABLES IN SCHEMA resync_stage TO {role}")
        job = make_job(here.district, login(here.state, role), SMALL, "01", token=3)
        heard = await compared(replace(job, trusts_target_policies=True, token=1))
        assert heard.counts["C"] == Counts(processed=102, unchanged=90, inserted=12)
        told = "Policies may hide records of c at the state: of the missing, some may be there"
        assert heard.ended["C"].message == told
        heard = await run(replace(job, trusts_target_policies=True))
        assert heard.counts["C"] == Counts(processed=102, unchanged=90, inserted=1, rejected=11)
        reasons = {reason: sum(1 for each in heard.refused if each[3] == reason) for *_, reason in heard.refused}
        assert reasons == {
            "refused by the state: duplicate value (c_pkey), of a record that this login may not see": 10,
            "refused by the state: row-level security": 1,
        }
        assert await held_of_c(here) == 101
        removing = replace(job, token=4, purpose=Purpose.REMOVE_EXTRA, trusts_target_policies=True)
        with pytest.raises(CannotRun, match="nothing was removed"):
            await run(removing)
        assert await held_of_c(here) == 101


async def test_types_in_a_schema_that_a_login_may_not_use_are_read(database: Database) -> None:
    url = database("postgresql")
    await run_script(
        url,
        """CREATE SCHEMA closed; CREATE DOMAIN short AS varchar(5);
        CREATE TABLE closed.grandparent (id integer PRIMARY KEY, code short);
        CREATE TABLE parent (id integer PRIMARY KEY, above integer REFERENCES closed.grandparent);""",
    )
    async with guest(url) as role:
        engine = open_engine(login(url, role))
        async with engine.connect() as connection:
            tables = await DIALECT.reflect(connection, ["parent"])
        await engine.dispose()
    assert tables["closed.grandparent"].c.code.info["length"] == 5
