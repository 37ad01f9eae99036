"""Setting aside: an extra record gives up its unique value to a staged record, in the transaction that writes that one.

Only where nothing is lost by it: the column is text or may be empty, no foreign key and no trigger depends on it, and
whatever points to the extra record is about to point elsewhere or is extra itself.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import folded
from resync_tui.engine.backends.base import Target
from resync_tui.engine.dialect import logical_type, of
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.keys import UniqueKey
from resync_tui.engine.mapping import EXCLUDED_BY, RESERVED, SET_ASIDE, VALUE_ERROR, TableMapping
from resync_tui.engine.merge.chunks import Altered, Check, Numbers, RowRange
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.refused import Rejected, held_elsewhere, not_refused
from resync_tui.engine.types import LogicalType, text_literal

_HELD, _HOLDER, _TAKER = (f"{RESERVED}{name}" for name in ("held", "holder", "taker"))


async def mark(
    connection: AsyncConnection, mapping: TableMapping, references: Sequence[ReferentialAction], context: MergeContext
) -> None:
    """Mark the extra records of a table that may give up the unique values that accepted staged rows want.

    `references` are all foreign keys of the state that point to the table.
    """
    if not all(each.seen for each in references):
        return
    extra, held = mapping.extra, mapping.target.alias(_HELD)
    for unique in mapping.unique_keys:
        placeholder = _placeholder(mapping, unique, held, references)
        if placeholder is None:
            continue
        wanted = [mapping.same_key(held, extra), _is_wanted(mapping, unique, held)]
        if await connection.scalar(sa.select(sa.exists().where(*wanted))):
            free = [
                _is_free(mapping, unique, held, *placeholder),
                *(sa.not_(_stays(each, mapping, held, context)) for each in references),
            ]
            marked = sa.func.coalesce(extra.c[SET_ASIDE], text_literal("")) + text_literal(_mark(mapping, unique))
            await connection.execute(
                sa.update(extra).values({SET_ASIDE: marked}).where(sa.exists().where(*wanted, *free).correlate(extra))
            )


def gives_up(mapping: TableMapping, unique: UniqueKey, held: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the state is marked to give up its value of a unique key."""
    if not mapping.key:
        return sa.false()
    extra = mapping.extra.alias(f"{RESERVED}aside")
    return sa.exists().where(mapping.same_key(held, extra), extra.c[SET_ASIDE].contains(_mark(mapping, unique)))


async def count_marked(connection: AsyncConnection, mapping: TableMapping) -> int:
    """Return the number of extra records that are marked, and of which a staged row is not refused."""
    held = mapping.target.alias(_HELD)
    wanted = [sa.and_(gives_up(mapping, each, held), _is_wanted(mapping, each, held)) for each in mapping.unique_keys]
    query = sa.select(sa.func.count()).select_from(held).where(mapping.of_tenant(held), sa.or_(sa.false(), *wanted))
    return int(await connection.scalar(query) or 0)


async def count_done(connection: AsyncConnection, mapping: TableMapping) -> int:
    """Return the number of extra records that are marked and gave up a value."""
    held = mapping.target.alias(_HELD)
    gave_up = [
        sa.and_(gives_up(mapping, each, held), _is_wanted(mapping, each, held, accepted=False).is_not(sa.true()))
        for each in mapping.unique_keys
    ]
    query = sa.select(sa.func.count()).select_from(held).where(mapping.of_tenant(held), sa.or_(*gave_up))
    return int(await connection.scalar(query) or 0)


def check(
    target: Target,
    mapping: TableMapping,
    references: Sequence[ReferentialAction],
    numbers: Callable[[RowRange], Numbers],
) -> Check:
    """Return the check of a write that sets aside the marked records whose values its rows take.

    `numbers` builds the query for the row ids that the write affects. Raises Altered for rows that did not get theirs.
    """

    @asynccontextmanager
    async def set_aside(row_range: RowRange, connection: AsyncConnection) -> AsyncIterator[None]:
        written = numbers(row_range).correlate(None)
        takers: dict[int, UniqueKey] = {}
        for unique in mapping.unique_keys:
            found = await connection.scalars(_takers(mapping, unique, written))
            takers |= dict.fromkeys(found, unique)
        try:
            for unique in mapping.unique_keys if takers else ():
                statement = _placeholders(mapping, unique, references, written)
                if statement is not None:
                    await connection.execute(statement)
        except DBAPIError as error:
            if target.refusal(error) is None:
                raise
            raise _altered(mapping, takers) from None
        yield
        if takers:
            there = set(await connection.scalars(_there(mapping, written)))
            if missing := {number: unique for number, unique in takers.items() if number not in there}:
                raise _altered(mapping, missing)

    return set_aside


def _altered(mapping: TableMapping, takers: dict[int, UniqueKey]) -> Altered:
    """Return what tells that rows did not get the values of the unique keys, which other records hold."""
    places = {unique: number for number, unique in enumerate(mapping.unique_keys)}
    rows = (
        Rejected(number, held_elsewhere(unique.columns), ", ".join(unique.columns), places[unique])
        for number, unique in takers.items()
    )
    return Altered(mapping, list(rows))


def _mark(mapping: TableMapping, unique: UniqueKey) -> str:
    return f"[{mapping.unique_keys.index(unique)}]"


def _is_wanted(
    mapping: TableMapping, unique: UniqueKey, held: sa.FromClause, *, accepted: bool = True
) -> sa.ColumnElement[bool]:
    """Return the condition that a staged row, if `accepted` one not refused, has a value of a row of the state."""
    taker = mapping.stage.alias(_TAKER)
    columns = [taker.c[name] for name in unique.columns]
    wanted = sa.select(*columns).where(*(each.is_not(None) for each in columns))
    if accepted:
        wanted = wanted.where(not_refused(mapping, taker))
    return sa.tuple_(*(held.c[name] for name in unique.columns)).in_(wanted)


def _takers(mapping: TableMapping, unique: UniqueKey, written: Any) -> sa.Select[Any]:
    """Return the query for the row ids, of those written, whose value a marked record holds."""
    held, taker = mapping.target.alias(_HELD), mapping.stage.alias(_TAKER)
    number = taker.c[mapping.number.name]
    same = unique.same_value(held, taker)
    return sa.select(number).where(number.in_(written), *same, gives_up(mapping, unique, held))


def _placeholders(
    mapping: TableMapping, unique: UniqueKey, references: Sequence[ReferentialAction], written: Any
) -> sa.Update | None:
    """Return the update that sets aside the marked records whose values the written rows take."""
    placeholder = _placeholder(mapping, unique, mapping.target, references)
    if placeholder is None:
        return None
    taker = mapping.stage.alias(_TAKER)
    taken = sa.exists().where(taker.c[mapping.number.name].in_(written), *unique.same_value(mapping.target, taker))
    name, value = placeholder
    return sa.update(mapping.target).values({name: value}).where(gives_up(mapping, unique, mapping.target), taken)


def _there(mapping: TableMapping, written: Any) -> sa.Select[Any]:
    """Return the query for the row ids, of those written, that the state holds with their unique values."""
    held, taker = mapping.target.alias(_HELD), mapping.stage.alias(_TAKER)
    number = taker.c[mapping.number.name]
    names = dict.fromkeys(name for unique in mapping.unique_keys for name in unique.columns)
    same = (sa.not_(held.c[name].is_distinct_from(taker.c[name])) for name in names)
    return sa.select(number).where(number.in_(written), mapping.same_key(held, taker), *same)


def _placeholder(
    mapping: TableMapping, unique: UniqueKey, held: sa.FromClause, references: Iterable[ReferentialAction]
) -> tuple[str, sa.ColumnElement[Any]] | None:
    """Return a column of a unique key and what is set aside in it; None if no column can be.

    Text names the record by its key, so that it stays unique for as long as the record is there.
    """
    pointing = {name for key in mapping.target.foreign_key_constraints for name in key.column_keys}
    referred = {folded(name) for each in references for name in each.referred}
    for name in unique.columns:
        column = mapping.target.c[name]
        if name not in mapping.updatable or name in pointing or folded(name) in referred:
            continue
        if column.nullable and unique.nulls_distinct:
            return name, sa.null()
        if logical_type(column) is LogicalType.TEXT:
            keys = (sa.cast(held.c[each], sa.Text()) for each in mapping.key)
            value: sa.ColumnElement[str] = text_literal("~")
            for each in keys:
                value += text_literal("~") + each
            return name, value
    return None


def _is_free(
    mapping: TableMapping, unique: UniqueKey, held: sa.FromClause, name: str, value: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Return the condition that what is set aside fits into its column and is no other record's."""
    if isinstance(value, sa.Null):
        return sa.true()
    holder, column = mapping.target.alias(_HOLDER), mapping.target.c[name]
    same = (holder.c[each] == (value if each == name else held.c[each]) for each in unique.columns)
    length = of(column).capacity(column).length
    fits = sa.true() if length is None else sa.func.length(value) <= length
    return sa.and_(fits, sa.not_(sa.exists().where(*same)))


def _stays(
    reference: ReferentialAction, mapping: TableMapping, held: sa.FromClause, context: MergeContext
) -> sa.ColumnElement[bool]:
    """Return the condition that a record points to a row of the state, is not about to move away and is not extra."""
    table = folded(f"{reference.schema}.{reference.table}" if reference.schema else reference.table)
    child = next((each for each in context.staged.values() if folded(each.name) == table), None)
    if child is None or not child.key or child.name in context.doubtful:
        return reference.hangs_on(held)
    row, staged, gone = (
        each.alias(f"{RESERVED}{name}")
        for each, name in ((child.target, "child"), (child.stage, "moving"), (child.extra, "gone"))
    )
    pairs = zip(reference.columns, reference.referred, strict=True)
    sent = (name for name in reference.columns if name in child.updatable)
    moves = sa.exists().where(
        child.same_key(row, staged),
        staged.c[EXCLUDED_BY].is_(None),
        staged.c[VALUE_ERROR].is_(None),
        sa.or_(sa.false(), *(staged.c[name].is_distinct_from(row.c[name]) for name in sent)),
    )
    return sa.exists().where(
        *(row.c[ours] == held.c[theirs] for ours, theirs in pairs),
        sa.not_(moves),
        sa.not_(sa.exists().where(child.same_key(row, gone))),
    )
