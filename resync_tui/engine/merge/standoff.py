"""Standoffs: records that want a unique value of one that the district no longer has, which nothing has removed yet."""

from collections.abc import Iterable
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import folded
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.refused import not_refused
from resync_tui.formatting import plural, some

NAMED = 3
"""Holders named in a line."""


async def told(
    connection: AsyncConnection,
    mapping: TableMapping,
    references: Iterable[ReferentialAction],
    context: MergeContext,
) -> str:
    """Return a line on a table's refused records whose unique value an extra record holds; empty if there is none.

    `references` are all foreign keys of the state that point to the table.
    """
    if not mapping.key or not mapping.unique_keys:
        return ""
    wanting = sa.select(sa.func.count()).select_from(mapping.stage).where(_stands_off(mapping))
    count = int(await connection.scalar(wanting) or 0)
    if not count:
        return ""
    holders = await _holders(connection, mapping)
    who = f"{plural(count, 'record')} of {mapping.name} cannot have values that extra records hold ({holders})"
    return f"{who}: {await _way_out(connection, mapping, references, context)}"


async def _way_out(
    connection: AsyncConnection,
    mapping: TableMapping,
    references: Iterable[ReferentialAction],
    context: MergeContext,
) -> str:
    """Return what to do: what points to the holders goes first, unless it waits for the records that they keep out."""
    waiting, elsewhere, unknown = set[str](), set[str](), set[str]()
    sent = {folded(each.name): each for each in context.staged.values()}
    owners = {folded(table): name for table, name in context.owners.items()}
    settled = {folded(table.name) for table in context.settled}
    for each in references:
        table = f"{each.schema}.{each.table}" if each.schema else each.table
        child = sent.get(folded(table))
        if not each.seen or not await connection.scalar(sa.select(_is_pointed_at(mapping, each))):
            continue
        if child is not None:
            if await connection.scalar(sa.select(_waits(child, mapping))):
                waiting.add(child.object)
        elif folded(table) in owners and folded(each.table) not in settled:
            elsewhere.add(owners[folded(table)])
        else:
            unknown.add(table)
    columns = ", ".join(dict.fromkeys(chain(*(unique.columns for unique in mapping.unique_keys))))
    if unknown:
        return f"records of {some(sorted(unknown))} point to these: move or remove them in the state, then remove-extra"
    if elsewhere:
        return f"send {' and '.join(sorted(elsewhere))} too, then remove-extra, then send this again"
    if waiting:
        return (
            f"records of {' and '.join(sorted(waiting))} point to these and wait for those: give these another "
            f"{columns} in the state by hand, then send this again"
        )
    return "remove-extra, then send this again"


def _stands_off(mapping: TableMapping) -> sa.ColumnElement[bool]:
    """Return the condition that a staged row is refused and an extra record holds a unique value of it."""
    held = mapping.target.alias(f"{RESERVED}held")
    holders = [
        sa.exists().where(*unique.same_value(held, mapping.stage), mapping.same_key(held, mapping.extra))
        for unique in mapping.unique_keys
    ]
    return sa.and_(sa.not_(not_refused(mapping, mapping.stage)), sa.or_(*holders))


def _is_holder(mapping: TableMapping, held: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the state is extra and holds a value that a refused staged row wants."""
    wanted = [
        sa.exists().where(*unique.same_value(held, mapping.stage), sa.not_(not_refused(mapping, mapping.stage)))
        for unique in mapping.unique_keys
    ]
    return sa.and_(sa.exists().where(mapping.same_key(held, mapping.extra)), sa.or_(*wanted))


async def _holders(connection: AsyncConnection, mapping: TableMapping) -> str:
    """Return the keys of the first holders."""
    held = mapping.target.alias(f"{RESERVED}held")
    keys = [held.c[name] for name in mapping.key]
    found = await connection.execute(sa.select(*keys).where(_is_holder(mapping, held)).order_by(*keys).limit(NAMED + 1))
    rows = [", ".join(f"{name} {value}" for name, value in zip(mapping.key, row, strict=True)) for row in found]
    return " and ".join([*rows[:NAMED], *["others"] * (len(rows) > NAMED)])


def _is_pointed_at(mapping: TableMapping, reference: ReferentialAction) -> sa.ColumnElement[bool]:
    """Return the condition that records point to a holder by a foreign key of the state."""
    held = mapping.target.alias(f"{RESERVED}held")
    return sa.exists().select_from(held).where(_is_holder(mapping, held), reference.hangs_on(held))


def _waits(child: TableMapping, mapping: TableMapping) -> sa.ColumnElement[bool]:
    """Return the condition that staged rows of a child table are to point to records that holders keep out."""
    stage = child.stage.alias(f"{RESERVED}waiting")
    ways = [
        sa.exists().where(*child.points_at(key, stage, mapping.stage), _stands_off(mapping))
        for key in child.foreign_keys
        if key.parent is mapping.target
    ]
    return sa.or_(sa.false(), *ways)
