"""Unique values that change hands: records that take over a value from each other cannot be updated one by one.

The holders are parked on values that nobody wants and then set right, in one transaction, so that nobody ever sees them
parked.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.declared import limits
from resync_tui.engine.families import Family, family
from resync_tui.engine.keys import UniqueKey
from resync_tui.engine.refusal import not_refused
from resync_tui.engine.tables import TableSpec

SHORTEST = 6
"""Characters that a text column must take to hold a parking value."""


async def mark_swaps(connection: AsyncConnection, spec: TableSpec) -> int:
    """Mark in `todo` the rows whose present value another row is to have; return how many there are."""
    marked = 0
    for unique in spec.unique_keys:
        if _parking(spec, unique) is not None:
            swapped = sa.update(spec.todo).values(swaps=sa.true()).where(_gives_up(spec, unique))
            marked += int((await connection.execute(swapped)).rowcount)
    return marked


def _gives_up(spec: TableSpec, unique: UniqueKey) -> sa.ColumnElement[bool]:
    """Return the condition over `todo` that the state's row holds a value which goes to another record."""
    own, other, held = spec.stage.alias("own"), spec.stage.alias("other"), spec.target.alias("held")
    wanted = sa.select(*(other.c[name] for name in unique.columns)).where(
        *(other.c[name].is_not(None) for name in unique.columns), not_refused(spec, other)
    )
    return sa.and_(
        spec.todo.c.new.is_(sa.false()),
        sa.exists().where(
            own.c[spec.number.name] == spec.todo.c.n,
            not_refused(spec, own),
            spec.same_key(held, own),
            sa.or_(*(held.c[name].is_distinct_from(own.c[name]) for name in unique.columns)),
            sa.tuple_(*(held.c[name] for name in unique.columns)).in_(wanted),
        ),
    )


def park(spec: TableSpec) -> sa.Update:
    """Return the update that gives the marked rows values that nobody wants."""
    values = dict(parking for unique in spec.unique_keys if (parking := _parking(spec, unique)) is not None)
    return (
        sa.update(spec.target)
        .values(values)
        .where(
            spec.same_key(spec.target, spec.stage),
            spec.number == spec.todo.c.n,
            spec.todo.c.swaps.is_(sa.true()),
        )
    )


def _parking(spec: TableSpec, unique: UniqueKey) -> tuple[str, sa.ColumnElement[Any]] | None:
    """Return a column of a unique key and a value to park it on; None where no column takes one."""
    pointing = {name for key in spec.foreign_keys for name in key.columns}
    for name in unique.columns:
        column = spec.target.c[name]
        if name in spec.updatable and column.nullable:
            return name, sa.null()
        if name in spec.updatable and name not in pointing:
            value = _unwanted(column, spec.todo.c.n)
            if value is not None:
                return name, value
    return None


def _unwanted(column: sa.Column[Any], number: sa.ColumnElement[int]) -> sa.ColumnElement[Any] | None:
    """Return a value for a column that no record is likely to have, another for each number."""
    text = sa.literal("~", sa.Text()) + sa.cast(number, sa.Text())
    kind, length = family(column), getattr(column.type, "length", None)
    if "declared" in column.info:
        return text  # SQLite takes any value in any column
    if kind is Family.TEXT:
        return text if length is None or length >= SHORTEST else None
    if kind is Family.INTEGER:
        bounds = limits(column)
        return sa.literal_column(str(bounds[0] // 2 if bounds else -(2**30))) - number
    if kind in (Family.NUMERIC, Family.FLOAT):
        return -number
    if kind is Family.DATE:
        return sa.literal_column("DATE '0001-01-01'").op("+")(sa.cast(number, sa.Integer()))
    if kind in (Family.TIMESTAMP, Family.TIMESTAMPTZ):
        return sa.literal_column("TIMESTAMP '0001-01-01'").op("+")(number.op("*")(sa.literal_column("INTERVAL '1 s'")))
    return sa.cast(sa.func.md5(text), sa.Uuid()) if kind is Family.UUID else None
