"""Districts with the reference tables."""

from sqlalchemy import MetaData

from resync_tui.databases.registry import open_engine
from resync_tui.schema.campus import METADATA


async def create_campus(url: str, tables: MetaData = METADATA) -> None:
    """Create the reference tables in an empty database."""
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(tables.create_all, checkfirst=False)
    await engine.dispose()
