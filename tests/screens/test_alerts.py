"""Process Alerts: list, filters, reading and deleting, and the count above the checklist."""

from datetime import timedelta

import pytest

from resync_tui.screens.alerts import AlertsPage
from tests.support.screens import fake_store
from tests.support.screens.console import Console, Opener


def shown(c: Console) -> list[str]:
    screen = c.app.screen
    assert isinstance(screen, AlertsPage)
    return [row.alert.name for row in screen.rows().values]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_alerts_are_listed_read_and_deleted(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        due = fake_store.BEGIN + timedelta(days=7)
        c.store.alerts.post("State Resync Requested", due=due)
        c.store.alerts.post("Resync Completed")
        await c.shows("! 2")
        await c.press("exclamation_mark")
        await c.shows("2 alerts, 2 unread")
        line = c.line("State Resync Requested")
        assert fake_store.BEGIN.astimezone().strftime("%Y-%m-%d %H:%M") in line
        assert due.astimezone().strftime("%Y-%m-%d %H:%M") in line
        await c.shows("Vertical Interoperability: Resync Completed")
        await c.press("space")
        await c.shows("2 alerts, 1 unread")
        await c.press("R", "enter")
        assert len(shown(c)) == 2
        await c.press("R", "y")
        await c.until(lambda: shown(c) == ["State Resync Requested"])
        await c.press("m")
        await c.shows("1 alert, 0 unread")
        await c.press("escape")
        await c.until(lambda: "! " not in c.lines[1])


async def test_alerts_are_narrowed_by_process_and_by_date(console: Opener) -> None:
    async with console((120, 40)) as c:
        c.store.alerts.post("Old")
        c.clock.move(20 * 86_400)
        c.store.alerts.post("Young")
        c.store.alerts.post("Other", "Scheduling")
        await c.press("exclamation_mark")
        await c.shows("3 alerts")
        await c.press("o")
        assert shown(c) == ["Other"]
        await c.press("o", "t")
        assert shown(c) == ["Young"]
        await c.until(lambda: "Filter: Vertical Interoperability  last 24 hours" in c.lines[0])
        await c.press("t", "t")
        assert shown(c) == ["Young", "Old"]


async def test_an_alert_without_a_batch_to_see_says_so(console: Opener) -> None:
    async with console(edition="district") as c:
        c.store.alerts.post("State Resync Requested")
        await c.press("exclamation_mark")
        await c.shows("1 alert")
        await c.press("enter")
        await c.shows("names no batch that is seen from here")
