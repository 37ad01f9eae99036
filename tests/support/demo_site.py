"""The sample set-up on both kinds of database, its batches run by the real agent."""

import os
import pwd
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest

from resync_tui.agent.service import run_agent
from resync_tui.config.load import catalog_of_year, load_settings
from resync_tui.control.store import Store
from resync_tui.demo import build
from resync_tui.outcome import Status
from resync_tui.plan import Request, make_plan
from resync_tui.results import Batch, ErrorRecord
from tests.support.databases import create_database, execute, finish


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


STUDENTS = 240


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Give the resync.toml of a demo on a kind of database, to be copied; each is built once."""

    @cache
    def of_kind(kind: str) -> Path:
        admin = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
        folder = tmp_path_factory.mktemp("demo") / "demo"
        finish(build.build(folder, students=STUDENTS, admin_url=admin))
        return folder / build.CONFIG

    return of_kind


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.matrix), "postgresql"])
def demo_site(
    request: pytest.FixtureRequest, tmp_path: Path, built_demo: Callable[[str], Path], agents_end: None
) -> Iterator[DemoSite]:
    """A copy of a demo in files, or of one on a server."""
    template = built_demo(request.param)
    copy = shutil.copytree(template.parent, tmp_path / "demo") / template.name
    names = _databases(template) if request.param == "postgresql" else []
    for name in names:
        create_database(request.getfixturevalue("postgres_server"), f"{name}_copy", name)
    copy.write_text(re.sub(rf"/({'|'.join(names) or '!'})\b", r"/\1_copy", copy.read_text("utf-8")), "utf-8")
    yield DemoSite(copy)
    if names:
        drops = (f'DROP DATABASE "{name}_copy" WITH (FORCE)' for name in names)
        execute(request.getfixturevalue("postgres_server"), *drops)


def _databases(config: Path) -> list[str]:
    """Return the names of a demo's databases on a server."""
    site = DemoSite(config)
    urls = [site.abbott, site.settings.district_url("02"), site.state, site.settings.control_url()]
    return [urlsplit(url).path[1:] for url in urls]
