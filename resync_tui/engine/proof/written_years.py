"""What a school year's column holds: a form that is not known is told before any record is read by it."""

from typing import Any

import sqlalchemy as sa

from resync_tui.engine.dialect import Fetch
from resync_tui.engine.keys import IncompatibleTable, qualified
from resync_tui.engine.years import KNOWN_FORMS, YearStart
from resync_tui.formatting import plural


async def written_years(
    fetch: Fetch, column: sa.Column[Any], start: YearStart, end: str, which: sa.ColumnElement[bool] | None = None
) -> set[int]:
    """Return the school years in a column of the records `which`; None: of all.

    `end` is the display name of the database. Raises IncompatibleTable for values that are read as no year.
    """
    table = column.table
    query = sa.select(column, sa.func.count()).select_from(table).where(column.is_not(None)).group_by(column)
    rows = await fetch(query if which is None else query.where(which))
    counts = [(start.read(value), int(count)) for value, count in rows]
    if unknown := sum(count for year, count in counts if year is None):
        raise IncompatibleTable(
            f"{qualified(table)}.{column.name} of {end} holds no school year in a known form in "
            f"{unknown} of {plural(sum(count for _, count in counts), 'record')}",
            f"Write these as {KNOWN_FORMS}.",
        )
    return {year for year, _ in counts if year is not None}
