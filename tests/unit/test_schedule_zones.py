"""Schedules where clocks are odd, against a reading of the clock minute by minute."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import pytest

from resync_tui.config.settings import ScheduleSettings
from resync_tui.schedule import last_due, next_run

MINUTE = timedelta(minutes=1)
CHANGES = [
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("America/St_Johns", "2026-03-08"),
    ("America/St_Johns", "2011-11-06"),  # at a minute past midnight, back into the day before
    ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Kathmandu", "1986-01-01"),  # a quarter of an hour, for good
    ("Asia/Kathmandu", "2026-03-08"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Africa/Casablanca", "2026-03-22"),
    ("Pacific/Apia", "2011-12-30"),  # a day that was left out
    ("Pacific/Apia", "2026-04-05"),
    ("Atlantic/Azores", "2026-03-29"),  # midnight is left out
    ("Atlantic/Azores", "2026-10-25"),  # midnight comes twice
    ("Antarctica/Troll", "2026-03-29"),  # two hours
    ("Antarctica/Troll", "2026-10-25"),
    ("Africa/Cairo", "2026-10-29"),
    ("America/Havana", "2026-11-01"),
]
"""Zones, and days on which their clocks change or do not."""


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize(
    ("cron", "hours", "step"),
    [("0 0 * * *", 36, 1440), ("30 1 * * *", 36, 1440), ("15 2 * * *", 36, 1440), ("*/20 * * * *", 5, 20)],
)
def test_each_local_time_fires_once_when_the_clock_reaches_it(
    zone: str, day: str, cron: str, hours: int, step: int
) -> None:
    schedule, clock = ScheduleSettings("weekly", cron, zone), ZoneInfo(zone)
    middle = datetime.fromisoformat(f"{day} 00:00").replace(tzinfo=clock, fold=1).astimezone(UTC)
    minutes = [middle + MINUTE * count for count in range(-60 * hours, 60 * hours)]
    walls = [each.astimezone(clock).replace(tzinfo=None) for each in minutes]
    reached = list(accumulate(walls, max))
    hour, minute = (0 if field.startswith("*") else int(field) for field in (cron.split()[1], cron.split()[0]))
    first = walls[0].replace(hour=hour, minute=minute % step) + timedelta(days=1 if step == 1440 else 0)
    while first <= walls[0]:
        first += MINUTE * step
    times = [first + MINUTE * step * count for count in range((walls[-1] - first) // (MINUTE * step) + 1)]
    moments = {local: minutes[bisect_left(reached, local)] for local in times}
    assert len(times) > 1
    for local, later in pairwise(times):
        newest = max(each for each in times if moments[each] <= moments[local])
        assert last_due(schedule, moments[local]) == newest
        if moments[later] > moments[local]:
            assert next_run(schedule, moments[local]) == moments[later]
            assert next_run(schedule, moments[later] - MINUTE) == moments[later]
            assert last_due(schedule, moments[later] - MINUTE) == newest
