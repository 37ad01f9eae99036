"""Schedules: the newest due firing, the next one, and the window for scheduled batches.

A firing is identified by its local date and time in the schedule's own time zone; each counts once. Where clocks are
set back its first pass counts; where they are set forward a skipped time counts as the moment of the change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from croniter import croniter

from resync_tui.config.window import window as ends_of

if TYPE_CHECKING:
    from resync_tui.config.settings import ScheduleSettings, Settings

_CHANGE = timedelta(hours=3)
"""Upper bound of any change of clocks."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A schedule's next firing, and the earliest start of that firing's batches, within the window; both in UTC."""

    schedule: "ScheduleSettings"
    fires: datetime
    starts: datetime


def upcoming(settings: "Settings", now: datetime) -> Iterator[Upcoming]:
    """Yield the next firing of each schedule; the window is in this host's local time."""
    for each in settings.schedule:
        fires = next_run(each, now)
        yield Upcoming(each, fires, next_open(settings.engine.window, fires.astimezone()))


def last_due(schedule: "ScheduleSettings", now: datetime) -> datetime:
    """Return the local time, naive, of the newest due firing."""
    zone = ZoneInfo(schedule.timezone)
    local = now.astimezone(zone).replace(tzinfo=None) + _CHANGE
    firings = croniter(schedule.cron, local)
    while True:
        local = firings.get_prev(datetime)
        if moment_of(local, zone) <= now:
            return local


def next_run(schedule: "ScheduleSettings", now: datetime) -> datetime:
    """Return a schedule's next firing, in UTC; its batches start then, or once the window is open."""
    zone = ZoneInfo(schedule.timezone)
    firings = croniter(schedule.cron, now.astimezone(zone).replace(tzinfo=None) - _CHANGE)
    while True:
        moment = moment_of(firings.get_next(datetime), zone)
        if moment > now:
            return moment


def moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, of a local time: the first of two, or the change of clocks for a skipped one."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # By the offset from before the change, a skipped time lies after it.
    while (earlier := moment - _MINUTE).astimezone(zone).utcoffset() == moment.astimezone(zone).utcoffset():
        moment = earlier
    return moment


def window_open(window: str, now: datetime) -> bool:
    """Whether scheduled batches may start at a moment, by local time in `now`'s own zone."""
    ends = ends_of(window)
    if ends is None:
        return True
    opens, closes = ends
    wall = now.time()
    return opens <= wall < closes if opens < closes else wall >= opens or wall < closes


def next_open(window: str, moment: datetime) -> datetime:
    """Return the first moment from `moment` on, in UTC, at which the window is open.

    Local time is that of `moment`'s zone where it is a ZoneInfo, else this host's.
    """
    ends = ends_of(window)
    if ends is None or window_open(window, moment):
        return moment.astimezone(UTC)
    zone = moment.tzinfo
    day = datetime.combine(moment.date(), ends[0])
    if moment.time() >= ends[0]:
        day += timedelta(days=1)
    return moment_of(day, zone) if isinstance(zone, ZoneInfo) else day.astimezone(UTC)
