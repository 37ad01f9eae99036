"""Table merge: one table's staged rows, how many are new or changed, and the statements that write them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.accounts import TableCounts
from resync_tui.engine.dialect import differs, insert_into, of
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge import keyless
from resync_tui.engine.merge.chunks import Altered, Check, ChunkedWrite, Numbers, RowRange, Write
from resync_tui.engine.merge.refused import SKIPPED, Rejected, not_refused
from resync_tui.engine.types import text_literal
from resync_tui.errors import CannotRun
from resync_tui.outcome import Kind

_CHANGED = "a trigger of the state changed what was sent; list the columns that it sets in state_owned"
"""Without a key nothing tells which column."""


@dataclass(eq=False)
class TableMerge:
    """Merge of one table."""

    mapping: TableMapping
    account: TableCounts
    fresh: bool
    """Whether the state holds no row of this district: every accepted row is new."""
    triggered: bool = False
    """Whether the state's triggers or rules may make something else of what is written: then it is read back."""
    set_by_trigger: tuple[str, ...] = ()
    """Columns that a trigger of the state sets: of updated rows, though the update did not, and of rows not sent."""
    disturbed: bool = False
    """Whether a trigger changed or removed records that were not sent: the state is other than their counts say."""
    removed_by_trigger: int = 0
    """Number of rows not sent that a trigger of the state removed."""
    set_aside: int = 0
    """Number of extra records that give up unique values to staged rows."""
    new: int = 0
    """Number of staged rows to insert; not counted of a fresh table."""
    changed: int = 0
    """Number of staged rows to update."""

    @property
    def has_bystanders(self) -> bool:
        """Whether triggers or rules may change rows that are not sent, when others are."""
        return self.triggered and bool(self.mapping.key) and bool(self.new or self.changed)

    @property
    def inserts(self) -> ChunkedWrite:
        """The insert of the new rows."""
        return self.insert_of(self.new_rows, None if self.mapping.key else self._unaltered)

    def insert_of(self, statement: Callable[[RowRange], sa.Insert], check: Check | None = None) -> ChunkedWrite:
        """Return an insert of new rows as a chunked write."""
        return ChunkedWrite(self.account, "inserted", statement, lambda rows: self._affected(statement(rows)), check)

    @property
    def swaps(self) -> ChunkedWrite:
        """The update of the changed rows that take part in a swap."""
        return self._update_of(lambda rows: self.changed_rows(rows, swaps=True))

    @property
    def updates(self) -> ChunkedWrite:
        """The update of the changed rows that take part in no swap."""
        return self._update_of(self.changed_rows)

    def _update_of(self, statement: Callable[[RowRange], sa.Update]) -> ChunkedWrite:
        return ChunkedWrite(self.account, "updated", statement, lambda rows: self._affected(statement(rows)))

    def new_rows(self, row_range: RowRange) -> sa.Insert:
        """Return the insert of the new accepted rows in a range."""
        mapping = self.mapping
        values = {
            name: of(mapping.target.c[name]).from_stage(mapping.stage.c[name], mapping.target.c[name])
            for name in mapping.columns
        }
        if mapping.tenant_column is not None:
            values = {mapping.tenant_column: sa.literal(mapping.tenant, sa.Text()), **values}
        rows = sa.select(*values.values()).where(*self.pending(row_range, new=True))
        return insert_into(mapping.target).from_select(list(values), rows)

    def changed_rows(self, row_range: RowRange, *, swaps: bool = False) -> sa.Update:
        """Return the update of the changed accepted rows in a range; `swaps`: of those marked as swaps instead."""
        mapping, staged = self.mapping, self.mapping.stage
        values = {
            name: of(mapping.target.c[name]).from_stage(staged.c[name], mapping.target.c[name])
            for name in mapping.updatable
        }
        swapped = mapping.changes.c.swaps.is_(sa.true()) if swaps else mapping.changes.c.swaps.is_not(sa.true())
        pending = self.pending(row_range, new=False)
        return (
            sa.update(mapping.target).values(values).where(mapping.same_key(mapping.target, staged), swapped, *pending)
        )

    def classified_rows(self, row_range: RowRange) -> sa.Select[Any]:
        """Return the query (row id, new) of accepted staged rows; `new` is false if changed, null if unchanged."""
        if not self.mapping.key:
            return keyless.classify(self.mapping)
        staged, held = self.mapping.stage, self.mapping.target
        columns = ((staged.c[name], held.c[name], held.c[name]) for name in self.mapping.updatable)
        changed = sa.or_(sa.false(), *(differs(*column) for column in columns))
        new = sa.case((held.c[self.mapping.key[0]].is_(None), sa.true()), (changed, sa.false()))
        rows = staged.outerjoin(held, self.mapping.same_key(held, staged))
        number = self.mapping.number
        sent = [_columns_to_send(self.mapping).label("sent")] if self.triggered else []
        numbers = sa.select(number.label("n"), new.label("new"), *sent).select_from(rows)
        return numbers.where(row_range.of(number), not_refused(self.mapping, staged))

    async def count_refused(self, connection: AsyncConnection) -> None:
        """Count the refused rows by kind."""
        kind = self.mapping.refused.c.kind
        found = await connection.execute(sa.select(kind, sa.func.count()).group_by(kind))
        self.account.set_refused({Kind(row[0]): int(row[1]) for row in found})

    def pending(self, row_range: RowRange, *, new: bool) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of the accepted rows in a range that are to be inserted or, unless `new`, updated."""
        mapping = self.mapping
        if self.fresh:
            return [row_range.of(mapping.number), not_refused(mapping, mapping.stage)]
        changes = mapping.changes
        wanted = changes.c.new.is_(sa.true()) if new else changes.c.new.is_(sa.false())
        # Both ranges are given: the planner infers neither from the other, and would scan the whole stage each time.
        within = (row_range.of(changes.c.n), row_range.of(mapping.number))
        return [*within, wanted, mapping.number == changes.c.n, not_refused(mapping, mapping.stage)]

    def _affected(self, statement: Write) -> Numbers:
        """Return the query for the row ids of the staged rows that a statement affects."""
        if isinstance(statement, sa.Update):
            return sa.select(self.mapping.number).where(cast(sa.ColumnElement[bool], statement.whereclause))
        rows: Any = cast(sa.Insert, statement).select
        return rows.with_only_columns(self.mapping.number)  # type: ignore[no-any-return]

    @asynccontextmanager
    async def _unaltered(self, row_range: RowRange, connection: AsyncConnection) -> AsyncIterator[None]:
        """Raise Altered for rows without a key that are not there as sent, CannotRun for any that were not sent."""
        target = self.mapping.target
        dialect = of(next(iter(target.c)))
        newest = int(await connection.scalar(dialect.newest(target)) or 0)
        yield
        if dialect.run_deferred is not None:
            await connection.execute(dialect.run_deferred)
        sent = self.pending(row_range, new=True)
        found = list(await connection.scalars(keyless.unmatched(self.mapping, sent, newest)))
        if altered := [number for number in found if number is not None]:
            reason = SKIPPED if len(altered) == len(found) else _CHANGED
            raise Altered(self.mapping, [Rejected(number, reason) for number in altered])
        if found:
            raise CannotRun(
                f"A trigger of the state adds records to {self.mapping.name}, "
                "and without a key nothing tells them from what is sent",
                "Give that table a primary key, or disable that trigger for this program's login.",
            )


Row: TypeAlias = tuple[TableMerge, int]
"""Staged row: its table and row id."""


def is_to_send(mapping: TableMapping, name: str) -> sa.ColumnElement[bool]:
    """Return the condition over `changes` that a column of a changed row differed when it was compared."""
    return mapping.changes.c.sent.contains(_mark(mapping, name))


def _columns_to_send(mapping: TableMapping) -> sa.ColumnElement[str]:
    """Return the marks of the columns in which a staged row differs from the state's."""
    marks: sa.ColumnElement[str] = text_literal("")
    for name in mapping.updatable:
        staged, held = mapping.stage.c[name], mapping.target.c[name]
        marks += sa.case((differs(staged, held, held), text_literal(_mark(mapping, name))), else_=text_literal(""))
    return marks


def _mark(mapping: TableMapping, name: str) -> str:
    return f"[{mapping.updatable.index(name)}]"
