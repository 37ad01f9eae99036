"""What stands on a narrow terminal, whatever a district is called."""

from dataclasses import replace

import pytest

from resync_tui.config.settings import DistrictSettings
from resync_tui.outcome import Status
from tests.support.screens.console import Console, Opener

SIZES = pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)], ids=["60x15", "80x24", "120x40"])
NAMES = pytest.mark.parametrize("name", ["Clark County School District", "北京市第一学区第一学区第一学区第一学区"])


async def two_stand(c: Console, *parts: str) -> None:
    """Wait until all these parts stand on one line of the screen."""
    await c.until(lambda: any(all(part in line for part in parts) for line in c.lines))


@SIZES
@NAMES
async def test_the_status_stands_whatever_the_district_is_called(
    console: Opener, size: tuple[int, int], name: str
) -> None:
    async with console(size, districts=(DistrictSettings("320060", name, "sqlite:///clark.db"),)) as c:
        await two_stand(c, "State Edition", "2025-26", "jdoe RW")
        await c.press("space", "s", "y")
        await c.sent()
        await two_stand(c, "Batch #1", "QUEUED")
        c.store.claim(1)
        await two_stand(c, "Batch #1", "RUNNING 00:00:00")
        c.store._put(replace(c.batches[0], attempts=2))
        await two_stand(c, "Batch #1", "RUNNING attempt 2 00:00:00")
        await c.press("H")
        await two_stand(c, "#1 ", "○ 0%")
        await c.press("escape", "escape")
        await two_stand(c, "State Edition", "2025-26", "1 running", "jdoe RW")
        c.store._put(replace(c.batches[0], cancel_requested=True))
        await c.press("H")
        await two_stand(c, "#1 ", "cancelling")
        await c.press("enter")
        await two_stand(c, "Batch #1", "CANCELLING attempt 2")
        await c.press("A")
        await two_stand(c, "#1 ", "cancelling")
        c.store.finishes(1, Status.CANCELLED)
        await c.press("escape")
        await two_stand(c, "Batch #1", "CANCELLED attempt 2")


@SIZES
@pytest.mark.parametrize(("edition", "named"), [("state", "State Edition"), ("district", "District Edition")])
async def test_the_edition_is_named_at_every_size(
    console: Opener, size: tuple[int, int], edition: str, named: str
) -> None:
    async with console(size, edition=edition, user="a.very.long.user.name@example.org") as c:
        assert named in c.lines[0]
        assert " RW" in c.lines[0]
        await c.press("slash", *"enroll")
        await c.shows("Filter: enroll")
