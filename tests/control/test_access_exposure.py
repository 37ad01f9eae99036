"""Where others may create what an agent would run, no agent starts; agents and schedules of others are hidden."""

import secrets
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from anyio import to_thread

from resync_tui.cli.doctor.examination import examine
from resync_tui.control.migrate import migrate
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.errors import CannotRun
from tests.support.fake_work import run_faked
from tests.support.roles import ABBOTT, STATE, Roles, write_settings

TROJAN = """
CREATE FUNCTION public.own(name, varchar) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_user LIKE 'agent%' THEN INSERT INTO public.ran VALUES (1); END IF;
    RETURN $1::text OPERATOR(pg_catalog.=) $2::text;
END $$;
CREATE OPERATOR public.= (FUNCTION = public.own, LEFTARG = name, RIGHTARG = varchar);
"""


@pytest.mark.parametrize("who", ["PUBLIC", "kim"])
async def test_no_agent_starts_where_others_may_create(roles: Roles, tmp_path: Path, who: str) -> None:
    role = who if who == "PUBLIC" else roles.name(who)
    settings = write_settings(tmp_path, roles.login("agent"), STATE)
    for place in ("SCHEMA public", f"DATABASE {roles.database}"):
        await roles.run(f"GRANT CREATE ON {place} TO {role}")
        with pytest.raises(CannotRun, match=f"may create in {place} of ") as told:
            await run_faked(settings)
        assert told.value.do == f"REVOKE CREATE ON {place} FROM {role}"
        await roles.run(told.value.do)
    await run_faked(settings)


async def test_doctor_names_who_may_create_and_connect(roles: Roles, tmp_path: Path) -> None:
    await roles.run("GRANT CREATE ON SCHEMA public TO PUBLIC")
    settings = write_settings(tmp_path, roles.login("governor"), STATE)
    for name in ("state", "01", "02", "03"):
        (tmp_path / f"{name}.db").touch()
    found = {each.do: each.what for each in (await to_thread.run_sync(examine, settings.path)).problems}
    assert found["REVOKE CREATE ON SCHEMA public FROM PUBLIC"].startswith("Everybody may create in SCHEMA public of ")
    (connect,) = [
        what for do, what in found.items() if do.startswith(f"REVOKE CONNECT ON DATABASE {roles.database} FROM")
    ]
    assert connect.startswith("Everybody may connect to ")
    await roles.run(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE CONNECT ON DATABASE {roles.database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {roles.database} TO {roles.name('dis_state')}",
    )
    again = [each.do for each in (await to_thread.run_sync(examine, settings.path)).problems]
    assert not [each for each in again if each.startswith("REVOKE")]


async def test_functions_find_no_operator_of_another_role(roles: Roles) -> None:
    """A better match than pg_catalog's runs where the names of a function's operators are looked up."""
    await roles.run(
        "CREATE TABLE public.ran (n integer)",
        "GRANT INSERT ON public.ran TO PUBLIC",
        f"GRANT CREATE ON SCHEMA public TO {roles.name('kim')}",
    )
    await (await roles.connect("kim")).execute(TROJAN)
    agent = await roles.connect("agent")
    await agent.fetch("SELECT dis_agent(), dis_caller(), dis_reads(), dis_writes()")
    assert await (await roles.administrator()).fetch("SELECT * FROM public.ran") == []


async def test_what_others_have_made_before_is_refused_unrun(roles: Roles, tmp_path: Path) -> None:
    """The privilege may be gone, what it let in stays."""
    kim = roles.name("kim")
    await roles.run(
        "CREATE TABLE public.ran (n integer)",
        "GRANT INSERT ON public.ran TO PUBLIC",
        f"GRANT CREATE ON SCHEMA public TO {kim}",
    )
    await (await roles.connect("kim")).execute(TROJAN)
    await roles.run(f"REVOKE CREATE ON SCHEMA public FROM {kim}")
    settings = write_settings(tmp_path, roles.login("agent"), STATE)
    for thing in ("OPERATOR =(name,character varying)", "ROUTINE own(name,character varying)"):
        with pytest.raises(CannotRun, match=f"^{kim} has made ") as told:
            await run_faked(settings)
        with pytest.raises(CannotRun, match=f"^{kim} has made "):
            await roles.store("governor", STATE)
        assert f" has made {thing} in schema public of " in told.value.what
        drop = told.value.do.removeprefix("As a superuser: ").partition(" CASCADE; ")[0]
        await roles.run(drop)
    await run_faked(settings)
    assert await (await roles.administrator()).fetch("SELECT * FROM public.ran") == []


async def test_a_district_sees_agents_that_serve_it(roles: Roles) -> None:
    rows = [f"('{agent}', 'host-{agent}', 'k', 1, now(), now(), 45, '{districts}')" for agent, districts in (
        ("one", '["01", "03"]'), ("two", '["02"]'), ("none", "[]"))]  # fmt: skip
    await roles.run(
        'INSERT INTO "DISAgent" ("agentID", host, kernel, pid, "startedAt", "seenAt", "leaseSeconds", districts)'
        f" VALUES {', '.join(rows)}"
    )
    for role, seen in (
        ("jdoe", {"one"}),
        ("kim", {"two"}),
        ("governor", {"one", "two", "none"}),
        ("agent", {"one", "two", "none"}),
    ):
        found = await (await roles.connect(role)).fetch('SELECT "agentID" FROM "DISAgent"')
        assert {row[0] for row in found} == seen, role
    (own,) = await (await roles.store("jdoe", ABBOTT)).agents()
    assert (own.host, own.districts) == ("host-one", ("01",))
    assert {each.districts for each in await (await roles.store("governor", STATE)).agents()} == {
        ("01", "03"),
        ("02",),
        (),
    }
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await (await roles.connect("jdoe")).fetch('SELECT districts FROM "DISAgent"')
    jdoe, stranger = await roles.connect("jdoe"), await roles.connect("stranger")
    assert await jdoe.fetchval("SELECT dis_served('two')::text") == "[]"
    assert await stranger.fetchval("SELECT dis_served('one')::text") == "[]"


async def test_an_upgrade_takes_the_districts_of_agents_back(database: Callable[[str], str]) -> None:
    url, role = database("postgresql"), f"reader_{secrets.token_hex(4)}"
    engine = open_engine(url)
    await migrate(engine, url, to="0009")
    await engine.dispose()
    admin = await asyncpg.connect(url)
    await admin.execute(f'CREATE ROLE {role}; GRANT SELECT ON "DISAgent" TO {role}')
    try:
        await (await Store.open(url)).close()
        asked = """SELECT has_column_privilege($1, '"DISAgent"', $2, 'SELECT')"""
        assert not await admin.fetchval(asked, role, "districts")
        assert await admin.fetchval(asked, role, "isService")
    finally:
        await admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await admin.close()


async def test_a_district_named_state_is_nobody_else(roles: Roles) -> None:
    reader = roles.name("reader")
    await roles.run(
        f"""INSERT INTO "DISRight" VALUES ('{reader}', 'district', 'state', 'read')""",
        """INSERT INTO "DISScheduleFiring" VALUES ('state', 'x', '2026-01-01T02:30', '0 2 * * *', 'UTC', now(), 1)""",
    )
    assert await (await roles.connect("reader")).fetch('SELECT * FROM "DISScheduleFiring"') == []
    assert len(await (await roles.connect("governor")).fetch('SELECT * FROM "DISScheduleFiring"')) == 1


OLD_LOCKS = (0x7265_7379_6E63, 0x7269_6768_7473)
"""Advisory locks that older releases took; they are anybody's who may connect."""


async def test_grants_wait_for_no_lock_that_anybody_may_take(roles: Roles) -> None:
    stranger, jdoe = await roles.connect("stranger"), await roles.connect("jdoe")
    for key in OLD_LOCKS:
        await stranger.execute("SELECT pg_advisory_lock($1::bigint)", key)
    assert await roles.apply_grants(STATE, read=("dis_state",), write=("dis_state",)) == []
    for table in ("DISRight", "DISVersion"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await jdoe.execute(f'BEGIN; LOCK TABLE "{table}" IN ROW SHARE MODE')
        await jdoe.execute("ROLLBACK")


async def test_first_start_waits_for_no_lock_of_anybodys(database: Callable[[str], str]) -> None:
    url = database("postgresql")
    stranger = await asyncpg.connect(url)
    for key in OLD_LOCKS:
        await stranger.execute("SELECT pg_advisory_lock($1::bigint)", key)
    await (await Store.open(url)).close()
    await stranger.close()
