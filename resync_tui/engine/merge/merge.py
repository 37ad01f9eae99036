"""Merge: validate stages, compare, update and insert into the state's tables, and count each record once."""

from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.accounts import TableCounts
from resync_tui.engine.backends.base import Target
from resync_tui.engine.keys import IncompatibleTable
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge import keyless
from resync_tui.engine.merge.chunks import Check, ChunkedWriter, Numbers, RowRange
from resync_tui.engine.merge.cycles import EVERY, CyclicInserts
from resync_tui.engine.merge.first_load import FirstLoad
from resync_tui.engine.merge.swaps import assign_placeholders, mark_swaps
from resync_tui.engine.merge.validate import MergeContext, each_alone, is_circular, not_refused, refuse
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.types import differs, value_for_target
from resync_tui.errors import CannotRun
from resync_tui.outcome import Kind

MANY = 1_000
COMPARED_AT_ONCE = 50_000
"""Rows per compared chunk: comparing takes no lock, and a small chunk would scan the whole target table."""


@dataclass
class _Work:
    """Numbers of a table's staged records to insert and to update."""

    new: int = 0
    changed: int = 0


class Merge:
    """Merge of one table, or of several in a foreign-key cycle."""

    def __init__(
        self,
        target: Target,
        accounts: Mapping[TableMapping, TableCounts],
        fresh: Set[TableMapping],
        context: MergeContext,
        rate_limit: RateLimiter,
    ) -> None:
        self.target = target
        self.group = tuple(accounts)
        self.fresh = fresh
        """Empty tables of the state: every accepted row is new."""
        self.context = context
        self.is_circular = any(is_circular(spec, self.group) for spec in self.group)
        self.writer = ChunkedWriter(target, rate_limit)
        self.accounts = accounts
        self._work = {spec: _Work() for spec in self.group}
        self._retry: list[tuple[TableMapping, int]] = []
        self._first_loads: dict[TableMapping, FirstLoad] = {}

    async def compare(self) -> None:
        """Validate the staged rows, and compare the accepted ones with the state. Raises IncompatibleTable."""
        if self.is_circular and not all(spec.key for spec in self.group):
            names = ", ".join(spec.name for spec in self.group if not spec.key)
            raise IncompatibleTable(
                f"{names} points back to itself and has no key", "Give the state's table a primary key."
            )
        async with self.target.staging() as connection:
            if self.target.can_read_while_writing and self.fresh >= set(self.group) and each_alone(self.group):
                for spec in self.group:
                    count = partial(self._count_refused, spec)
                    self._first_loads[spec] = FirstLoad(self.target, spec, self.context, count)
                    await self._first_loads[spec].prepare(connection)
                return
            await refuse(connection, self.group, self.context)
        for spec in self.group:
            await self._count_refused(spec)
            if self.accounts[spec].counts.errors >= MANY:
                await self.target.analyze(spec.refused)
            if spec not in self.fresh:
                await self._compare(spec)

    async def merge(self) -> None:
        """Update and insert; afterwards the counts hold every staged record exactly once."""
        new = [spec for spec in self.group if spec in self.fresh or self._work[spec].new]
        changed = [spec for spec in self.group if self._work[spec].changed]
        if not new and not changed:
            return
        circles = CyclicInserts(
            self.target, self.group, self.context, self._new_rows, self._insert_in_portions, self._count_inserted
        )
        circular = bool(new) and self.is_circular
        complete = not circular or await circles.insert()
        for spec in changed:
            await self._swap(spec)
            await self._over(spec, self._update)
        if not circular:
            for spec in new:
                if spec in self._first_loads:
                    whole = partial(self._insert_whole, spec)
                    await self._first_loads[spec].run(self.writer, partial(self._insert, spec), whole)
                else:
                    await self._over(spec, self._insert)
        await self._retry_refused()
        if not complete:
            await circles.insert_left()
        for spec in self.group:
            await self._count_refused(spec)

    def tell(self) -> None:
        """Count pending inserts and updates as if they had been made."""
        for spec, work in self._work.items():
            self.accounts[spec].add(inserted=work.new, updated=work.changed)

    async def _over(self, spec: TableMapping, work: Callable[[TableMapping, RowRange], Awaitable[int]]) -> int:
        return await self.writer.over(spec.number, lambda span: work(spec, span))

    async def _count_refused(self, spec: TableMapping) -> None:
        by_kind = sa.select(spec.refused.c.kind, sa.func.count()).group_by(spec.refused.c.kind)
        async with self.target.staging() as connection:
            found = {row[0]: row[1] for row in await connection.execute(by_kind)}
        account = self.accounts[spec]
        account.counts = replace(account.counts, **{kind.value: found.get(kind, 0) for kind in Kind})
        account.changed()

    async def _compare(self, spec: TableMapping) -> None:
        """Classify staged rows as new (true), changed (false) or unchanged (null); count the unchanged ones."""

        async def compare(span: RowRange) -> int:
            compared = _by_key(spec, span) if spec.key else keyless.classify(spec)
            # excludes refused rows from the comparison: their casts would fail
            classify = compared.cte("fates").prefix_with("MATERIALIZED", dialect="postgresql")
            changes = spec.changes.c
            counted = sa.select(changes.new, sa.func.count()).where(span.of(changes.n)).group_by(changes.new)
            async with self.target.staging() as connection:
                await connection.execute(sa.insert(spec.changes).from_select(["n", "new"], sa.select(classify)))
                found = {row[0]: int(row[1]) for row in await connection.execute(counted)}
            unchanged = found.get(None, 0)
            self._work[spec].new += found.get(True, 0)
            self._work[spec].changed += found.get(False, 0)
            await self.writer.rate_limit.spend(unchanged)
            self.accounts[spec].add(unchanged=unchanged)
            return unchanged

        if spec.key:
            await self.writer.over(spec.number, compare, first=COMPARED_AT_ONCE)
        else:
            await compare(EVERY)

    def _todo(self, spec: TableMapping, span: RowRange, *, new: bool) -> list[sa.ColumnElement[bool]]:
        if spec in self.fresh:
            return [span.of(spec.number), not_refused(spec, spec.stage)]
        changes = spec.changes
        wanted = changes.c.new.is_(sa.true()) if new else changes.c.new.is_(sa.false())
        # Both ranges are given: the planner infers neither from the other, and would scan the whole stage each time.
        within = (span.of(changes.c.n), span.of(spec.number))
        return [*within, wanted, spec.number == changes.c.n, not_refused(spec, spec.stage)]

    async def _swap(self, spec: TableMapping) -> None:
        """Update unique-value swaps in one transaction; if it fails, these records are updated like others."""
        async with self.target.staging() as connection:
            marked = await mark_swaps(connection, spec)
        if not marked:
            return
        try:
            async with self.target.transaction() as connection:
                await connection.execute(assign_placeholders(spec))
                done = await connection.execute(self._changed_rows(spec, EVERY, swaps=True))
        except DBAPIError as error:
            if self.target.refusal(error) is None:
                raise
            async with self.target.staging() as connection:
                await connection.execute(sa.update(spec.changes).values(swaps=sa.null()))
            return
        self.accounts[spec].add(updated=int(done.rowcount))

    def _changed_rows(self, spec: TableMapping, span: RowRange, *, swaps: bool = False) -> sa.Update:
        staged, held = spec.stage, spec.target
        values = {name: value_for_target(staged.c[name], held.c[name]) for name in spec.updatable}
        swapped = spec.changes.c.swaps.is_(sa.true()) if swaps else spec.changes.c.swaps.is_not(sa.true())
        changes = self._todo(spec, span, new=False)
        return sa.update(held).values(values).where(spec.same_key(held, staged), swapped, *changes)

    async def _update(self, spec: TableMapping, span: RowRange) -> int:
        return await self._apply(spec, span, self._changed_rows, "updated")

    def _new_rows(self, spec: TableMapping, span: RowRange) -> sa.Insert:
        values = [value_for_target(spec.stage.c[name], spec.target.c[name]) for name in spec.columns]
        names = list(spec.columns)
        if spec.tenant_column is not None:
            names.insert(0, spec.tenant_column)
            values.insert(0, sa.literal(spec.tenant, sa.Text()))
        rows = sa.select(*values).where(*self._todo(spec, span, new=True))
        return sa.insert(spec.target).from_select(names, rows)

    async def _insert(self, spec: TableMapping, span: RowRange) -> int:
        async def check(span: RowRange, connection: AsyncConnection, inserted: int) -> None:
            sent = self._todo(spec, span, new=True)
            if await connection.scalar(keyless.altered_on_insert(spec, sent, inserted)):
                raise CannotRun(
                    f"The state changes what it is sent of {spec.name}, and without a key nothing would find it again",
                    "Give that table a primary key, or list the columns that the state sets in state_owned.",
                )

        return await self._apply(spec, span, self._new_rows, "inserted", None if spec.key else check)

    async def _insert_whole(self, spec: TableMapping, span: RowRange) -> int:
        return await self.writer.whole(self._new_rows(spec, span), partial(self._count, spec, "inserted"))

    async def _apply(
        self,
        spec: TableMapping,
        span: RowRange,
        statement: Callable[[TableMapping, RowRange], sa.Insert | sa.Update],
        term: str,
        check: Check | None = None,
    ) -> int:
        async def alone(number: int, reason: str) -> None:
            await self._refuse_one(spec, number, reason)

        count, write = partial(self._count, spec, term), partial(statement, spec)
        return await self.writer.apply(span, write, lambda span: _numbers(spec, write(span)), alone, count, check)

    def _count(self, spec: TableMapping, term: str, done: int) -> None:
        if done:
            self.accounts[spec].add(**{term: done})

    async def _refuse_one(self, spec: TableMapping, number: int, reason: str) -> None:
        values = {"n": number, "kind": Kind.REJECTED.value, "reason": reason}
        async with self.target.staging() as connection:
            await connection.execute(sa.insert(spec.refused).values(values))
        self._retry.append((spec, number))

    async def _retry_refused(self) -> None:
        """Retry rejected rows: what blocked them, such as a unique value, may be gone."""
        progress = True
        while self._retry and progress:
            progress = False
            waiting, self._retry = self._retry, []
            for spec, number in waiting:
                async with self.target.staging() as connection:
                    await connection.execute(sa.delete(spec.refused).where(spec.refused.c.n == number))
                    changes = sa.select(spec.changes.c.new).where(spec.changes.c.n == number)
                    new = spec in self.fresh or await connection.scalar(changes)
                attempt = self._insert if new else self._update
                progress = bool(await attempt(spec, RowRange(number, number + 1))) or progress

    async def _insert_in_portions(
        self, spec: TableMapping, statement: Callable[[TableMapping, RowRange], sa.Insert]
    ) -> int:
        return await self._over(spec, lambda spec, span: self._apply(spec, span, statement, "inserted"))

    def _count_inserted(self, spec: TableMapping, count: int) -> None:
        self.accounts[spec].add(inserted=count)


def _numbers(spec: TableMapping, statement: sa.Insert | sa.Update) -> Numbers:
    """Return the query for the row ids of the staged rows that a statement affects."""
    if isinstance(statement, sa.Update):
        return sa.select(spec.number).where(cast(sa.ColumnElement[bool], statement.whereclause))
    rows: Any = statement.select
    return rows.with_only_columns(spec.number)  # type: ignore[no-any-return]


def _by_key(spec: TableMapping, span: RowRange) -> sa.Select[Any]:
    """Return the query (row id, new) of accepted staged rows; `new` is false if changed, null if unchanged."""
    staged, held = spec.stage, spec.target
    columns = ((staged.c[name], held.c[name], held.c[name]) for name in spec.updatable)
    changed = sa.or_(sa.false(), *(differs(*column) for column in columns))
    new = sa.case((held.c[spec.key[0]].is_(None), sa.true()), (changed, sa.false()))
    rows = staged.outerjoin(held, spec.same_key(held, staged))
    numbers = sa.select(spec.number.label("n"), new.label("new")).select_from(rows)
    return numbers.where(span.of(spec.number), not_refused(spec, staged))
