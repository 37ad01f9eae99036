"""Extra records: find and stage the keys that only the state has."""

from dataclasses import dataclass

import sqlalchemy as sa

from resync_tui.engine.accounts import TableCounts, TableStats
from resync_tui.engine.backends.base import Source, Target
from resync_tui.engine.mapping import RESERVED, TableMapping
from resync_tui.engine.merge.keyless import count_extra
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.scope import Scope


async def find_extra(
    mapping: TableMapping,
    source: Source,
    target: Target,
    scope: Scope,
    account: TableCounts,
    stats: TableStats,
    rate_limit: RateLimiter,
) -> int:
    """Stage the keys of extra records, once the district's rows are staged.

    If only part of the table is in scope, each key is looked up in the district: the record may have moved to another
    school year. Return the number of those.
    """
    if not mapping.key or account.difference.extra is not None:
        return 0
    staged = mapping.stage.alias(f"{RESERVED}staged")
    only_there = sa.not_(sa.exists().where(*(mapping.target.c[name] == staged.c[name] for name in mapping.key)))
    keys = sa.select(*(mapping.target.c[name] for name in mapping.key))
    rows = keys.where(scope.of_target(mapping), account.difference.candidates(mapping.target), only_there)
    async with target.staging() as connection:
        found = int((await connection.execute(sa.insert(mapping.extra).from_select(list(mapping.key), rows))).rowcount)
    known = await _forget_known(mapping, source, target, scope, rate_limit) if found and not stats.whole else 0
    account.add(extra=found - known)
    return known


async def note_extra(
    mapping: TableMapping, target: Target, scope: Scope, account: TableCounts, stats: TableStats
) -> None:
    """Stage and count the extra records that need no query to the district.

    Called after its snapshot is closed: until then its reader may be the only writer of the stages.
    """
    if stats.fresh:
        return
    if not mapping.key:
        ((found,),) = await target.fetch(count_extra(mapping, scope.of_target(mapping)))
        account.add(extra=int(found))
    elif known := account.difference.extra:
        async with target.staging() as connection:
            await connection.execute(
                sa.insert(mapping.extra), [dict(zip(mapping.key, key, strict=True)) for key in known]
            )
        account.add(extra=len(known))


async def _forget_known(
    mapping: TableMapping, source: Source, target: Target, scope: Scope, rate_limit: RateLimiter
) -> int:
    """Withdraw extra records that the district has in another year; return their number.

    Their keys are staged like sent records, so that they compare as the values that the state would hold.
    """
    keyed = mapping.key_mapping
    await target.create_stages([keyed], source)
    await target.load(keyed, source, scope.elsewhere(keyed), Unmetered(rate_limit))
    await target.index_stage(keyed, source, by_key=True)
    extra, held, elsewhere = mapping.extra, mapping.target.alias(f"{RESERVED}held"), keyed.stage
    known = sa.exists().where(
        mapping.same_key(held, extra), *(held.c[name] == elsewhere.c[name] for name in mapping.key)
    )
    async with target.staging() as connection:
        return int((await connection.execute(sa.delete(extra).where(known))).rowcount)


@dataclass(frozen=True)
class Unmetered:
    """Meter of rows that need not become records of the run: applies the rate limit, and counts nothing."""

    rate_limit: RateLimiter

    def chunk(self, wanted: int) -> int:
        return self.rate_limit.chunk(wanted)

    async def __call__(self, records: int) -> None:
        await self.rate_limit.spend(records)
