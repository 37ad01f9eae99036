"""Take records out of the state that the district does not have, children first, if not too many would go."""

from dataclasses import dataclass

import sqlalchemy as sa

from resync_tui.engine.accounts import TableCounts, TableStats
from resync_tui.engine.backends.base import Source, Target
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.merge.keyless import count_extra
from resync_tui.engine.rate_limit import RateLimiter
from resync_tui.engine.scope import Scope


async def find_extra(
    spec: TableMapping,
    source: Source,
    target: Target,
    scope: Scope,
    account: TableCounts,
    stats: TableStats,
    rate_limit: RateLimiter,
) -> None:
    """Note which of the state's records the district does not have, once its rows are staged.

    Where not the whole table is in scope, the district is asked for each: it may have the record in another year.
    """
    if not spec.key or spec.lacks_year_path or account.difference.extra is not None:
        return
    staged = spec.stage.alias("staged")
    only_there = sa.not_(sa.exists().where(*(spec.target.c[name] == staged.c[name] for name in spec.key)))
    keys = sa.select(*(spec.target.c[name] for name in spec.key))
    rows = keys.where(scope.of_target(spec), account.difference.candidates(spec.target), only_there)
    async with target.staging() as connection:
        found = int((await connection.execute(sa.insert(spec.extra).from_select(list(spec.key), rows))).rowcount)
    known = await _forget_known(spec, source, target, scope, rate_limit) if found and not stats.whole else 0
    account.add(extra=found - known)


async def note_extra(spec: TableMapping, target: Target, scope: Scope, account: TableCounts, stats: TableStats) -> None:
    """Note those that take no question to the district, once it is let go and its reader no longer writes stages."""
    if stats.fresh or spec.lacks_year_path:
        return
    if not spec.key:
        ((found,),) = await target.fetch(count_extra(spec, scope.of_target(spec)))
        account.add(extra=int(found))
    elif known := account.difference.extra:
        async with target.staging() as connection:
            await connection.execute(sa.insert(spec.extra), [dict(zip(spec.key, key, strict=True)) for key in known])
        account.add(extra=len(known))


async def _forget_known(
    spec: TableMapping, source: Source, target: Target, scope: Scope, rate_limit: RateLimiter
) -> int:
    """Take those records back that the district has in another year; return how many.

    Its keys come the way of sent records, so that they are told by the values that the state would hold.
    """
    keyed = spec.keys_alone
    await target.create_stages([keyed], source)
    await target.load(keyed, source, scope.elsewhere(keyed), _Keys(rate_limit))
    await target.index_stage(keyed, source, by_key=True)
    extra, held, elsewhere = spec.extra, spec.target.alias("held"), keyed.stage
    known = sa.exists().where(spec.same_key(held, extra), *(held.c[name] == elsewhere.c[name] for name in spec.key))
    async with target.staging() as connection:
        return int((await connection.execute(sa.delete(extra).where(known))).rowcount)


@dataclass(frozen=True)
class _Keys:
    """Keeps keys that are read to the pace of records; they count as none."""

    rate_limit: RateLimiter

    def chunk(self, wanted: int) -> int:
        return self.rate_limit.chunk(wanted)

    async def __call__(self, records: int) -> None:
        await self.rate_limit.spend(records)
