"""A comparison on the screens that has found differences."""

from resync_tui.outcome import Counts, Finding, Purpose
from resync_tui.screens.confirm import Question
from tests.support.screens.console import Console

DIFFERENT = Counts(processed=100, unchanged=95, updated=3, inserted=2, extra=4)


async def compared(c: Console) -> None:
    """Compare School with what it depends on."""
    await c.go("School")
    await c.press("space", "v")
    await c.until(lambda: isinstance(c.app.screen, Question))
    await c.shows("Only compares: nothing is changed")
    await c.press("y")
    await c.sent()
    assert c.batches[0].purpose is Purpose.VERIFY
    c.store.finds(1, "School", Finding.DIFFERENT, 11, 12, 13)
    c.store.finds(1, "School", Finding.MISSING, 21, 22)
    c.store.finds(1, "School", Finding.EXTRA, 31, 32, 33, 34)
    c.complete(1, {"School": DIFFERENT})
    await c.shows("COMPLETED")
