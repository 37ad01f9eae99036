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
        await c.shows("412 records expected; the last partial resync took")


async def test_a_resync_is_no_estimate_of_a_comparison(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1)
        await c.press("escape")
        await ask(c, "v")
        await c.shows("no partial comparison of these has")


async def test_a_partial_resync_is_no_estimate_of_a_full_one(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1, {"District": Counts(processed=412, unchanged=412)})
        await c.press("O", "u", "a")
        await ask(c, "s")
        await c.shows("no full resync of these has completed from")
        await c.press("y")
        await c.sent(2)
        c.complete(2, {"District": Counts(processed=400, unchanged=400)})
        await c.press("O", "a")
        await ask(c, "s")
        await c.shows("640 records expected; the last full resync took")
        await c.press("escape", "u", "space")
        await ask(c, "s")
        await c.shows("412 records expected; the last partial resync took")


async def test_what_is_left_out_is_in_sync_by_any_resync(console: Opener) -> None:
    async with console() as c:
        await c.press("a", "s", "y")
        await c.sent()
        c.complete(1)
        await c.press("O")
        await c.go("School")
        await c.press("u", "d", "space")
        await ask(c, "s")
        await c.shows("Parents left out:")
        await c.until(lambda: "in sync" in c.line("  District"))
