"""Read back which records were refused, by their keys alone."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.tables import TableSpec
from resync_tui.outcome import KeyValue, Kind


async def refused_records(
    connection: AsyncConnection, spec: TableSpec, kept: int
) -> AsyncIterator[tuple[Kind, str, int, tuple[Mapping[str, KeyValue], ...]]]:
    """Yield kind, reason, exact count and at most `kept` keys of what a table's merge refused."""
    refused = spec.refused
    groups = sa.select(refused.c.kind, refused.c.reason, sa.func.count()).group_by(refused.c.kind, refused.c.reason)
    for kind, reason, count in (await connection.execute(groups.order_by(refused.c.reason))).all():
        keys = (
            sa.select(*(spec.stage.c[name] for name in spec.key))
            .where(refused.c.kind == kind, refused.c.reason == reason, spec.number == refused.c.n)
            .order_by(refused.c.n)
            .limit(kept)
        )
        rows = (await connection.execute(keys)).all()
        records = tuple(dict(zip(spec.key, map(as_key_value, row), strict=True)) for row in rows)
        yield Kind(kind), reason, count, records


def as_key_value(value: Any) -> KeyValue:
    """Return a key's value as JSON can carry it."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)
