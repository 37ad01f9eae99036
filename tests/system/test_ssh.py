"""Over SSH: a resync that was sent goes on when the line is cut, and is there at the next log-in."""

from pathlib import Path

import anyio

from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.outcome import Status
from tests.support.screens.live import completes, screens
from tests.support.screens.ssh import login, ssh_server
from tests.support.waiting import DEADLINE, until


async def test_resync_outlives_the_connection_and_is_seen_on_return(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    async with ssh_server(*screens(settings), XDG_STATE_HOME=str(tmp_path)) as server:
        with anyio.fail_after(DEADLINE):
            async with login(server) as first:
                await first.reads_until(b"DIS Objects")
                first.press(" s")
                await first.reads_until(b"any other key goes back")
                await first.settles()
                first.press("y")
                await first.reads_until(b"Agent alive")
                first.connection.abort()
            assert (await store.batch(1)).status is Status.RUNNING

        async def gone() -> bool:
            return len(server.ended) == 1

        await until(gone)
        with anyio.fail_after(DEADLINE):
            async with login(server) as second:
                await second.reads_until(b"DIS Objects")
                second.press("p")
                await second.reads_until(b"COMPLETED")
                second.press("q")
                assert await second.ends() == 0
        await completes(store)
