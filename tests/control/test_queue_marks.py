"""Names of agents' connections are of a key that no user can read, so that they tell nobody of a district."""

import hashlib

import asyncpg
import pytest

from resync_tui.control.store import Store
from resync_tui.engine.backends.base import End
from resync_tui.engine.backends.postgres.session import application_name
from resync_tui.plan import Plan
from tests.support.control import Agents, claimed
from tests.support.plans import send
from tests.support.roles import Roles


async def test_a_district_has_one_mark_for_all_agents(store: Store, agents: Agents, plan: Plan) -> None:
    await send(store, plan, "01", "02")
    one, other = await claimed(await agents.start()), await claimed(await agents.start())
    await agents.lapse()
    again = await claimed(await agents.start())
    assert (again.district, again.mark) == (one.district, one.mark)
    assert other.mark != one.mark
    plain = {hashlib.sha256(each.encode()).hexdigest()[:12] for each in ("01", "02")}
    assert plain.isdisjoint({one.mark, other.mark})


async def test_no_user_reads_the_key(roles: Roles) -> None:
    for role in ("governor", "jdoe", "reader", "stranger"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await (await roles.connect(role)).fetch('SELECT * FROM "DISKey"')


def test_a_connection_is_named_by_the_mark() -> None:
    plain, marked = End("", "", "01", 7), End("", "", "01", 7, mark="abc")
    assert application_name(marked, "t") == "resync-tui/t/abc/7"
    assert application_name(plain, "t") == f"resync-tui/t/{plain.digest}/7"
