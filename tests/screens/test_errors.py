"""Errors: failures apart from excluded records, what is new, files, and a retry of just what failed."""

import csv
import os
from pathlib import Path

import pytest

from resync_tui.outcome import Counts, Kind, Status
from resync_tui.results import ErrorGroup, ErrorRecord
from resync_tui.screens.confirm import Question, TypedQuestion
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.keys import KeysPage
from resync_tui.screens.previous_run import ComparePage
from tests.support.screens.console import Console, Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])
EXCLUDED = ErrorGroup("School", "School", Kind.EXCLUDED, "State-excluded school", 3)
REJECTED = ErrorGroup("School", "School", Kind.REJECTED, "name is too long", 2)


def keys(group: ErrorGroup, *numbers: int) -> list[ErrorRecord]:
    return [ErrorRecord(group.object, group.table, {"schoolID": n}, group.kind, group.reason) for n in numbers]


async def two_runs(c: Console) -> None:
    """Send School with what it depends on twice: the second time one more record is excluded, and two are rejected."""
    for number in (1, 2):
        await c.go("School")
        await c.press("space", "s", "y")
        await c.sent(number)
        counts = Counts(processed=100, unchanged=98, excluded=2)
        if number == 2:
            counts = Counts(processed=103, unchanged=98, excluded=3, rejected=2)
        c.store.refuses(number, EXCLUDED if number == 2 else ErrorGroup("School", "School", Kind.EXCLUDED,
                        "State-excluded school", 2), keys(EXCLUDED, 7, 8, 9)[: number + 1])  # fmt: skip
        if number == 2:
            c.store.refuses(2, REJECTED, keys(REJECTED, 5, 6))
        c.complete(number, {"School": counts})
        await c.shows("COMPLETED")
        if number == 1:
            await c.press("escape")


MANY = ErrorGroup("Calendar", "Calendar", Kind.REJECTED, "startDate is missing", 10_000)


async def test_errors_are_filtered_by_object_kind_and_text(console: Opener) -> None:
    async with console() as c:
        await two_runs(c)
        c.store.refuses(2, MANY, [ErrorRecord("Calendar", "Calendar", {"calendarID": n}, Kind.REJECTED, MANY.reason)
                                  for n in range(10_000)])  # fmt: skip
        await c.press("e")
        await c.shows("10,005 records refused")
        for text, has, lacks in (
            ("calendar", MANY.reason, REJECTED.reason),
            ("too long", REJECTED.reason, MANY.reason),
            ("calendarid 9999", MANY.reason, REJECTED.reason),
        ):
            await c.press("slash", *("space" if each == " " else each for each in text))
            await c.until(lambda: has in c.text and lacks not in c.text)  # noqa: B023
            await c.shows(f"Filter: {text}")
            await c.press("escape")
            await c.shows("10,005 records refused")
        await c.press("o")
        await c.until(lambda: "Filter: excluded" in c.text and MANY.reason not in c.text)
        await c.shows(EXCLUDED.reason)
        await c.press("slash", *"zzz")
        await c.shows("No refused record is like that. Esc clears the filters.")
        await c.press("escape", "escape")
        await c.until(lambda: not isinstance(c.app.screen, ErrorsPage))


async def test_keys_are_filtered_by_a_part(console: Opener) -> None:
    async with console() as c:
        await two_runs(c)
        await c.press("e", "enter")
        await c.shows("schoolID 6")
        await c.press("slash", *"id", "space", "5", "enter")
        await c.shows("1 of 2 listed")
        assert "schoolID 6" not in c.text
        await c.press("slash", "x")
        await c.shows("No key is like that. Esc clears the filter.")
        await c.press("escape", "escape")
        await c.until(lambda: isinstance(c.app.screen, ErrorsPage))


@SIZES
async def test_failures_come_before_excluded_and_new_ones_are_marked(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await two_runs(c)
        await c.press("e")
        await c.shows("5 records refused: 2 failed, 3 excluded")
        order = [c.text.index(part) for part in ("Failures:", "rejected", "Excluded:", "State-excluded school")]
        assert order == sorted(order)
        assert "+2" in c.line("name is too long")
        assert "+1" in c.line("State-excluded school")
        await c.shows("schoolID 5; schoolID 6")
        await c.press("end", "enter")
        await c.until(lambda: isinstance(c.app.screen, KeysPage))
        await c.shows("schoolID 9")
        assert c.line("schoolID 9").startswith("new ")
        assert c.line("schoolID 8").startswith("    ")


async def test_errors_are_written_into_a_file_of_the_users_own(
    console: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with console() as c:
        await two_runs(c)
        await c.press("e")
        await c.shows("5 records refused")
        await c.press("w")
        await c.shows("5 rows written to")
        file = tmp_path / "resync-2-errors.csv"
        rows = list(csv.reader(file.read_text().splitlines()))
        assert rows[0] == ["kind", "object", "table", "reason", "key"]
        assert ["rejected", "School", "School", "name is too long", "schoolID 5"] in rows
        assert len(rows) == 6
        assert file.stat().st_mode & 0o777 == 0o600
        await c.press("w")
        await c.shows("written to")
        await c.until(lambda: (tmp_path / "resync-2-errors-2.csv").exists())


async def test_copy_goes_home_where_the_folder_cannot_be_written(
    console: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    async with console() as c:
        await c.press("c")
        await c.until(lambda: (tmp_path / "home" / "resync-copy.txt").exists())
        text = (tmp_path / "home" / "resync-copy.txt").read_text()
        assert "DIS Objects" in text
        assert "Enrollment" in text
        assert c.app.clipboard == text


async def test_a_retry_sends_just_what_failed_and_asks_before(console: Opener) -> None:
    async with console() as c:
        await two_runs(c)
        await c.press("e")
        await c.shows("2 failed")
        await c.press("r")
        await c.until(lambda: isinstance(c.app.screen, Question))
        await c.shows("1 [x] School")
        assert "in sync" in c.line("District ")
        await c.press("enter")
        assert len(c.batches) == 2
        await c.until(lambda: isinstance(c.app.screen, ErrorsPage))
        await c.press("r")
        await c.until(lambda: isinstance(c.app.screen, Question))
        await c.press("y")
        await c.sent(3)
        assert [each.object for each in c.batches[2].objects] == ["School"]


@SIZES
async def test_what_follows_from_exclusions_is_no_failure(console: Opener, size: tuple[int, int]) -> None:
    follows = ErrorGroup("Calendar", "Calendar", Kind.BLOCKED, "its School record did not reach the state", 4, True)
    async with console(size) as c:
        await c.go("Calendar")
        await c.press("space", "s", "y")
        await c.sent()
        c.store.refuses(1, EXCLUDED, keys(EXCLUDED, 7, 8, 9))
        c.store.refuses(1, follows, keys(follows, 1, 2, 3, 4))
        behind = Counts(processed=9, unchanged=5, blocked=4, behind_exclusion=4)
        c.complete(1, {"School": Counts(processed=9, unchanged=6, excluded=3), "Calendar": behind})
        await c.shows("COMPLETED")
        await c.press("e")
        await c.shows("0 failed, 3 excluded, 4 follow")
        assert "Failures:" not in c.text
        await c.shows("Follows from exclusions: nothing to mend (4 records)")
        await c.press("end")
        await c.shows("blocked: a rule excludes what it needs. There is nothing to mend.")
        await c.press("r")
        await c.shows("Nothing failed here")


async def test_nothing_to_retry_where_only_excluded_records_are_left(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1, {"District": Counts(processed=5, unchanged=4, excluded=1)})
        await c.shows("COMPLETED")
        await c.press("r")
        await c.shows("Nothing failed here")


async def test_what_was_skipped_or_failed_whole_is_sent_again(console: Opener) -> None:
    async with console() as c:
        await c.go("Calendar")
        await c.press("space", "s", "y")
        await c.sent()
        c.store.claim(1)
        c.store.ends(1, "District", Counts(processed=1, unchanged=1))
        c.store.ends(1, "School", Counts(), Status.FAILED, "Table School is missing")
        c.store.ends(1, "Calendar", Counts(), Status.SKIPPED)
        c.store.finishes(1, Status.FAILED)
        await c.shows("FAILED")
        await c.press("r")
        await c.until(lambda: isinstance(c.app.screen, Question))
        await c.press("y")
        await c.sent(2)
        assert [each.object for each in c.batches[1].objects] == ["School", "Calendar"]


@SIZES
async def test_a_batch_beside_the_run_before_shows_the_differences(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await two_runs(c)
        await c.press("b")
        await c.until(lambda: isinstance(c.app.screen, ComparePage))
        await c.shows("3 errors more, 0 fewer")
        assert c.line(" School ").split()[2:6] == ["103", "+3", "5", "+3"]
        assert "#1 " in c.line(" School ")
        assert c.line(" District ").split()[2:6] == ["5", "=", "0", "="]


async def test_the_confirmation_tells_what_the_last_run_took(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s")
        await c.shows("no partial resync of these has completed")
        await c.press("y")
        await c.sent()
        c.store.claim(1)
        c.store.moves(1, "District", 0, 1234, Counts())
        c.clock.move(462)
        c.store.ends(1, "District", Counts(processed=1234, unchanged=1234))
        c.store.finishes(1)
        await c.shows("COMPLETED")
        await c.press("escape")
        await c.shows("1234")
        await c.press("space", "s")
        await c.shows("1,234 records expected; the last partial resync took 7m42s.")


async def test_a_full_resync_of_several_districts_is_typed_out(console: Opener) -> None:
    async with console() as c:
        await c.press("D", "a", "enter", "a", "s")
        await c.until(lambda: isinstance(c.app.screen, TypedQuestion))
        await c.press("y", "enter")
        assert c.batches == []
        await c.press("s", *"full resync 2", "escape")
        assert c.batches == []
        await c.press("s", *"full resync 2", "enter")
        await c.sent(2)
        assert [batch.full for batch in c.batches] == [True, True]
