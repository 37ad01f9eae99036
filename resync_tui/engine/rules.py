"""What may not sync: the catalog's rules as conditions over a district's rows, and whether they are SQL at all."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.catalog import Catalog, Rule
from resync_tui.database import driver_message
from resync_tui.errors import CannotRun, ResyncError

Ask: TypeAlias = Callable[[sa.Select[Any]], Awaitable[object]]
"""Runs a query in the district, as one statement of its own."""


def condition(rule: Rule, dialect: str, year: int, today: date) -> sa.ColumnElement[bool]:
    """Return the condition under which a row `t` of the district may not sync. Raises ConfigError without a dialect."""
    moment = today.isoformat()
    values = {"year": str(year), "today": f"'{moment}'" if dialect == "sqlite" else f"DATE '{moment}'"}
    text = re.sub(r"(?<!:):(year|today)\b", lambda found: values[found[1]], rule.condition(dialect))
    return sa.literal_column(f"({text})", sa.Boolean())


async def require_valid(
    owner: str, rule: Rule, forbidden: sa.ColumnElement[bool], row: sa.FromClause, ask: Ask
) -> None:
    """Ask the district for no row under a rule's condition; `row` is the rule's table by the name `t`.

    Raises CannotRun, with the name of the DIS object `owner`, where the database does not understand it.
    """
    try:
        await ask(sa.select(sa.case((forbidden, 1))).select_from(row).limit(0))
    except (DBAPIError, asyncpg.PostgresError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not _misunderstood(cause):
            raise
        raise CannotRun(
            f"Rule {rule.id} of {owner} is not valid SQL: {driver_message(error)}", "Mend its `when` in the catalog."
        ) from None


async def faults(
    catalog: Catalog, tables: Mapping[str, sa.Table], dialect: str, year: int, today: date, ask: Ask
) -> list[ResyncError]:
    """Return what is wrong with a catalog's rules in a district with these `tables`, by their name in the catalog."""
    found: list[ResyncError] = []
    for each in catalog.objects:
        for rule in each.rule:
            if rule.table in tables:
                try:
                    forbidden = condition(rule, dialect, year, today)
                    await require_valid(each.name, rule, forbidden, tables[rule.table].alias("t"), ask)
                except ResyncError as error:
                    found.append(error)
    return found


def _misunderstood(cause: BaseException | None) -> bool:
    """Whether an error is about the SQL itself: class 42 or, of its constants, 22 of PostgreSQL's codes."""
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return str(state)[:2] in ("42", "22")
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorname == "SQLITE_ERROR"
