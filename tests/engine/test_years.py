"""School years in the forms in which databases write them, in Python and in SQL of both kinds of database."""

from datetime import date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from resync_tui.databases.registry import open_engine
from resync_tui.engine.backends.registry import backend_of
from resync_tui.engine.dialect import column_of
from resync_tui.engine.years import YearStart
from tests.support.databases import run_script
from tests.support.small import Database

FROM_AUGUST = YearStart.of(date(2026, 8, 3), date(2027, 6, 12))


@pytest.mark.parametrize(
    "value",
    [2026, 2026.0, Decimal("2026.0"), "2026", " 2026 ", "2025-26", "2025-2026", "2025-07-01", "2026-06-30",
     "2025-12-24 08:00:00", "2026-01-07T00:00:00Z", date(2025, 7, 1), datetime(2026, 6, 30, 23, 59)],
)  # fmt: skip
def test_known_forms_are_the_year_in_which_it_ends(value: object) -> None:
    assert YearStart().read(value) == 2026


@pytest.mark.parametrize(
    "value",
    [26, 20252026, 2026.5, True, None, b"2026", "", "26", "FY26", "2025/26", "2025-27", "2025-2027", "2025-26-27",
     "2025-13-01", "2026-02-30", "2026-06-30x", "2026-W09-7", "2026-W09-7T08:00", "20260630",
     Decimal("NaN"), Decimal("Infinity"), float("nan"), "٢٠٢٦", "12026"],
)  # fmt: skip
def test_any_other_form_is_none(value: object) -> None:
    assert YearStart().read(value) is None


def test_the_turn_of_a_century_is_read() -> None:
    assert [YearStart().read(each) for each in ("1999-00", "1999-2000", "2007-08")] == [2000, 2000, 2008]


def test_dates_lie_in_the_configured_span() -> None:
    assert [FROM_AUGUST.read(day) for day in ("2025-08-02", "2025-08-03", "2026-08-02")] == [2025, 2026, 2026]
    southern = YearStart.of(date(2026, 1, 27), date(2026, 12, 18))
    assert [southern.read(day) for day in ("2026-01-26", "2026-01-27", "2026-12-18")] == [2025, 2026, 2026]
    leaping = YearStart.of(date(2028, 2, 29), None)
    assert [leaping.read(day) for day in ("2026-02-28", "2026-03-01")] == [2026, 2027]


VALUES = {
    "integer": ["2025", "2026", "2027"],
    "numeric(6, 1)": ["2025", "2026", "2027"],
    "text": ["'2026'", "' 2026'", "'2025-26'", "'2025-2026'", "'2026-27'", "'2006-07'", "'2025-07-01'", "'2025-06-30'",
             "'2026-06-30 12:00:00'", "'2026-07-01'", "'2025'"],
    "char(9)": ["'2026'", "'2025-26'", "'2025-2026'", "'2024-25'"],
    "date": ["'2025-06-30'", "'2025-07-01'", "'2026-06-30'", "'2026-07-01'"],
    "timestamp": ["'2025-06-30 23:59:59'", "'2025-07-01 00:00:00'", "'2026-06-30 23:59:59'", "'2026-07-01 00:00:00'"],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_sql_finds_the_years_that_are_read(database: Database, kind: str) -> None:
    url, start = database(kind), YearStart()
    script = ""
    for number, (declared, values) in enumerate(VALUES.items()):
        rows = ", ".join(f"({each})" for each in [*values, "NULL"])
        script += f"CREATE TABLE c{number} (y {declared}); INSERT INTO c{number} VALUES {rows};"
    await run_script(url, script)
    dialect, engine = backend_of(url).dialect, open_engine(url)
    try:
        async with engine.connect() as connection:
            tables = await dialect.reflect(connection, [f"c{number}" for number in range(len(VALUES))])
            for table in tables.values():
                column = column_of(table, "Y" if kind == "sqlite" else "y")
                assert column is not None
                assert dialect.reads_years(column)
                for year in (2006, 2007, 2025, 2026, 2027):
                    condition = dialect.is_year(column, column, start.school_year(year))
                    found = (await connection.execute(sa.select(column, condition))).all()
                    read = [None if value is None else start.read(value) == year for value, _ in found]
                    assert [None if is_year is None else bool(is_year) for _, is_year in found] == read
    finally:
        await engine.dispose()
