"""The throughput of a batch, from samples."""

from datetime import UTC, datetime, timedelta

import pytest

from resync_tui.analysis.progress import Throughput

BEGIN = datetime(2025, 11, 24, 4, 12, tzinfo=UTC)


def test_a_pace_is_that_of_the_last_seconds() -> None:
    pace = Throughput()
    assert pace.per_second is None
    for second in range(60):
        pace.add(BEGIN + timedelta(seconds=second), second * (10 if second < 40 else 100))
    assert pace.per_second == pytest.approx(100)
    assert pace.seconds_for(1000) == pytest.approx(10)


def test_a_batch_that_starts_again_has_no_negative_pace() -> None:
    pace = Throughput()
    for second, amount in enumerate((100, 200, 0, 50)):
        pace.add(BEGIN + timedelta(seconds=second), amount)
    assert pace.per_second == pytest.approx(50)


def test_what_stands_still_is_never_done() -> None:
    pace = Throughput()
    pace.add(BEGIN, 5)
    pace.add(BEGIN + timedelta(seconds=5), 5)
    assert pace.seconds_for(10) is None
