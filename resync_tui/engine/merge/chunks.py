"""Chunks of half a second: short locks, visible progress, prompt cancellation."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import anyio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.accounts import TableCounts
from resync_tui.engine.backends.base import Target
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge.refused import Rejected, note_rejected
from resync_tui.engine.rate_limit import RateLimiter

_log = logging.getLogger(__name__)

FIRST_CHUNK, LARGEST_CHUNK = 5_000, 100_000
CHUNK_SECONDS = 0.5
SIDE_BY_SIDE = 2 * FIRST_CHUNK
"""Number of rows from which a table is written over more than one connection."""
TRIES = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowRange:
    """Range of row ids, `end` excluded."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, number: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
        """Return the condition that a row id is in the range."""
        return sa.and_(number >= self.start, number < self.end)


EVERY = RowRange(1, 2**62)
"""All row ids."""

Write: TypeAlias = sa.Insert | sa.Update | sa.Delete
Numbers: TypeAlias = sa.Select[Any]
Check: TypeAlias = Callable[[RowRange, AsyncConnection], AbstractAsyncContextManager[None]]
"""Check of a chunk, entered in its transaction before the statement; raises after it if the rows may not stay."""


def _next_size(size: int, took: float) -> int:
    """Return the next chunk size, so that a chunk takes about half a second."""
    if took < CHUNK_SECONDS / 2:
        return min(LARGEST_CHUNK, size * 2)
    return max(1, size // 2) if took > CHUNK_SECONDS * 2 else size


@dataclass(frozen=True)
class ChunkedWrite:
    """Statement over a stage, to be written range by range, and the counts that take its rows."""

    account: TableCounts
    term: str
    """Term of the counts: `inserted`, `updated` or `removed`."""
    statement: Callable[[RowRange], Write]
    """Builds the statement of a row range."""
    numbers: Callable[[RowRange], Numbers]
    """Builds the query for the row ids that the statement affects: only these are halved and rejected."""
    check: Check | None = None
    """Wrapped around the statement."""
    lock: Callable[[RowRange], sa.Select[Any]] | None = None
    """Builds the query for rows that may not be referenced anew meanwhile."""


class Altered(Exception):
    """Rows of a chunk that the state does not hold as they were sent; raised by a check."""

    def __init__(self, mapping: TableMapping, rows: Sequence[Rejected]) -> None:
        self.mapping = mapping
        self.rows = rows


@dataclass(frozen=True, slots=True)
class Written:
    """Outcome of a write: the number of rows written, and the rows rejected."""

    rows: int = 0
    rejected: tuple[Rejected, ...] = ()

    @classmethod
    def total(cls, parts: Iterable["Written"]) -> "Written":
        """Sum up the outcomes of several chunks."""
        known = tuple(parts)
        return cls(sum(part.rows for part in known), tuple(each for part in known for each in part.rejected))


class ChunkedWriter:
    """Writer of a batch to the state: in row ranges, each a transaction, under the rate limit."""

    def __init__(self, target: Target, rate_limit: RateLimiter) -> None:
        self.target = target
        self.rate_limit = rate_limit

    async def over(
        self, number: sa.ColumnElement[int], work: Callable[[RowRange], Awaitable[T]], *, first: int = FIRST_CHUNK
    ) -> list[T]:
        """Apply `work` to all row ids of a stage table, in parallel if there are many; return its results."""
        async with self.target.staging() as connection:
            last = int(await connection.scalar(sa.select(sa.func.max(number))) or 0)
        start, size, results = 1, self.rate_limit.chunk(first), list[T]()

        async def worker() -> None:
            nonlocal start, size
            while start <= last:
                row_range = RowRange(start, min(start + size, last + 1))
                start = row_range.end
                began = anyio.current_time()
                results.append(await work(row_range))
                size = self.rate_limit.chunk(_next_size(len(row_range), anyio.current_time() - began))

        async with anyio.create_task_group() as tasks:
            for _ in range(self.target.writers if last > SIDE_BY_SIDE else 1):
                tasks.start_soon(worker)
        return results

    async def write(self, write: ChunkedWrite, row_range: RowRange) -> Written:
        """Write one chunk; if the state refuses it, halve it down to single rows, rejected with their reason."""
        written = await self._attempt(write, row_range)
        if isinstance(written, int):
            return Written(written)
        async with self.target.staging() as connection:
            rows = sorted(await connection.scalars(write.numbers(row_range)))
        return await self._halve(write, rows, written)

    async def _attempt(self, write: ChunkedWrite, row_range: RowRange) -> int | str:
        """Write one chunk; return its row count or the reason of the state's refusal."""
        try:
            return await self.whole(write, row_range)
        except DBAPIError as error:
            if (reason := self.target.refusal(error)) is None:
                raise
            return reason

    async def _halve(self, write: ChunkedWrite, rows: Sequence[int], reason: str) -> Written:
        if len(rows) == 1:
            return Written(rejected=(Rejected(rows[0], reason),))
        middle = len(rows) // 2
        parts = []
        for half in filter(None, (rows[:middle], rows[middle:])):
            written = await self._attempt(write, RowRange(half[0], half[-1] + 1))
            parts.append(Written(written) if isinstance(written, int) else await self._halve(write, half, written))
        return Written.total(parts)

    async def whole(self, write: ChunkedWrite, row_range: RowRange) -> int:
        """Write one chunk as a whole or not at all; return its row count. Raises DBAPIError.

        Rows that the state alters are refused, and the others written.
        """
        while True:
            try:
                return await self._commit(write, row_range)
            except Altered as altered:
                await note_rejected(self.target, altered.mapping, altered.rows)

    async def _commit(self, write: ChunkedWrite, row_range: RowRange) -> int:
        """Write one chunk in a transaction, retried after lock conflicts; return its row count."""
        for attempt in range(1, TRIES + 1):
            try:
                async with self.target.transaction() as connection:
                    if write.lock is not None:
                        await self.target.lock(connection, write.lock(row_range))
                    async with nullcontext() if write.check is None else write.check(row_range, connection):
                        done = int((await connection.execute(write.statement(row_range))).rowcount)
                break
            except DBAPIError as error:
                if attempt == TRIES or not self.target.is_transient(error):
                    raise
                _log.debug("attempt %d of %d met a lock conflict", attempt, TRIES)
                await anyio.sleep(0.1 * 2**attempt)
        write.account.add(**{write.term: done})  # at once: nothing may be cancelled in between
        await self.rate_limit.spend(done)
        return done
