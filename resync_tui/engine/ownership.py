"""Ownership of a state without a tenant column: the first resync records its district, others are refused."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.mapping import STAGE_SCHEMA
from resync_tui.errors import CannotRun

COLUMNS = "one integer PRIMARY KEY CHECK (one = 1), district text NOT NULL"
"""Column definitions of the ownership table, which holds at most one row."""
ON_POSTGRES = sa.table("copy", sa.column("one"), sa.column("district", sa.Text()), schema=STAGE_SCHEMA)
IN_SQLITE = sa.table("resync_copy", sa.column("one"), sa.column("district", sa.Text()))
"""Table in the state file itself, so that a copy of the file keeps its owner."""

_BY_DIALECT = {"postgresql": ON_POSTGRES, "sqlite": IN_SQLITE}


async def is_remembered(connection: AsyncConnection) -> bool:
    """Whether the ownership table exists."""
    table = _table(connection)
    return await connection.run_sync(lambda sync: sa.inspect(sync).has_table(table.name, table.schema))


async def owner(connection: AsyncConnection) -> str | None:
    """Return the district that owns the state; None if not recorded."""
    if not await is_remembered(connection):
        return None
    found: str | None = await connection.scalar(sa.select(_table(connection).c.district))
    return found


async def own(connection: AsyncConnection, district: str) -> None:
    """Record the district that owns the state; the table must exist and be empty."""
    await connection.execute(sa.insert(_table(connection)).values(one=sa.literal_column("1"), district=district))


def require(owner: str | None, district: str, dialect: str) -> None:
    """Require that the state is owned by this district or by none. Raises CannotRun."""
    if owner not in (None, district):
        table = _BY_DIALECT[dialect].fullname
        raise CannotRun(
            f"The state holds the copy of district {owner}, not {district}: nothing is written",
            f"Mend [state] url; or hand that state over for good: DELETE FROM {table}",
        )


def _table(connection: AsyncConnection) -> sa.TableClause:
    return _BY_DIALECT[connection.dialect.name]
