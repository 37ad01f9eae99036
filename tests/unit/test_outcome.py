"""Counts, dots and exit codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resync_tui.outcome import Color, Counts, Status, color, exit_code, worst


@pytest.mark.parametrize(
    ("processed", "errors", "expected"),
    [
        (0, 0, Color.GREEN),
        (100_000, 0, Color.GREEN),
        (100_000, 1, Color.YELLOW),
        (1_000, 10, Color.YELLOW),
        (1_000, 11, Color.RED),
        (999, 10, Color.RED),
        (100_001, 1_001, Color.RED),
        (3, 3, Color.RED),
    ],
)
def test_dot_is_green_at_0_yellow_up_to_1_percent_and_red_above(processed: int, errors: int, expected: Color) -> None:
    counts = Counts(processed=processed, unchanged=processed - errors, rejected=errors)
    assert color(Status.COMPLETED, counts) is expected


def test_the_dot_is_red_where_the_counts_do_not_add_up() -> None:
    assert color(Status.COMPLETED, Counts(processed=10, unchanged=9)) is Color.RED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.QUEUED, None),
        (Status.RUNNING, Color.GRAY),
        (Status.FAILED, Color.RED),
        (Status.CANCELLED, None),
        (Status.SKIPPED, None),
    ],
)
def test_the_dot_of_what_has_not_completed(status: Status, expected: Color | None) -> None:
    assert color(status, Counts(processed=5)) is expected


def test_a_batch_takes_the_worst_dot_of_its_objects() -> None:
    assert worst([]) is None
    assert worst([None, Color.GREEN]) is Color.GREEN
    assert worst([Color.RED, Color.YELLOW, None]) is Color.RED
    assert worst([Color.RED, Color.GRAY]) is Color.GRAY


def test_extra_records_are_outside_the_accounting() -> None:
    counts = Counts(processed=10, inserted=1, updated=2, unchanged=3, excluded=1, rejected=1, blocked=2, extra=7)
    assert counts.errors == 4
    assert counts.accounted == counts.processed


@given(st.lists(st.builds(Counts, *(st.integers(0, 1_000) for _ in range(8)))))
def test_counts_add_term_by_term(parts: list[Counts]) -> None:
    total = sum(parts, Counts())
    assert total.errors == sum(part.errors for part in parts)
    assert total.accounted == sum(part.accounted for part in parts)
    assert total.extra == sum(part.extra for part in parts)


@pytest.mark.parametrize(
    ("statuses", "errors", "code"),
    [
        ([Status.COMPLETED], 0, 0),
        ([Status.COMPLETED], 1, 1),
        ([Status.CANCELLED, Status.COMPLETED], 1, 4),
        ([Status.CANCELLED, Status.FAILED], 0, 3),
    ],
)
def test_exit_codes_of_a_finished_run(statuses: list[Status], errors: int, code: int) -> None:
    assert exit_code(statuses, errors) == code
