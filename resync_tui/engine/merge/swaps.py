"""Unique-value swaps: records that take over each other's unique values cannot be updated one by one.

The holders are updated to placeholders and then to their values, in one transaction, so that no reader sees a
placeholder.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.dialect import of
from resync_tui.engine.keys import UniqueKey
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge.refused import not_refused


async def mark_swaps(connection: AsyncConnection, mapping: TableMapping) -> int:
    """Mark in `changes` the rows whose present value goes to another row; return their number."""
    marked = 0
    for unique in mapping.unique_keys:
        if _placeholder_of(mapping, unique) is not None:
            swapped = sa.update(mapping.changes).values(swaps=sa.true()).where(_gives_up(mapping, unique))
            marked += int((await connection.execute(swapped)).rowcount)
    return marked


def _gives_up(mapping: TableMapping, unique: UniqueKey) -> sa.ColumnElement[bool]:
    """Return the condition over `changes` that the state's row gives up a value to another record."""
    own, other = (mapping.stage.alias(f"{RESERVED}{name}") for name in ("own", "other"))
    held = mapping.target.alias(f"{RESERVED}held")
    wanted = sa.select(*(other.c[name] for name in unique.columns)).where(
        *(other.c[name].is_not(None) for name in unique.columns), not_refused(mapping, other)
    )
    return sa.and_(
        mapping.changes.c.new.is_(sa.false()),
        sa.exists().where(
            own.c[mapping.number.name] == mapping.changes.c.n,
            not_refused(mapping, own),
            mapping.same_key(held, own),
            sa.or_(*(held.c[name].is_distinct_from(own.c[name]) for name in unique.columns)),
            sa.tuple_(*(held.c[name] for name in unique.columns)).in_(wanted),
        ),
    )


def assign_placeholders(mapping: TableMapping) -> sa.Update:
    """Return the update that sets the marked rows to placeholders."""
    values = dict(
        placeholder for unique in mapping.unique_keys if (placeholder := _placeholder_of(mapping, unique)) is not None
    )
    return (
        sa.update(mapping.target)
        .values(values)
        .where(
            mapping.same_key(mapping.target, mapping.stage),
            mapping.number == mapping.changes.c.n,
            mapping.changes.c.swaps.is_(sa.true()),
        )
    )


def _placeholder_of(mapping: TableMapping, unique: UniqueKey) -> tuple[str, sa.ColumnElement[Any]] | None:
    """Return a column of a unique key and its placeholder; None if no column can hold one."""
    pointing = {name for key in mapping.foreign_keys for name in key.columns}
    for name in unique.columns:
        column = mapping.target.c[name]
        if name in mapping.updatable and column.nullable:
            return name, sa.null()
        if name in mapping.updatable and name not in pointing:
            value = of(column).placeholder(column, mapping.changes.c.n)
            if value is not None:
                return name, value
    return None
