"""The gate: the one row that every change of the queue updates first.

On PostgreSQL it makes such transactions go one after another; progress does not pass it, but counts its changes in
its own row of DISRunning (measured: with the claim's own reads first, limits broke on both databases).
"""

from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.models import Tables
from resync_tui.errors import CannotRun


async def pass_gate(connection: AsyncConnection, *, changes: int, requests: int = 0) -> Row[Any]:
    """Wait for whoever is inside, then return the gate's row with these numbers added.

    Must be the first statement of its transaction. Raises CannotRun where the row is missing.
    """
    gate = Tables.gate
    row = (
        await connection.execute(
            update(gate)
            .values(changes=gate.c.changes + changes, lastRequest=gate.c.lastRequest + requests)
            .returning(gate.c.lastRequest, gate.c.lastToken)
        )
    ).one_or_none()
    if row is None:
        raise CannotRun("The control database is damaged: DISGate is empty", "Restore it from a backup.")
    return row
