"""How times, counts and results are written."""

from datetime import UTC, datetime, timedelta

import pytest

from resync_tui import formatting
from resync_tui.outcome import Color, Counts, Status
from resync_tui.results import ObjectResult
from resync_tui.screens.widgets.glyphs import ASCII, LINUX_CONSOLE, UNICODE, Glyphs, glyphs_for

BEGIN = datetime(2025, 11, 20, 4, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("processed", "errors", "text", "color"),
    [
        (0, 0, "ok", Color.GREEN),
        (194, 0, "ok", Color.GREEN),
        (45_210, 1, "<.1%", Color.YELLOW),
        (1000, 9, "0.9%", Color.YELLOW),
        (1000, 10, "1.0%", Color.YELLOW),
        (100_000, 1001, ">1%", Color.RED),
        (1000, 11, "1.1%", Color.RED),
        (1004, 7, "0.7%", Color.YELLOW),
        (100_000, 999, "1.0%", Color.YELLOW),
        (194, 11, "5.7%", Color.RED),
        (10_000, 997, "10%", Color.RED),
        (1000, 999, ">99%", Color.RED),
        (7, 7, "100%", Color.RED),
    ],
)
def test_a_rate_of_errors_never_crosses_the_line_of_its_colour(
    processed: int, errors: int, text: str, color: Color
) -> None:
    counts = Counts(processed=processed, unchanged=processed - errors, rejected=errors)
    assert formatting.error_rate(counts) == text
    assert ObjectResult("School", 1, Status.COMPLETED, counts).color is color


@pytest.mark.parametrize(
    ("status", "text"),
    [(Status.FAILED, "fail"), (Status.CANCELLED, "canc"), (Status.SKIPPED, "skip"), (Status.QUEUED, "wait")],
)
def test_what_did_not_complete_says_so_beside_its_dot(status: Status, text: str) -> None:
    assert formatting.outcome(ObjectResult("School", 1, status, Counts())) == text


@pytest.mark.parametrize(
    ("phase", "read", "processed", "text"),
    [
        ("reading", 0, 0, "0%"),
        ("reading", 50, 0, "0%"),
        ("reading", 10, 58, "58%"),
        ("waiting", 100, 0, "0%"),
        ("merging", 100, 58, "58%"),
        ("merging", 2, 98, "98%"),
    ],
)
def test_progress_is_that_of_the_records_settled(phase: str, read: int, processed: int, text: str) -> None:
    counts = Counts(processed=processed)
    assert formatting.outcome(ObjectResult("School", 1, Status.RUNNING, counts, 100, read, phase)) == text


def test_only_what_has_completed_is_whole() -> None:
    assert formatting.share(ObjectResult("School", 1, Status.RUNNING, Counts())) == 0
    assert formatting.share(ObjectResult("School", 1, Status.COMPLETED, Counts())) == 1
    assert 0.9 < formatting.share(ObjectResult("School", 1, Status.CANCELLED, Counts(processed=9), 9)) < 1


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (-3, "0s", "00:00:00"),
        (42, "42s", "00:00:42"),
        (462, "7m42s", "00:07:42"),
        (11_100, "3h05m", "03:05:00"),
        (1_036_800, "12d", "288:00:00"),
    ],
)
def test_durations(seconds: float, short: str, long: str) -> None:
    assert formatting.short_span(seconds) == short
    assert formatting.span(seconds) == long


def test_moments_are_local_with_the_year() -> None:
    assert formatting.when(BEGIN) == BEGIN.astimezone().strftime("%Y-%m-%d %H:%M")
    assert formatting.since(BEGIN, BEGIN) == BEGIN.astimezone().strftime("%H:%M:%S")
    assert formatting.since(BEGIN, BEGIN + timedelta(days=3)).startswith("2025-11-")


def test_a_school_year_is_known_by_the_year_it_ends_in() -> None:
    assert formatting.school_year(2026) == "2025-26"
    assert formatting.school_year(2000) == "1999-00"


@pytest.mark.parametrize(
    ("environ", "glyphs"),
    [
        ({"LANG": "en_US.UTF-8", "TERM": "xterm"}, UNICODE),
        ({"LC_ALL": "de_DE.utf8", "LANG": "C"}, UNICODE),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, LINUX_CONSOLE),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, ASCII),
        ({"LANG": "en_US.ISO-8859-1"}, ASCII),
        ({}, ASCII),
        ({"LC_CTYPE": "C.UTF-8"}, ASCII),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, ASCII),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"}, UNICODE),
    ],
)
def test_signs_are_those_that_the_terminal_has(environ: dict[str, str], glyphs: Glyphs) -> None:
    assert glyphs_for(environ) == glyphs


@pytest.mark.parametrize("glyphs", [UNICODE, LINUX_CONSOLE, ASCII])
def test_the_four_dots_differ_in_shape(glyphs: Glyphs) -> None:
    assert len({glyphs.dot(color) for color in (None, *Color)}) == 5
    if glyphs is ASCII:
        assert all(glyphs.dot(color).isascii() for color in Color)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (Counts(processed=3, unchanged=3), ""),
        (Counts(processed=3, rejected=3), ""),
        (Counts(processed=3, excluded=1, rejected=2), ""),
        (Counts(processed=3, excluded=3), "All errors are expected"),
        (Counts(processed=3, excluded=1, blocked=2, behind_exclusion=2), "All errors are expected"),
        (Counts(processed=3, rejected=1, blocked=2, behind_exclusion=2), "Of the blocked 2 follow from exclusions"),
    ],
)
def test_errors_of_rules_are_told_as_expected(counts: Counts, told: str) -> None:
    assert formatting.by_rule(counts).startswith(told)
    assert bool(formatting.by_rule(counts)) == bool(told)
