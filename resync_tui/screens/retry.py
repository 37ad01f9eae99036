"""Which objects a retry of just what failed sends; pure."""

from resync_tui.catalog import Catalog
from resync_tui.marks import Marks
from resync_tui.outcome import Status
from resync_tui.results import Batch, ObjectResult


def failed_objects(batch: Batch) -> frozenset[str]:
    """Return the objects that did not get through, and those with failed records; excluded ones would be again."""
    return frozenset(each.object for each in batch.objects if _failed(each))


def _failed(result: ObjectResult) -> bool:
    ended_badly = result.status in (Status.FAILED, Status.SKIPPED, Status.CANCELLED)
    return ended_badly or bool(result.counts.rejected + result.counts.blocked)


def retry_marks(catalog: Catalog, batch: Batch, only: str | None = None) -> Marks:
    """Return the marks of a retry: the objects concerned, without what else they depend on.

    Their parents went in, or are concerned themselves.
    """
    names = failed_objects(batch) if only is None else failed_objects(batch) & {only}
    return Marks(catalog, frozenset(name for name in names if name in catalog), check_dependencies=False)
