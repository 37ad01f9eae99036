"""Merge: validate stages, compare, update and insert into the state's tables, and count each record once."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.engine.backends.base import Target
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.keys import IncompatibleTable
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge import bystanders, setting_aside, standoff
from resync_tui.engine.merge.chunks import EVERY, Altered, ChunkedWrite, ChunkedWriter, RowRange, Written
from resync_tui.engine.merge.context import MergeContext
from resync_tui.engine.merge.cycles import CyclicInserts, Inserted
from resync_tui.engine.merge.readback import read_back
from resync_tui.engine.merge.refused import note_rejected
from resync_tui.engine.merge.swaps import assign_placeholders, mark_swaps
from resync_tui.engine.merge.table import Row, TableMerge
from resync_tui.engine.merge.validate import each_alone, is_cyclic, refuse, refuse_by_parents
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.formatting import plural

_log = logging.getLogger(__name__)

MANY = 1_000
COMPARED_AT_ONCE = 50_000
"""Rows per compared chunk: comparing takes no lock, and a small chunk would scan the whole target table."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """Numbers of accepted rows of a chunk by the outcome of the comparison."""

    new: int
    changed: int


class Merge:
    """Merge of one table, or of several in a foreign-key cycle."""

    def __init__(
        self, target: Target, tables: Sequence[TableMerge], context: MergeContext, rate_limit: RateLimiter
    ) -> None:
        self.target = target
        self.tables = tables
        self.group = tuple(table.mapping for table in tables)
        self.context = context
        self.is_cyclic = any(is_cyclic(mapping, self.group) for mapping in self.group)
        self.writer = ChunkedWriter(target, rate_limit)
        self._references: dict[TableMapping, list[ReferentialAction]] = {}
        """Foreign keys of the state to the tables of which extra records may be set aside."""
        self._parents_unknown = False
        """Whether rows without parents may be among the accepted: the state's foreign keys find them sooner."""

    async def compare(self) -> None:
        """Validate the staged rows, and compare the accepted ones with the state. Raises IncompatibleTable."""
        if self.is_cyclic and not all(mapping.key for mapping in self.group):
            names = ", ".join(mapping.name for mapping in self.group if not mapping.key)
            raise IncompatibleTable(
                f"{names} points back to itself and has no key", "Give the state's table a primary key."
            )
        alone = self.target.finds_orphans and all(table.fresh for table in self.tables) and each_alone(self.group)
        for table in self.tables:
            if self._may_set_aside(table):
                mapping = table.mapping
                self._references[mapping] = await self.target.references({mapping.name: mapping.target})
        async with self.target.staging() as connection:
            # With triggers, the state's answer is no evidence about the rows sent.
            self._parents_unknown = alone and not any(table.triggered for table in self.tables)
            await refuse(
                connection,
                self.group,
                self.context,
                parents=not self._parents_unknown,
                references=self._references,
            )
            for table in self.tables:
                if table.mapping in self._references:
                    table.set_aside = await setting_aside.count_marked(connection, table.mapping)
        await self._count_refused()
        for table in self.tables:
            if table.account.counts.errors >= MANY:
                await self.target.analyze(table.mapping.refused)
            if not table.fresh:
                await self._compare(table)

    async def merge(self) -> None:
        """Update and insert; afterwards the counts hold every staged record exactly once."""
        new = [table for table in self.tables if table.fresh or table.new]
        changed = [table for table in self.tables if table.changed]
        if not new and not changed:
            return
        bystanding = [table for table in self.tables if table.has_bystanders]
        for table in bystanding:
            await bystanders.keep(self.target, table)
        cyclic_inserts = CyclicInserts(self.target, self.writer, self.tables, self.context)
        cyclic = bool(new) and self.is_cyclic
        inserted = await cyclic_inserts.insert() if cyclic else Inserted(complete=True, rejected=())
        rejected = list(inserted.rejected)
        for table in changed:
            await self._swap(table)
            rejected += await self._write(table, self._setting_aside(table, table.updates))
        if not cyclic:
            for table in new:
                rejected += await self._write(table, self._setting_aside(table, table.inserts))
        await self._retry(rejected)
        if not inserted.complete:
            await cyclic_inserts.insert_left()
        for table in self.tables:
            if table.triggered and table.mapping.key:
                await read_back(self.writer, table)
        for table in bystanding:
            await bystanders.compare(self.target, table)
        for table in self.tables:
            if table.set_aside:
                async with self.target.staging() as connection:
                    table.set_aside = await setting_aside.count_done(connection, table.mapping)
        await self._count_refused()

    async def standoffs(self) -> list[str]:
        """Return lines on the extra records that hold, or gave up, unique values that others want."""
        done = [self._told_set_aside(table) for table in self.tables if table.set_aside]
        suspects = [each for each in self.tables if each.account.counts.extra and each.account.counts.rejected]
        mappings = [each.mapping for each in suspects]
        if not mappings:
            return done
        references = {each: await self.target.references({each.name: each.target}) for each in mappings}
        async with self.target.staging() as connection:
            lines = [await standoff.told(connection, each, references[each], self.context) for each in mappings]
        return [*done, *filter(None, lines)]

    def _told_set_aside(self, table: TableMerge) -> str:
        give = "gave" if self.context.merging else "would give"
        who = f"{plural(table.set_aside, 'extra record')} of {table.mapping.name}"
        return f"{who} {give} up a unique value to records of the district: see verify, then remove-extra"

    def count_pending(self) -> None:
        """Count pending inserts and updates as if they had been made."""
        for table in self.tables:
            table.account.add(inserted=table.new, updated=table.changed)

    async def _count_refused(self) -> None:
        for table in self.tables:
            async with self.target.staging() as connection:
                await table.count_refused(connection)

    def _may_set_aside(self, table: TableMerge) -> bool:
        """Whether extra records of a table may be set aside: nothing but what is sent takes part in its writes."""
        mapping = table.mapping
        return bool(
            table.account.counts.extra
            and mapping.key
            and mapping.unique_keys
            and not table.triggered
            and not self.is_cyclic
            and mapping.name not in self.context.doubtful
        )

    def _setting_aside(self, table: TableMerge, write: ChunkedWrite) -> ChunkedWrite:
        if not table.set_aside:
            return write
        references = self._references[table.mapping]
        return replace(write, check=setting_aside.check(self.target, table.mapping, references, write.numbers))

    async def _compare(self, table: TableMerge) -> None:
        """Classify staged rows as new (true), changed (false) or unchanged (null); count the unchanged ones."""
        mapping, changes = table.mapping, table.mapping.changes.c

        async def compare(row_range: RowRange) -> _Compared:
            # excludes refused rows from the comparison: their casts would fail
            classified = self.target.dialect.materialized(table.classified_rows(row_range).cte(f"{RESERVED}compared"))
            counted = sa.select(changes.new, sa.func.count()).where(row_range.of(changes.n)).group_by(changes.new)
            async with self.target.staging() as connection:
                names = list(classified.c.keys())
                await connection.execute(sa.insert(mapping.changes).from_select(names, sa.select(classified)))
                found = {row[0]: int(row[1]) for row in await connection.execute(counted)}
            table.account.add(unchanged=(unchanged := found.get(None, 0)))
            await self.writer.rate_limit.spend(unchanged)
            return _Compared(found.get(True, 0), found.get(False, 0))

        if mapping.key:
            parts = await self.writer.over(mapping.number, compare, first=COMPARED_AT_ONCE)
        else:
            parts = [await compare(EVERY)]
        table.new, table.changed = sum(part.new for part in parts), sum(part.changed for part in parts)
        _log.debug("%s: %d new, %d changed", mapping.name, table.new, table.changed)

    async def _swap(self, table: TableMerge) -> None:
        """Update unique-value swaps in one transaction; if it fails, these records are updated like others."""
        async with self.target.staging() as connection:
            marked = await mark_swaps(connection, table.mapping)
        if not marked:
            return
        try:
            swaps = self._setting_aside(table, table.swaps)
            async with (
                self.target.transaction() as connection,
                nullcontext() if swaps.check is None else swaps.check(EVERY, connection),
            ):
                await connection.execute(assign_placeholders(table.mapping))
                done = await connection.execute(swaps.statement(EVERY))
        except (Altered, DBAPIError) as error:
            if isinstance(error, DBAPIError) and self.target.refusal(error) is None:
                raise
            async with self.target.staging() as connection:
                await connection.execute(sa.update(table.mapping.changes).values(swaps=sa.null()))
            return
        table.account.add(updated=int(done.rowcount))

    async def _write(self, table: TableMerge, write: ChunkedWrite) -> list[Row]:
        """Write a table's pending rows in chunks; note and return the rejected ones."""

        async def chunk(row_range: RowRange) -> Written:
            if self._parents_unknown:
                try:
                    return Written(await self.writer.whole(write, row_range))
                except DBAPIError as error:
                    if self.target.refusal(error) is None:
                        raise
                self._parents_unknown = False
                async with self.target.staging() as connection:
                    await refuse_by_parents(connection, self.group, self.context)
            return await self.writer.write(write, row_range)

        return await self._note(table, Written.total(await self.writer.over(table.mapping.number, chunk)))

    async def _note(self, table: TableMerge, written: Written) -> list[Row]:
        await note_rejected(self.target, table.mapping, written.rejected)
        return [(table, row.number) for row in written.rejected]

    async def _retry(self, rejected: Sequence[Row]) -> None:
        """Retry rejected rows: what blocked them, such as a unique value, may be gone."""
        waiting, before = rejected, len(rejected) + 1
        while waiting and len(waiting) < before:
            before = len(waiting)
            waiting = [row for table, number in waiting for row in await self._retry_one(table, number)]

    async def _retry_one(self, table: TableMerge, number: int) -> list[Row]:
        """Write one rejected row again; note and return it if it is rejected again."""
        mapping = table.mapping
        async with self.target.staging() as connection:
            await connection.execute(sa.delete(mapping.refused).where(mapping.refused.c.n == number))
            is_new = sa.select(mapping.changes.c.new).where(mapping.changes.c.n == number)
            new = table.fresh or await connection.scalar(is_new)
        write = table.inserts if new else table.updates
        write = self._setting_aside(table, write)
        return await self._note(table, await self.writer.write(write, RowRange(number, number + 1)))
