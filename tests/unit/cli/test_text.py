"""Tables of the commands keep their columns, whatever the names are written in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from resync_tui.cli import text
from resync_tui.outcome import Counts, Status
from resync_tui.results import Batch, ObjectResult

PLAIN = Batch(
    request=1,
    batch=1,
    district="01",
    year=2026,
    initiator="district",
    requested_by="jdoe",
    status=Status.COMPLETED,
    attempts=1,
    requested=datetime(2026, 3, 1, tzinfo=UTC),
    objects=(ObjectResult("School", 1, Status.COMPLETED, Counts(processed=3, unchanged=3)),),
)


@pytest.mark.parametrize("name", ["\u5317\u533a", "Clark County School District", "e\u0301cole" * 4, "\u00e9", ""])
def test_names_of_any_script_leave_the_columns_where_they_are(name: str) -> None:
    odd = replace(PLAIN, district=name, requested_by=name)
    *_, plain = text.batches([PLAIN])
    *_, line = text.batches([odd])
    assert cell_len(line) == cell_len(plain)
    objects = (replace(PLAIN.objects[0], object=name),)
    widths = {cell_len(each.split(" 3 ")[0]) for batch in (PLAIN, replace(PLAIN, objects=objects)) for each in
              text.verification(batch, [], []) if " 3 " in each}  # fmt: skip
    assert len(widths) == 1
