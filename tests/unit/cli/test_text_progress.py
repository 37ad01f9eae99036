"""The live lines and the last paragraph of `run` and `attach`, for every state of a batch and both sizes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from resync_tui.cli.text.progress import Progress, activity, summary
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.results import Agent, Batch, ObjectResult, Present
from resync_tui.screens.widgets.glyphs import UNICODE

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALIVE = Agent("host", 1, AT, AT, alive=True)
MERGING = ObjectResult("School", 1, Status.RUNNING, Counts(processed=50), total=100, phase="merging", started=AT)
WAITING = ObjectResult("Person", 2, Status.RUNNING, Counts(), total=100, phase="waiting", started=AT)
RUNNING = Batch(1, 7, "01", 2026, "district", "jdoe", Status.RUNNING, 1, AT, objects=(MERGING, WAITING))
QUEUED = Batch(1, 8, "02", 2026, "district", "jdoe", Status.QUEUED, 1, AT)


def progress(districts_at_once: int = 4) -> Progress:
    return Progress({"01": "Clark County School District", "02": "\u5317\u533a"}, UNICODE, districts_at_once)


def present(*active: Batch, agent: bool = True) -> Present:
    return Present(1, active, (ALIVE,) if agent else (), 0, AT)


@pytest.mark.parametrize("width", [79, 119])
def test_bar_has_rate_remaining_time_errors_and_activity(width: int) -> None:
    shown = progress()
    shown.lines([RUNNING], present(), AT, width)
    merged = replace(MERGING, counts=Counts(processed=70, excluded=2))
    later = replace(RUNNING, objects=(merged, WAITING))
    bar, details = shown.lines([later], present(), AT + timedelta(seconds=1), width)
    assert bar.startswith("Batch #7  Clark")
    assert bar.endswith(" 35%  ETA 00:00:06")
    assert UNICODE.full in bar
    assert details == "70/200 records  10/s  2 errors  merging School, 1 wait"
    assert cell_len(bar) == width


@pytest.mark.parametrize("width", [79, 119])
def test_campaign_has_a_line_for_each_running_district(width: int) -> None:
    other = replace(RUNNING, batch=9, district="03")
    ended = replace(RUNNING, batch=6, district="04", status=Status.FAILED)
    lines = progress(2).lines([RUNNING, other, QUEUED, ended], present(RUNNING, other), AT, width)
    assert all(cell_len(line) <= width for line in lines)
    total, details, first, second = lines
    assert total.startswith("Request 1: 1/4 districts")
    assert "1 queued, the next one waits for" in details
    assert "merging School" in first
    assert "district 03 #9" in second


def test_only_as_many_districts_as_fit_have_a_line() -> None:
    lines = progress().lines([replace(RUNNING, batch=number) for number in range(12)], present(), AT, 79)
    assert lines[-1] == "  and 4 more"


@pytest.mark.parametrize(
    ("batch", "others", "reason"),
    [
        (QUEUED, present(agent=False), "waits for an agent: none is alive"),
        (QUEUED, present(), "waits for an agent to take it"),
        (QUEUED, present(replace(RUNNING, district="02")), "waits for batch #7 of its district"),
        (QUEUED, present(RUNNING), "waits for one of 1 running batch"),
        (replace(QUEUED, scheduled=True), present(), "waits for its window"),
        (replace(QUEUED, not_before=AT + timedelta(hours=1)), present(), "waits until 2026-"),
        (replace(QUEUED, not_before=AT + timedelta(hours=1), put_off=1), present(), "could not be reached, next try "),
        (replace(RUNNING, cancel_requested=True), present(), "stops at its next chunk"),
        (replace(RUNNING, objects=(WAITING,)), present(), "1 object wait"),
        (replace(RUNNING, objects=()), present(), "starting"),
    ],
)
def test_what_a_batch_waits_for_is_told(batch: Batch, others: Present, reason: str) -> None:
    assert activity(batch, others, AT, 1).startswith(reason)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.FAILED])
def test_what_did_not_complete_never_shows_a_full_bar(status: Status) -> None:
    bar = progress().lines([replace(RUNNING, status=status)], present(), AT, 79)[0]
    assert "  0%" in bar
    assert UNICODE.full not in bar


def test_last_paragraph_counts_everything_and_says_where_to_look() -> None:
    result = ObjectResult("School", 1, Status.COMPLETED, Counts(processed=9, inserted=7, excluded=2))
    done = replace(RUNNING, status=Status.COMPLETED, started=AT, finished=AT + timedelta(seconds=62), objects=(result,))
    text = " ".join(summary([done], {"01": "Abbott"}, {}, 40))
    assert text == (
        "Batch #7, resync of Abbott (01), 2025-26, completed in 00:01:02, 1 object: 9 records: 7 inserted, 2 excluded."
        " All errors are expected: rules of the catalog exclude these records, or what they need."
        " Which and why: resync-tui errors 7. Object by object: resync-tui history --batch 7"
    )
    compared = " ".join(summary([replace(done, purpose=Purpose.VERIFY)], {}, {}, 40))
    assert "9 records: 7 missing, 2 excluded." in compared


def test_last_paragraph_names_the_districts_that_did_not_complete() -> None:
    failed = [replace(RUNNING, district=f"{number:02}", status=Status.FAILED) for number in range(1, 13)]
    text = " ".join(summary([*failed, replace(RUNNING, status=Status.COMPLETED)], {}, {}, 99))
    assert text.startswith("Request 1: 13 districts, 2025-26: 1 completed, 12 failed (01, 02, 03,")
    assert ", 08 …)" in text
