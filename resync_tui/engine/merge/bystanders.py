"""Bystanders: records that a batch does not send, but that triggers or rules of their table may change all the same.

They are kept as they are before anything is written, and compared afterwards.
"""

from typing import Any

import sqlalchemy as sa

from resync_tui.engine.backends.base import Target
from resync_tui.engine.dialect import differs, of
from resync_tui.engine.mapping import STAGE_SCHEMA, TableMapping
from resync_tui.engine.merge.table import TableMerge


async def keep(target: Target, table: TableMerge) -> None:
    """Store the tenant's records of a table as the state has them."""
    mapping, kept = table.mapping, _kept(table.mapping)
    held = [mapping.target.c[each.name] for each in kept.c]
    columns = (of(column).to_stage(column, column).label(column.name) for column in held)
    await target.store(kept, sa.select(*columns).where(mapping.of_tenant()))
    await target.analyze(kept)


async def compare(target: Target, table: TableMerge) -> None:
    """Note the columns that triggers set in records that were not sent, and how many of these they removed."""
    mapping = table.mapping
    async with target.staging() as connection:
        removed, *found = (await connection.execute(_changes(mapping))).one()
    table.removed_by_trigger = int(removed or 0)
    table.disturbed = bool(table.removed_by_trigger or any(found))
    is_set = {name for name, each in zip(mapping.updatable, found, strict=True) if each}
    table.set_by_trigger = tuple(name for name in mapping.updatable if name in {*table.set_by_trigger, *is_set})


def _kept(mapping: TableMapping) -> sa.Table:
    columns = (sa.Column(name, sa.types.NullType()) for name in (*mapping.key, *mapping.updatable))
    return sa.Table(f"b{mapping.stage_name}", sa.MetaData(schema=STAGE_SCHEMA), *columns)


def _changes(mapping: TableMapping) -> sa.Select[Any]:
    """Return the query for the number of bystanders that are gone, and whether each updatable column of any differs."""
    kept, held, stage, changes = _kept(mapping), mapping.target, mapping.stage, mapping.changes
    is_gone = held.c[mapping.key[0]].is_(None)
    is_set = (
        sa.func.max(sa.case((sa.and_(sa.not_(is_gone), differs(kept.c[name], held.c[name], held.c[name])), 1), else_=0))
        for name in mapping.updatable
    )
    is_sent = sa.exists().where(
        *(stage.c[name] == kept.c[name] for name in mapping.key),
        mapping.number == changes.c.n,
        changes.c.new.is_not(None),
    )
    rows = kept.outerjoin(held, mapping.same_key(held, kept))
    return sa.select(sa.func.sum(sa.case((is_gone, 1), else_=0)), *is_set).select_from(rows).where(sa.not_(is_sent))
