"""The product at work on a world: `state init`, `doctor`, and what an agent does with resyncs and comparisons."""

import asyncio
import json
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from resync_tui.agent.job import engine_work
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.control.progress import Lease
from resync_tui.engine.events import Event, Note, ObjectEnded, RecordsFound, RecordsRefused
from resync_tui.errors import ResyncError, flatten
from resync_tui.outcome import Purpose
from resync_tui.plan import make_plan
from tests.support.command_line import looked
from tests.support.databases import run_script
from tests.support.soundness import build
from tests.support.soundness.model import Row, World

Named = tuple[str, Mapping[str, Any]]
"""A table and a key, as a report names a record."""


@dataclass
class Report:
    """What the product said of one district's resync, and of the comparison after it."""

    refused: str = ""
    """Why nothing could be asked, or why a batch failed as a whole."""
    objects: dict[str, str] = field(default_factory=dict)
    """The status of each object of the resync."""
    compared: dict[str, str] = field(default_factory=dict)
    """The status of each object of the comparison."""
    messages: dict[str, str] = field(default_factory=dict)
    """What was said of objects, by both."""
    errors: list[Named] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    """What ended a batch and is no error for users."""
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    """Kind, table and key."""
    keyless: Counter[tuple[Purpose, str]] = field(default_factory=Counter)
    """Number of records of a table found without a key that names them."""

    def hear(self, event: Event, purpose: Purpose) -> None:
        """Write down what the engine reports."""
        match event:
            case ObjectEnded(name, status, _, message):
                (self.objects if purpose is Purpose.RESYNC else self.compared)[name] = str(status)
                if message:
                    self.messages[name] = message
            case RecordsRefused(_, table, kind, reason, _, keys):
                self.errors += [(table, key) for key in keys]
                self.reasons.append(f"{table}: {kind} {reason}")
            case RecordsFound(_, table, finding, count, keys):
                self.keyless[purpose, table] += 0 if keys else count
                self.findings += [(str(finding), table, key) for key in keys]
            case Note(text):
                self.notes.append(text)


class Product:
    """A folder with the configuration of a world, and its databases."""

    def __init__(self, folder: Path, world: World, new_database: Callable[[str], str]) -> None:
        self.world = world
        self.folder = folder
        self.state = new_database(world.target)
        self.districts = {tenant: new_database(world.source) for tenant in world.tenants}
        self._batch = 0
        self.config = folder / "resync.toml"
        self.config.write_text(build.config_toml(world, self.state, self.districts), "utf-8")
        (folder / "objects.toml").write_text(build.catalog_toml(world), "utf-8")

    def script(self, url: str, text: str) -> None:
        """Run statements at a database."""
        if text.strip():
            asyncio.run(run_script(url, text))

    def state_init(self) -> str:
        """Make the state's tables by the product; return what it refused."""
        done = looked(self.config, ["state", "init", "-d", self.world.tenants[0]])
        return done.stdout + done.stderr if done.returncode else ""

    def doctor(self) -> list[str]:
        """Return the problems that doctor tells of."""
        done = looked(self.config, ["doctor", "--json"])
        return [f"{each['what']}. {each['do']}" for each in json.loads(done.stdout)["problems"]]

    def run(self, year: int, *purposes: Purpose) -> dict[str, Report]:
        """Run batches of all districts for a year, and return what was said of each district."""
        reports = {tenant: Report() for tenant in self.world.tenants}
        for tenant, report in reports.items():
            for purpose in purposes:
                self._batch += 1
                try:
                    asyncio.run(self._run(tenant, year, purpose, report))
                except Exception as error:  # noqa: BLE001 - a crash is what the search is for
                    told = [leaf for leaf in flatten(error) if isinstance(leaf, ResyncError)]
                    report.refused += " ".join(f"{leaf.what}. {leaf.do}" for leaf in told)
                    if not told:
                        report.crashes.append("".join(traceback.format_exception(error)[-1:]).strip())
        return reports

    async def _run(self, tenant: str, year: int, purpose: Purpose, report: Report) -> None:
        settings = load_settings(self.config)
        catalog = settings.of_year(load_catalog(settings), settings.district_by_id(tenant), year)
        assert catalog is not None
        plan = make_plan(catalog, [each.name for each in catalog.objects], year)
        lease = Lease(self._batch, tenant, self._batch, 1, plan, purpose=purpose)
        await engine_work(settings, lease).run(lambda event: report.hear(event, purpose))

    def held(self) -> dict[str, list[Row]]:
        """Return all rows of the state's tables."""
        return asyncio.run(_rows(self.state, self.world.target, self.world))

    def of_district(self, tenant: str) -> dict[str, list[Row]]:
        """Return all rows of a district's tables; those of sub-tables are not."""
        return asyncio.run(_rows(self.districts[tenant], self.world.source, self.world))


async def _rows(url: str, kind: str, world: World) -> dict[str, list[Row]]:
    only = "ONLY " if kind == "postgresql" else ""
    queries = {name: f"SELECT * FROM {only}{build.quoted(name)}" for name in world.tables}
    if kind == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.row_factory = sqlite3.Row
            return {name: [dict(row) for row in connection.execute(query)] for name, query in queries.items()}
    server = await asyncpg.connect(url)
    try:
        return {name: [dict(row) for row in await server.fetch(query)] for name, query in queries.items()}
    finally:
        await server.close()
