"""Initial load of an empty table: validate the next chunk while the previous one is inserted."""

from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.backends.base import Target
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge.chunks import ChunkedWriter, RowRange
from resync_tui.engine.merge.validate import MergeContext, by_parents, by_values, refuse_rows

AT_A_TIME = 2
"""Concurrent chunks: one is validated, one inserted."""


class FirstLoad:
    """Initial load of one table; its parents are merged, and its rows do not depend on each other.

    The state's own foreign keys detect orphans: they are validated only once the state has refused a chunk.
    """

    def __init__(
        self, target: Target, mapping: TableMapping, context: MergeContext, count_refused: Callable[[], Awaitable[None]]
    ) -> None:
        self.target = target
        self.mapping = mapping
        self._count_refused = count_refused
        self._by_values: sa.Select[Any] = sa.select()
        self._by_parents = by_parents(mapping, context)
        self._looks_for_orphans = False

    async def prepare(self, connection: AsyncConnection) -> None:
        """Prepare the validation of its rows."""
        self._by_values = await by_values(connection, self.mapping)
        # With triggers, the state's answer is no evidence about the rows sent.
        self._looks_for_orphans = await self.target.has_triggers(connection, self.mapping.target)

    async def run(
        self,
        writer: ChunkedWriter,
        insert: Callable[[RowRange], Awaitable[int]],
        insert_whole: Callable[[RowRange], Awaitable[int]],
    ) -> None:
        """Insert the accepted rows; `insert_whole` fails if the state refuses any row of a chunk."""

        async def judge_and_insert(row_range: RowRange) -> int:
            await self._refuse_by_values(row_range)
            if not self._looks_for_orphans:
                try:
                    return await insert_whole(row_range)
                except DBAPIError as error:
                    if self.target.refusal(error) is None:
                        raise
                self._looks_for_orphans = True
            await self._refuse_by_parents(row_range)
            return await insert(row_range)

        await writer.over(self.mapping.number, judge_and_insert, workers=AT_A_TIME)

    async def _refuse_by_values(self, row_range: RowRange) -> None:
        refused = await self.target.fetch_staged(self._by_values.where(row_range.of(self.mapping.number)))
        if refused:
            rows = [dict(zip(("n", "kind", "reason"), row, strict=True)) for row in refused]
            async with self.target.staging() as connection:
                await connection.execute(sa.insert(self.mapping.refused), rows)
            await self._count_refused()

    async def _refuse_by_parents(self, row_range: RowRange) -> None:
        if self._by_parents is not None:
            async with self.target.staging() as connection:
                found = await refuse_rows(
                    connection, self.mapping, self._by_parents.where(row_range.of(self.mapping.number))
                )
            if found:
                await self._count_refused()
