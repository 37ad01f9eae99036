"""Refused rows of a stage: noted by a query or one by one, and left out of what follows."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.backends.base import Target
from resync_tui.engine.mapping import TableMapping
from resync_tui.outcome import Kind

SKIPPED = "a trigger of the state skipped it"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Staged row that the state refused alone."""

    number: int
    reason: str
    columns: str | None = None
    unique_key: int | None = None
    """Place, among the mapping's unique keys, of the one whose value another record holds."""


def held_elsewhere(columns: Sequence[str]) -> str:
    """Return the reason for a unique value that another record of the state keeps."""
    return f"another record of the state holds this {', '.join(columns)}"


def not_refused(mapping: TableMapping, staged: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that a staged row is accepted: not refused so far."""
    number = staged.c[mapping.number.name]
    return sa.not_(sa.exists().where(mapping.refused.c.n == number))


async def note_rejected(target: Target, mapping: TableMapping, rejected: Sequence[Rejected]) -> None:
    """Refuse rows that the state rejected in the merge."""
    if rejected:
        values = [{**_values(row), "kind": Kind.REJECTED.value} for row in rejected]
        async with target.staging() as connection:
            await connection.execute(sa.insert(mapping.refused), values)


def _values(row: Rejected) -> dict[str, str | int | None]:
    return {"n": row.number, "reason": row.reason, "columns": row.columns, "unique_key": row.unique_key}


async def refuse_rows(connection: AsyncConnection, mapping: TableMapping, rows: sa.SelectBase, *details: str) -> int:
    """Refuse the rows of a query (row id, kind, reason, and the named details); return their number."""
    statement = sa.insert(mapping.refused).from_select(["n", "kind", "reason", *details], rows)
    return int((await connection.execute(statement)).rowcount)
