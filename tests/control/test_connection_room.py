"""A control database whose disk is full is told as that, and used again once there is room."""

from collections.abc import Callable

import pytest

from resync_tui.control import connection
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.store import Store
from resync_tui.errors import DiskFull
from resync_tui.plan import Plan
from tests.support.plans import send


async def test_screens_are_told_of_a_full_disk_until_it_is_over(
    control_database: Callable[[str], str], plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading alone would not tell."""
    store = await Store.open(control_database("sqlite"))
    with monkeypatch.context() as patch:
        patch.setattr(connection, "ROOM", 2**62)
        with pytest.raises(DiskFull, match="The disk is full: the control database") as told:
            await store.present()
    assert told.value.do == "Free some space there: what waits and what runs goes on by itself."
    await send(store, plan, "01")
    assert len((await store.present()).active) == 1
    await store.close()


async def test_a_write_that_does_not_fit_says_so(control_database: Callable[[str], str], plan: Plan) -> None:
    database = await ControlDatabase.open(control_database("sqlite"))
    store = Store(database)
    async with database.read() as reader:
        pages = (await reader.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await reader.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull, match="The disk is full: the control database") as told:
        await send(store, plan, *(f"{number:04}" for number in range(5_000)))
    assert "goes on by itself" in told.value.do
    queued = len(await store.batches())
    async with database.read() as reader:
        await reader.exec_driver_sql("PRAGMA max_page_count = 100000")
    await send(store, plan, "01")
    assert len(await store.batches()) == queued + 1
    await store.close()
