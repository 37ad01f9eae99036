"""The run before: what each object of a batch came to the time before."""

from resync_tui.control.views import Batch, LastResync
from resync_tui.outcome import Status
from resync_tui.session_store import Store

LISTED = 1000
"""Batches among which the ones before are looked for."""
OPENED = 8
"""Batches that are opened at most: what none of them has, counts as never run before."""


async def runs_before(store: Store, batch: Batch) -> dict[str, LastResync]:
    """Return, per object of a batch, its newest completed run before that batch, of the same year and purpose."""
    wanted = {each.object for each in batch.objects}
    listed = await store.batches(district=batch.district, limit=LISTED, objects=False)
    earlier = [each.batch for each in listed if _before(each, batch)]
    found: dict[str, LastResync] = {}
    for number in earlier[:OPENED]:
        for result in (await store.batch(number)).objects:
            if result.object in wanted and result.status is Status.COMPLETED:
                found.setdefault(result.object, LastResync(number, result))
        if found.keys() == wanted:
            break
    return found


def _before(each: Batch, batch: Batch) -> bool:
    same = each.year == batch.year and each.purpose is batch.purpose
    return same and each.batch < batch.batch and each.status in (Status.COMPLETED, Status.FAILED)
