"""Read back what was written to a table with triggers or rules: what is not there as sent is rejected.

A changed row may differ afterwards in a column in which it did not differ before: its trigger is told, and it counts.
"""

from typing import Any

import sqlalchemy as sa

from resync_tui.engine.dialect import differs
from resync_tui.engine.merge.chunks import EVERY, ChunkedWriter, RowRange
from resync_tui.engine.merge.refused import SKIPPED
from resync_tui.engine.merge.table import TableMerge, is_to_send
from resync_tui.engine.types import text_literal
from resync_tui.outcome import Kind

READ_AT_ONCE = 50_000
_UNDONE = "{}: a trigger of the state changed what was sent; if it is to set that column, list it in state_owned"


async def read_back(writer: ChunkedWriter, table: TableMerge) -> None:
    """Reject the rows that are not in the state as they were sent, count the others, and note what triggers set."""
    mapping, target = table.mapping, writer.target

    async def reject(row_range: RowRange) -> None:
        async with target.staging() as connection:
            for new in (True,) if table.fresh else (True, False):
                rows = _undone_rows(table, row_range, new=new)
                await connection.execute(sa.insert(mapping.refused).from_select(["n", "kind", "reason"], rows))

    await writer.over(mapping.number, reject, first=READ_AT_ONCE)
    async with target.staging() as connection:
        counted = [await connection.scalar(_count_written(table, new=new)) for new in (True, False)]
        table.account.set_written(*map(int, counted))
        if table.changed:
            found = (await connection.execute(_set_columns(table))).one()
            table.set_by_trigger = tuple(name for name, is_set in zip(mapping.updatable, found, strict=True) if is_set)


def _joined(table: TableMerge) -> sa.FromClause:
    mapping = table.mapping
    return mapping.stage.outerjoin(mapping.target, mapping.same_key(mapping.target, mapping.stage))


def _differs(table: TableMerge, name: str) -> sa.ColumnElement[bool]:
    held = table.mapping.target.c[name]
    return differs(table.mapping.stage.c[name], held, held)


def _undone_rows(table: TableMerge, row_range: RowRange, *, new: bool) -> sa.Select[Any]:
    """Return the query (row id, kind, reason) for written rows that are not there, or not as they were sent."""
    mapping = table.mapping
    absent = mapping.target.c[mapping.key[0]].is_(None)
    reasons: list[tuple[sa.ColumnElement[bool], sa.ColumnElement[str]]] = [(absent, text_literal(SKIPPED))]
    for name in mapping.updatable:
        undone = _differs(table, name) if new else sa.and_(_differs(table, name), is_to_send(mapping, name))
        reasons.append((undone, text_literal(_UNDONE.format(name))))
    rows = sa.select(mapping.number, text_literal(Kind.REJECTED), sa.case(*reasons)).select_from(_joined(table))
    return rows.where(*table.pending(row_range, new=new), sa.or_(*(when for when, _ in reasons)))


def _count_written(table: TableMerge, *, new: bool) -> sa.Select[Any]:
    if table.fresh and not new:
        return sa.select(sa.literal_column("0"))
    return sa.select(sa.func.count()).select_from(table.mapping.stage).where(*table.pending(EVERY, new=new))


def _set_columns(table: TableMerge) -> sa.Select[Any]:
    """Return the query whether a trigger set each updatable column of any changed row."""
    mapping = table.mapping
    found = (
        sa.func.max(sa.case((sa.and_(_differs(table, name), sa.not_(is_to_send(mapping, name))), 1), else_=0))
        for name in mapping.updatable
    )
    return sa.select(*found).select_from(_joined(table)).where(*table.pending(EVERY, new=False))
