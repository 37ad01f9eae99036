"""Who may look and who may send, by the kernel or by PostgreSQL, never by the environment."""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
from anyio import to_thread

from resync_tui.cli.doctor.examination import examine
from resync_tui.control.alerts import REFUSED, VERTICAL
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.errors import CannotRun, NoRight
from resync_tui.outcome import Status
from resync_tui.plan import Request
from resync_tui.processes import user_name
from resync_tui.rights import Edition, Rights
from tests.support import forks
from tests.support.fake_work import run_faked
from tests.support.plans import make_plan
from tests.support.roles import ABBOTT, CAMPUS, STATE, Roles, write_settings

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, or give a file away")


@pytest.mark.parametrize(
    ("role", "edition", "write"),
    [("governor", STATE, True), ("jdoe", ABBOTT, True), ("kim", CAMPUS, True), ("reader", ABBOTT, False)],
)
async def test_a_role_has_what_its_groups_have(roles: Roles, role: str, edition: Edition, write: bool) -> None:
    store = await roles.store(role, edition)
    assert store.rights == Rights(read=True, write=write, user=roles.name(role))


@pytest.mark.parametrize(
    ("role", "edition"),
    [("jdoe", STATE), ("jdoe", CAMPUS), ("governor", ABBOTT), ("writer", ABBOTT), ("stranger", STATE)],
)
async def test_who_has_no_read_from_there_does_not_get_in(roles: Roles, role: str, edition: Edition) -> None:
    """`writer` has Write alone, which counts with Read only."""
    with pytest.raises(NoRight) as told:
        await roles.store(role, edition)
    assert told.value.exit_code == 5
    assert "\n" not in told.value.what + told.value.do
    assert "geheim" not in told.value.what + told.value.do


async def test_whoever_may_only_look_can_neither_send_nor_cancel(roles: Roles) -> None:
    jdoe, reader = await roles.store("jdoe", ABBOTT), await roles.store("reader", ABBOTT)
    (batch,) = await jdoe.submit(Request(["01"], make_plan("School"), initiator="district", requested_by="x"))
    assert batch.requested_by == roles.name("jdoe")
    assert (await reader.batch(batch.batch)).status is Status.QUEUED
    for refused in (
        reader.submit(Request(["01"], make_plan("School"), initiator="district", requested_by="jdoe")),
        reader.cancel(batch.batch, "jdoe"),
        reader.cancel_request(batch.request, "jdoe"),
        reader.retry(batch.batch, "jdoe"),
        reader.retry_request(batch.request, "jdoe"),
    ):
        with pytest.raises(NoRight, match="neither send nor cancel"):
            await refused
    assert len(await jdoe.batches()) == 1


async def test_rights_removed_from_resync_toml_go_at_the_next_start(roles: Roles) -> None:
    told = await roles.apply_grants(ABBOTT, read=("dis_abbott", "nobody_there"), write=("writer",))
    assert told == [
        f"[rights] names {roles.name('nobody_there')}, a role that does not exist",
        f"[rights] gives {roles.name('writer')} write without read, which counts for nothing",
    ]
    assert not (await roles.store("jdoe", ABBOTT)).rights.write
    with pytest.raises(NoRight):
        await roles.store("reader", ABBOTT)
    assert (await roles.store("kim", CAMPUS)).rights.write


async def test_doctor_names_what_the_rights_of_resync_toml_cannot_mean(roles: Roles, tmp_path: Path) -> None:
    """`jdoe` reads as a member of `dis_abbott`; `writer` may write only, and one name is nobody's."""
    names = {"read": ["dis_abbott", "nobody_there"], "write": ["jdoe", "writer"]}
    told = {right: [roles.name(each) for each in who] for right, who in names.items()}
    settings = write_settings(tmp_path / "console", roles.login("jdoe"), ABBOTT, **told)
    for name in ("state", "01"):
        (settings.path.parent / f"{name}.db").touch()
    problems = (await to_thread.run_sync(examine, settings.path)).problems
    found = {each.what: each.do for each in problems if each.what.startswith("[rights]")}
    assert list(found) == [
        f"[rights] names {roles.name('nobody_there')}, a role that does not exist",
        f"[rights] gives {roles.name('writer')} write without read, which counts for nothing",
    ]
    assert all(found.values())


async def test_agents_that_start_at_once_let_everybody_in(roles: Roles) -> None:
    async with anyio.create_task_group() as agents:
        for edition, group in ((STATE, "dis_state"), (ABBOTT, "dis_abbott"), (CAMPUS, "dis_campus")) * 4:
            agents.start_soon(partial(roles.apply_grants, edition, read=(group,), write=(group,)))
    for role, edition in (("governor", STATE), ("jdoe", ABBOTT), ("kim", CAMPUS)):
        assert (await roles.store(role, edition)).rights.write


async def test_an_agent_must_own_the_control_database(roles: Roles, tmp_path: Path) -> None:
    with pytest.raises(NoRight, match="does not own"):
        await run_faked(write_settings(tmp_path, roles.login("jdoe"), ABBOTT))


async def test_a_user_does_not_upgrade_the_control_database(roles: Roles) -> None:
    await roles.run("""UPDATE "DISVersion" SET version_num = '0001'""")
    with pytest.raises(CannotRun, match="awaits an upgrade") as told:
        await roles.store("jdoe", ABBOTT)
    assert "agent" in told.value.do


async def test_agent_refuses_with_an_alert_whoever_has_lost_the_right(roles: Roles, tmp_path: Path) -> None:
    jdoe, kim = await roles.store("jdoe", ABBOTT), await roles.store("kim", CAMPUS)
    (lost,) = await jdoe.submit(
        Request(["01"], make_plan("District", "School"), initiator="district", requested_by="x")
    )
    (kept,) = await kim.submit(Request(["02"], make_plan("School"), initiator="district", requested_by="x"))
    await roles.run(f"REVOKE {roles.name('dis_abbott')} FROM {roles.name('jdoe')}")
    state = {"read": [roles.name("dis_state")], "write": [roles.name("dis_state")]}
    work = await run_faked(write_settings(tmp_path, roles.login("agent"), STATE, **state))
    assert {district for district, *_ in work.journal()} == {"02"}
    agent = await roles.store("agent", None)
    assert (await agent.batch(kept.batch)).status is Status.COMPLETED
    refused = await agent.batch(lost.batch)
    assert refused.status is Status.FAILED
    assert refused.message == f"{roles.name('jdoe')} has no right to send for district 01"
    assert {each.status for each in refused.objects} == {Status.SKIPPED}
    reader = await roles.store("reader", ABBOTT)
    (alert,) = [each for each in await reader.alerts.posted() if each.name == REFUSED]
    assert (alert.process, alert.district, alert.batch) == (VERTICAL, "01", lost.batch)


FORGED = """INSERT INTO "DISBatch" ("requestID", "districtNumber", "schoolYear", initiator, "requestedBy", reason, status,
    attempts, "requestedAt", "cancelRequested", "cancelledBy", message, agent, "stageLeft")
    VALUES (1, '01', 2026, 'state', '{who}', '', 'queued', 0, '2026-01-01', false, '', '', '', false)"""  # noqa: E501


async def forge(url: str, who: str) -> None:
    """Write a request past the program."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute(FORGED.format(who=who))
        return
    admin = await asyncpg.connect(url)
    await admin.execute(FORGED.format(who=who))
    await admin.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_agent_refuses_with_an_alert_a_request_without_the_right(
    kind: str, database: Callable[[str], str], tmp_path: Path
) -> None:
    settings = write_settings(tmp_path / "edition", database(kind), STATE)
    store = await Store.open(settings.control_url(), edition=STATE)
    await forge(settings.control_url(), "mallory")
    work = await run_faked(settings)
    assert work.journal() == []
    (batch,) = await store.batches()
    assert (batch.status, batch.message) == (Status.FAILED, "mallory has no right to send for the state")
    assert [each.batch for each in await store.alerts.posted() if each.name == REFUSED] == [batch.batch]
    await store.close()


async def test_a_file_serves_one_edition_and_refuses_a_second(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    for first, others in ((ABBOTT, (CAMPUS, STATE)), (STATE, (ABBOTT,))):
        for _ in range(2):
            await (await Store.open(url, edition=first)).close()
        for other in others:
            with pytest.raises(CannotRun, match=f"is the console of {first}, not of {other}$") as told:
                await Store.open(url, edition=other)
            assert told.value.do.startswith("Give each edition a SQLite file of its own")
            with pytest.raises(CannotRun, match="is the console of"):
                await run_faked(write_settings(tmp_path / other.kind, url, other))
        (tmp_path / "control.db").unlink()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may enter; pytest closes its own to them."""
    with tempfile.TemporaryDirectory(prefix="resync-tui-open-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


AS_NOBODY = """
import importlib, os, pkgutil, sys
from pathlib import Path
import asyncpg, aiosqlite, pydantic, resync_tui
# Whoever it becomes may not be able to read where Python is.
for each in pkgutil.walk_packages(resync_tui.__path__, "resync_tui."):
    if not each.name.startswith(("resync_tui.schema", "resync_tui.__main__")):
        importlib.import_module(each.name)
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.cli.main import answer
settings = load_settings(Path(sys.argv[1]))
load_catalog(settings)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(answer(sys.argv[2:]))
"""


@as_root
@pytest.mark.parametrize("command", [("history",), ("objects",), ("cancel", "1"), ("run", "-d", "01", "School")])
def test_user_and_logname_give_no_right(open_folder: Path, command: tuple[str, ...]) -> None:
    control = open_folder / "control.db"
    settings = write_settings(open_folder, f"sqlite:///{control}", STATE)
    os.close(os.open(control, os.O_CREAT, 0o600))
    done = forks.run(
        [sys.executable, "-c", AS_NOBODY, str(settings.path), *command, "--config", str(settings.path)],
        env={**os.environ, "USER": "root", "LOGNAME": "root", "HOME": "/"},
    )
    assert done.returncode == 5, done.stderr
    what, do = done.stderr.splitlines()
    assert what == f"{control} belongs to root, and you are {user_name(65534)}"
    assert do.startswith("Log in as root")


async def test_a_url_without_a_role_asks_as_the_kernels_user(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def connect(*_args: object, **options: object) -> None:
        asked.append(options.get("user"))
        raise OSError(111, "refused")

    monkeypatch.setattr(asyncpg, "connect", connect)
    monkeypatch.delenv("PGUSER", raising=False)
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, "somebody-else")
    for url in ("postgresql://host/control", "postgresql://jdoe@host/control", "postgresql://host/control?user=jdoe"):
        with pytest.raises(OSError, match="refused"):
            async with open_engine(url).connect():
                pass
    assert asked == [user_name(), None, None]
