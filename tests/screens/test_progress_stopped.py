"""What the progress page says of a batch that was stopped."""

import pytest

from resync_tui.outcome import Counts, Status
from tests.support.screens.console import Opener


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("status", [Status.CANCELLED, Status.FAILED])
async def test_what_was_stopped_never_looks_whole(console: Opener, size: tuple[int, int], status: Status) -> None:
    async with console(size) as c:
        await c.go("School")
        await c.press("space", "s", "y")
        await c.sent()
        c.store.claim(1)
        c.store.ends(1, "District", Counts(processed=1, unchanged=1))
        c.store.moves(1, "School", 100, 100, Counts(processed=60, inserted=60))
        c.store._set(1, "School", status=status)
        c.store.finishes(1, status)
        await c.shows("stopped")
        await c.shows("Overall 1 of 2 objects  61 of 101 records  stopped  Errors: 0")
        assert c.lines[2].rstrip().endswith("░ 60%")
        assert " 60%" in c.line("School ")
        assert "60/100" in c.line("School ")


async def test_a_percentage_agrees_with_the_records_beside_it(console: Opener) -> None:
    async with console() as c:
        await c.go("School")
        await c.press("space", "s", "y")
        await c.sent()
        c.store.claim(1)
        c.store.moves(1, "School", 100, 100, Counts(processed=58, inserted=57, rejected=1))
        await c.shows("58/100+ records")
        assert c.lines[2].rstrip().endswith(" 0% of objects")
        c.store.ends(1, "District", Counts(processed=100, unchanged=99, rejected=1))
        await c.shows("158/200 records")
        assert c.lines[2].rstrip().endswith("░ 79%")
        assert "58% " in c.line("School ")
        assert c.line("District  ").rstrip().endswith("  done")
        await c.press("escape")
        await c.until(lambda: c.line("▼School").rstrip().endswith("○  58%"))
        assert c.line("▼District").rstrip().endswith("▲ 1.0%")
