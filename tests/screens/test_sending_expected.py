"""What a question says to expect: by completed runs of the same kind."""

from resync_tui.outcome import Counts
from resync_tui.screens.confirm import Question
from tests.support.screens.console import Console, Opener


async def ask(c: Console, key: str) -> None:
    """Ask for the object under the cursor."""
    await c.press(key)
    await c.question(Question)


async def test_a_cancelled_run_is_no_estimate(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1, {"District": Counts(processed=412, unchanged=412)})
        await c.press("escape")
        await c.press("space", "s", "y")
        await c.sent(2)
        c.store.claim(2)
        c.store.moves(2, "District", 7, 412, Counts(processed=7, unchanged=7))
        await c.press("x", "y")
        await c.press("escape")
        await c.press("space", "s")
        await c.question(Question)
        await c.shows("412 records expected; the last run took")


async def test_a_resync_is_no_estimate_of_a_comparison(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1)
        await c.press("escape")
        await ask(c, "v")
        await c.shows("none of these has been run from here")
