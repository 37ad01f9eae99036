"""Reports of refused, missing, different and extra records, by their keys alone."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from types import MappingProxyType
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.accounts import Moved
from resync_tui.engine.backends.base import Target
from resync_tui.engine.dialect import of
from resync_tui.engine.events import RecordsFound, RecordsRefused
from resync_tui.engine.keys import ForeignKey, qualified
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.objects import ObjectRun
from resync_tui.outcome import NO_DETAIL, PLACE, Detail, Finding, KeyValue, Kind, Purpose

Staged: TypeAlias = Mapping[sa.Table, TableMapping]
"""Target tables with a stage in a batch, and their mappings."""


async def report_records(run: ObjectRun, target: Target, staged: Staged = MappingProxyType({})) -> None:
    """Report the refused records of an object run, the extra ones and, of a comparison, what else was found.

    Among the `staged` tables are those of parents that a refused record names by another key than their own.
    """
    kept, purpose = run.job.limits.errors_kept, run.job.purpose
    removed, compared = purpose is Purpose.REMOVE_EXTRA, purpose is Purpose.VERIFY
    for mapping in run.staged:
        counts, moved = run.accounts[mapping].counts, run.accounts[mapping].moved
        if not counts.errors and not counts.extra and not compared:
            continue
        async with target.staging() as connection:
            async for refused in refused_records(connection, mapping, kept, staged, of_extra=removed):
                run.report(refused)
            async for found in found_records(connection, mapping, kept, counts.extra, moved, compared=compared):
                run.report(found)


async def refused_records(
    connection: AsyncConnection,
    mapping: TableMapping,
    kept: int,
    staged: Staged = MappingProxyType({}),
    *,
    of_extra: bool = False,
) -> AsyncIterator[RecordsRefused]:
    """Yield a table's refused records by reason; `of_extra`: its extra records instead of the staged ones."""
    refused = mapping.refused
    behind = sa.func.max(sa.case((refused.c.behind_exclusion.is_(sa.true()), 1), else_=0))
    counted = sa.select(refused.c.kind, refused.c.reason, sa.func.count(), behind)
    groups = counted.group_by(refused.c.kind, refused.c.reason)
    rows = mapping.extra if of_extra else mapping.stage
    number = mapping.extra_number if of_extra else mapping.number
    for kind, reason, count, by_rule in (await connection.execute(groups.order_by(refused.c.reason))).all():
        which = sa.and_(refused.c.kind == kind, refused.c.reason == reason, number == refused.c.n)
        keys = await keys_of(connection, mapping, rows, number, which, kept)
        details = () if of_extra else await _details_of(connection, mapping, which, kept, staged)
        yield RecordsRefused(mapping.object, mapping.name, Kind(kind), reason, count, keys, details, bool(by_rule))


async def _details_of(
    connection: AsyncConnection, mapping: TableMapping, which: sa.ColumnElement[bool], kept: int, staged: Staged
) -> tuple[Detail, ...]:
    """Return what is known of refused staged rows beyond the reason, in the order of `keys_of`; empty if nothing is."""
    refused = mapping.refused
    columns = [mapping.number, refused.c.columns, refused.c.size, refused.c.foreign_key]
    parents = [_parent_key(mapping, key, staged.get(key.parent)) for key in mapping.foreign_keys]
    wanted = [column for parent in parents for column in (*parent.named.values(), *parent.own.values())]
    rows_with_parents: sa.FromClause = mapping.stage
    for parent in parents:
        for other, same in parent.joins:
            rows_with_parents = rows_with_parents.outerjoin(other, same)
    query = sa.select(*columns, *wanted).select_from(rows_with_parents).where(which)
    rows = (await connection.execute(query.order_by(mapping.number).limit(kept))).all()
    holders = await _holders(connection, mapping, which, kept)
    found = []
    for row, told, size, number, *values in rows:
        if number is None:
            found.append(Detail(told or "", size, holder_key=holders.get(row, {})))
            continue
        begin = sum(len(each.named) + len(each.own) for each in parents[:number])
        key = parents[number].key_of(values[begin:])
        found.append(Detail(told or "", size, qualified(mapping.foreign_keys[number].parent), key))
    return tuple(found) if any(each != NO_DETAIL for each in found) else ()


async def _holders(
    connection: AsyncConnection, mapping: TableMapping, which: sa.ColumnElement[bool], kept: int
) -> Mapping[int, Mapping[str, KeyValue]]:
    """Return the keys of the tenant's records that hold the unique values of refused rows, by the rows' numbers.

    A holder of another tenant is nobody's business here.
    """
    found = dict[int, Mapping[str, KeyValue]]()
    held = mapping.target.alias(f"{RESERVED}held")
    key = [_as_staged(held.c[name], mapping.target.c[name]) for name in mapping.key]
    for number, unique in enumerate(mapping.unique_keys if key else ()):
        values = {name: mapping.stage.c[name] for name in (*mapping.key, *unique.columns)}
        refused = sa.select(mapping.number, *values.values()).where(which, mapping.refused.c.unique_key == number)
        # A limited subquery, so that no planner begins with the state's table.
        row = refused.order_by(mapping.number).limit(kept).subquery()
        holds = (mapping.of_tenant(held), *unique.same_value(held, row), sa.not_(mapping.same_key(held, row)))
        for of_row, *held_by in await connection.execute(sa.select(row.c[mapping.number.name], *key).where(*holds)):
            found[of_row] = dict(zip(mapping.key, map(as_key_value, held_by), strict=True))
    return found


def _as_staged(held: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.type_coerce(of(target).to_stage(held, target), sa.types.NullType())


@dataclass(frozen=True, slots=True)
class _ParentKey:
    """Columns with the key of a staged row's parent: as the row names it, and its own where that is another."""

    named: Mapping[str, sa.ColumnElement[Any]]
    own: Mapping[str, sa.ColumnElement[Any]] = field(default_factory=dict)
    joins: Sequence[tuple[sa.FromClause, sa.ColumnElement[bool]]] = ()
    """What is joined to the stage for the own key, and by what."""

    def key_of(self, values: Sequence[Any]) -> Mapping[str, KeyValue]:
        """Return the parent's own key, if it has been read in this batch, else as the row names it."""
        texts = [as_key_value(value) for value in values]
        own = dict(zip(self.own, texts[len(self.named) :], strict=False))
        return own if any(value is not None for value in own.values()) else dict(zip(self.named, texts, strict=False))


def _parent_key(mapping: TableMapping, key: ForeignKey, parent: TableMapping | None) -> _ParentKey:
    pairs = zip(key.columns, key.referred, strict=True)
    named = {theirs: mapping.stage.c[ours] for ours, theirs in pairs if theirs != mapping.tenant_column}
    if parent is None or set(named) == set(parent.key):
        return _ParentKey(named)
    # The first of those with these values, which may be doubled.
    by = [parent.stage.c[name] for name in named]
    first = sa.select(*by, sa.func.min(parent.number).label("n")).group_by(*by).subquery()
    other = parent.stage.alias()
    joins = (
        (first, sa.and_(*mapping.points_at(key, mapping.stage, first))),
        (other, other.c[parent.number.name] == first.c.n),
    )
    return _ParentKey(named, {name: other.c[name] for name in parent.key}, joins)


async def found_records(
    connection: AsyncConnection, mapping: TableMapping, kept: int, extra: int, moved: Sequence[Moved], *, compared: bool
) -> AsyncIterator[RecordsFound]:
    """Yield the extra records of a table and, if `compared`, the missing, the different and the moved ones.

    `extra` is their number; those of a keyless table have no keys.
    """
    changes = mapping.changes
    wanted: dict[Finding, tuple[sa.Table, sa.Column[int], sa.ColumnElement[bool]]]
    wanted = {Finding.EXTRA: (mapping.extra, mapping.extra_number, sa.true())}
    if compared:
        here = mapping.number == changes.c.n
        wanted[Finding.MISSING] = (mapping.stage, mapping.number, sa.and_(here, changes.c.new.is_(sa.true())))
        wanted[Finding.DIFFERENT] = (mapping.stage, mapping.number, sa.and_(here, changes.c.new.is_(sa.false())))
        if moved:
            wanted[Finding.MOVED] = (mapping.stage, mapping.number, mapping.number >= moved[0].first)
    for finding, (rows, number, which) in wanted.items():
        counted = sa.select(sa.func.count()).select_from(rows).where(which)
        count = extra if finding is Finding.EXTRA else await connection.scalar(counted)
        if count:
            keys = await keys_of(connection, mapping, rows, number, which, kept)
            yield RecordsFound(mapping.object, mapping.name, finding, int(count), keys)


async def keys_of(
    connection: AsyncConnection,
    mapping: TableMapping,
    rows: sa.Table,
    number: sa.Column[int],
    which: sa.ColumnElement[bool] | None = None,
    kept: int | None = None,
) -> tuple[Mapping[str, KeyValue], ...]:
    """Return the keys of a stage table's rows in order: rows that satisfy `which`, `kept` at most."""
    columns = {name: rows.c[name] for name in mapping.key} or {PLACE: number}
    query = sa.select(*columns.values()).where(sa.true() if which is None else which).order_by(number).limit(kept)
    found = (await connection.execute(query)).all()
    return tuple(dict(zip(columns, map(as_key_value, row), strict=True)) for row in found)


def as_key_value(value: Any) -> KeyValue:
    """Return a key value in a form that JSON can represent."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)
