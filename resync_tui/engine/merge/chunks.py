"""Chunks of half a second: short locks, visible progress, prompt cancellation."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import anyio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.backends.base import Target
from resync_tui.engine.rate_limit import RateLimiter

FIRST_CHUNK, LARGEST_CHUNK = 5_000, 100_000
CHUNK_SECONDS = 0.5
SIDE_BY_SIDE = 2 * FIRST_CHUNK
"""Number of rows from which a table is written over more than one connection."""
TRIES = 5


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


Write: TypeAlias = sa.Insert | sa.Update | sa.Delete
Numbers: TypeAlias = sa.Select[Any]
Check: TypeAlias = Callable[[RowRange, AsyncConnection, int], Awaitable[None]]
"""Check of a chunk, called in its transaction with the row count; raises if the rows may not stay."""


def _next_size(size: int, took: float) -> int:
    """Return the next chunk size, so that a chunk takes about half a second."""
    if took < CHUNK_SECONDS / 2:
        return min(LARGEST_CHUNK, size * 2)
    return max(1, size // 2) if took > CHUNK_SECONDS * 2 else size


class ChunkedWriter:
    """Writer of a batch to the state: in row ranges, each a transaction, under the rate limit."""

    def __init__(self, target: Target, rate_limit: RateLimiter) -> None:
        self.target = target
        self.rate_limit = rate_limit

    async def over(
        self,
        number: sa.ColumnElement[int],
        work: Callable[[RowRange], Awaitable[int]],
        *,
        first: int = FIRST_CHUNK,
        workers: int = 0,
    ) -> int:
        """Apply `work` to all row ids of a stage table, in parallel if there are many; return the sum.

        `workers`: maximum in parallel, by default the connections that may write.
        """
        async with self.target.staging() as connection:
            last = int(await connection.scalar(sa.select(sa.func.max(number))) or 0)
        start, size, done = 1, self.rate_limit.chunk(first), 0

        async def worker() -> None:
            nonlocal start, size, done
            while start <= last:
                row_range = RowRange(start, min(start + size, last + 1))
                start = row_range.end
                began = anyio.current_time()
                done += await work(row_range)
                size = self.rate_limit.chunk(_next_size(len(row_range), anyio.current_time() - began))

        async with anyio.create_task_group() as tasks:
            for _ in range((workers or self.target.writers) if last > SIDE_BY_SIDE else 1):
                tasks.start_soon(worker)
        return done

    async def apply(
        self,
        row_range: RowRange,
        statement: Callable[[RowRange], Write],
        numbers: Callable[[RowRange], Numbers],
        on_rejected: Callable[[int, str], Awaitable[None]],
        count: Callable[[int], None],
        check: Check | None = None,
        lock: Callable[[RowRange], sa.Select[Any]] | None = None,
    ) -> int:
        """Write one chunk; if the state refuses it, halve it down to single rows, rejected with their reason.

        `numbers` selects the row ids that the statement affects: only these are halved and rejected. The row count is
        passed to `check` before the commit, and to `count` before anything else can be cancelled. `lock` selects rows
        that may not be referenced anew meanwhile.
        """

        async def attempt(row_range: RowRange) -> tuple[int, str | None]:
            try:
                of_span = check and partial(check, row_range), lock and lock(row_range)
                return await self.whole(statement(row_range), count, *of_span), None
            except DBAPIError as error:
                if (reason := self.target.refusal(error)) is None:
                    raise
                return 0, reason

        async def halve(rows: Sequence[int], reason: str) -> int:
            if len(rows) == 1:
                await on_rejected(rows[0], reason)
                return 0
            middle = len(rows) // 2
            return sum([await some(half) for half in (rows[:middle], rows[middle:]) if half])

        async def some(rows: Sequence[int]) -> int:
            done, reason = await attempt(RowRange(rows[0], rows[-1] + 1))
            return done if reason is None else await halve(rows, reason)

        done, reason = await attempt(row_range)
        if reason is None:
            return done
        async with self.target.staging() as connection:
            rows = sorted(await connection.scalars(numbers(row_range)))
        return await halve(rows, reason)

    async def whole(
        self,
        statement: Write,
        count: Callable[[int], None],
        check: Callable[[AsyncConnection, int], Awaitable[None]] | None = None,
        lock: sa.Select[Any] | None = None,
    ) -> int:
        """Write one chunk as a whole or not at all, and pass its row count to `count`."""
        done = await self.commit(statement, check, lock)
        count(done)
        await self.rate_limit.spend(done)
        return done

    async def commit(
        self,
        statement: Write,
        check: Callable[[AsyncConnection, int], Awaitable[None]] | None = None,
        lock: sa.Select[Any] | None = None,
    ) -> int:
        """Run a statement in a transaction of its own, retried after lock conflicts; return its row count."""
        for attempt in range(1, TRIES + 1):
            try:
                async with self.target.transaction() as connection:
                    if lock is not None:
                        await self.target.lock(connection, lock)
                    done = int((await connection.execute(statement)).rowcount)
                    if check is not None:
                        await check(connection, done)
                    return done
            except DBAPIError as error:
                if attempt == TRIES or not self.target.is_transient(error):
                    raise
                await anyio.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")
