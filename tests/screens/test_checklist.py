"""The checklist: marks, folds, filter, and what stands in its columns."""

import pytest
from textual.binding import Binding

from resync_tui.config.settings import DistrictSettings
from resync_tui.outcome import Counts, Status
from resync_tui.screens import keymap
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.filtering import FilteringPage
from resync_tui.screens.marking import MarkingPage
from resync_tui.screens.marks import Mark
from tests.support.screens.console import Console, Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])
ABOVE_ENROLLMENT = {"District", "School", "Calendar", "ScheduleStructure", "StructureGradeLevel", "PersonIdentity"}


def page(console: Console) -> ChecklistPage:
    assert isinstance(console.app.screen, ChecklistPage)
    return console.app.screen


def under(console: Console) -> str:
    current = page(console).rows().current
    return current.key if current else ""


def shown(console: Console, mark: Mark) -> set[str]:
    return {row.key for row in page(console).rows().values if row.mark is mark}


@SIZES
async def test_it_shows_the_documents_words_and_every_line_fits(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        for word in ("District: Abbott (01)", "Year: 2025-26 current", "Check dependencies ON", "DIS Objects"):
            await c.shows(word)
        for word in ("Last Resync", "Results", "Status", "Legend", "Request Resync", "Subscribed Data Elements"):
            await c.shows(word)
        await c.shows("Select Districts")
        assert len(c.lines) == size[1]
        assert all(len(line) <= size[0] for line in c.lines)


async def test_a_district_sends_and_a_state_requests(console: Opener) -> None:
    async with console(edition="district", districts=[DistrictSettings("01", "Abbott", "sqlite:///a.db")]) as c:
        await c.shows("Send Resync")
        assert "Request Resync" not in c.text
        assert "Select Districts" not in c.text


@SIZES
async def test_marking_enrollment_marks_exactly_its_ancestors(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.go("Enrollment")
        await c.press("space")
        assert shown(c, Mark.CHOSEN) == {"Enrollment"}
        assert shown(c, Mark.REQUIRED) == ABOVE_ENROLLMENT
        await c.shows("1 marked + 6 required")
        assert c.line("▼Enrollment").startswith("[x]") or c.line("▼ Enrollment").startswith("[x]")
        await c.press("g")
        assert c.line("▼District" if size[0] < 100 else "▼ District").startswith("[+]")
        await c.shows("District is required by Enrollment > ")


async def test_unmarking_releases_what_is_no_longer_required(console: Opener) -> None:
    async with console() as c:
        await c.go("Enrollment")
        await c.press("space")
        await c.go("CourseSection")
        await c.press("space")
        await c.go("Enrollment")
        await c.press("space")
        assert shown(c, Mark.CHOSEN) == {"CourseSection"}
        assert shown(c, Mark.REQUIRED) == {"District", "School", "Calendar"}


async def test_check_dependencies_folds_and_filters_keep_chosen_marks(console: Opener) -> None:
    async with console() as c:
        await c.go("Enrollment")
        await c.press("space")
        await c.press("d")
        await c.shows("Check dependencies OFF  1 marked + 0 required")
        await c.press("d", "g", "left", "slash", *"course", "enter")
        assert page(c).marks.chosen == {"Enrollment"}
        assert shown(c, Mark.REQUIRED) == ABOVE_ENROLLMENT
        assert shown(c, Mark.CHOSEN) == set()
        await c.press("escape", "g", "right")
        assert shown(c, Mark.CHOSEN) == {"Enrollment"}
        assert shown(c, Mark.REQUIRED) == ABOVE_ENROLLMENT


async def test_folding_hides_descendants_and_unfolding_restores_them(console: Opener) -> None:
    async with console() as c:
        every = len(page(c).rows().values)
        await c.press("h")
        assert [row.key for row in page(c).rows().values] == ["District", "CourseCode"]
        await c.shows("►District")
        await c.press("l")
        assert len(page(c).rows().values) == every


async def test_left_on_a_leaf_goes_up_and_right_goes_down(console: Opener) -> None:
    async with console() as c:
        await c.go("AttendanceExcuse")
        await c.press("left")
        assert under(c) == "Calendar"
        await c.press("right")
        assert under(c) == "AttendanceExcuse"


async def test_n_goes_from_match_to_match_around_the_end(console: Opener) -> None:
    async with console() as c:
        await c.press("slash", *"employment", "enter")
        first = under(c)
        await c.press("n")
        assert under(c) != first
        await c.press("N")
        assert under(c) == first
        await c.press("n", "n", "n", "n")
        assert under(c) == first


async def test_a_filter_without_a_match_says_so(console: Opener) -> None:
    async with console() as c:
        await c.press("slash", *"zzz", "enter")
        await c.shows("No DIS object has such a name")
        await c.press("space", "enter", "e", "escape")
        await c.shows("▼District")


async def test_all_marks_everything_and_none_lets_it_go(console: Opener) -> None:
    async with console() as c:
        await c.press("a")
        await c.shows("all 49 marked: full resync")
        await c.press("u")
        await c.shows("0 marked + 0 required")


async def test_the_four_colours_are_told_apart_by_shape(console: Opener) -> None:
    async with console() as c:
        await c.go("Calendar")
        await c.press("space", "s", "y")
        await c.sent()
        results = {
            "District": Counts(processed=100, unchanged=100),
            "School": Counts(processed=1000, unchanged=990, rejected=10),
            "Calendar": Counts(processed=100_000, unchanged=98_999, rejected=1001),
        }
        c.complete(1, results)
        await c.press("escape")
        await c.shows(" 1001 ■")
        assert c.line("▼District").rstrip().endswith("●   ok")
        assert c.line("▼School").rstrip().endswith("▲ 1.0%")
        assert c.line("▼Calendar").rstrip().endswith("■  >1%")
        assert c.line("▼District").split()[-4:] == ["100", "0", "●", "ok"]


async def test_a_running_object_is_gray_and_says_since_when(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.store.claim(1)
        c.store.moves(1, "District", 50, 100, Counts(processed=50, unchanged=50))
        c.clock.move(42)
        await c.press("escape")
        await c.shows("running 42s")
        assert c.line("▼District").rstrip().endswith("○  50%")
        await c.until(lambda: "1 running" in c.lines[0])


RAN = Counts(processed=900, unchanged=891, rejected=9)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)], ids=["60x15", "80x24", "120x40"])
@pytest.mark.parametrize(("ends", "status"), [(None, "○  50%"), (Status.CANCELLED, "· canc")])
async def test_results_stay_until_the_next_ones_are_there(
    console: Opener, size: tuple[int, int], ends: Status | None, status: str
) -> None:
    async with console(size) as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1, {"District": RAN})
        started = c.clock.now.astimezone().strftime("%Y-%m-%d %H:%M")
        c.clock.move(7200)
        await c.press("escape", "space", "s", "y")
        await c.sent(2)
        c.store.claim(2)
        c.store.moves(2, "District", 50, 100, Counts(processed=50, unchanged=50))
        if ends:
            c.store.ends(2, "District", Counts(processed=50, unchanged=50), ends)
            c.store.finishes(2, ends)
        await c.press("O")
        await c.until(lambda: c.line("District  ").split("│")[0].rstrip().endswith(status))
        row = c.line("District  ").split("│")[0]
        assert started in row
        assert [word for word in row.split() if word.isdigit()] == ["900", "9"]
        await c.press("enter")
        await c.shows("Batch #2")
        await c.press(*["down"] * 11)
        await c.shows("Batch #1")


@pytest.mark.parametrize(("width", "seconds", "named"), [(120, True, True), (90, False, True), (80, False, False)])
async def test_seconds_give_way_before_the_names_of_counts(
    console: Opener, width: int, seconds: bool, named: bool
) -> None:
    async with console((width, 24)) as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1)
        at = c.clock.now.astimezone()
        await c.press("O")
        await c.until(lambda: f"{at:%Y-%m-%d %H:%M}" in c.line("District  "))
        row = c.line("District  ")
        assert (f"{at:%H:%M:%S}" in row) is seconds
        assert ("Processed:" in row) is named


async def test_last_resync_is_when_it_was_started(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1)
        started = c.clock.now.astimezone().strftime("%Y-%m-%d %H:%M")
        c.clock.move(7200)
        await c.press("escape")
        await c.until(lambda: started in c.line("▼District"))


async def test_the_detail_lists_parents_children_and_counts_by_kind(console: Opener) -> None:
    async with console((120, 40)) as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1, {"District": Counts(processed=9, inserted=1, updated=2, unchanged=3, excluded=3)})
        await c.press("escape")
        await c.shows("Processed:     9")
        await c.press("enter")
        await c.shows("Children")
        assert "no parent dependencies" in c.line("Parents")
        assert "School*" in c.text
        assert c.line("inserted").split()[-2:-1] == ["1"]
        assert c.line("excluded").split()[-2:-1] == ["3"]
        await c.press("escape")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))


async def test_the_catalogs_hint_is_shown_when_the_object_is_marked(console: Opener) -> None:
    async with console() as c:
        await c.go("AttDayAggregation")
        assert "Attendance Aggregation Refresh" not in c.text
        await c.press("space")
        await c.shows("Attendance Aggregation Refresh")


async def test_the_legend_and_the_help_open_and_close(console: Opener) -> None:
    async with console() as c:
        await c.press("L")
        await c.shows("completed with errors ≤ 1.0 %")
        await c.press("L")
        await c.press("question_mark")
        await c.shows("Mark or unmark the object")
        await c.press("escape")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))


async def test_every_action_stands_in_the_help_with_its_key(console: Opener) -> None:
    async with console((120, 60)) as c:
        await c.press("question_mark")
        await c.shows("Help and leaving")
        all_bindings = [*FilteringPage.BINDINGS, *MarkingPage.BINDINGS, *ChecklistPage.BINDINGS, *ResyncApp.BINDINGS]
        bindings = [each for each in all_bindings if isinstance(each, Binding) and each.show]
        actions = {each.action for each in bindings}
        meanings = [each for each in keymap.TABLE if each.actions & actions]
        assert actions <= frozenset[str]().union(*(each.actions for each in meanings))
        for each in meanings:
            key = keymap.name_of(each.keys[0])
            rows = [line for line in c.lines if key in line.partition("│")[2].split()[:1]]
            words = [each.meaning, *(own.description for own in bindings if own.action in each.actions)]
            assert any(text in line for line in rows for text in words), words


async def test_every_key_of_the_key_bar_does_something(console: Opener) -> None:
    async with console() as c:
        bound = set(page(c).active_bindings)
        names = {"Spc": "space", "/": "slash", "Enter": "enter", "?": "question_mark", "!": "exclamation_mark"}
        for key, _ in page(c).bar_keys():
            assert names.get(key, key) in bound


async def test_year_cannot_be_chosen_where_it_is_not_configured(console: Opener) -> None:
    async with console() as c:
        await c.press("Y")
        await c.shows("configured for the current school year only")


async def test_a_previous_year_lists_only_what_is_configured_for_it(console: Opener) -> None:
    here = DistrictSettings("01", "Abbott", "sqlite:///a.db", previous=("Calendar", "CourseSection"))
    async with console(edition="district", districts=[here]) as c:
        await c.go("Enrollment")
        await c.press("space", "Y", "up", "enter")
        await c.shows("Year: 2024-25")
        assert {row.key for row in page(c).rows().values} == {"Calendar", "CourseSection"}
        assert page(c).marks.chosen == set()


ABBOTT = DistrictSettings("01", "Abbott", "sqlite:///a.db", previous=("Calendar", "CourseSection"))
CAMPUS = DistrictSettings("02", "Campus", "sqlite:///b.db")
PARTLY = DistrictSettings("02", "Campus", "sqlite:///b.db", previous=("CourseSection",))
LACKS = "District 02 is not configured for"


async def test_a_year_is_refused_where_a_picked_district_lacks_it(console: Opener) -> None:
    async with console(edition="state", districts=[ABBOTT, CAMPUS]) as c:
        await c.press("D", "a", "enter", "Y", "up", "enter")
        await c.shows(LACKS)
        assert (c.app.session.year, c.app.session.picked) == (2026, ("01", "02"))


async def test_districts_are_refused_where_one_lacks_the_year(console: Opener) -> None:
    async with console(edition="state", districts=[ABBOTT, CAMPUS]) as c:
        await c.press("Y", "up", "enter", "D", "a", "enter")
        await c.shows(LACKS)
        assert (c.app.session.year, c.app.session.picked) == (2025, ("01",))


async def test_nothing_is_asked_if_a_district_lacks_a_marked_object(console: Opener) -> None:
    async with console(edition="state", districts=[ABBOTT, PARTLY]) as c:
        await c.press("D", "a", "enter", "Y", "up", "enter")
        await c.shows("Year: 2024-25")
        await c.go("Calendar")
        await c.press("space", "s")
        await c.shows("District 02 is not configured for Calendar")
        assert isinstance(c.app.screen, ChecklistPage)
        assert not c.batches


async def test_the_palette_runs_any_action_of_the_screen(console: Opener) -> None:
    async with console() as c:
        await c.press("colon", *"full resync")
        await c.until(lambda: "Mark all: a full resync" in c.text)
        await c.press("enter")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))
        await c.until(lambda: page(c).marks.full)


async def test_leaving_the_filter_says_why_again(console: Opener) -> None:
    async with console() as c:
        await c.press("slash", *"roster", "enter", "escape")
        assert under(c) == "Roster"
        await c.shows("Roster needs Enrollment")


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)], ids=["60x15", "80x24", "120x40"])
async def test_of_several_districts_the_worst_is_listed(console: Opener, size: tuple[int, int]) -> None:
    three = [DistrictSettings(f"0{n}", f"District {n}", f"sqlite:///{n}.db") for n in (1, 2, 3)]
    async with console(size, districts=three) as c:
        await c.press("D", "a", "enter", "space", "s", "y")
        await c.sent(3)
        for number, counts in ((1, Counts(processed=9, unchanged=9)), (2, Counts(processed=8, rejected=8))):
            c.store.claim(number)
            c.store.ends(number, "District", counts)
            c.store.finishes(number)
        await c.press("escape")
        await c.until(lambda: c.line("District  ").split("│")[0].rstrip().endswith("■ 100%"))
        await c.shows("Worst of 3 districts: District 2 (02)")
        await c.press("e")
        await c.until(lambda: isinstance(c.app.screen, ErrorsPage) and "#2" in c.text)
        await c.press("escape")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))
        await c.press("D", "u", "space", "enter")
        await c.until(lambda: c.line("District  ").split("│")[0].rstrip().endswith("●   ok"))
        assert "Worst of" not in c.text
