"""Campaigns: mandatory full resyncs that are due, and the districts that lack one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from resync_tui.results import DistrictStanding, Standing

if TYPE_CHECKING:
    from resync_tui.config.settings import YearSettings


class Scenario(StrEnum):
    """The scenarios in which a resync is mandatory; the text is a request's reason."""

    END_OF_YEAR = "End of school year"
    START_OF_YEAR = "Start of school year"
    DATABASE_CHANGED = "Database modifications"
    STATE_REQUEST = "State resync request"


@dataclass(frozen=True, slots=True)
class Due:
    """A mandatory full resync that is due: its scenario, and the day since which it must have been started."""

    scenario: Scenario
    since: date


def due(years: "YearSettings", today: date, last_full: datetime | None) -> Due | None:
    """Return the full resync of the current year that is due, or None; `last_full` is when the last one was started."""
    for scenario, since in ((Scenario.END_OF_YEAR, years.closes), (Scenario.START_OF_YEAR, years.opens)):
        if since is not None and today >= since:
            done = last_full is not None and last_full.astimezone().date() >= since
            return None if done else Due(scenario, since)
    return None


def lacking(board: Sequence[DistrictStanding], since: date) -> list[str]:
    """Return the districts without a completed full resync that was started on `since` or later."""
    return [each.district for each in board if not each.full_since(since)]


def tally(standings: Collection[Standing]) -> dict[Standing, int]:
    """Return the number of districts per standing, all standings included, in their order."""
    found = list(standings)
    return {each: found.count(each) for each in Standing}
