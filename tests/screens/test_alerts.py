"""Process Alerts: list, marks, filters, reading and deleting, and what they lead to."""

from datetime import timedelta

import pytest

from resync_tui.screens.alerts import AlertsPage
from resync_tui.screens.confirm import Question
from resync_tui.screens.date_range import DateRangeBox
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.sheets import Sheet
from tests.support.screens import fake_store
from tests.support.screens.console import Console, Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


def page(c: Console) -> AlertsPage:
    """Return the page of alerts, which is open below a box or in front."""
    return next(each for each in c.app.screen_stack if isinstance(each, AlertsPage))


def shown(c: Console) -> list[str]:
    """Return the names of the alerts that are listed."""
    return [row.alert.name for row in page(c).rows().values]


def unread(c: Console) -> list[str]:
    """Return the names of the alerts that this user has not read."""
    return [each.name for each in c.store.alerts._alerts if not each.read]


@SIZES
async def test_alerts_have_process_name_posted_and_due_date(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        due = fake_store.BEGIN + timedelta(days=7)
        c.store.alerts.post("State Resync Requested", due=due)
        await c.shows("! 1")
        await c.press("exclamation_mark")
        await c.shows("1 alert, 1 unread")
        titles = ["Process", "Name", "Posted Date", "Due Date"]
        at = [c.lines[1].index(each) for each in titles]
        assert at == sorted(at)
        cells = ["Vertical Interoperability", "State Resync Requested", *(f"{each:%Y-%m-%d}" for each in (
            fake_store.BEGIN.astimezone(), due.astimezone()))]  # fmt: skip
        assert [c.lines[2].index(each) for each in cells] == at
        assert (f"{due.astimezone():%H:%M}" in c.lines[2]) is (size == (120, 40))


@SIZES
async def test_several_are_marked_and_deleted_together(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        for name in ("First", "Second", "Third", "Fourth"):
            c.store.alerts.post(name)
        await c.press("exclamation_mark")
        await c.shows("4 alerts, 4 unread")
        await c.press("space", "down", "down", "space")
        await c.shows("4 alerts, 2 marked, 4 unread")
        assert c.line("Fourth").startswith("[x] !")
        assert c.line("Third").startswith("[ ] !")
        await c.press("R")
        await c.shows("Delete these 2 alerts from your list?")
        await c.press("enter")
        assert len(shown(c)) == 4
        await c.press("R")
        await c.question(Question)
        await c.press("y")
        await c.until(lambda: shown(c) == ["Third", "First"])
        await c.press("a")
        await c.shows("2 alerts, 2 marked")
        await c.press("u", "end", "R")
        await c.shows("Delete this alert from your list?")
        await c.press("y")
        await c.until(lambda: shown(c) == ["Third"])
        await c.press("m")
        await c.shows("1 alert, 0 unread")
        await c.press("escape")
        await c.until(lambda: "! " not in c.lines[1])


async def test_marks_out_of_sight_are_neither_deleted_nor_read(console: Opener) -> None:
    async with console() as c:
        c.store.alerts.post("State Resync Requested")
        c.store.alerts.post("Review Event", "Data Certification")
        await c.press("exclamation_mark")
        await c.shows("2 alerts")
        await c.press("a", "o", "R")
        await c.shows("Delete this alert from your list?")
        await c.press("y")
        await c.until(lambda: shown(c) == [])
        await c.press("escape", "m")
        await c.until(lambda: shown(c) == ["State Resync Requested"] and not unread(c))


async def test_alerts_are_narrowed_by_process_and_by_name(console: Opener) -> None:
    async with console((120, 40)) as c:
        c.store.alerts.post("State Resync Requested")
        c.store.alerts.post("Resync Completed")
        c.store.alerts.post("Review Event", "Data Certification")
        await c.press("exclamation_mark")
        await c.shows("3 alerts")
        await c.press("o")
        assert shown(c) == ["Review Event"]
        await c.press("o", "slash", *"requested", "enter")
        assert shown(c) == ["State Resync Requested"]
        assert "Filter: Vertical Interoperability  requested" in c.lines[0]
        await c.press("escape")
        assert len(shown(c)) == 3


@SIZES
async def test_alerts_are_narrowed_by_dates_from_and_to(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        days = []
        for name in ("Old", "Middle", "Young"):
            c.store.alerts.post(name)
            days.append(f"{c.clock.now.astimezone():%Y-%m-%d}")
            c.clock.move(20 * 86_400)
        await c.press("exclamation_mark")
        await c.shows("3 alerts")
        await c.press("t")
        await c.question(DateRangeBox)
        await c.press(*days[1], "enter", "enter")
        assert shown(c) == ["Young", "Middle"]
        await c.press("t")
        await c.question(DateRangeBox)
        await c.shows(days[1])
        await c.press("tab", *days[1], "enter")
        assert shown(c) == ["Middle"]
        assert f"{days[1]} to"[:12] in c.lines[0]
        await c.press("t")
        await c.question(DateRangeBox)
        await c.press("tab", *["backspace"] * 10, *days[0], "enter")
        await c.shows("It ends before it begins. Change one of the days.")
        await c.press(*["backspace"] * 10, *"soon", "enter")
        await c.shows("soon is no day. Write it as 2026-11-30.")
        await c.press("escape")
        assert shown(c) == ["Middle"]
        await c.press("escape")
        assert len(shown(c)) == 3


@SIZES
async def test_enter_opens_an_alert_and_what_it_is_about(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.store.alerts.post("Resync Completed", batch=1)
        c.store.alerts.post("State Resync Requested", request=1)
        await c.press("O", "exclamation_mark")
        await c.shows("2 alerts, 2 unread")
        await c.press("enter")
        await c.question(Sheet)
        await c.shows("Enter request 1")
        assert "State Resync Requested: see the board." in c.text
        await c.until(lambda: unread(c) == ["Resync Completed"])
        await c.press("enter")
        await c.until(lambda: isinstance(c.app.screen, HistoryPage))
        await c.press("escape", "down", "enter")
        await c.question(Sheet)
        await c.shows("Enter batch #1")
        await c.press("enter")
        await c.until(lambda: isinstance(c.app.screen, ProgressPage))


async def test_an_alert_about_what_is_not_seen_leads_nowhere(console: Opener) -> None:
    async with console(edition="district") as c:
        c.store.alerts.post("State Resync Requested")
        await c.press("exclamation_mark")
        await c.shows("1 alert")
        await c.press("enter")
        await c.question(Sheet)
        await c.shows("Esc closes")
        assert "Enter" not in c.line("Esc closes")
        await c.press("enter")
        assert c.app.screen is page(c)
