"""Whose copy a state is that has no tenant's column: the first resync writes it down there, and others keep out."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.mapping import STAGE_SCHEMA
from resync_tui.errors import CannotRun

COLUMNS = "one integer PRIMARY KEY CHECK (one = 1), district text NOT NULL"
"""Of the table that holds one row at most."""
ON_POSTGRES = sa.table("copy", sa.column("one"), sa.column("district", sa.Text()), schema=STAGE_SCHEMA)
IN_SQLITE = sa.table("resync_copy", sa.column("one"), sa.column("district", sa.Text()))
"""Among the state's own tables: whoever copies the file copies it too."""

_BY_DIALECT = {"postgresql": ON_POSTGRES, "sqlite": IN_SQLITE}


async def is_remembered(connection: AsyncConnection) -> bool:
    """Whether the state has the table."""
    table = _table(connection)
    return await connection.run_sync(lambda sync: sa.inspect(sync).has_table(table.name, table.schema))


async def owner(connection: AsyncConnection) -> str | None:
    """Return the district whose copy the state is; None where it does not say."""
    if not await is_remembered(connection):
        return None
    found: str | None = await connection.scalar(sa.select(_table(connection).c.district))
    return found


async def own(connection: AsyncConnection, district: str) -> None:
    """Write down whose copy the state is; the table is there, and empty."""
    await connection.execute(sa.insert(_table(connection)).values(one=sa.literal_column("1"), district=district))


def require(owner: str | None, district: str, dialect: str) -> None:
    """Make sure that the state is this district's copy, or nobody's yet. Raises CannotRun."""
    if owner not in (None, district):
        table = _BY_DIALECT[dialect].fullname
        raise CannotRun(
            f"The state holds the copy of district {owner}, not {district}: nothing is written",
            f"Mend [state] url; or hand that state over for good: DELETE FROM {table}",
        )


def _table(connection: AsyncConnection) -> sa.TableClause:
    return _BY_DIALECT[connection.dialect.name]
