"""The lines above the checklist: where, for which year, what is marked, and which resync is due; pure."""

from datetime import datetime

from resync_tui import formatting
from resync_tui.campaign import Due
from resync_tui.marks import Marks
from resync_tui.outcome import Status
from resync_tui.session import Session
from resync_tui.widgets.line import BOLD, PLAIN, TITLE, WARN, WIDE, Line, length, plain, spread


def heading(session: Session, marks: Marks, wanted: str, width: int) -> list[Line]:
    """Return the two lines above the checklist: where and for which year, and what is marked."""
    others = len(session.picked) - 1
    more = f" +{others} more" if others > 0 else ""
    current = " current" if session.year == session.settings.years.current else ""
    place: Line = (
        (" resync-tui ", TITLE),
        (f"  District: {session.district_name(session.district)}{more}", BOLD),
        (f"  Year: {formatting.school_year(session.year)}{current}", PLAIN),
    )
    running = sum(batch.status is Status.RUNNING for batch in session.active)
    active = f"{running} running  " if running else f"{len(session.active)} queued  " if session.active else ""
    user: Line = ((f"{session.user} {'RW' if session.may_write else 'R, read only'}", PLAIN),)
    marked = f"{len(marks.chosen)} marked + {len(marks.required)} required"
    if marks.full:
        marked = f"all {len(marks.chosen)} marked: full resync"
    state: Line = (
        ("Check dependencies ", PLAIN),
        ("ON", BOLD) if marks.check_dependencies else ("OFF", WARN),
        (f"  {marked}", BOLD if marks.chosen else PLAIN),
        (f"  ! {session.unread}" if session.unread else "", WARN),
        (f"  Filter: {wanted}" if wanted else "", WARN),
    )
    name: Line = ()
    if session.state_edition:
        edition = f"{session.edition_words}  " if width >= WIDE else ""
        name = plain(f"{edition}Subscribed Data Elements")
    return [
        spread(place, ((active, WARN), *user) if length((*place, *user)) + len(active) < width else user, width),
        spread(state, name, width),
    ]


def due_line(due: Due | None, last_full: datetime | None) -> list[Line]:
    """Return the line that says which mandatory full resync is due, where one is."""
    if due is None:
        return []
    return [plain(f"Full resync due since {due.since}: {due.scenario}. Last full one: {_last(last_full)}", WARN)]


def _last(moment: datetime | None) -> str:
    return formatting.when(moment) if moment else "never"
