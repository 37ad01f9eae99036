"""Standoffs: records that want a unique value of one that the district no longer has, which nothing has removed yet."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.keys import qualified, referred_table
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.refused import not_refused
from resync_tui.formatting import plural


async def told(connection: AsyncConnection, mapping: TableMapping, context: MergeContext) -> str:
    """Return a line on a table's refused records whose unique value an extra record holds; empty if there is none."""
    if not mapping.key or not mapping.unique_keys:
        return ""
    count = int(await connection.scalar(_standing_off(mapping)) or 0)
    if not count:
        return ""
    children = _pointing_objects(mapping, context)
    send = f"send {' and '.join(children)} too, " if children else ""
    who = f"{plural(count, 'record')} of {mapping.name}"
    return f"{who} cannot have values that extra records hold: {send}then remove-extra, then send this again"


def _standing_off(mapping: TableMapping) -> sa.Select[Any]:
    """Return the query for the number of refused records of which an extra one holds a unique value."""
    stage, held = mapping.stage, mapping.target.alias(f"{RESERVED}held")
    holders = [
        sa.exists().where(
            *(held.c[name] == stage.c[name] for name in unique.columns),
            mapping.same_key(held, mapping.extra),
        )
        for unique in mapping.unique_keys
    ]
    return sa.select(sa.func.count()).select_from(stage).where(sa.not_(not_refused(mapping, stage)), sa.or_(*holders))


def _pointing_objects(mapping: TableMapping, context: MergeContext) -> list[str]:
    """Return the other objects whose tables point to a table of the state."""
    tables = mapping.target.metadata.tables.values()
    pointing = [
        qualified(table) for table in tables if any(referred_table(each) is mapping.target
                                                    for each in table.foreign_key_constraints)
    ]  # fmt: skip
    return sorted({context.owners[name] for name in pointing if name in context.owners} - {mapping.object})
