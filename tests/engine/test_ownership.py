"""A state without a tenant's column is one district's copy, remembers whose, and takes nothing of another."""

import secrets
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.databases.registry import open_engine
from resync_tui.engine.backends.postgres.dialect import DIALECT
from resync_tui.engine.batch import clear_stage
from resync_tui.engine.job import Job, Limits
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts, Purpose, Status
from tests.support.databases import login, run_script
from tests.support.running import make_job, run
from tests.support.small import SAME, SMALL, Database, Pair, every_pair, leftovers, pair

COPY = Catalog("Copy", (DisObject("C", ("c",)),))
TABLE = "CREATE TABLE c (id integer PRIMARY KEY, name text);"
OURS = "INSERT INTO c VALUES (1, 'one'), (2, 'two');"
THEIRS = "INSERT INTO c VALUES (1, 'other'), (3, 'three');"
MEMORY = {"sqlite": "resync_copy", "postgresql": "resync_stage.copy"}


async def two(database: Database, ends: tuple[str, str]) -> tuple[Pair, str]:
    """Make a district and its state, and another district."""
    here = await pair(database, ends, OURS, district=TABLE, state=TABLE)
    other = database(ends[0])
    await run_script(other, TABLE + THEIRS)
    return here, other


def of_other(here: Pair, other: str, **more: int) -> Job:
    """Return the job of another district's configuration that names the same state; its agent has claimed more."""
    return make_job(other, here.state, COPY, None, district="02", token=more.pop("token", 9))


@every_pair
async def test_another_district_is_refused_by_name(database: Database, ends: tuple[str, str]) -> None:
    here, other = await two(database, ends)
    ours = make_job(here.district, here.state, COPY, None, token=5)
    assert (await run(ours)).counts["C"] == Counts(processed=2, inserted=2)
    for purpose in Purpose:
        for token in (1, 9):
            with pytest.raises(CannotRun) as refused:
                await run(replace(of_other(here, other, token=token), purpose=purpose))
            assert refused.value.what == "The state holds the copy of district 01, not 02: nothing is written"
            assert refused.value.do.endswith(f"DELETE FROM {MEMORY[ends[1]]}")
    with pytest.raises(CannotRun):
        await clear_stage(of_other(here, other))
    assert await here.held("SELECT id, name FROM c ORDER BY id") == [(1, "one"), (2, "two")]
    # None of it has taken the state from whom it is.
    assert (await run(ours)).counts["C"] == Counts(processed=2, unchanged=2)
    assert await leftovers(here.state) == []


@pytest.mark.parametrize("ends", SAME)
async def test_only_a_resync_makes_a_state_a_districts(database: Database, ends: tuple[str, str]) -> None:
    here, other = await two(database, ends)
    for token, purpose in enumerate((Purpose.VERIFY, Purpose.REMOVE_EXTRA), 1):
        job = replace(of_other(here, other, token=token), purpose=purpose)
        assert (await run(job)).statuses == {"C": Status.COMPLETED}
    nowhere = replace(of_other(here, other, token=3), catalog=Catalog("No", (DisObject("C", ("none",)),)))
    assert (await run(nowhere)).statuses == {"C": Status.FAILED}
    assert (await run(make_job(here.district, here.state, COPY, None, token=4))).counts["C"].inserted == 2
    assert await here.held(f"SELECT district FROM {MEMORY[ends[1]]}") == [("01",)]


@pytest.mark.parametrize("ends", SAME)
async def test_later_of_two_simultaneous_claims_is_refused_on_writing(
    database: Database, ends: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = await two(database, ends)
    await run(make_job(here.district, here.state, COPY, None))

    async def not_yet(*_: object) -> None:
        """Look before the other has written."""

    monkeypatch.setattr("resync_tui.engine.batch.require_own_copy", not_yet)
    with pytest.raises(CannotRun, match="the copy of district 01, not 02"):
        await run(of_other(here, other))
    assert await here.held("SELECT count(*) FROM c WHERE name = 'one'") == [(1,)]


@pytest.mark.parametrize("ends", SAME)
async def test_who_forgets_it_hands_the_state_over(database: Database, ends: tuple[str, str]) -> None:
    here, other = await two(database, ends)
    await run(make_job(here.district, here.state, COPY, None))
    await run_script(here.state, f"DELETE FROM {MEMORY[ends[1]]}")
    assert (await run(of_other(here, other))).counts["C"] == Counts(processed=2, inserted=1, updated=1, extra=1)
    with pytest.raises(CannotRun, match="the copy of district 02, not 01"):
        await run(make_job(here.district, here.state, COPY, None, token=10))


@pytest.mark.parametrize("ends", SAME)
async def test_a_state_with_a_tenant_column_remembers_nothing(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends)
    await run(make_job(here.district, here.state, SMALL, "01"))
    table = "information_schema.tables" if ends[1] == "postgresql" else "sqlite_master"
    column = "table_name" if ends[1] == "postgresql" else "name"
    assert await here.held(f"SELECT 1 FROM {table} WHERE {column} IN ('copy', 'resync_copy')") == []


@pytest.mark.parametrize("ends", SAME)
async def test_source_identity_is_checked_without_a_tenant_column_too(
    database: Database, ends: tuple[str, str]
) -> None:
    me = "CREATE TABLE me (number text); INSERT INTO me VALUES ('02');"
    here = await pair(database, ends, me + OURS, district=TABLE, state=TABLE)
    with pytest.raises(CannotRun, match="says that it is district 02, not 01"):
        await run(make_job(here.district, here.state, replace(COPY, identity="me.number"), None))


async def test_another_login_is_told_what_it_lacks_to_ask(database: Database) -> None:
    here, _ = await two(database, ("postgresql", "postgresql"))
    await run(make_job(here.district, here.state, COPY, None))
    role = f"guest_{secrets.token_hex(4)}"
    grants = "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public"
    fence = (
        "GRANT USAGE, CREATE ON SCHEMA resync_stage TO {0}; GRANT SELECT, INSERT, UPDATE ON resync_stage.fence TO {0}"
    )
    await run_script(
        here.state, f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'; {grants} TO {role}; {fence.format(role)}"
    )
    job = make_job(here.district, login(here.state, role), COPY, None, token=2)
    try:
        with pytest.raises(CannotRun, match="may not do that"):
            await run(job)
        engine = open_engine(job.target_url)
        async with engine.connect() as connection:
            (problem,) = await DIALECT.missing_privileges(connection, "the state", (), as_state=True)
        await engine.dispose()
        assert problem.do.endswith(f"resync_stage.fence, resync_stage.copy TO {role}")
        await run_script(here.state, problem.do)
        assert (await run(job)).counts["C"].unchanged == 2
    finally:
        await run_script(here.state, f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


async def test_copy_memory_is_added_beside_an_older_fence_and_shared(database: Database) -> None:
    here, other = await two(database, ("postgresql", "postgresql"))
    mark = secrets.token_hex(4)
    owner, *members = (f"{name}_{mark}" for name in ("state", "one", "two"))
    await run_script(
        here.state,
        f"CREATE ROLE {owner}; ALTER DATABASE {urlsplit(here.state).path[1:]} OWNER TO {owner};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {owner}; CREATE SCHEMA resync_stage AUTHORIZATION {owner};"
        "CREATE TABLE resync_stage.fence (tenant text PRIMARY KEY, token bigint NOT NULL);"
        f"ALTER TABLE resync_stage.fence OWNER TO {owner};"
        + "".join(f"CREATE ROLE {each} LOGIN PASSWORD 'geheim' IN ROLE {owner};" for each in members),
    )
    try:
        for token, member in enumerate(members, 1):
            heard = await run(make_job(here.district, login(here.state, member), COPY, None, token=token))
            assert heard.statuses == {"C": Status.COMPLETED}, heard.ended
        with pytest.raises(CannotRun, match="the copy of district 01"):
            await run(replace(of_other(here, other), target_url=login(here.state, members[1])))
    finally:
        every = ", ".join((owner, *members))
        await run_script(
            here.state, f"REASSIGN OWNED BY {every} TO CURRENT_USER; DROP OWNED BY {every}; DROP ROLE {every}"
        )


@pytest.mark.parametrize("ends", SAME)
async def test_nothing_is_removed_before_the_copy_has_an_owner(database: Database, ends: tuple[str, str]) -> None:
    here, other = await two(database, ends)
    await run_script(here.state, OURS)
    removing = replace(of_other(here, other, token=1), purpose=Purpose.REMOVE_EXTRA, limits=Limits(extra_share=1))
    with pytest.raises(CannotRun, match="does not say whose copy it is yet: nothing was removed"):
        await run(removing)
    assert await here.held("SELECT id FROM c ORDER BY 1") == [(1,), (2,)]
    await run(of_other(here, other, token=2))
    assert (await run(replace(removing, token=3))).counts["C"] == Counts(processed=1, extra=1, removed=1)
