"""What the state asked for is hidden from a district's roles by PostgreSQL itself, past the program too."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.grants import LOOK
from resync_tui.control.progress import Progress, Reason
from resync_tui.control.queue import AgentIdentity, Queue
from resync_tui.control.store import Store
from resync_tui.demo.private_postgres import _copy_programs, _wheel
from resync_tui.errors import NoRight, UsageError
from resync_tui.outcome import Counts, Kind, Status
from resync_tui.plan import Request
from resync_tui.results import ErrorRecord, ObjectResult
from tests.support.plans import make_plan
from tests.support.roles import ABBOTT, STATE, Roles

REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.RaiseError)
OF_BATCHES = ("DISBatch", "DISBatchHistory", "DISBatchError", "DISBatchErrorCount", "DISRunning")


@dataclass(frozen=True)
class Scene:
    """The state asked both districts for School, and that of Abbott has run; Abbott itself asked for District."""

    roles: Roles
    state: int
    campus: int
    own: int
    running: int


@pytest.fixture
async def scene(roles: Roles) -> Scene:
    governor, jdoe = await roles.store("governor", STATE), await roles.store("jdoe", ABBOTT)
    first, campus = await governor.submit(
        Request(["01", "02"], make_plan("District", "School"), initiator="state", requested_by="x")
    )
    database = await ControlDatabase.open(roles.login("agent"))
    queue = Queue(database, AgentIdentity("a" * 32, "host", 1))
    lease = await queue.claim(["01"], 4)
    assert lease is not None
    assert lease.batch == first.batch
    result = ObjectResult("School", 2, Status.COMPLETED, Counts(processed=2, inserted=1, rejected=1))
    reason = Reason("School", "School", Kind.REJECTED, "too long")
    kept = ErrorRecord("School", "School", {"schoolID": 5}, Kind.REJECTED, "too long")
    await queue.finish(lease, Status.COMPLETED, "", Progress((result,), {reason: 1}, ((1, kept),)))
    (own,) = await jdoe.submit(Request(["01"], make_plan("District"), initiator="district", requested_by="x"))
    (again, _) = await governor.submit(Request(["01", "02"], make_plan("School"), initiator="state", requested_by="x"))
    # The state's second request is made the older one, so that it is what runs for Abbott.
    await roles.run(f'UPDATE "DISBatch" SET "notBefore" = \'2999-01-01\' WHERE "batchID" = {own.batch}')
    running = await queue.claim(["01"], 4)
    assert running is not None
    assert running.batch == again.batch
    await database.close()
    return Scene(roles, first.batch, campus.batch, own.batch, again.batch)


async def numbers(connection: asyncpg.Connection, table: str) -> set[int]:
    return {row[0] for row in await connection.fetch(f'SELECT "batchID" FROM "{table}"')}


async def test_a_district_selects_only_its_own_rows_of_every_table(scene: Scene) -> None:
    jdoe = await scene.roles.connect("jdoe")
    assert await numbers(jdoe, "DISBatch") == {scene.own}
    assert await numbers(jdoe, "DISBatchHistory") == {scene.own}
    for table in ("DISBatchError", "DISBatchErrorCount", "DISRunning"):
        assert await numbers(jdoe, table) == set(), table
    governor = await scene.roles.connect("governor")
    assert await numbers(governor, "DISBatch") >= {scene.state, scene.campus, scene.own}
    assert await numbers(governor, "DISBatchError") == {scene.state}
    assert await numbers(governor, "DISRunning") == {scene.running}


async def test_district_can_select_nothing_of_what_the_state_asked_for(scene: Scene) -> None:
    jdoe = await scene.roles.connect("jdoe")
    for table in LOOK:
        for row in await jdoe.fetch(f'SELECT * FROM "{table}"'):
            assert "School" not in str(row), table


async def test_other_district_and_stranger_see_no_state_request(scene: Scene) -> None:
    kim, stranger = await scene.roles.connect("kim"), await scene.roles.connect("stranger")
    for table in OF_BATCHES:
        assert await numbers(kim, table) == set(), table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await numbers(stranger, table)


CHANGES = (
    'UPDATE "DISBatch" SET "cancelRequested" = true WHERE initiator = \'state\'',
    'UPDATE "DISBatch" SET status = \'cancelled\', "cancelRequested" = true WHERE "batchID" = {state}',
    'UPDATE "DISBatch" SET "cancelRequested" = true, "cancelledBy" = \'x\' WHERE "batchID" = {running}',
    'UPDATE "DISBatch" SET initiator = \'district\' WHERE "batchID" = {state}',
    'UPDATE "DISBatchHistory" SET status = \'cancelled\' WHERE "batchID" = {running}',
    'UPDATE "DISRunning" SET token = 0',
    "UPDATE \"ProcessAlert\" SET message = ''",
    'DELETE FROM "DISBatch"',
    'DELETE FROM "DISBatchHistory"',
    'DELETE FROM "DISRunning" WHERE "batchID" = {running}',
    'DELETE FROM "ProcessAlert"',
    'DELETE FROM "DISRight"',
    'TRUNCATE "DISBatch" CASCADE',
    "SELECT * FROM \"DISBatch\" WHERE initiator = 'state' FOR UPDATE",
    'ALTER TABLE "DISBatch" DISABLE ROW LEVEL SECURITY',
    'DROP POLICY users_select ON "DISBatch"',
    'DO $$ BEGIN LOCK TABLE "DISBatch"; END $$',
)


@pytest.mark.parametrize("statement", CHANGES)
async def test_changing_the_states_rows_affects_none_or_is_refused(scene: Scene, statement: str) -> None:
    admin, jdoe = await scene.roles.administrator(), await scene.roles.connect("jdoe")
    before = await everything(admin)
    try:
        done = await jdoe.execute(statement.format(state=scene.state, running=scene.running))
    except REFUSED:
        done = "refused"
    assert done.rpartition(" ")[2] in ("0", "refused")
    assert await everything(admin) == before


async def everything(admin: asyncpg.Connection) -> dict[str, list[str]]:
    """Return all rows of all tables."""
    return {table: sorted(map(str, await admin.fetch(f'SELECT * FROM "{table}"'))) for table in LOOK}


FORGED = """INSERT INTO "DISBatch" ("requestID", "districtNumber", "schoolYear", initiator, "requestedBy", reason,
    status, attempts, "requestedAt", "cancelRequested", "cancelledBy", message, agent, "stageLeft")
    VALUES ({request}, '{district}', 2026, '{initiator}', 'governor', '', 'completed', 1, now(), false, '', '', '',
    false)
    RETURNING "requestedBy", status"""


@pytest.mark.parametrize(
    ("role", "initiator", "district"),
    [
        ("jdoe", "state", "01"),
        ("jdoe", "district", "02"),
        ("governor", "district", "01"),
        ("reader", "district", "01"),
        ("writer", "district", "01"),
        ("stranger", "district", "01"),
    ],
)
async def test_a_request_in_anothers_name_is_refused_by_postgresql(
    scene: Scene, role: str, initiator: str, district: str
) -> None:
    connection = await scene.roles.connect(role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(FORGED.format(request=99, district=district, initiator=initiator))


async def test_who_asked_and_how_it_stands_is_set_by_postgresql(scene: Scene) -> None:
    jdoe = await scene.roles.connect("jdoe")
    row = await jdoe.fetchrow(FORGED.format(request=99, district="01", initiator="district"))
    assert tuple(row) == (scene.roles.name("jdoe"), "queued")
    await jdoe.execute(FORGED.format(request=1, district="01", initiator="district"))
    numbers = await jdoe.fetch('SELECT "requestID" FROM "DISBatch" ORDER BY "batchID"')
    assert [row[0] for row in numbers] == [2, 4, 5]
    await jdoe.execute(f"SET ROLE {scene.roles.name('dis_abbott')}")
    row = await jdoe.fetchrow(FORGED.format(request=98, district="01", initiator="district"))
    assert row[0] == scene.roles.name("jdoe")


async def test_results_cannot_be_made_up(scene: Scene) -> None:
    jdoe = await scene.roles.connect("jdoe")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jdoe.execute(f'UPDATE "DISBatch" SET status = \'completed\' WHERE "batchID" = {scene.own}')
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jdoe.execute(f'UPDATE "DISBatchHistory" SET status = \'completed\' WHERE "batchID" = {scene.own}')
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jdoe.execute(f'UPDATE "DISBatchHistory" SET processed = 7 WHERE "batchID" = {scene.own}')
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jdoe.execute(FORGED.replace('"requestID"', '"batchID", "requestID"', 1).format(
            request="5, 5", district="01", initiator="district"
        ))  # fmt: skip


async def test_gate_lets_writers_count_changes_and_forge_nothing(scene: Scene) -> None:
    jdoe, reader = await scene.roles.connect("jdoe"), await scene.roles.connect("reader")
    assert await jdoe.execute('UPDATE "DISGate" SET changes = changes + 1') == "UPDATE 1"
    for forged in ('"lastToken" = 1', '"lastRequest" = 1', "changes = 0", '"lastRequest" = "lastRequest" + 2'):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await jdoe.execute(f'UPDATE "DISGate" SET {forged}')
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute('UPDATE "DISGate" SET changes = changes + 1')


async def test_temporary_table_does_not_replace_the_table_of_rights(scene: Scene) -> None:
    jdoe = await scene.roles.connect("jdoe")
    await jdoe.execute('CREATE TEMP TABLE "DISRight" AS SELECT * FROM "DISRight"')
    await jdoe.execute("""UPDATE "DISRight" SET edition = 'state', "districtNumber" = ''""")
    await jdoe.execute(f"SET search_path = pg_temp, public; SET row_security = on; SET ROLE {scene.roles.name('jdoe')}")
    assert await numbers(jdoe, "DISBatch") == {scene.own}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jdoe.execute(FORGED.format(request=99, district="01", initiator="state"))


async def test_the_owner_is_an_agent_and_so_is_a_member_of_its_role(scene: Scene) -> None:
    for role in ("agent", "agent_too"):
        connection = await scene.roles.connect(role)
        assert await numbers(connection, "DISBatch") >= {scene.state, scene.campus, scene.own, scene.running}


async def test_the_store_has_nothing_of_the_states_for_a_district(scene: Scene) -> None:
    """With the district's own role, and as well where a district's console logs in as the owner."""
    for role in ("jdoe", "agent"):
        store = await scene.roles.store(role, ABBOTT)
        assert [each.batch for each in await store.batches()] == [scene.own]
        assert await store.last_resyncs("01", 2026) == {}
        assert await store.last_resyncs_of(["01", "02"], 2026) == {}
        assert await store.error_groups(scene.state) == []
        assert await store.errors(scene.state) == []
        assert await store.finding_groups(scene.state) == []
        assert await store.findings(scene.state) == []
        assert [each.batch for each in await store.board(2026)] == [scene.own]
        assert all(not each.running for each in await store.agents())
        await expect_none(store, scene)
    governor = await scene.roles.store("governor", STATE)
    assert (await governor.batch(scene.running)).status is Status.RUNNING
    assert not (await governor.batch(scene.running)).cancel_requested
    assert (await governor.last_resyncs("01", 2026))["School"].batch == scene.state
    assert (await governor.last_resyncs_of(["01"], 2026))["01"]["School"].batch == scene.state


async def expect_none(store: Store, scene: Scene) -> None:
    """Whoever asks for it by its number is told what is told of one that never was."""
    for number in (scene.state, scene.running, scene.campus):
        with pytest.raises(UsageError, match=f"There is no batch #{number}$"):
            await store.batch(number)
        with pytest.raises(UsageError, match=f"There is no batch #{number}$"):
            await store.cancel(number, "x")
    with pytest.raises(UsageError, match=r"There is no request 1$"):
        await store.request(1)
    for asked in (store.cancel_request(3, "x"), store.retry_request(1, "x")):
        with pytest.raises(UsageError, match="There is no request"):
            await asked
    for initiator, district in (("state", "01"), ("district", "02")):
        with pytest.raises(NoRight, match="console of district 01"):
            await store.submit(Request([district], make_plan("School"), initiator=initiator, requested_by="x"))


async def test_district_cancels_its_own_batch_under_its_own_login(scene: Scene) -> None:
    store = await scene.roles.store("jdoe", ABBOTT)
    await store.cancel(scene.own, "somebody else")
    batch = await store.batch(scene.own)
    assert (batch.status, batch.cancelled_by) == (Status.CANCELLED, scene.roles.name("jdoe"))
    assert [each.status for each in batch.objects] == [Status.CANCELLED]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_psql_of_another_user_gets_nothing_or_a_refusal(scene: Scene, psql: Path) -> None:
    login = scene.roles.login("jdoe")
    assert run_psql(psql, login, 'SELECT "batchID" FROM "DISBatch"') == (0, [str(scene.own)])
    statements = [each.format(state=scene.state, running=scene.running) for each in CHANGES]
    statements += [f'SELECT * FROM "{table}" WHERE "batchID" <> {scene.own}' for table in OF_BATCHES]
    statements += [FORGED.format(request=99, district="01", initiator="state")]
    admin = await scene.roles.administrator()
    before = await everything(admin)
    for statement in statements:
        code, told = run_psql(psql, login, statement)
        refused = code == 1 and not told
        assert refused or (code == 0 and told in _NOTHING), statement
    assert await everything(admin) == before


_NOTHING: tuple[list[str], ...] = ([], ["UPDATE", "0"], ["DELETE", "0"])


@pytest.fixture(scope="session")
def psql() -> Iterator[Path]:
    """PostgreSQL's programs where every user of the machine can run them."""
    folder = Path(tempfile.mkdtemp(prefix="resync-tui-psql-"))
    folder.chmod(0o755)
    _copy_programs(_wheel(), folder)
    yield folder / _wheel().parent.name / _wheel().name
    shutil.rmtree(folder)


def run_psql(programs: Path, url: str, statement: str) -> tuple[int, list[str]]:
    """Run one statement as nobody of this machine; return psql's exit code and the words that it printed."""
    command = [str(programs / "bin" / "psql"), "-X", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", statement]
    done = subprocess.run(
        command, user=65534, group=65534, extra_groups=[], env={"PGCONNECT_TIMEOUT": "60"}, cwd="/",
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    return done.returncode, done.stdout.split()
