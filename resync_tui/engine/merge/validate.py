"""Validation by set operations before the merge: which staged rows are refused, and why.

A row is refused once, for the first reason that applies: its rule, its values, its parents, a duplicate value.
"""

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.dialect import logical_type, of
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.keys import ForeignKey, UniqueKey
from resync_tui.engine.mapping import ABSENT, DOUBLED_KEY, EXCLUDED_BY, KEPT_OUT, RESERVED, VALUE_ERROR, TableMapping
from resync_tui.engine.merge import setting_aside
from resync_tui.engine.merge.cascades import refuse_cascading
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.refused import held_elsewhere, not_refused, refuse_rows
from resync_tui.engine.types import LogicalType, collation, text_literal
from resync_tui.formatting import school_year
from resync_tui.outcome import Kind


@dataclass(frozen=True)
class _Check:
    """Condition over a staged row under which it is refused, with kind and reason, the column and its value's size."""

    when: sa.ColumnElement[bool]
    kind: sa.ColumnElement[str]
    reason: sa.ColumnElement[str]
    column: str | None = None
    size: sa.ColumnElement[int] | None = None
    behind_exclusion: sa.ColumnElement[bool] = field(default_factory=sa.false)
    """Whether a rule excludes its parent, or one above that."""


async def refuse(
    connection: AsyncConnection,
    group: Sequence[TableMapping],
    context: MergeContext,
    *,
    parents: bool = True,
    references: Mapping[TableMapping, Sequence[ReferentialAction]] | None = None,
) -> None:
    """Fill the `refused` tables of a group: one table, or several in a foreign-key cycle.

    `references` are of the tables of which extra records may be set aside.
    Without `parents`, rows without a parent stay accepted, and no other row of the group may depend on them.
    """
    for mapping in group:
        await _keep_owned(connection, mapping)
        await refuse_rows(connection, mapping, await _by_values(connection, mapping), "columns", "size")
        await _refuse_doubled_keys(connection, mapping)
    await refuse_cascading(connection, group, context)
    for mapping, pointing in (references or {}).items():
        await setting_aside.mark(connection, mapping, pointing, context)
    while parents:
        await refuse_by_parents(connection, group, context)
        if not await _refuse_by_values(connection, group):
            return


def each_alone(group: Sequence[TableMapping]) -> bool:
    """Whether no row's validity depends on another of the group, if the state holds none of them.

    Nor on the tenant of a parent that the state's foreign key does not look at.
    """
    return all(
        mapping.same_primary_key
        and not mapping.unique_keys
        and not is_cyclic(mapping, group)
        and all(key.enforces_tenant or not key.by_tenant for key in mapping.foreign_keys)
        for mapping in group
    )


async def refuse_by_parents(connection: AsyncConnection, group: Sequence[TableMapping], context: MergeContext) -> None:
    """Refuse rows whose parents will not be in the state, and their descendants."""
    cyclic = {mapping.target for mapping in group if is_cyclic(mapping, group)}
    pending = cyclic if context.merging else set(context.staged)
    while await _refuse_by_parents(connection, group, context, pending) and cyclic:
        pass


def is_cyclic(mapping: TableMapping, group: Sequence[TableMapping]) -> bool:
    """Whether rows of a table may reference rows that the same group has yet to insert."""
    return any(key.parent is each.target for each in group for key in mapping.foreign_keys)


_REJECTED = text_literal(Kind.REJECTED)
_NONE = sa.cast(sa.null(), sa.BigInteger())


def _text_or_null(text: str | None) -> sa.ColumnElement[Any]:
    return sa.cast(sa.null(), sa.Text()) if text is None else text_literal(text)


async def _keep_owned(connection: AsyncConnection, mapping: TableMapping) -> None:
    """Stage the state's `state_owned` values of records that it has: only these are validated."""
    stage, held = mapping.stage, mapping.target
    owned = {
        name: of(mapping.target.c[name]).to_stage(held.c[name], mapping.target.c[name])
        for name in mapping.columns
        if name in mapping.owned
    }
    if owned and mapping.key:
        other = sa.or_(*(stage.c[name].is_distinct_from(value) for name, value in owned.items()))
        await connection.execute(sa.update(stage).values(owned).where(mapping.same_key(held, stage), other))
        invalid = sa.or_(
            *(sa.cast(stage.c[VALUE_ERROR], sa.Text()).startswith(f"{name}: ", autoescape=True) for name in owned)
        )
        in_state = sa.exists().where(mapping.same_key(held, stage))
        await connection.execute(sa.update(stage).values({VALUE_ERROR: sa.null()}).where(invalid, in_state))


async def _by_values(connection: AsyncConnection, mapping: TableMapping) -> sa.Select[Any]:
    """Return the query for rows refused by their own values, with what the first check says of them."""
    checks = [*_as_read(mapping), *_values(mapping), *[check async for check in _constraints(connection, mapping)]]
    kind = sa.case(*((check.when, check.kind) for check in checks))
    reason = sa.case(*((check.when, check.reason) for check in checks))
    column = sa.case(*((check.when, _text_or_null(check.column)) for check in checks))
    size = sa.case(*((check.when, _NONE if check.size is None else check.size) for check in checks))
    return sa.select(mapping.number, kind, reason, column, size).where(sa.or_(*(check.when for check in checks)))


def _as_read(mapping: TableMapping) -> Iterable[_Check]:
    for number, (kind, reason) in enumerate(mapping.refusals):
        yield _Check(mapping.stage.c[EXCLUDED_BY] == number, text_literal(kind), text_literal(reason))


def _values(mapping: TableMapping) -> Iterable[_Check]:
    value_error = mapping.stage.c[VALUE_ERROR]
    yield _Check(value_error.is_not(None), _REJECTED, sa.cast(value_error, sa.Text()))
    for name in mapping.columns:
        staged, source, target = mapping.stage.c[name], mapping.source.c[name], mapping.target.c[name]
        if not target.nullable or name in mapping.key:
            yield _Check(staged.is_(None), _REJECTED, text_literal(f"{name} is missing"), name)
        for when, reason, size in of(target).value_checks(staged, source, target):
            yield _Check(when, _REJECTED, text_literal(f"{name} {reason}"), name, size)


async def _constraints(connection: AsyncConnection, mapping: TableMapping) -> AsyncIterator[_Check]:
    """Yield the CHECK constraints that can be evaluated on staged rows; the others take effect in the merge."""
    for name, expression in mapping.checks:
        broken: sa.ColumnElement[bool] = sa.literal_column(f"NOT ({expression})", sa.Boolean())
        try:
            async with connection.begin_nested():
                await connection.execute(sa.select(mapping.number).where(broken).limit(0))
        except DBAPIError:
            continue
        named = [each for each in mapping.columns if re.search(rf"(?<!\w){re.escape(each)}(?!\w)", expression)]
        reason = text_literal(f"breaks the state's check {name or expression}")
        yield _Check(broken, _REJECTED, reason, ", ".join(named) or None)


async def _refuse_doubled_keys(connection: AsyncConnection, mapping: TableMapping) -> None:
    """Refuse all rows of a duplicate key: none is known to be right."""
    if mapping.same_primary_key or not mapping.key:
        return
    stage = mapping.stage
    columns = [_as_key(stage.c[name], mapping.target.c[name]).label(name) for name in mapping.key]
    doubled = (
        sa.select(*columns).where(not_refused(mapping, stage)).group_by(*columns).having(sa.func.count() > 1).subquery()
    )
    same = sa.and_(*(_as_key(stage.c[name], mapping.target.c[name]) == doubled.c[name] for name in mapping.key))
    reason = text_literal(DOUBLED_KEY)
    rows = sa.select(mapping.number, _REJECTED, reason).where(same, not_refused(mapping, stage))
    await refuse_rows(connection, mapping, rows)


def _as_key(staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a staged value with the collation by which the state's column is compared."""
    declared = collation(target)
    return staged if declared is None else sa.collate(staged, declared)


async def _refuse_by_parents(
    connection: AsyncConnection, group: Sequence[TableMapping], context: MergeContext, pending: set[sa.Table]
) -> int:
    found = 0
    for mapping in group:
        for number, key in enumerate(mapping.foreign_keys):
            check = _check_of_parent(mapping, number, key, context, pending)
            columns = text_literal(", ".join(key.columns)), sa.literal(number, sa.Integer())
            rows = sa.select(mapping.number, check.kind, check.reason, *columns, check.behind_exclusion).where(
                check.when, not_refused(mapping, mapping.stage)
            )
            found += await refuse_rows(connection, mapping, rows, "columns", "foreign_key", "behind_exclusion")
    return found


async def _refuse_by_values(connection: AsyncConnection, group: Sequence[TableMapping]) -> int:
    """Refuse rows by unique keys; a refused row keeps its present values, which may block others."""
    found = 0
    for mapping in group:
        for number, unique in enumerate(mapping.unique_keys):
            found += await _refuse_held_elsewhere(connection, mapping, number, unique)
            found += await _refuse_doubled_values(connection, mapping, number, unique)
    return found


def _check_of_parent(
    mapping: TableMapping, number: int, key: ForeignKey, context: MergeContext, pending: Collection[sa.Table]
) -> _Check:
    """Return the check for rows without a parent in the state: blocked if the district has it, else rejected."""
    stage, parent = mapping.stage, key.parent.alias(f"{RESERVED}parent")
    pairs = list(zip(key.columns, key.referred, strict=True))
    in_state = sa.exists().where(
        *(parent.c[theirs] == stage.c[ours] for ours, theirs in pairs),
        *((mapping.of_tenant(parent),) if key.by_tenant else ()),
    )
    missing = [*(stage.c[ours].is_not(None) for ours in key.columns), sa.not_(in_state)]
    mark = sa.func.coalesce(stage.c[mapping.parent_mark(number)], ABSENT)
    elsewhere: sa.ColumnElement[bool] = mark != ABSENT
    blocked_reason = f"its {key.parent.name} record is not in the state: resync {context.advice(key.parent)}"
    staged_parent = context.staged.get(key.parent)
    if key.parent in context.settled and not context.other_year:  # the district's parent is of another year
        blocked_reason = f"its {key.parent.name} record did not reach the state"
    excluded: sa.ColumnElement[bool] = mark == KEPT_OUT
    if staged_parent is not None:
        other = staged_parent.stage.alias(f"{RESERVED}other")
        same = mapping.points_at(key, stage, other)
        elsewhere = sa.or_(elsewhere, sa.exists().where(*same))
        blocked_reason = f"its {key.parent.name} record did not reach the state"
        excluded = sa.or_(excluded, _is_excluded(staged_parent, other, same))
        if key.parent in pending:
            accepted = sa.exists().where(*same, not_refused(staged_parent, other))
            missing.append(sa.not_(accepted))
    orphan_reason = f"{', '.join(key.columns)} names no {key.parent.name} record"
    kind = sa.case((elsewhere, text_literal(Kind.BLOCKED)), else_=_REJECTED)
    moved = [
        (sa.and_(elsewhere, mapping.number >= each.first), text_literal(_send_year(each.year)))
        for each in reversed(context.moved.get(mapping, ()))
    ]
    kept_out = f"its {key.parent.name} record did not reach the state: a rule excludes it, or a record above it"
    reasons = [(excluded, text_literal(kept_out)), *moved, (elsewhere, text_literal(blocked_reason))]
    reason = sa.case(*reasons, else_=text_literal(orphan_reason))
    return _Check(sa.and_(*missing), kind, reason, behind_exclusion=excluded)


def _is_excluded(
    parent: TableMapping, staged: sa.FromClause, same: Sequence[sa.ColumnElement[bool]]
) -> sa.ColumnElement[bool]:
    """Return the condition that a rule excludes a staged parent, or one above it."""
    why = parent.refused.alias(f"{RESERVED}why")
    by_rule = sa.or_(why.c.kind == text_literal(Kind.EXCLUDED), why.c.behind_exclusion.is_(sa.true()))
    return sa.exists().where(*same, why.c.n == staged.c[parent.number.name], by_rule)


def _send_year(year: int) -> str:
    return f"it moved to {school_year(year)}, of which its parent is not in the state: send that year"


async def _refuse_held_elsewhere(
    connection: AsyncConnection, mapping: TableMapping, number: int, unique: UniqueKey
) -> int:
    """Refuse rows with a unique value that another record of the state keeps."""
    stage, held = mapping.stage, mapping.target.alias(f"{RESERVED}held")
    moving = stage.alias(f"{RESERVED}moving")
    # A keyless record is never updated, so it gives up no value.
    gives_it_up = sa.literal(bool(mapping.key)) & sa.exists().where(
        mapping.same_key(held, moving),
        not_refused(mapping, moving),
        sa.or_(*(moving.c[name].is_distinct_from(stage.c[name]) for name in unique.columns)),
    )
    in_the_way = sa.exists().where(
        *unique.same_value(held, stage),
        *((mapping.of_tenant(held),) if unique.by_tenant else ()),
        sa.not_(mapping.same_key(held, stage)),
        sa.not_(gives_it_up),
        sa.not_(setting_aside.gives_up(mapping, unique, held)),
    )
    reason = text_literal(held_elsewhere(unique.columns))
    columns = text_literal(", ".join(unique.columns)), sa.literal(number, sa.Integer())
    rows = sa.select(mapping.number, _REJECTED, reason, *columns).where(in_the_way, not_refused(mapping, stage))
    return await refuse_rows(connection, mapping, rows, "columns", "unique_key")


async def _refuse_doubled_values(
    connection: AsyncConnection, mapping: TableMapping, number: int, unique: UniqueKey
) -> int:
    """Accept one of the rows that share a unique value: the state's holder, else the first by key."""
    stage = mapping.stage
    columns = [stage.c[name] for name in unique.columns]
    filled = [*(column.is_not(None) for column in columns), not_refused(mapping, stage)]
    doubled = sa.select(*columns).where(*filled).group_by(*columns).having(sa.func.count() > 1).subquery()
    held = mapping.target.alias(f"{RESERVED}held")
    has_it = sa.exists().where(mapping.same_key(held, stage), *unique.same_value(held, stage))
    first = sa.func.row_number().over(
        partition_by=columns,
        order_by=[
            sa.case((has_it, 0), else_=1),
            *(_binary(stage.c[name], mapping.target.c[name]) for name in mapping.key),
            mapping.number,
        ],
    )
    same = sa.and_(*(stage.c[name] == doubled.c[name] for name in unique.columns))
    ranked = sa.select(mapping.number.label("n"), first.label("place")).where(same, *filled).subquery()
    shared = ", ".join(unique.columns)
    reason = text_literal(f"another record of the district has the same {shared}")
    rows = sa.select(ranked.c.n, _REJECTED, reason, text_literal(shared), sa.literal(number, sa.Integer()))
    return await refuse_rows(connection, mapping, rows.where(ranked.c.place > 1), "columns", "unique_key")


def _binary(staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a key column as a sort key, text by its bytes."""
    if logical_type(target) is not LogicalType.TEXT:
        return staged
    return of(target).binary(staged)
