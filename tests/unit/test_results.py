"""Views of batches: the dot of a batch, and how a command says it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from resync_tui.cli import text
from resync_tui.outcome import Color, Counts, Status
from resync_tui.results import Batch, ObjectResult

BAD = ObjectResult("School", 2, Status.COMPLETED, Counts(processed=10, unchanged=9, rejected=1))
GOOD = ObjectResult("District", 1, Status.COMPLETED, Counts(processed=990, unchanged=990))
BATCH = Batch(
    request=1,
    batch=1,
    district="01",
    year=2026,
    initiator="district",
    requested_by="jdoe",
    status=Status.COMPLETED,
    attempts=1,
    requested=datetime(2026, 3, 1, tzinfo=UTC),
    objects=(GOOD, BAD),
)


@pytest.mark.parametrize(
    ("status", "color"),
    [
        (Status.QUEUED, None),
        (Status.RUNNING, Color.GRAY),
        (Status.COMPLETED, Color.RED),
        (Status.CANCELLED, None),
        (Status.FAILED, Color.RED),
    ],
)
def test_only_a_completed_batch_has_its_objects_dot(status: Status, color: Color | None) -> None:
    assert replace(BATCH, status=status).color is color
    assert replace(BATCH, status=status, objects=(), sums=BATCH.counts, dot=Color.RED).color is color


def test_a_colour_that_is_not_the_percentages_is_explained() -> None:
    *_, line = text.batches([BATCH])
    assert line.endswith(" red (worst object), 0.1% of all records")
    *_, line = text.batches([replace(BATCH, objects=(BAD,))])
    assert line.endswith(" red 10%")
    *_, line = text.batches([replace(BATCH, status=Status.CANCELLED)])
    assert line.endswith(" cancelled")
