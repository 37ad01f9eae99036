"""What doctor says that a login lacks is what it needs: given that, a batch runs."""

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from resync_tui.databases.registry import open_engine
from resync_tui.engine.backends.postgres.dialect import DIALECT
from resync_tui.errors import CannotRun, ResyncError
from resync_tui.outcome import Status
from tests.support.databases import login, run_script
from tests.support.running import make_job, run
from tests.support.small import ROWS, SMALL, pair

TABLES = ["a", "b", "c", "d"]


async def lacks(url: str, tables: list[str], *, as_state: bool) -> list[ResyncError]:
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            found = (await DIALECT.reflect(connection, tables)).values()
            return await DIALECT.missing_privileges(connection, "the state", found, as_state=as_state)
    finally:
        await engine.dispose()


async def test_the_grants_that_doctor_names_are_all_that_a_login_needs(database: Callable[[str], str]) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    role = f"guest_{secrets.token_hex(4)}"
    await run_script(here.state, f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'")
    source, target = login(here.district, role), login(here.state, role)
    try:
        with pytest.raises(CannotRun, match="may not do that") as refused:
            await run(make_job(source, target, SMALL, "01"))
        assert "doctor" in refused.value.do
        told = [
            (here.district, await lacks(source, [*TABLES, "me"], as_state=False)),
            (here.state, await lacks(target, TABLES, as_state=True)),
        ]
        name = urlsplit(here.state).path[1:]
        assert [[each.what for each in problems] for _, problems in told] == [
            [f"{role} lacks SELECT on 5 tables of the state"],
            [
                f"{role} lacks SELECT, INSERT, UPDATE on 4 tables of the state",
                f"{role} may not make its stage in the state",
            ],
        ]
        assert told[1][1][1].do == f"GRANT CREATE ON DATABASE {name} TO {role}"
        for url, problems in told:
            await run_script(url, ";".join(each.do for each in problems))
        assert await lacks(source, [*TABLES, "me"], as_state=False) == await lacks(target, TABLES, as_state=True) == []
        heard = await run(make_job(source, target, SMALL, "01"))
        assert set(heard.statuses.values()) == {Status.COMPLETED}, heard.ended
        assert await lacks(target, TABLES, as_state=True) == []
    finally:
        for url in (here.district, here.state):
            await run_script(url, f"DROP OWNED BY {role} CASCADE")
        await run_script(here.state, f"DROP ROLE {role}")


async def test_a_stage_that_is_another_logins_is_named_with_its_grants(database: Callable[[str], str]) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    await run(make_job(here.district, here.state, SMALL, "01"))
    role = f"guest_{secrets.token_hex(4)}"
    tables = "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public"
    await run_script(here.state, f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'; {tables} TO {role}")
    try:
        (problem,) = await lacks(login(here.state, role), TABLES, as_state=True)
        assert problem.what.startswith(f"{role} may not use the stage, which is ")
        await run_script(here.state, problem.do)
        assert await lacks(login(here.state, role), TABLES, as_state=True) == []
        heard = await run(make_job(here.district, login(here.state, role), SMALL, "01", token=2))
        assert set(heard.statuses.values()) == {Status.COMPLETED}, heard.ended
    finally:
        await run_script(here.state, f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


async def test_a_schema_in_which_everybody_may_create_is_named(database: Callable[[str], str]) -> None:
    """PostgreSQL 14's default, which an upgrade keeps: an operator of another role would run as the agent."""
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    for url in (here.district, here.state):
        await run_script(url, "GRANT CREATE ON SCHEMA public TO PUBLIC")
        (problem,) = await lacks(url, TABLES, as_state=url == here.state)
        assert problem.what.startswith("Everybody may create in schema public of the state: ")
        await run_script(url, problem.do)
        assert await lacks(url, TABLES, as_state=url == here.state) == []


async def test_columns_that_a_login_may_not_use_are_named(database: Callable[[str], str]) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    role = f"guest_{secrets.token_hex(4)}"
    await run_script(here.district, f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'; GRANT SELECT (id, b) ON c TO {role}")
    source = login(here.district, role)
    grants = "GRANT SELECT, INSERT ON c TO {0}; GRANT UPDATE (code, b) ON c TO {0}"
    await run_script(here.state, grants.format(role))
    try:
        (problem,) = await lacks(source, ["c"], as_state=False)
        assert problem.what == f"{role} lacks SELECT (code) on c of the state"
        written, stage = await lacks(login(here.state, role), ["c"], as_state=True)
        assert written.what == f"{role} lacks UPDATE (tenant, id) on c of the state"
        await run_script(here.district, problem.do)
        await run_script(here.state, written.do)
        assert await lacks(source, ["c"], as_state=False) == []
        assert [each.what for each in await lacks(login(here.state, role), ["c"], as_state=True)] == [stage.what]
    finally:
        for url in (here.district, here.state):
            await run_script(url, f"DROP OWNED BY {role} CASCADE")
        await run_script(here.state, f"DROP ROLE {role}")
