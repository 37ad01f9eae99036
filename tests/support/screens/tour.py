"""A walk through every screen, with results of every kind on it; clock, host, user and time zone stand still."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

from resync_tui.agent.log import AgentLog
from resync_tui.config.settings import DistrictSettings, YearSettings
from resync_tui.outcome import Counts, Finding, Kind, Status
from resync_tui.results import ErrorGroup, ErrorRecord
from tests.support.screens.console import Console

DISTRICTS = (
    DistrictSettings("01", "Abbott", "sqlite:///abbott.db", previous=("Calendar", "CourseSection")),
    DistrictSettings("02", "Campus", "sqlite:///campus.db"),
    DistrictSettings("03", "Delmar Unified School District", "sqlite:///delmar.db"),
)
YEARS = YearSettings(2026, opens=date(2025, 8, 1), closes=date(2026, 6, 30))
REASON = "another record of the state holds this stateID"
GREEN = Counts(processed=1, unchanged=1)
YELLOW = Counts(processed=45210, inserted=3, updated=7, unchanged=45196, rejected=2, excluded=2, extra=12)
RED = Counts(processed=6, unchanged=5, blocked=1)

Take = Callable[..., Awaitable[None]]
"""Takes the name of the screen that stands there, and what must be read on it whole."""


async def walk(c: Console, log: AgentLog, take: Take) -> None:
    """Show one screen after the other."""
    await before_anything(c, take)
    await two_runs(c)
    await results(c, take)
    await under_way(c, take)
    await around(c, log, take)
    await comparing(c, take)
    await sheets(c, take)
    await several_districts(c, take)


async def back(c: Console) -> None:
    """Go back to the checklist."""
    while "DIS Objects" not in c.text or len(c.app.screen_stack) > 1:
        await c.press("escape")


async def before_anything(c: Console, take: Take) -> None:
    """The first screen, and partial resyncs with and without what they depend on."""
    await take("first", "Full resync due since 2025-08-01: Start of school year. Last full one: never", "jdoe RW")
    await c.press("slash", *"enroll", "enter")
    await c.press("space")
    await take("filtered", "Filter: enroll", "1 marked + 6 required", "Enrollment needs StructureGradeLevel")
    await c.press("s")
    await take("confirm", "may slow system performance", "[+] ScheduleStructure", "[x] Enrollment", "y Request Resync")
    await c.press("escape", "d", "s")
    await take(
        "confirm-alone", "records may be refused. Parents left out:", "District             never resynced from here"
    )
    await c.press("escape", "d", "u", "escape", "g")


async def two_runs(c: Console) -> None:
    """Two runs of Calendar and what it needs; the second has an error more."""
    for number, counts in ((1, replace(YELLOW, rejected=1, unchanged=45197)), (2, YELLOW)):
        await c.go("Calendar")
        await c.press("space", "s", "y")
        await c.sent(number)
        c.clock.move(3600)
        school = ("School", "School")
        keys = [ErrorRecord(*school, {"schoolID": n}, Kind.REJECTED, REASON) for n in (5, 6)[: counts.rejected]]
        c.store.refuses(number, ErrorGroup(*school, Kind.REJECTED, REASON, counts.rejected), keys)
        c.store.refuses(number, ErrorGroup(*school, Kind.EXCLUDED, "State-excluded school", 2), [])
        blocked = ErrorGroup("Calendar", "Calendar", Kind.BLOCKED, "its School record did not reach the state", 1)
        c.store.refuses(number, blocked, [])
        c.complete(number, {"District": GREEN, "School": counts, "Calendar": RED})
        await c.shows("COMPLETED")
        if number == 1:
            await back(c)


async def results(c: Console, take: Take) -> None:
    """What a batch came to, its errors, their keys, and the run before."""
    await take("ended", "Overall 3/3  45,217/45,217 records  Errors: 5", "▲ School", "■ Calendar", "extra 12")
    await c.press("e")
    await c.shows("schoolID 6")
    await take(
        "errors",
        "Failures: mend them in the district, then retry (3 records)",
        "Excluded: by rule",
        "its School record",
    )
    await c.press("enter")
    await c.shows("new schoolID 6")
    await take("keys", f"rejected: {REASON}", "2 refused")
    await c.press("escape", "escape", "b")
    await c.shows("1 error more, 0 fewer than the run before.")
    await take("run-before", "▲ #1 2025-11-20 15:02", "+1")
    await back(c)
    await c.shows("45210")


async def under_way(c: Console, take: Take) -> None:
    """Enrollment and what it needs: its fourth object is half done, so all four states are there."""
    await c.go("Enrollment")
    c.clock.move(3600)
    await c.press("space", "s", "y")
    await c.sent(3)
    c.store.claim(3)
    for name, counts in (("District", GREEN), ("School", YELLOW), ("Calendar", RED)):
        c.store.ends(3, name, counts)
    c.store.moves(3, "ScheduleStructure", 45210, 45210, Counts())
    await c.shows("0/45,210")
    c.clock.move(10)
    c.store.moves(3, "ScheduleStructure", 45210, 45210, Counts(processed=26221, unchanged=26204, rejected=17))
    await c.shows("26,221/45,210")
    await take("progress", "RUNNING 00:00:10", "2,622", "00:00:07", "Agent alive 10s ago on app01", "x Cancel")
    await c.press("x")
    await take("cancel", "Cancel batch #3?", "y Cancel it")
    await c.press("escape", "escape", "g")
    await c.shows("running 10s")
    await take("checklist", "1 running", "running 10s", "○  57%", "▲ <.1%", "■  17%", "●   ok", "Extra")


async def around(c: Console, log: AgentLog, take: Take) -> None:
    """History, agents, their log, alerts, the board."""
    await c.press("H")
    await c.shows("3 batches")
    await take(
        "history", "#3", "○ 42%", "■ completed", "Request 3: resync asked for by jdoe, State resync request, ran 10s"
    )
    await c.press("escape", "A")
    await take("agents", "app01:4711", "alive", "#3", "Abbott (01)")
    for what in ("started", "17 rejected in ScheduleStructure: its name is longer than 30 characters and does not fit"):
        log.write("batch 3", "district 01", "ScheduleStructure", what)
    await c.press("enter")
    await c.shows("17 rejected")
    await take("agent-log", "does not fit")
    await back(c)
    c.store.alerts.post("State Resync Requested", due=c.clock.now)
    await c.press("exclamation_mark")
    await c.shows("1 alert")
    await take("alerts", "State Resync Requested", "Vertical Interoperability: State Resync Requested")
    await c.press("escape", "B")
    await c.shows("Delmar")
    await take("board", "3 of 3 districts lack a full resync since 2025-08-01", "not yet")
    await back(c)
    c.complete(3, {"School": YELLOW, "Calendar": RED})
    await c.until(lambda: not c.app.session.active)


async def comparing(c: Console, take: Take) -> None:
    """A comparison, what it found, and removing what is extra."""
    await c.go("School")
    await c.press("space", "v")
    await take("compare", "Only compares: nothing is changed, in no database.")
    await c.press("y")
    await c.sent(4)
    c.store.finds(4, "School", Finding.MISSING, 21)
    c.store.finds(4, "School", Finding.EXTRA, 31, 32)
    c.complete(4, {"School": Counts(processed=194, unchanged=190, inserted=1, rejected=3, extra=2)})
    await c.shows("f shows what was found")
    await c.press("f")
    await c.shows("A resync is needed: 0 different, 1 missing in the state.")
    await take("found", "Refused: cannot be sent.", "190")
    await c.press("end", "enter")
    await c.shows("SchoolID 31")
    await take("found-keys", "missing    School  SchoolID 21")
    await c.press("escape", "X")
    await c.shows("School: 2 extra records")
    await take("extra", "Removing deletes them for this district and year only, children first.")
    await c.press("R")
    await take("remove", "They are deleted for good. Nothing is sent.", "Type remove 2 and Enter.")
    await c.press("escape")
    await back(c)
    await c.press("u")


async def sheets(c: Console, take: Take) -> None:
    """What opens over the checklist."""
    await c.press("L")
    await take("legend", "completed with errors ≤ 1.0 %", "still processing", "required by what you chose")
    await c.press("escape", "question_mark")
    await take("help", "Choose what to send", "Mark or unmark")
    await c.press("escape", "F", "slash", *"enrollment", "enter")
    await take("fields", "state's own", "stateNote", "State-excluded enrollment", "locked at the district")
    await c.press("escape", "escape")
    await c.go("School")
    await c.press("enter")
    await take("detail", "Parents      District", "Processed    45,210")
    await c.press("escape", "Y")
    await take("years", "Previous School Year (2024-2025)", "Resync Data For The Current School Year (2025-2026)")
    await c.press("escape", "D")
    await take("districts", "[x] Abbott (01)", "1 of 3 picked")
    await c.press("a", "enter")


async def several_districts(c: Console, take: Take) -> None:
    """A full resync of several districts: typed out, then one summary of all."""
    await c.press("a", "s")
    await take("confirm-typed", "A full resync: every object.", "Type full resync 3 and Enter.")
    await c.press(*"full resync 3", "enter")
    await c.sent(7)
    c.store.claim(5)
    c.store.finishes(5, Status.FAILED, "District 01 cannot be reached")
    c.store.claim(6)
    await c.shows("1 running  1 queued")
    await c.press("G")
    await c.shows("District 01 cannot be reached")
    await take("request", "Request 5", "■ failed", "queued", "Delmar")
