"""A terminal that closes in mid-batch takes its command with it, not the batch; the screens: tests/screens."""

import os
import signal
from contextlib import suppress

import pytest

from resync_tui.outcome import Status
from tests.support.screens.pseudo_terminal import terminal
from tests.support.site.records import accounts_hold
from tests.support.site.site import Site


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_the_batch_of_a_run_outlives_its_terminal(site: Site) -> None:
    command = ("resync_tui", "--config", str(site.settings.path), "run", "-d", "01", "--all", "--yes")
    try:
        with terminal(*command, XDG_STATE_HOME=os.environ["XDG_STATE_HOME"]) as shown:
            shown.reads_until(b"record")
            await site.in_the_middle(1)
            assert not (await site.store.batch(1)).status.ended
            shown.close()
            assert shown.ends(reading=False) != 0
        batch = await site.reached(1, Status.COMPLETED)
        assert batch.attempts == 1
        accounts_hold(batch)
        await site.all_is_right("01")
    finally:
        for agent in await site.store.agents():
            with suppress(ProcessLookupError):
                os.kill(agent.pid, signal.SIGKILL)
