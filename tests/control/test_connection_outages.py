"""A control database that does not answer: told in two lines, and usable again afterwards."""

from collections.abc import Callable

import asyncpg
import pytest

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.store import Store
from resync_tui.errors import CannotRun, NoRight, Unreachable
from resync_tui.plan import Plan
from tests.support.plans import send


async def test_a_server_that_is_silent_for_too_long_is_told(control_database: Callable[[str], str], plan: Plan) -> None:
    url = control_database("postgresql")
    await (await Store.open(url)).close()
    control = await ControlDatabase.open(url, patience=2)
    holder = await asyncpg.connect(url)
    async with holder.transaction():
        await holder.execute('LOCK TABLE "DISGate"')
        with pytest.raises(Unreachable, match=r"Busy: the control database .* is locked"):
            await send(Store(control), plan, "01")
        # Whoever gave up has left nothing at the server that goes on waiting, and takes the lock later.
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        assert await holder.fetchval(waiting) == 0
    await holder.close()
    await send(Store(control), plan, "01")
    assert len(await Store(control).batches()) == 1
    await control.close()


async def test_a_limit_of_the_server_is_no_refusal_and_ends_no_agent(control_database: Callable[[str], str]) -> None:
    """As of a full NOTIFY queue: an agent tries on where the database is out of reach."""
    control = await ControlDatabase.open(control_database("postgresql"))
    with pytest.raises(Unreachable, match=r"Out of reach: the control database .* too large"):
        async with control.read() as connection:
            await connection.exec_driver_sql("SELECT repeat('ab', 2000000000)")
    await control.close()


async def test_server_ends_an_agent_stopped_inside_the_gate(control_database: Callable[[str], str], plan: Plan) -> None:
    url = control_database("postgresql")
    control = await ControlDatabase.open(url)
    async with control.read() as connection:
        limit = await connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")
        assert limit.scalar_one() == "10s"
    await control.close()


async def test_a_connection_that_the_server_ended_is_replaced(
    control_database: Callable[[str], str], plan: Plan
) -> None:
    url = control_database("postgresql")
    store = await Store.open(url)
    await send(store, plan, "01")
    admin = await asyncpg.connect(url)
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    await admin.execute(f"{ended} AND pid <> pg_backend_pid()")
    await admin.close()
    assert len(await store.batches()) == 1
    await store.close()


async def test_an_unreachable_server_is_told_without_the_password() -> None:
    with pytest.raises(CannotRun, match="Cannot reach the control database") as told:
        await Store.open("postgresql://jdoe:geheim@127.0.0.1:1/control")
    assert "geheim" not in str(told.value) + told.value.do


async def test_a_login_without_rights_is_told_what_to_do(control_database: Callable[[str], str]) -> None:
    url = control_database("postgresql")
    admin = await asyncpg.connect(url)
    role = url.rpartition("/")[2]
    await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'")
    try:
        other = url.partition("://")[0] + f"://{role}:geheim@" + url.rpartition("@")[2]
        with pytest.raises(NoRight, match="This login may not do that in the control database") as told:
            await Store.open(other)
        assert "geheim" not in str(told.value)
    finally:
        await admin.execute(f"DROP ROLE {role}")
        await admin.close()
