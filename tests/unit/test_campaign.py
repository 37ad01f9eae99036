"""Which mandatory resync is due, and which districts lack it."""

from datetime import UTC, date, datetime

import pytest

from resync_tui.campaign import Due, Scenario, due, lacking, tally
from resync_tui.config.settings import YearSettings
from resync_tui.results import DistrictStanding, Standing

OPENS, CLOSES = date(2025, 8, 1), date(2026, 6, 30)
YEARS = YearSettings(2026, OPENS, CLOSES)
START, END = Due(Scenario.START_OF_YEAR, OPENS), Due(Scenario.END_OF_YEAR, CLOSES)


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("today", "last", "expected"),
    [
        (date(2025, 7, 31), None, None),
        (date(2025, 8, 1), None, START),
        (date(2025, 9, 1), noon(2025, 7, 20), START),
        (date(2025, 9, 1), noon(2025, 8, 5), None),
        (date(2026, 6, 29), noon(2025, 8, 5), None),
        (date(2026, 6, 30), noon(2025, 8, 5), END),
        (date(2026, 7, 4), noon(2026, 7, 2), None),
    ],
)
def test_what_is_due(today: date, last: datetime | None, expected: Due | None) -> None:
    assert due(YEARS, today, last) == expected


def test_nothing_is_due_without_dates() -> None:
    assert due(YearSettings(2026), date(2026, 7, 1), None) is None


def test_who_lacks_it_and_how_many_stand_where() -> None:
    board = [
        DistrictStanding("01", Standing.DONE, noon(2025, 8, 5)),
        DistrictStanding("02", Standing.FAILING, noon(2025, 7, 5)),
        DistrictStanding("03", Standing.NOT_YET),
    ]
    assert lacking(board, OPENS) == ["02", "03"]
    counted = dict.fromkeys((Standing.DONE, Standing.FAILING, Standing.NOT_YET), 1)
    assert tally([each.standing for each in board]) == {**dict.fromkeys(Standing, 0), **counted}
