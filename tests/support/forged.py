"""Rows that a login writes past the program, by the columns that it is granted."""

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg

BATCH = {
    "requestID": "1", "districtNumber": "'01'", "schoolYear": "2026", "initiator": "'district'", "requestedBy": "''",
    "reason": "''", "status": "'queued'", "attempts": "0", "requestedAt": "now()", "cancelRequested": "false",
    "cancelledBy": "''", "message": "''", "agent": "''", "stageLeft": "false",
}  # fmt: skip
OBJECT = {
    "sequence": "1", "objectName": "'School'", "districtNumber": "'01'", "schoolYear": "2026", "wave": "1",
    "marked": "'selected'", "requiredBy": "'[]'", "status": "'queued'", "phase": "''", "read": "0", "processed": "0",
    "errors": "0", "inserted": "0", "updated": "0", "unchanged": "0", "excluded": "0", "rejected": "0", "blocked": "0",
    "extra": "0", "removed": "0", "message": "''",
}  # fmt: skip
ALERT = {
    "process": "'Vertical Interoperability'", "name": "'Resync Cancelled'", "message": "'x'", "postedAt": "now()",
    "audience": "'district'", "districtNumber": "'01'",
}  # fmt: skip


def insert(table: str, values: Mapping[str, str]) -> str:
    """Return the INSERT of a row, whose values are SQL."""
    columns = ", ".join(f'"{each}"' for each in values)
    return f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join(values.values())})'


async def ask(
    connection: asyncpg.Connection,
    batch: Mapping[str, str] = MappingProxyType({}),
    dis_object: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Insert a batch of one object, with other values than the plain ones; return its number."""
    async with connection.transaction():
        number = await connection.fetchval(f'{insert("DISBatch", {**BATCH, **batch})} RETURNING "batchID"')
        await connection.execute(insert("DISBatchHistory", {**OBJECT, "batchID": str(number), **dis_object}))
    return int(number)
