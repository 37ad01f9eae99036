"""Numbers beyond what a control database can hold are refused as they are read."""

import pytest

from resync_tui.cli.main import answer


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", "--batch", "2147483648"],
        ["errors", "2147483648"],
        ["cancel", "2147483648"],
        ["attach", "99999999999999999999"],
        ["retry", "99999999999999999999"],
        ["cancel", "--request", "9223372036854775808"],
        ["retry", "--request", "9223372036854775808"],
        ["board", "--year", "10000"],
    ],
    ids=" ".join,
)
def test_a_number_that_cannot_be_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(arguments) == 2
    assert "is not in the range" in capsys.readouterr().err
