"""History with its filters, the Agent Log, and how the end of a request is told."""

from pathlib import Path

import pytest

from resync_tui.agent.log import AgentLog
from resync_tui.outcome import Counts, Status
from resync_tui.plan import Request
from resync_tui.results import Batch
from resync_tui.screens.agents import AgentLogPage, for_district
from resync_tui.screens.history import HistoryPage
from tests.support.screens.console import Console, Opener


async def several(c: Console) -> None:
    """Two districts, one with errors; then one that failed and one that is queued."""
    await c.press("D", "a", "enter", "space", "s", "y")
    await c.sent(2)
    c.complete(1)
    c.complete(2, {"District": Counts(processed=5, unchanged=4, rejected=1)})
    for number in (2, 3):
        await c.press("escape", "escape", "space", "s", "y")
        await c.sent(2 * number)
    c.store.claim(3)
    c.store.finishes(3, Status.FAILED, "Cannot reach the district")
    await c.press("escape", "escape", "H")
    await c.until(lambda: isinstance(c.app.screen, HistoryPage))
    await c.shows("6 batches")


def listed(c: Console) -> list[str]:
    return [line.split()[0] for line in c.lines if line.startswith("#")]


async def test_history_is_narrowed_by_district_and_by_outcome(console: Opener) -> None:
    async with console() as c:
        await several(c)
        await c.press("slash", *"campus", "enter")
        assert listed(c) == ["#6", "#4", "#2"]
        await c.until(lambda: "Filter: campus" in c.lines[0])
        await c.press("o")
        assert listed(c) == ["#6", "#4"]
        await c.press("o", "o")
        assert listed(c) == ["#2"]
        await c.press("escape")
        assert listed(c) == []
        assert sum("2 districts" in line for line in c.lines) == 3
        await c.press("o", "o", "o", "o")
        assert listed(c) == ["#3"]
        await c.shows("Cannot reach the district")
        await c.press("escape", "escape")
        assert not isinstance(c.app.screen, HistoryPage)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)], ids=["60x15", "80x24", "120x40"])
async def test_a_request_over_several_districts_is_one_row(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await several(c)
        await c.shows("request 1: 2 districts")
        assert "■ 1/2" in c.line("request 2: 2 districts")
        assert c.line("request 3: 2 districts").rstrip().endswith("queued")
        await c.press("G", "b")
        await c.shows("Enter lists them")
        await c.press("enter")
        await c.shows("Request 1: 2 districts")
        assert listed(c) == ["#2", "#1"]
        await c.press("H")
        await c.shows("6 batches")
        await c.press("g", "enter")
        await c.shows("Request 3: 2 districts")


async def test_the_list_names_no_part_of_a_request_as_all(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resync_tui.screens.history.NEWEST", 3)
    async with console() as c:
        await c.press("D", "a", "enter", "space", "s", "y")
        await c.sent(2)
        await c.press("escape", "space", "s", "y")
        await c.sent(4)
        await c.press("H")
        await c.shows("request 2: 2 districts")
        assert listed(c) == ["#2"]


async def test_the_end_of_ones_own_request_is_told_once(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    titles: list[str] = []
    monkeypatch.setattr("resync_tui.screens.app.ResyncApp.bell", lambda _: rung.append(True))
    monkeypatch.setattr("resync_tui.screens.terminal.write_title", lambda _, title: titles.append(title))
    async with console(announces=True) as c:
        await c.press("D", "a", "enter", "space", "s", "y")
        await c.sent(2)
        await c.until(lambda: titles == ["resync-tui: 0 running, 2 queued"])
        c.complete(1)
        await c.until(lambda: len(titles) == 2)
        assert rung == []
        c.complete(2, {"District": Counts(processed=5, unchanged=2, rejected=3)})
        await c.shows("Resync of 2 districts: done, 3 errors")
        assert rung == [True]
        assert titles[-1] == "resync-tui: Resync of 2 districts: done, 3 errors"


async def test_the_end_of_somebody_elses_request_rings_no_bell(
    console: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[bool] = []
    monkeypatch.setattr("resync_tui.screens.app.ResyncApp.bell", lambda _: rung.append(True))
    async with console() as c:
        plan = c.app.session.catalog
        from resync_tui.plan import make_plan

        made: list[Batch] = await c.store.submit(
            Request(["01"], make_plan(plan, ["District"], 2026), initiator="state", requested_by="somebody")
        )
        await c.until(lambda: c.app.session.active)
        c.complete(made[0].batch)
        await c.until(lambda: not c.app.session.active)
        await c.pilot.pause(0.1)
        assert rung == []


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentLog:
    """The log of the agents of the console's control database."""
    monkeypatch.setattr("resync_tui.paths.log_path", lambda _: tmp_path / "agent.log")
    return AgentLog(tmp_path / "agent.log")


async def test_the_agent_log_grows_while_it_is_read(console: Opener, log: AgentLog) -> None:
    async with console() as c:
        await c.press("A", "enter")
        await c.until(lambda: isinstance(c.app.screen, AgentLogPage))
        await c.shows("No agent has written a log")
        for number in range(100):
            log.write("batch 7", f"object{number:03} started")
        await c.shows("object099 started")
        log.write("batch 7", "the newest line")
        await c.shows("the newest line")
        await c.press("g")
        await c.shows("object000 started")
        log.write("batch 7", "another line")
        await c.until(lambda: len(c.app.screen.query_one("Rows").values) == 102)  # type: ignore[attr-defined]
        await c.shows("object000 started")


async def test_district_reads_no_log_lines_of_batches_it_does_not_see(console: Opener, log: AgentLog) -> None:
    async with console(edition="district") as c:
        await c.press("space", "s", "y")
        await c.sent()
        log.write("agent 4711 begins")
        log.write("batch 1", "District", "started")
        log.write("batch 2", "Enrollment", "started")
        await c.press("A", "enter")
        await c.shows("District  started")
        await c.shows("agent 4711 begins")
        assert "Enrollment" not in c.text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2025-11-20 04:12:00 +0000  agent 12 on app01 begins, 2 districts", True),
        ("2025-11-20 04:12:00 +0000  batch 1  district 01  School  started", True),
        ("2025-11-20 04:12:00 +0000  batch 2  district 01  School  started", False),
        ("2025-11-20 04:12:00 +0000  batch 2", False),
        ("2025-11-20 04:12:00 +0000  schedule weekly  fired", False),
    ],
)
def test_a_line_of_the_log_belongs_to_its_batch(line: str, shown: bool) -> None:
    assert for_district(line, {1}) is shown
