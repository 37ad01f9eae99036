"""Direct merge: held rows go into the state many tables a transaction; an object that the state refuses is left."""

from collections.abc import Iterator, Sequence

import anyio

from resync_tui.databases.registry import driver_errors
from resync_tui.engine.backends.base import Target
from resync_tui.engine.merge.chunks import FIRST_CHUNK
from resync_tui.engine.objects import ObjectRun
from resync_tui.engine.rate_limit import RateLimiter

MOST_TABLES = 50
"""Maximum number of tables of a transaction: each is locked until its end."""


class DirectMerge:
    """Merge of object runs of one wave, of which all rows are held."""

    def __init__(self, target: Target, rate_limit: RateLimiter, limiter: anyio.CapacityLimiter) -> None:
        self.target = target
        self.rate_limit = rate_limit
        self.limiter = limiter

    async def insert(self, runs: Sequence[ObjectRun]) -> None:
        """Insert the held rows of object runs; those that hold rows afterwards go the ordinary way."""
        async with anyio.create_task_group() as tasks:
            for step in _steps(runs):
                tasks.start_soon(self._insert_or_alone, step)

    async def _insert_or_alone(self, runs: Sequence[ObjectRun]) -> None:
        async with self.limiter:
            if not await self._insert(runs) and len(runs) > 1:
                for run in runs:
                    await self._insert([run])

    async def _insert(self, runs: Sequence[ObjectRun]) -> bool:
        """Insert in one transaction; return whether the state took all. What is wrong is found by the ordinary way."""
        run_deferred, direct = self.target.dialect.run_deferred, self.target.direct
        assert direct is not None  # else no rows are held
        try:
            async with self.target.transaction() as connection:
                if run_deferred is not None:
                    await connection.execute(run_deferred)
                done = [
                    (run.accounts[mapping], await direct.insert(self.target, connection, mapping.target, rows))
                    for run in runs
                    for mapping, rows in run.held.items()
                ]
        except driver_errors():
            return False
        for run in runs:  # at once: nothing may be cancelled in between
            run.phase, run.held = "merging", {}
        for account, inserted in done:
            account.add(inserted=inserted)
        await self.rate_limit.spend(sum(inserted for _, inserted in done))
        return True


def _steps(runs: Sequence[ObjectRun]) -> Iterator[list[ObjectRun]]:
    """Yield object runs to be inserted together: at most MOST_TABLES and FIRST_CHUNK rows, or a single one."""
    step, tables, rows = list[ObjectRun](), 0, 0
    for run in runs:
        count = sum(held.count for held in run.held.values())
        if step and (tables + len(run.held) > MOST_TABLES or rows + count > FIRST_CHUNK):
            yield step
            step, tables, rows = [], 0, 0
        step, tables, rows = [*step, run], tables + len(run.held), rows + count
    if step:
        yield step
