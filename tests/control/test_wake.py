"""Wake-ups: a wait ends with what another process changed; without a proof of that, polls go on."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import anyio
import anyio.lowlevel
import pytest

from resync_tui.control import wake
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.progress import Progress
from resync_tui.control.store import Store
from resync_tui.control.wake import NotifiedWake
from resync_tui.databases.postgres import connect_postgres
from resync_tui.outcome import Counts, Status
from resync_tui.plan import Plan
from resync_tui.results import ObjectResult
from tests.support.control import Agents, claimed
from tests.support.plans import send
from tests.support.waiting import DEADLINE, until

SHORT = 0.3
"""Seconds of a wait that nothing ends."""


@pytest.fixture
async def watcher(control_url: str) -> AsyncIterator[Store]:
    """A second console, which knows of all that was there before."""
    store = await Store.open(control_url)
    assert await store.wait(DEADLINE)
    yield store
    await store.close()


def school(status: Status, processed: int) -> Progress:
    """Return progress of the object School."""
    result = ObjectResult("School", 2, status, Counts(processed=processed, unchanged=processed), 9, 9, "merging")
    return Progress(objects=(result,))


async def test_each_step_of_a_batch_ends_a_wait(agents: Agents, store: Store, watcher: Store, plan: Plan) -> None:
    queue = await agents.start()
    assert await watcher.wait(DEADLINE)
    await send(store, plan, "01")
    assert await watcher.wait(DEADLINE)
    lease = await claimed(queue)
    assert await watcher.wait(DEADLINE)
    await store.cancel(lease.batch, "jdoe")
    assert await watcher.wait(DEADLINE)
    await queue.finish(lease, Status.CANCELLED, "", Progress())
    assert await watcher.wait(DEADLINE)
    assert not await watcher.wait(SHORT)


async def test_a_status_of_an_object_wakes_and_progress_does_not(
    agents: Agents, store: Store, watcher: Store, plan: Plan
) -> None:
    queue = await agents.start()
    assert await watcher.wait(DEADLINE)
    await send(store, plan, "01")
    assert await watcher.wait(DEADLINE)
    lease = await claimed(queue)
    assert await watcher.wait(DEADLINE)
    begun = school(Status.RUNNING, 1)
    await queue.write(lease, Progress(objects=begun.objects, transitions=1))
    assert await watcher.wait(DEADLINE)
    before = await watcher.changes()
    await queue.write(lease, school(Status.RUNNING, 2))
    assert not await watcher.wait(SHORT)
    assert await watcher.changes() > before


async def test_an_agent_is_woken_by_the_queue_alone(control_url: str, agents: Agents, store: Store, plan: Plan) -> None:
    queue = await agents.start()
    database = await ControlDatabase.open(control_url, progress=False)
    assert await database.wait(DEADLINE)
    await send(store, plan, "01")
    assert await database.wait(DEADLINE)
    lease = await claimed(queue)
    await queue.write(lease, Progress(objects=school(Status.RUNNING, 1).objects, transitions=1))
    assert not await database.wait(SHORT)
    await queue.finish(lease, Status.COMPLETED, "", Progress())
    assert await database.wait(DEADLINE)
    await database.close()


async def test_what_changes_between_two_waits_ends_the_second(store: Store, watcher: Store, plan: Plan) -> None:
    await send(store, plan, "01")
    await send(store, plan, "02")
    assert await watcher.wait(DEADLINE)
    assert len(await watcher.batches()) == 2


async def test_no_wait_ends_through_a_pooler(control_database: Callable[[str], str], plan: Plan) -> None:
    """A pooler hands a notification to whom it gave that connection last, or to nobody."""
    url = control_database("postgresql")
    database = await ControlDatabase.open(url)
    tried = 0

    async def connect() -> object:
        nonlocal tried
        tried += 1
        return await connect_postgres(url, {"application_name": "resync-tui"})

    async def notify(_channel: str) -> None:
        """Lose it."""

    pooled = NotifiedWake(connect, notify)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wake, "PROOF_SECONDS", 0.05)
        patch.setattr(wake, "LISTEN_AGAIN_SECONDS", 0.05)
        assert not await pooled.wait(SHORT)
        store = Store(database)
        await send(store, plan, "01")
        assert not await pooled.wait(SHORT)
    assert tried == 1
    await pooled.close()
    await store.close()


async def test_a_lost_listener_wakes_and_listens_again(
    control_database: Callable[[str], str], plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "LISTEN_AGAIN_SECONDS", 0.05)
    url = control_database("postgresql")
    store, watcher = await Store.open(url), await Store.open(url)
    assert await watcher.wait(DEADLINE)
    admin = await connect_postgres(url, {})
    ended = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN %' AND pid <> pg_backend_pid()"""
    assert await admin.fetchval(ended)
    assert await watcher.wait(DEADLINE)
    assert await watcher.wait(DEADLINE)
    await send(store, plan, "01")
    assert await watcher.wait(DEADLINE)
    await admin.close()
    await watcher.close()
    await store.close()


async def test_a_waiter_that_is_left_leaves_the_database_usable(watcher: Store, store: Store, plan: Plan) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watcher.wait, DEADLINE)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    await send(store, plan, "01")
    await until(lambda: watcher.wait(SHORT))
    assert len(await watcher.batches()) == 1


class Counted(wake.Wake):
    """Wake-ups of nothing, at the times that a test sets."""

    async def _change(self) -> None:
        pass

    def _taken(self) -> bool:
        return True

    async def close(self) -> None:
        pass


async def test_who_is_woken_again_and_again_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    now, rests = [100.0], []
    monkeypatch.setattr(wake, "time", SimpleNamespace(monotonic=lambda: now[0]))

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(wake, "anyio", SimpleNamespace(sleep=rest, move_on_after=anyio.move_on_after))
    waits = Counted()
    for _ in range(8):
        await waits.wait(1)
        now[0] += 0.01
    assert rests[:4] == [0, 0, 0, 0]
    assert rests[4:] == pytest.approx([0.02] * 4)
    now[0] += 2
    await waits.wait(1)
    assert rests[-1] == 0


async def test_an_end_and_a_request_together_end_a_wait(tmp_path: Path) -> None:
    file, numbers = tmp_path / "control.db", iter([(5, 2), (6, 1), (6, 1)])

    async def transitions() -> tuple[int, int]:
        return next(numbers)

    file.touch()
    waits = wake.FileWake(file, transitions)
    assert await waits.wait(DEADLINE)
    file.write_text("changed")
    assert await waits.wait(DEADLINE)
