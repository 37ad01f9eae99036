"""An agent forgets what is older than resync.toml says, and never the last result."""

from datetime import timedelta

import anyio
import pytest
from sqlalchemy import update

from resync_tui.agent.service import run_agent
from resync_tui.clock import utc_now
from resync_tui.config.load import load_settings
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.models import Tables
from resync_tui.errors import UsageError
from resync_tui.outcome import Status
from tests.support.site.fake import FakeSite
from tests.support.waiting import until


async def test_what_is_old_goes_and_the_last_result_stays(site: FakeSite) -> None:
    ((old,), (newest,)) = await site.send("01"), await site.send("01")
    await run_agent(site.settings, once=True, idle_seconds=None, work_of=site.work)
    database = await ControlDatabase.open(site.settings.control_url())
    async with database.write() as connection:
        await connection.execute(update(Tables.batch).values(finishedAt=utc_now() - timedelta(days=40)))
    await database.close()
    with site.settings.path.open("a") as file:
        file.write("\n[retention]\nhistory = 30\n")

    async def forgotten() -> bool:
        return "rows forgotten" in site.log()

    async with anyio.create_task_group() as tasks:
        settings = load_settings(site.settings.path)
        tasks.start_soon(lambda: run_agent(settings, once=False, idle_seconds=None, work_of=site.work))
        await until(forgotten)
        tasks.cancel_scope.cancel()
    with pytest.raises(UsageError, match="There is no batch"):
        await site.store.batch(old)
    assert (await site.store.batch(newest)).status is Status.COMPLETED
