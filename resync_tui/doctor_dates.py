"""What the calendar asks for: full resyncs that are due, and schedules that fire while the window is shut."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from resync_tui import campaign
from resync_tui.config import Settings
from resync_tui.control.views import DistrictStanding
from resync_tui.errors import ResyncError
from resync_tui.words import plural, when

NAMED = 10
"""Districts that one line names."""


class Advice(ResyncError):
    """Nothing is broken, but something is to be done."""

    exit_code = 1


def due_resyncs(settings: Settings, board: Sequence[DistrictStanding], today: date) -> Iterator[Advice]:
    """Return which mandatory full resyncs of the current year are due, and where (documents: "Resync Scenarios")."""
    owing: dict[campaign.Due, list[DistrictStanding]] = {}
    for each in board:
        owed = campaign.due(settings.years, today, each.last_full)
        if owed is not None:
            owing.setdefault(owed, []).append(each)
    for owed, found in owing.items():
        named = ", ".join(f"{each.district} ({_last(each)})" for each in found[:NAMED])
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        where = f"-d {found[0].district}" if len(found) == 1 else "--all-districts"
        yield Advice(
            f"{owed.scenario}: {plural(len(found), 'district')} of {len(board)} without a full resync since "
            f"{owed.since}: {named}{more}",
            f'Send it: resync-tui run {where} --all --reason "{owed.scenario}"; see: resync-tui board',
        )


def _last(standing: DistrictStanding) -> str:
    return f"last {standing.last_full.astimezone().date()}" if standing.last_full else "never"


def late_schedules(settings: Settings, now: datetime) -> Iterator[Advice]:
    """Return the schedules whose next firing must wait for the window."""
    if not settings.schedule:
        return
    from resync_tui.schedule import next_open, next_run

    window = settings.engine.window
    for each in settings.schedule:
        fires = next_run(each, now)
        starts = next_open(window, fires.astimezone())
        if starts != fires:
            yield Advice(
                f"Schedule {each.name} fires next at {when(fires)}, outside [engine] window {window}: "
                f"its batches begin at {when(starts)}",
                "Move the schedule or the window, unless that is what you want.",
            )
