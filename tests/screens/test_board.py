"""The board, rights, what is due, and the words of each edition."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from resync_tui.config.settings import DistrictSettings, StateSettings, YearSettings
from resync_tui.outcome import Counts, Status
from resync_tui.rights import Rights
from resync_tui.screens.board import BoardPage
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.confirm import Question
from tests.support.screens import fake_store
from tests.support.screens.console import Console, Opener

MANY = [DistrictSettings(f"{n:02}", f"District{n}", "sqlite:///d.db") for n in range(1, 6)]


def shown(c: Console) -> list[str]:
    screen = c.app.screen
    assert isinstance(screen, BoardPage)
    return [row.key for row in screen.rows().values]


async def campaign(c: Console) -> None:
    """A full resync of 01 is done, of 02 failed, of 03 waits; 04 and 05 were not asked."""
    await c.press("D", "u", "space", "down", "space", "down", "space", "enter", "a", "s", *"full resync 3", "enter")
    await c.sent(3)
    c.complete(1, {"School": Counts(processed=5, unchanged=4, rejected=1)})
    c.store.claim(2)
    c.store.finishes(2, Status.FAILED, "District 02 cannot be reached")
    await c.press("escape", "B")
    await c.shows("1 done")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_board_tells_who_is_done_failing_waiting_and_not_yet(
    console: Opener, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with console(size, districts=MANY) as c:
        await campaign(c)
        assert "1 done  0 running  1 failing  1 waiting  2 not yet" in c.lines[0]
        await c.shows("4 of 5 districts lack a full resync since 2025-07-01")
        assert "failing" in c.line("District2 (02)")
        await c.press("o")
        assert shown(c) == ["02", "03", "04", "05"]
        await c.press("o", "o", "o")
        assert shown(c) == ["02"]
        await c.shows("District 02 cannot be reached")
        await c.press("o", "o", "o", "w")
        await c.until(lambda: (tmp_path / "resync-board-2026.csv").exists())
        rows = list(csv.DictReader((tmp_path / "resync-board-2026.csv").read_text().splitlines()))
        assert [row["standing"] for row in rows] == ["done", "failing", "waiting", "not yet", "not yet"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_partial_run_does_not_cover_what_the_full_one_came_to(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("a", "s", "y")
        await c.sent()
        c.complete(1, {"School": Counts(processed=5, unchanged=4, rejected=1)})
        await c.press("O", "u", "space", "s", "y")
        await c.sent(2)
        c.complete(2)
        await c.press("O", "B")
        await c.shows("done    ■ ")
        assert "● done    ■ " in c.line("(01)")
        assert c.line("(01)").rstrip().endswith("#2")


async def test_failed_districts_are_asked_again_after_a_question(console: Opener) -> None:
    async with console(districts=MANY) as c:
        await campaign(c)
        await c.press("r", "enter")
        assert len(c.batches) == 3
        await c.press("r", "y")
        await c.sent(4)
        assert c.batches[3].district == "02"


async def test_the_board_is_the_states_alone(console: Opener) -> None:
    async with console(edition="district", districts=MANY[:1]) as c:
        await c.press("B")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))
        assert "Board" not in c.text


async def test_who_may_only_look_sees_which_keys_are_closed_and_why(console: Opener) -> None:
    store = fake_store.MemoryStore(fake_store.Clock())
    store.rights = Rights(read=True, write=False, user="campus")
    async with console(store=store) as c:
        await c.shows("read only")
        for key in ("(Spc Mark)", "(a All)", "(d Deps)", "(s Request Resync)", "(v Compare)"):
            await c.shows(key)
        assert "(e Errors)" not in c.text
        for key in ("space", "a", "d", "s", "v"):
            await c.press(key)
            await c.shows("campus may look here, but neither send nor cancel")
            await c.press("down")
        page = c.app.screen
        assert isinstance(page, ChecklistPage)
        assert not page.marks.chosen
        assert c.batches == []
        await c.press("H")
        await c.shows("Nothing has been sent yet")


async def test_who_may_only_look_cannot_cancel_nor_retry(console: Opener) -> None:
    async with console() as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.store.claim(1)
        c.store.rights = Rights(read=True, write=False, user="campus")
        await c.shows("RUNNING")
        await c.press("x")
        assert not isinstance(c.app.screen, Question)
        await c.shows("campus may look here")
        await c.press("r")
        assert not isinstance(c.app.screen, Question)


async def test_checklist_names_the_due_full_resync_until_it_completed(
    console: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    years = YearSettings(2026, opens=date(2025, 8, 1), closes=date(2026, 6, 30))
    plain_settings = fake_store.settings
    monkeypatch.setattr(fake_store, "settings", lambda **chosen: replace(plain_settings(**chosen), years=years))
    async with console() as c:
        await c.shows("Full resync due since 2025-08-01: Start of school year. Last full one: never")
        await c.press("a", "s", "y")
        await c.sent()
        assert c.batches[0].reason == "Start of school year"
        c.complete(1)
        await c.shows("COMPLETED")
        await c.press("escape")
        await c.until(lambda: "Full resync due" not in c.text)


async def test_a_regional_edition_says_region(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    regional = StateSettings("NV", "sqlite:///state.db", kind="regional")
    plain_settings = fake_store.settings
    monkeypatch.setattr(fake_store, "settings", lambda **chosen: replace(plain_settings(**chosen), state=regional))
    async with console((120, 40)) as c:
        await c.shows("Regional Edition")
        await c.press("space", "v", "y")
        await c.sent()
        c.complete(1)
        await c.shows("COMPLETED")
        await c.press("f")
        await c.shows("the region has every record")
