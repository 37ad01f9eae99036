"""Reports of refused, missing, different and extra records, by their keys alone."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.accounts import Moved
from resync_tui.engine.backends.base import Target
from resync_tui.engine.events import RecordsFound, RecordsRefused
from resync_tui.engine.keys import qualified
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.objects import ObjectRun
from resync_tui.outcome import NO_DETAIL, PLACE, Detail, Finding, KeyValue, Kind, Purpose


async def report_records(run: ObjectRun, target: Target) -> None:
    """Report the refused records of an object run, the extra ones and, of a comparison, what else was found."""
    kept, purpose = run.job.limits.errors_kept, run.job.purpose
    removed, compared = purpose is Purpose.REMOVE_EXTRA, purpose is Purpose.VERIFY
    for mapping in run.staged:
        counts, moved = run.accounts[mapping].counts, run.accounts[mapping].moved
        if not counts.errors and not counts.extra and not compared:
            continue
        async with target.staging() as connection:
            async for refused in refused_records(connection, mapping, kept, of_extra=removed):
                run.report(refused)
            async for found in found_records(connection, mapping, kept, counts.extra, moved, compared=compared):
                run.report(found)


async def refused_records(
    connection: AsyncConnection, mapping: TableMapping, kept: int, *, of_extra: bool = False
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
        details = () if of_extra else await _details_of(connection, mapping, which, kept)
        yield RecordsRefused(mapping.object, mapping.name, Kind(kind), reason, count, keys, details, bool(by_rule))


async def _details_of(
    connection: AsyncConnection, mapping: TableMapping, which: sa.ColumnElement[bool], kept: int
) -> tuple[Detail, ...]:
    """Return what is known of refused staged rows beyond the reason, in the order of `keys_of`; empty if nothing is."""
    refused, links = mapping.refused, [*{name for key in mapping.foreign_keys for name in key.columns}]
    noted = refused.c.columns, refused.c.size, refused.c.foreign_key
    query = sa.select(*noted, *(mapping.stage.c[name] for name in links)).where(which)
    rows = (await connection.execute(query.order_by(mapping.number).limit(kept))).all()
    found = tuple(_detail(mapping, row[:3], dict(zip(links, row[3:], strict=True))) for row in rows)
    return found if any(each != NO_DETAIL for each in found) else ()


def _detail(mapping: TableMapping, noted: Sequence[Any], links: Mapping[str, Any]) -> Detail:
    columns, size, foreign_key = noted
    if foreign_key is None:
        return Detail(columns or "", size)
    key = mapping.foreign_keys[foreign_key]
    named = {
        theirs: as_key_value(links[ours])
        for ours, theirs in zip(key.columns, key.referred, strict=True)
        if theirs != mapping.tenant_column
    }
    return Detail(columns or "", size, qualified(key.parent), named)


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
