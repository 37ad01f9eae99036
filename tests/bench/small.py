"""A small district as the demo builds it: a full resync of 67 objects that finds nothing to do."""

import time
from pathlib import Path

import sqlalchemy as sa

from resync_tui.catalog import Catalog
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.databases.registry import open_engine
from resync_tui.demo.build import build
from tests.bench.enrollments import Databases
from tests.bench.ours import Ran, resync

STUDENTS = 1000


async def create(folder: Path, admin: str | None) -> Databases:
    """Build the demo, in files or on a server, and bring its state up to date."""
    settings = load_settings(await build(folder, students=STUDENTS, districts=1, admin_url=admin))
    district = settings.district[0].id
    databases = Databases(settings.district_url(district), settings.state_url(), load_catalog(settings), STUDENTS)
    await everything(databases)
    return databases


async def everything(databases: Databases) -> Ran:
    """Run a full resync."""
    return await resync(databases, [each.name for each in databases.catalog.objects])


async def count_tables(databases: Databases) -> float:
    """Open both databases, and count every table of both: what looking costs at least."""
    begun = time.perf_counter()
    for url in (databases.district, databases.state):
        engine = open_engine(url)
        async with engine.connect() as connection:
            for table in _tables(databases.catalog):
                await connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table)))
        await engine.dispose()
    return time.perf_counter() - begun


def _tables(catalog: Catalog) -> list[str]:
    return [table for each in catalog.objects for table in each.tables]
