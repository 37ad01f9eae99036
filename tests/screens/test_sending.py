"""From the mark to the dot: confirm, send, watch, come back."""

import anyio
import pytest

from resync_tui.config.settings import DistrictSettings
from resync_tui.errors import CannotRun
from resync_tui.outcome import Color, Counts, Kind, Status
from resync_tui.results import ErrorGroup, ErrorRecord, Present
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.confirm import Question
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.progress import ProgressPage
from tests.support.screens import fake_store
from tests.support.screens.console import Console, Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])


async def sent(console: Console, *keys: str) -> None:
    """Mark with these keys, send, and wait until the batch is queued."""
    await console.press(*keys, "s", "y")
    await console.sent()


@SIZES
async def test_the_whole_way_from_enrollment_to_coloured_dots(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("slash", *"enroll", "enter", "escape", "space", "s")
        await c.until(lambda: isinstance(c.app.screen, Question))
        plan = fake_store.catalog()
        for name in ("District", "School", "Calendar", "ScheduleStructure", "StructureGradeLevel", "PersonIdentity"):
            await c.shows(f"[+] {name} ")
        await c.shows("[x] Enrollment")
        await c.shows("Abbott (01)")
        await c.shows("2025-26")
        await c.shows("may slow system performance")
        order = [line.split()[3] for line in c.lines if "[+]" in line or "[x]" in line]
        assert [plan[name].name for name in order] == order
        await c.press("y")
        await c.until(lambda: isinstance(c.app.screen, ProgressPage))
        assert [each.object for each in c.batches[0].objects] == order
        await c.shows("Queued: an agent is being started.")
        c.complete(1, {"School": Counts(processed=1000, unchanged=995, rejected=5)})
        await c.shows("COMPLETED")
        await c.shows("Overall 7/7")
        assert c.line(" School ").startswith("▲")
        assert c.line(" Enrollment ").startswith("●")
        await c.press("escape")
        await c.shows("●   ok")
        page = c.app.screen
        assert isinstance(page, ChecklistPage)
        dots = {row.key: row.color for row in page.rows().values if row.color}
        assert dots == {name: Color.YELLOW if name == "School" else Color.GREEN for name in order}
        assert not page.marks.chosen


@pytest.mark.parametrize("key", ["s", "enter", "escape", "n", "q", "Y", "space", "tab", "ctrl+p", "colon"])
async def test_only_y_sends(console: Opener, key: str) -> None:
    async with console() as c:
        await c.press("space", "s", key)
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))
        assert c.batches == []


async def test_a_held_s_never_sends(console: Opener) -> None:
    async with console() as c:
        await c.press("space", *["s"] * 25)
        assert c.batches == []


async def test_a_held_y_sends_once(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        await c.press("y", "y", "y")
        assert len(c.batches) == 1


async def test_the_list_scrolls_without_an_answer(console: Opener) -> None:
    async with console() as c:
        await c.press("a", "s")
        await c.shows("1 [x] District")
        await c.press("end")
        await c.shows("49 [x] ")
        await c.press("home", "down", "j", "pagedown", "k", "up", "pageup")
        await c.until(lambda: isinstance(c.app.screen, Question))
        assert c.batches == []


async def test_nothing_marked_sends_nothing_and_says_so(console: Opener) -> None:
    async with console() as c:
        await c.press("s")
        await c.shows("Nothing is marked")
        await c.press("down")
        assert "Nothing is marked" not in c.text


async def test_parents_left_out_without_check_dependencies_are_named(console: Opener) -> None:
    async with console() as c:
        await c.go("CourseSection")
        await c.press("space", "d", "s")
        await c.shows("Check dependencies is off")
        for name in ("District", "School", "Calendar"):
            assert "never resynced from here" in c.line(f"  {name} ")
        await c.press("y")
        await c.sent()
        assert [each.object for each in c.batches[0].objects] == ["CourseSection"]


async def test_a_request_goes_to_all_selected_districts(console: Opener) -> None:
    async with console() as c:
        await c.press("D", "a", "enter")
        await c.shows("District: Abbott (01) +1 more")
        await c.press("space", "s")
        await c.shows("Districts: Abbott (01), Campus (02)")
        await c.press("y")
        await c.until(lambda: isinstance(c.app.screen, HistoryPage))
        assert [batch.district for batch in c.batches] == ["01", "02"]
        assert {batch.request for batch in c.batches} == {1}
        assert {batch.initiator for batch in c.batches} == {"state"}
        await c.shows("Campus (02)")


async def test_another_district_lists_its_own_results(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        c.complete(1, {"District": Counts(processed=77, unchanged=77)})
        await c.press("escape")
        await c.until(lambda: " 77 " in c.line("▼District"))
        await c.press("D", "u", "down", "enter")
        await c.shows("District: Campus (02)")
        await c.until(lambda: " 77 " not in c.line("▼District"))


async def test_select_districts_filters_long_lists(console: Opener) -> None:
    many = [DistrictSettings(f"{n:03}", f"District{n}", "sqlite:///d.db") for n in range(300)]
    async with console(districts=many) as c:
        await c.press("D", "slash", *"District29", "enter")
        await c.shows("District299 (299)")
        assert "District30 (030)" not in c.text
        await c.press("u", "a", "enter")
        assert len(c.app.session.picked) == 12  # District29, District290 to 299, and the one picked before


async def test_leaving_and_coming_back_shows_the_running_batch(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        c.store.claim(1)
        c.store.moves(1, "District", 30, 100, Counts(processed=30, unchanged=30))
        await c.press("escape")
        await c.press("p")
        await c.shows("30/100")
    async with console(store=c.store) as again:
        await again.shows("1 running")
        await again.press("p")
        await again.shows("30/100")
        assert "RUNNING" in again.lines[0]
        assert "Agent alive 0s ago on app01" in again.text


async def test_progress_grows_and_tells_the_pace_and_what_waits(console: Opener) -> None:
    async with console((120, 40)) as c:
        await c.go("School")
        await sent(c, "space")
        c.store.claim(1)
        for done in (0, 200, 400):
            c.store.moves(1, "District", 1000, 1000, Counts(processed=done, unchanged=done))
            await c.shows(f"{done:,}/1,000")
            assert c.line(" District ").startswith("○")
            c.clock.move(1)
        c.store.moves(1, "District", 1000, 1000, Counts(processed=400, unchanged=398, rejected=2))
        await c.until(lambda: " 2 " in c.line(" District "))
        assert "after District" in c.line(" School ")
        assert "00:00:0" in c.line(" District ")
        await c.shows("Errors: 2")


async def test_a_silent_agent_shows_since_when_and_how_to_start_one(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        c.store.claim(1)
        since = c.clock.now.astimezone().strftime("%H:%M:%S")
        await c.shows("Agent alive")
        c.store.falls_silent()
        c.clock.move(90)
        await c.shows(f"has not been heard of since {since}")
        await c.shows("resync-tui agent")


async def test_where_no_agent_could_be_started_the_line_says_how_to(console: Opener) -> None:
    async with console(start="systemctl start resync-tui-agent") as c:
        await sent(c, "space")
        await c.shows("systemctl start resync-tui-agent")


async def test_only_y_cancels_a_batch(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        c.store.claim(1)
        await c.shows("RUNNING")
        await c.press("x", "x")
        assert not c.batches[0].cancel_requested
        await c.press("x", "y")
        await c.shows("CANCELLING")
        assert c.batches[0].cancelled_by == "jdoe"
        c.store.finishes(1, Status.CANCELLED)
        await c.shows("Cancelled by jdoe")
        await c.press("x")
        await c.shows("nothing to cancel")


async def test_a_failed_batch_says_why(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        c.store.claim(1)
        text = "Table District is missing in the state. Run: resync-tui state init -d 01"
        c.store.ends(1, "District", Counts(), Status.FAILED, text)
        c.store.finishes(1, Status.FAILED)
        await c.shows("FAILED")
        assert c.line(" District ").startswith("■")
        assert text in " ".join(line.strip() for line in c.lines)


async def test_errors_are_grouped_by_reason_and_open_into_keys(console: Opener) -> None:
    async with console() as c:
        await c.go("School")
        await sent(c, "space")
        groups = [
            ErrorGroup("District", "District", Kind.REJECTED, "name is too long", 1),
            ErrorGroup("School", "School", Kind.EXCLUDED, "State-excluded school", 1234),
        ]
        keys = [
            ErrorRecord("School", "School", {"schoolID": n}, Kind.EXCLUDED, "State-excluded school") for n in (7, 8)
        ]
        c.store.refuses(1, groups[0], [])
        c.store.refuses(1, groups[1], keys)
        c.complete(1)
        await c.shows("COMPLETED")
        await c.press("e")
        await c.until(lambda: isinstance(c.app.screen, ErrorsPage))
        await c.shows("1,235 records refused")
        await c.press("end")
        await c.shows("excluded: by its own rule")
        await c.press("enter")
        await c.shows("schoolID 7")
        await c.shows("2 of 1,234 listed")
        await c.press("escape", "escape", "escape")
        await c.shows("DIS Objects")
        await c.shows("●   ok")
        await c.go("District")
        await c.press("e")
        await c.shows("name is too long")
        assert "State-excluded school" not in c.text


async def test_errors_of_an_object_never_resynced_are_not_asked_for(console: Opener) -> None:
    async with console() as c:
        await c.press("e")
        assert "has not been resynced yet" in c.text


async def test_history_opens_one_batch(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        c.complete(1)
        await c.press("escape")
        await c.press("space", "s", "y")
        await c.sent(2)
        await c.press("H")
        await c.shows("#2")
        rows = [line for line in c.lines if line.startswith("#")]
        assert [row.split()[0] for row in rows] == ["#2", "#1"]
        assert "queued" in rows[0]
        assert "● completed" in rows[1]
        await c.press("down", "enter")
        await c.shows("Batch #1 ")


async def test_the_agent_queue_shows_agents_and_what_waits(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        c.store.claim(1)
        await c.press("A")
        await c.shows("app01:4711")
        assert "alive" in c.line("app01:4711")
        await c.until(lambda: "1 running" in c.lines[0])
        assert any(line.startswith("#1 ") and "Abbott (01)" in line for line in c.lines)


@SIZES
async def test_a_lost_control_database_shows_one_line_and_comes_back(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("space")
        c.store.trouble = CannotRun("Cannot reach the control database: connection refused", "Check the network.")
        await c.shows("Cannot reach the control database")
        await c.shows("Trying again. Check the network.")
        await c.press("s")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))
        await c.press("H", "escape", "p")
        c.store.trouble = None
        await c.until(lambda: "Cannot reach" not in c.text)
        await c.press("s", "y")
        await c.sent()


async def test_a_control_database_that_opens_late_is_waited_for(console: Opener) -> None:
    store = fake_store.MemoryStore(fake_store.Clock())
    store.trouble = CannotRun("The control database is of a newer version", "Install a newer resync-tui.")
    async with console(store=store) as c:
        await c.shows("newer version")
        store.trouble = None
        await c.until(lambda: c.app.session.ready)
        await c.until(lambda: "newer version" not in c.text)


async def test_what_cannot_be_sent_says_why_and_keeps_the_marks(
    console: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console() as c:

        async def refused(*_: object, **__: object) -> list[object]:
            raise CannotRun("The disk is full: the control database", "Free some space.")

        monkeypatch.setattr(c.store, "submit", refused)
        await c.press("space", "s", "y")
        await c.shows("The disk is full: the control database. Free some space.")
        page = c.app.screen
        assert isinstance(page, ChecklistPage)
        assert page.marks.chosen == {"District"}


async def test_quitting_closes_the_control_database_without_cancelling(console: Opener) -> None:
    async with console() as c:
        await sent(c, "space")
        await c.press("q")
    assert c.store.closed
    assert c.batches[0].status is Status.QUEUED


async def test_quitting_lets_a_running_control_query_finish(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended, broken = anyio.Event(), anyio.Event(), []
    async with console() as c:
        answer = c.store.changes

        async def slow() -> int:
            begun.set()
            try:
                await anyio.sleep(0.3)
            except BaseException:
                broken.append(True)
                raise
            ended.set()
            return await answer()

        monkeypatch.setattr(c.store, "changes", slow)
        await c.until(begun.is_set)
        await c.press("q")
    assert ended.is_set()
    assert not broken
    assert c.store.closed


async def test_batch_sent_before_control_is_open_goes_out_when_it_is(
    console: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = anyio.Event()
    present = fake_store.MemoryStore.present

    async def slow(store: fake_store.MemoryStore) -> Present:
        await opened.wait()
        return await present(store)

    monkeypatch.setattr(fake_store.MemoryStore, "present", slow)
    async with console(waits=False) as c:
        await c.press("space", "s", "y")
        await c.shows("Sending")
        opened.set()
        await c.sent()
        await c.until(lambda: isinstance(c.app.screen, ProgressPage))
