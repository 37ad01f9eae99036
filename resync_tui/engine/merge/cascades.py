"""Updates that the state carries on to other records (ON UPDATE), refused where these are not to change with them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.dialect import differs
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.refused import not_refused, refuse_rows
from resync_tui.engine.types import text_literal
from resync_tui.outcome import Kind


async def refuse_cascading(connection: AsyncConnection, group: Sequence[TableMapping], context: MergeContext) -> None:
    """Refuse the staged rows of which an update would change records that the district has otherwise.

    A record that follows the update in the district, too, of a table that is merged later, is none of these.
    """
    for mapping in group:
        for action in context.update_actions:
            if action.parent == mapping.name and set(action.referred) & set(mapping.updatable):
                await _refuse_by(connection, mapping, action, context, group)


async def _refuse_by(
    connection: AsyncConnection,
    mapping: TableMapping,
    action: ReferentialAction,
    context: MergeContext,
    group: Sequence[TableMapping],
) -> None:
    stage, held = mapping.stage, mapping.target.alias(f"{RESERVED}held")
    changed = [name for name in action.referred if name in mapping.updatable]
    carried = sa.exists().where(
        mapping.same_key(held, stage),
        sa.or_(*(differs(stage.c[name], held.c[name], mapping.target.c[name]) for name in changed)),
        _is_undue(action, mapping, held, context, group) if action.seen else sa.true(),
    )
    reason = text_literal(f"its {', '.join(changed)} would change records of {action.told}")
    rows = sa.select(mapping.number, text_literal(Kind.REJECTED), reason)
    await refuse_rows(connection, mapping, rows.where(carried, not_refused(mapping, stage)))


def _is_undue(
    action: ReferentialAction,
    mapping: TableMapping,
    held: sa.FromClause,
    context: MergeContext,
    group: Sequence[TableMapping],
) -> sa.ColumnElement[bool]:
    """Return the condition that a record refers to a row of the parent and is not about to follow its update."""
    merged_later = (each for each in context.staged.values() if each.key and each not in group)
    child = next((each for each in merged_later if _is_of(action, each.target)), None)
    if child is None or action.action != "CASCADE":
        return action.hangs_on(held)
    row, staged = child.target.alias(f"{RESERVED}child"), child.stage.alias(f"{RESERVED}staged")
    pairs = list(zip(action.columns, action.referred, strict=True))
    sent = ((ours, theirs) for ours, theirs in pairs if ours in child.columns and theirs in mapping.columns)
    follows = (
        sa.exists()
        .where(child.same_key(row, staged), *(staged.c[ours] == mapping.stage.c[theirs] for ours, theirs in sent))
        .correlate(row, mapping.stage)
    )
    return sa.exists().where(*(row.c[ours] == held.c[theirs] for ours, theirs in pairs), sa.not_(follows))


def _is_of(action: ReferentialAction, table: sa.Table) -> bool:
    return (action.table.casefold(), action.schema) == (table.name.casefold(), table.schema)
