"""Rows made and read one at a time, by their classes."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from sqlalchemy.exc import NoSuchColumnError

from resync_tui.clock import utc_now
from resync_tui.control.connection import ControlDatabase, lock_queue
from resync_tui.control.models import DISAgent, DISBatch, DISBatchHistory, DISGate, DISRunning, ProcessAlert, Tables
from resync_tui.control.models.columns import ControlTable
from resync_tui.control.rows import insert_row, instance_of, values_of


@pytest.fixture
async def database(control_url: str) -> AsyncIterator[ControlDatabase]:
    database = await ControlDatabase.open(control_url)
    yield database
    await database.close()


async def test_a_row_reads_as_it_was_made_and_gets_a_number(database: ControlDatabase) -> None:
    now = utc_now().replace(microsecond=5)
    alert = ProcessAlert(process="P", name="N", postedAt=now, audience="state", districtNumber="ñ")
    agent = DISAgent(
        agentID="a", host="h", kernel="k", pid=1, startedAt=now, seenAt=now, leaseSeconds=1.5, districts=["01"]
    )
    async with database.write() as connection:
        await connection.execute(insert_row(alert))
        await connection.execute(insert_row(agent))
        posted = instance_of(ProcessAlert, (await connection.execute(select(Tables.alert))).one())
        listed = instance_of(DISAgent, (await connection.execute(select(Tables.agent))).one())
    assert listed == agent
    assert posted.alertID >= 1
    assert values_of(posted) == values_of(alert)


async def test_the_lock_says_the_gate_of_its_own_update(database: ControlDatabase) -> None:
    async with database.write() as connection:
        before = await lock_queue(connection, changes=0)
        after = await lock_queue(connection, changes=2, requests=1)
    assert (after.changes, after.lastRequest) == (before.changes + 2, before.lastRequest + 1)


async def test_a_row_that_lacks_a_column_is_refused(database: ControlDatabase) -> None:
    async with database.read() as connection:
        (gate,) = (await connection.execute(select(*list(Tables.gate.c)[1:]))).all()
    with pytest.raises(NoSuchColumnError):
        instance_of(DISGate, gate)


@pytest.mark.parametrize(
    ("model", "drawn"),
    [(DISBatch, {"batchID"}), (ProcessAlert, {"alertID"}), (DISBatchHistory, set()), (DISRunning, set())],
)
def test_only_a_number_that_is_drawn_is_left_out(model: type[ControlTable], drawn: set[str]) -> None:
    columns = set(model.__table__.c.keys())
    assert columns - set(values_of(model(**dict.fromkeys(columns)))) == drawn
