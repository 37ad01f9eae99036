"""The rows of a comparison on the screen."""

import pytest

from resync_tui.outcome import Counts
from resync_tui.screens.verification import FindingRow, columns_for
from resync_tui.screens.widgets.glyphs import UNICODE
from resync_tui.screens.widgets.line import length

COUNTS = Counts(processed=30, unchanged=4, excluded=5, rejected=6, blocked=15, behind_exclusion=8, extra=9)


def test_rules_and_refusals_are_two_columns() -> None:
    row = FindingRow("School", "completed", COUNTS, 0)
    columns = columns_for(79, [row])
    assert columns.titles()[0][0].split() == [
        "Object",
        "Matched",
        "Different",
        "Missing",
        "Extra",
        "By",
        "rule",
        "Refused",
    ]
    drawn = "".join(text for text, _ in columns.draw(row, UNICODE))
    assert " ".join(drawn.split()) == "School 4 0 0 9 13 13"


@pytest.mark.parametrize("width", [59, 79, 119])
@pytest.mark.parametrize("moved", [0, 2])
@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_every_column_fits(width: int, moved: int, status: str) -> None:
    row = FindingRow("BehaviorResolutionType", status, COUNTS, moved)
    columns = columns_for(width, [row])
    assert length(columns.draw(row, UNICODE)) <= width
    assert (status in str(columns.draw(row, UNICODE))) == (status == "cancelled" and width > 59)
