"""The sample set-up on both kinds of database, its batches run by the real agent."""

import os
import pwd
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import asyncpg

from resync_tui.agent.service import run_agent
from resync_tui.config.load import catalog_of_year, load_settings
from resync_tui.control.store import Store
from resync_tui.demo import build
from resync_tui.outcome import Status
from resync_tui.plan import Request, make_plan
from resync_tui.results import Batch, ErrorRecord


class DemoSite:
    """A demo, its districts Abbott (01) and Campus (02), and its state."""

    def __init__(self, path: Path) -> None:
        self.settings = load_settings(path)
        self.state = self.settings.state_url()
        self.abbott = self.settings.district_url("01")
        role = urlsplit(self.settings.control_url()).username
        self._user = role or pwd.getpwuid(os.getuid()).pw_name

    async def send(self, district: str, year: int, objects: Sequence[str] | None = None) -> Batch:
        """Let an agent resync some objects (None: all) of a district for a school year; return the batch."""
        catalog = catalog_of_year(self.settings, district, year)
        plan = make_plan(catalog, [each.name for each in catalog.objects] if objects is None else objects, year)
        store = await Store.open(self.settings.control_url())
        try:
            (batch,) = await store.submit(Request([district], plan, initiator="state", requested_by=self._user))
            await run_agent(self.settings, once=True, idle_seconds=None)
            done = await store.batch(batch.batch)
            while not done.status.ended:  # an agent that a command started may have taken it
                await anyio.sleep(0.05)
                done = await store.batch(batch.batch)
            assert done.status is Status.COMPLETED, done.message
            return done
        finally:
            await store.close()

    async def errors(self, batch: Batch) -> list[ErrorRecord]:
        """Return the records that were refused."""
        store = await Store.open(self.settings.control_url())
        try:
            return await store.errors(batch.batch)
        finally:
            await store.close()


@asynccontextmanager
async def demo_site(folder: Path, students: int, admin_url: str | None) -> AsyncIterator[DemoSite]:
    """Build a demo in files, or on the server of `admin_url`, where it is dropped afterwards."""
    site = DemoSite(await build.build(folder, students=students, admin_url=admin_url))
    yield site
    if admin_url is not None:
        urls = [site.settings.district_url("02"), site.abbott, site.state, site.settings.control_url()]
        await drop(admin_url, [urlsplit(url).path[1:] for url in urls])


async def drop(admin_url: str, names: Sequence[str]) -> None:
    """Drop databases of a server."""
    connection = await asyncpg.connect(admin_url)
    for name in names:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.close()
