"""Ownership of a state without a tenant column: the first resync records its district, others are refused."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.errors import CannotRun

COLUMNS = "one integer PRIMARY KEY CHECK (one = 1), district text NOT NULL"
"""Column definitions of the ownership table, which holds at most one row."""


async def is_remembered(connection: AsyncConnection, table: sa.TableClause) -> bool:
    """Whether the ownership table exists."""
    return await connection.run_sync(lambda sync: sa.inspect(sync).has_table(table.name, table.schema))


async def owner(connection: AsyncConnection, table: sa.TableClause) -> str | None:
    """Return the district that owns the state; None if not recorded."""
    if not await is_remembered(connection, table):
        return None
    found: str | None = await connection.scalar(sa.select(table.c.district))
    return found


async def own(connection: AsyncConnection, table: sa.TableClause, district: str) -> None:
    """Record the district that owns the state; the table must exist and be empty."""
    await connection.execute(sa.insert(table).values(one=sa.literal_column("1"), district=district))


def require(owner: str | None, district: str, table: sa.TableClause) -> None:
    """Require that the state is owned by this district or by none. Raises CannotRun."""
    if owner not in (None, district):
        raise CannotRun(
            f"The state holds the copy of district {owner}, not {district}: nothing is written",
            f"Mend [state] url; or hand that state over for good: DELETE FROM {table.fullname}",
        )
