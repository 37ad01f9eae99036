"""Lines that do not fit say so."""

import pytest
from rich.cells import cell_len

from resync_tui.screens.widgets.line import BOLD, PLAIN, folded_to, plain, shortened, strip


@pytest.mark.parametrize("width", range(1, 14))
@pytest.mark.parametrize("cut", ["…", "~"])
def test_a_line_without_room_ends_in_the_sign_of_a_cut(width: int, cut: str) -> None:
    line = (("Clark ", BOLD), ("教育 Unified", PLAIN))
    text = strip(line, width, cut=cut).text
    assert cell_len(text) == width
    assert text.rstrip().endswith(cut)


def test_spaces_at_the_end_are_no_loss() -> None:
    line = plain("School   ")
    assert shortened(line, 6) == line
    assert strip(line, 6).text == "School"


def test_a_folded_text_ends_in_the_sign_of_a_cut_where_rows_run_out() -> None:
    text = "rejected: the district has no such column, or another one"
    rows = ["".join(part for part, _ in line) for line in folded_to(text, 20, 2)]
    assert rows == ["rejected: the", "district has no suc…"]
    whole = folded_to(text, 20, 9)
    assert " ".join(part for line in whole for part, _ in line) == text
