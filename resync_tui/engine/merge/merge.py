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
from resync_tui.engine.dialect import differs, of
from resync_tui.engine.keys import IncompatibleTable
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge import keyless
from resync_tui.engine.merge.chunks import Check, ChunkedWriter, Numbers, RowRange
from resync_tui.engine.merge.cycles import EVERY, CyclicInserts
from resync_tui.engine.merge.first_load import FirstLoad
from resync_tui.engine.merge.swaps import assign_placeholders, mark_swaps
from resync_tui.engine.merge.validate import MergeContext, each_alone, is_cyclic, not_refused, refuse
from resync_tui.engine.rate_limit import RateLimiter
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
        self.is_cyclic = any(is_cyclic(mapping, self.group) for mapping in self.group)
        self.writer = ChunkedWriter(target, rate_limit)
        self.accounts = accounts
        self._work = {mapping: _Work() for mapping in self.group}
        self._retry: list[tuple[TableMapping, int]] = []
        self._first_loads: dict[TableMapping, FirstLoad] = {}

    async def compare(self) -> None:
        """Validate the staged rows, and compare the accepted ones with the state. Raises IncompatibleTable."""
        if self.is_cyclic and not all(mapping.key for mapping in self.group):
            names = ", ".join(mapping.name for mapping in self.group if not mapping.key)
            raise IncompatibleTable(
                f"{names} points back to itself and has no key", "Give the state's table a primary key."
            )
        async with self.target.staging() as connection:
            if self.target.can_read_while_writing and self.fresh >= set(self.group) and each_alone(self.group):
                for mapping in self.group:
                    count = partial(self._count_refused, mapping)
                    self._first_loads[mapping] = FirstLoad(self.target, mapping, self.context, count)
                    await self._first_loads[mapping].prepare(connection)
                return
            await refuse(connection, self.group, self.context)
        for mapping in self.group:
            await self._count_refused(mapping)
            if self.accounts[mapping].counts.errors >= MANY:
                await self.target.analyze(mapping.refused)
            if mapping not in self.fresh:
                await self._compare(mapping)

    async def merge(self) -> None:
        """Update and insert; afterwards the counts hold every staged record exactly once."""
        new = [mapping for mapping in self.group if mapping in self.fresh or self._work[mapping].new]
        changed = [mapping for mapping in self.group if self._work[mapping].changed]
        if not new and not changed:
            return
        cyclic_inserts = CyclicInserts(
            self.target, self.group, self.context, self._new_rows, self._insert_in_chunks, self._count_inserted
        )
        cyclic = bool(new) and self.is_cyclic
        complete = not cyclic or await cyclic_inserts.insert()
        for mapping in changed:
            await self._swap(mapping)
            await self._over(mapping, self._update)
        if not cyclic:
            for mapping in new:
                if mapping in self._first_loads:
                    whole = partial(self._insert_whole, mapping)
                    await self._first_loads[mapping].run(self.writer, partial(self._insert, mapping), whole)
                else:
                    await self._over(mapping, self._insert)
        await self._retry_refused()
        if not complete:
            await cyclic_inserts.insert_left()
        for mapping in self.group:
            await self._count_refused(mapping)

    def tell(self) -> None:
        """Count pending inserts and updates as if they had been made."""
        for mapping, work in self._work.items():
            self.accounts[mapping].add(inserted=work.new, updated=work.changed)

    async def _over(self, mapping: TableMapping, work: Callable[[TableMapping, RowRange], Awaitable[int]]) -> int:
        return await self.writer.over(mapping.number, lambda row_range: work(mapping, row_range))

    async def _count_refused(self, mapping: TableMapping) -> None:
        by_kind = sa.select(mapping.refused.c.kind, sa.func.count()).group_by(mapping.refused.c.kind)
        async with self.target.staging() as connection:
            found = {row[0]: row[1] for row in await connection.execute(by_kind)}
        account = self.accounts[mapping]
        account.counts = replace(account.counts, **{kind.value: found.get(kind, 0) for kind in Kind})
        account.changed()

    async def _compare(self, mapping: TableMapping) -> None:
        """Classify staged rows as new (true), changed (false) or unchanged (null); count the unchanged ones."""

        async def compare(row_range: RowRange) -> int:
            compared = _by_key(mapping, row_range) if mapping.key else keyless.classify(mapping)
            # excludes refused rows from the comparison: their casts would fail
            classified = self.target.dialect.materialized(compared.cte(f"{RESERVED}compared"))
            changes = mapping.changes.c
            counted = sa.select(changes.new, sa.func.count()).where(row_range.of(changes.n)).group_by(changes.new)
            async with self.target.staging() as connection:
                await connection.execute(sa.insert(mapping.changes).from_select(["n", "new"], sa.select(classified)))
                found = {row[0]: int(row[1]) for row in await connection.execute(counted)}
            unchanged = found.get(None, 0)
            self._work[mapping].new += found.get(True, 0)
            self._work[mapping].changed += found.get(False, 0)
            await self.writer.rate_limit.spend(unchanged)
            self.accounts[mapping].add(unchanged=unchanged)
            return unchanged

        if mapping.key:
            await self.writer.over(mapping.number, compare, first=COMPARED_AT_ONCE)
        else:
            await compare(EVERY)

    def _pending_rows(self, mapping: TableMapping, row_range: RowRange, *, new: bool) -> list[sa.ColumnElement[bool]]:
        if mapping in self.fresh:
            return [row_range.of(mapping.number), not_refused(mapping, mapping.stage)]
        changes = mapping.changes
        wanted = changes.c.new.is_(sa.true()) if new else changes.c.new.is_(sa.false())
        # Both ranges are given: the planner infers neither from the other, and would scan the whole stage each time.
        within = (row_range.of(changes.c.n), row_range.of(mapping.number))
        return [*within, wanted, mapping.number == changes.c.n, not_refused(mapping, mapping.stage)]

    async def _swap(self, mapping: TableMapping) -> None:
        """Update unique-value swaps in one transaction; if it fails, these records are updated like others."""
        async with self.target.staging() as connection:
            marked = await mark_swaps(connection, mapping)
        if not marked:
            return
        try:
            async with self.target.transaction() as connection:
                await connection.execute(assign_placeholders(mapping))
                done = await connection.execute(self._changed_rows(mapping, EVERY, swaps=True))
        except DBAPIError as error:
            if self.target.refusal(error) is None:
                raise
            async with self.target.staging() as connection:
                await connection.execute(sa.update(mapping.changes).values(swaps=sa.null()))
            return
        self.accounts[mapping].add(updated=int(done.rowcount))

    def _changed_rows(self, mapping: TableMapping, row_range: RowRange, *, swaps: bool = False) -> sa.Update:
        staged, held = mapping.stage, mapping.target
        values = {
            name: of(mapping.target.c[name]).from_stage(staged.c[name], mapping.target.c[name])
            for name in mapping.updatable
        }
        swapped = mapping.changes.c.swaps.is_(sa.true()) if swaps else mapping.changes.c.swaps.is_not(sa.true())
        changes = self._pending_rows(mapping, row_range, new=False)
        return sa.update(held).values(values).where(mapping.same_key(held, staged), swapped, *changes)

    async def _update(self, mapping: TableMapping, row_range: RowRange) -> int:
        return await self._apply(mapping, row_range, self._changed_rows, "updated")

    def _new_rows(self, mapping: TableMapping, row_range: RowRange) -> sa.Insert:
        values = [
            of(mapping.target.c[name]).from_stage(mapping.stage.c[name], mapping.target.c[name])
            for name in mapping.columns
        ]
        names = list(mapping.columns)
        if mapping.tenant_column is not None:
            names.insert(0, mapping.tenant_column)
            values.insert(0, sa.literal(mapping.tenant, sa.Text()))
        rows = sa.select(*values).where(*self._pending_rows(mapping, row_range, new=True))
        return sa.insert(mapping.target).from_select(names, rows)

    async def _insert(self, mapping: TableMapping, row_range: RowRange) -> int:
        async def check(row_range: RowRange, connection: AsyncConnection, inserted: int) -> None:
            sent = self._pending_rows(mapping, row_range, new=True)
            if await connection.scalar(keyless.altered_on_insert(mapping, sent, inserted)):
                raise CannotRun(
                    f"The state changes what it is sent of {mapping.name}, "
                    "and without a key nothing would find it again",
                    "Give that table a primary key, or list the columns that the state sets in state_owned.",
                )

        return await self._apply(mapping, row_range, self._new_rows, "inserted", None if mapping.key else check)

    async def _insert_whole(self, mapping: TableMapping, row_range: RowRange) -> int:
        return await self.writer.whole(self._new_rows(mapping, row_range), partial(self._count, mapping, "inserted"))

    async def _apply(
        self,
        mapping: TableMapping,
        row_range: RowRange,
        statement: Callable[[TableMapping, RowRange], sa.Insert | sa.Update],
        term: str,
        check: Check | None = None,
    ) -> int:
        async def on_rejected(number: int, reason: str) -> None:
            await self._refuse_one(mapping, number, reason)

        count, write = partial(self._count, mapping, term), partial(statement, mapping)
        return await self.writer.apply(
            row_range, write, lambda row_range: _numbers(mapping, write(row_range)), on_rejected, count, check
        )

    def _count(self, mapping: TableMapping, term: str, done: int) -> None:
        if done:
            self.accounts[mapping].add(**{term: done})

    async def _refuse_one(self, mapping: TableMapping, number: int, reason: str) -> None:
        values = {"n": number, "kind": Kind.REJECTED.value, "reason": reason}
        async with self.target.staging() as connection:
            await connection.execute(sa.insert(mapping.refused).values(values))
        self._retry.append((mapping, number))

    async def _retry_refused(self) -> None:
        """Retry rejected rows: what blocked them, such as a unique value, may be gone."""
        progress = True
        while self._retry and progress:
            progress = False
            waiting, self._retry = self._retry, []
            for mapping, number in waiting:
                async with self.target.staging() as connection:
                    await connection.execute(sa.delete(mapping.refused).where(mapping.refused.c.n == number))
                    changes = sa.select(mapping.changes.c.new).where(mapping.changes.c.n == number)
                    new = mapping in self.fresh or await connection.scalar(changes)
                attempt = self._insert if new else self._update
                progress = bool(await attempt(mapping, RowRange(number, number + 1))) or progress

    async def _insert_in_chunks(
        self, mapping: TableMapping, statement: Callable[[TableMapping, RowRange], sa.Insert]
    ) -> int:
        return await self._over(
            mapping, lambda mapping, row_range: self._apply(mapping, row_range, statement, "inserted")
        )

    def _count_inserted(self, mapping: TableMapping, count: int) -> None:
        self.accounts[mapping].add(inserted=count)


def _numbers(mapping: TableMapping, statement: sa.Insert | sa.Update) -> Numbers:
    """Return the query for the row ids of the staged rows that a statement affects."""
    if isinstance(statement, sa.Update):
        return sa.select(mapping.number).where(cast(sa.ColumnElement[bool], statement.whereclause))
    rows: Any = statement.select
    return rows.with_only_columns(mapping.number)  # type: ignore[no-any-return]


def _by_key(mapping: TableMapping, row_range: RowRange) -> sa.Select[Any]:
    """Return the query (row id, new) of accepted staged rows; `new` is false if changed, null if unchanged."""
    staged, held = mapping.stage, mapping.target
    columns = ((staged.c[name], held.c[name], held.c[name]) for name in mapping.updatable)
    changed = sa.or_(sa.false(), *(differs(*column) for column in columns))
    new = sa.case((held.c[mapping.key[0]].is_(None), sa.true()), (changed, sa.false()))
    rows = staged.outerjoin(held, mapping.same_key(held, staged))
    numbers = sa.select(mapping.number.label("n"), new.label("new")).select_from(rows)
    return numbers.where(row_range.of(mapping.number), not_refused(mapping, staged))
