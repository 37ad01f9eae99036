"""Schedules, Process Alerts and the board of districts, as text and as CSV; times are local, with the year."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from resync_tui.config import ScheduleSettings
from resync_tui.formatting import folded, plural, school_year, when
from resync_tui.results import Alert, DistrictStanding, Standing


def schedules(found: Iterable[tuple[ScheduleSettings, datetime, datetime]]) -> Iterator[str]:
    """Return a line a schedule: when it fires next, and when its batches may start then."""
    lines = [
        f"{each.name:16.16} {each.cron:14} {each.timezone:20.20} {when(fires):16}"
        + ("" if starts == fires else f", begins {when(starts)} with the window")
        for each, fires, starts in found
    ]
    if not lines:
        yield "There are no schedules: add a [[schedule]] to resync.toml."
        return
    yield f"{'Schedule':16} {'Cron':14} {'Time zone':20} Next run"
    yield from lines


def alerts(found: Sequence[Alert]) -> Iterator[str]:
    """Return Process Alerts, newest first; unread ones have a star."""
    if not found:
        yield "No alerts."
        return
    yield f"{'Alert':>6}   {'Process':25} {'Name':33} Posted Date"
    for each in found:
        star = " " if each.read else "*"
        yield f"{each.alert:6} {star} {each.process:25.25} {each.name:33.33} {when(each.posted)[:10]}"
        due = f" Due {when(each.due)}." if each.due else ""
        yield from (f"         {line}" for line in folded(each.message + due, 71))


def board(
    found: Sequence[tuple[str, DistrictStanding]], year: int, days: Mapping[str, Any], lacking: Mapping[str, list[str]]
) -> Iterator[str]:
    """Return a line a district, then which lack a full resync since the given days; `days` by what happened then."""
    yield f"{'District':8} {'Name':18} {'Standing':8} {'Last full':16} {'Processed':>9} {'Errors':>6}"
    for name, each in found:
        yield (
            f"{each.district:8.8} {name:18.18} {each.standing:8} {when(each.last_full):16} {each.processed:9} "
            f"{each.errors:6} {each.color or ''}"
        ).rstrip()
        if each.message and each.standing in (Standing.FAILING, Standing.WAITING):
            yield from (f"         {line}" for line in folded(each.message, 71))
    for what, day in days.items():
        lack = lacking[what]
        ids = ", ".join(lack[:20]) + (" …" if len(lack) > 20 else "")
        who = f"{plural(len(lack), 'district')} of {len(found)} lack" if lack else "No district lacks"
        yield f"{who} a full resync of {school_year(year)} since it {what} ({day})" + ":" * bool(lack)
        yield from (f"    {line}" for line in folded(ids, 76) if line)
