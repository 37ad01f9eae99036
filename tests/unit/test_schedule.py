"""When a schedule fires and when the window is open, across both changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from resync_tui.config.settings import ScheduleSettings
from resync_tui.schedule import last_due, next_open, next_run, window_open

ANGELES = ZoneInfo("America/Los_Angeles")
KOLKATA = ZoneInfo("Asia/Kolkata")


def schedule(cron: str, zone: str = "America/Los_Angeles") -> ScheduleSettings:
    return ScheduleSettings("weekly", cron, zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        ("0 2 * * 0", "2025-11-20 12:00", "2025-11-23 10:00"),
        ("0 2 * * 0", "2025-11-23 10:00", "2025-11-30 10:00"),
        ("0 2 * * 0", "2025-07-04 12:00", "2025-07-06 09:00"),
        # 02:30 is left out on 8 March 2026: it fires as the clocks change, at 10:00 UTC.
        ("30 2 * * *", "2026-03-08 00:00", "2026-03-08 10:00"),
        ("30 2 * * *", "2026-03-08 10:00", "2026-03-09 09:30"),
        # 01:30 comes twice on 1 November 2026: the first one counts.
        ("30 1 * * *", "2026-11-01 00:00", "2026-11-01 08:30"),
        ("30 1 * * *", "2026-11-01 08:30", "2026-11-02 09:30"),
    ],
)
def test_the_next_run(cron: str, now: str, expected: str) -> None:
    assert next_run(schedule(cron), at(now)) == at(expected)


@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        ("0 2 * * 0", "2025-11-23 09:59", "2025-11-16T02:00"),
        ("0 2 * * 0", "2025-11-23 10:00", "2025-11-23T02:00"),
        ("30 2 * * *", "2026-03-08 09:59", "2026-03-07T02:30"),
        ("30 2 * * *", "2026-03-08 10:00", "2026-03-08T02:30"),
        ("30 1 * * *", "2026-11-01 08:29", "2026-10-31T01:30"),
        ("30 1 * * *", "2026-11-01 08:30", "2026-11-01T01:30"),
        ("30 1 * * *", "2026-11-01 09:30", "2026-11-01T01:30"),
        ("30 1 * * *", "2026-11-02 09:29", "2026-11-01T01:30"),
    ],
)
def test_the_newest_that_is_due(cron: str, now: str, expected: str) -> None:
    assert last_due(schedule(cron), at(now)) == datetime.fromisoformat(expected)


CHANGES = {
    "America/Los_Angeles": ("2026-03-08 10:00", "2026-11-01 09:00"),
    "Australia/Lord_Howe": ("2026-04-04 15:00", "2026-10-03 15:30"),
    "Asia/Kolkata": ("2026-03-08 10:00",),
    "UTC": ("2026-11-01 09:00",),
}
"""When the clocks of a zone change; moments at which others' do where they never do."""


@pytest.mark.parametrize("cron", ["30 1 * * *", "30 2 * * *", "*/20 * * * *", "0 0 * * 1", "15 3 1 * *"])
@pytest.mark.parametrize("zone", CHANGES)
def test_last_due_never_goes_back_and_agrees_with_next_run(cron: str, zone: str) -> None:
    """From firing to firing, and in between, on both sides of each change of the clocks."""
    one, reach = schedule(cron, zone), timedelta(hours=5 if cron.startswith("*") else 50)
    for change in CHANGES[zone]:
        now = at(change) - reach
        due = last_due(one, now)
        while now < at(change) + reach:
            coming = next_run(one, now)
            between = [at(change) + hours * timedelta(minutes=30) for hours in range(-8, 9)]
            for moment in (*(each for each in between if now < each < coming), coming - timedelta(seconds=1)):
                assert last_due(one, moment) == due
                assert next_run(one, moment) == coming
            assert last_due(one, coming) > due
            now, due = coming, last_due(one, coming)


@pytest.mark.parametrize(
    ("window", "wall", "expected"),
    [
        ("", "12:00", True),
        ("22:00-05:00", "21:59", False),
        ("22:00-05:00", "22:00", True),
        ("22:00-05:00", "00:00", True),
        ("22:00-05:00", "04:59", True),
        ("22:00-05:00", "05:00", False),
        ("01:00-04:00", "00:59", False),
        ("01:00-04:00", "01:00", True),
        ("01:00-04:00", "04:00", False),
    ],
)
def test_the_window(window: str, wall: str, expected: bool) -> None:
    now = datetime.fromisoformat(f"2025-11-20 {wall}").replace(tzinfo=ANGELES)
    assert window_open(window, now) is expected


def test_window_follows_the_wall_clock_when_that_is_changed() -> None:
    hours = [at("2026-03-08 08:00") + timedelta(minutes=30 * step) for step in range(8)]
    opened = [each for each in hours if window_open("02:15-03:15", each.astimezone(ANGELES))]
    assert opened == [at("2026-03-08 10:00")]
    hours = [at("2026-11-01 07:00") + timedelta(minutes=30 * step) for step in range(8)]
    opened = [each for each in hours if window_open("01:00-02:00", each.astimezone(ANGELES))]
    assert opened == [at(f"2026-11-01 {time}") for time in ("08:00", "08:30", "09:00", "09:30")]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2025-11-20 12:00", "2025-11-20 16:30"),
        ("2025-11-20 16:30", "2025-11-20 16:30"),
        ("2025-11-20 23:00", "2025-11-20 23:00"),
        ("2025-11-20 23:30", "2025-11-21 16:30"),
    ],
)
def test_the_next_time_that_the_window_is_open(now: str, expected: str) -> None:
    assert next_open("22:00-05:00", at(now).astimezone(KOLKATA)) == at(expected)
