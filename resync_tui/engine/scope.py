"""Which rows of a table are in scope, and what the district itself must be asked about each."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.catalog import Catalog, Rule
from resync_tui.databases.registry import driver_message
from resync_tui.engine.keys import ForeignKey
from resync_tui.engine.mapping import EXCLUDED_BY, TableMapping, counterpart, in_attached
from resync_tui.engine.reflection import collation
from resync_tui.engine.types import cast_for_stage
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


@dataclass(frozen=True, slots=True)
class Scope:
    """The school year of a run, and how rules are asked of the district.

    The current year takes what is not known to be of another: a record whose calendar is missing is refused, not
    forgotten. The previous and the next year take what is known to be theirs (documents: "Resync Data from the Previous
    or Next School Year").
    """

    year: int
    current: bool
    today: date
    dialect: str
    """The district's."""

    def of_source(self, spec: TableMapping) -> sa.ColumnElement[bool]:
        """Return the condition that a row of the district is in scope."""
        return self._of_year(spec, spec.row, lambda table: counterpart(table, spec.source), by_tenant=False)

    def of_target(self, spec: TableMapping) -> sa.ColumnElement[bool]:
        """Return the condition that a row of the state is this tenant's and in scope."""
        return sa.and_(spec.of_tenant(), self._of_year(spec, spec.target, lambda table: table, by_tenant=True))

    def of_attached(self, spec: TableMapping, row: sa.FromClause, schema: str) -> sa.ColumnElement[bool]:
        """Return the same where the district's connection shows the state's tables under `schema`."""
        of_year = self._of_year(spec, row, lambda table: in_attached(table, schema), by_tenant=True)
        return sa.and_(spec.of_tenant(row), of_year)

    def _of_year(
        self, spec: TableMapping, row: sa.FromClause, at_end: Callable[[sa.Table], sa.TableClause], *, by_tenant: bool
    ) -> sa.ColumnElement[bool]:
        if spec.year is None:
            return sa.true()
        column = spec.year.column

        def reached(row: sa.FromClause, path: tuple[ForeignKey, ...]) -> sa.ColumnElement[bool]:
            if not path:
                written = row.c[column]
                return written != self.year if self.current else written == self.year
            key = path[0]
            parent = at_end(key.parent).alias(f"year_{len(path)}")
            return sa.exists().where(
                *(parent.c[theirs] == row.c[ours] for ours, theirs in zip(key.columns, key.referred, strict=True)),
                *((spec.of_tenant(parent),) if by_tenant and key.by_tenant else ()),
                reached(parent, path[1:]),
            )

        found = reached(row, spec.year.path)
        return found.is_not(sa.true()) if self.current else found

    def forbidden(self, spec: TableMapping) -> sa.ColumnElement[bool] | None:
        """Return the condition that a rule forbids a row of the district; None where the table has no rules."""
        conditions = self._conditions(spec)
        return sa.or_(*conditions) if conditions else None

    def reading(self, spec: TableMapping, whole: Collection[sa.Table]) -> sa.Select[tuple[Any, ...]]:
        """Return the query that reads a table: the first rule that forbids a row, parents elsewhere, the columns.

        `whole` are the state's tables that this batch moves whole; parents in others are looked for in the district.
        """
        by_number = [(condition, number) for number, condition in enumerate(self._conditions(spec))]
        first_rule: sa.ColumnElement[Any] = sa.case(*by_number) if by_number else sa.cast(sa.null(), sa.Integer())
        marks: list[sa.ColumnElement[Any]] = [first_rule.label(EXCLUDED_BY)]
        for number, key in enumerate(spec.foreign_keys):
            mark = sa.null() if key.parent in whole else _in_district(spec, key, self.dialect)
            marks.append(sa.cast(mark, sa.Boolean()).label(spec.absent_parent(number)))
        return sa.select(*marks, *self._as_sent(spec)).select_from(spec.row).where(self.of_source(spec))

    def elsewhere(self, keyed: TableMapping) -> sa.Select[tuple[Any, ...]]:
        """Return the query that reads the keys of the district's rows that are not in scope, as they would be sent."""
        rule: sa.ColumnElement[Any] = sa.cast(sa.null(), sa.Integer()).label(EXCLUDED_BY)
        keys = sa.select(rule, *self._as_sent(keyed)).select_from(keyed.row)
        return keys.where(self.of_source(keyed).is_not(sa.true()))

    def _as_sent(self, spec: TableMapping) -> list[sa.ColumnElement[Any]]:
        """Return the district's columns as the stage takes them."""
        if self.dialect != "postgresql":
            return [spec.row.c[name] for name in spec.columns]
        return [cast_for_stage(spec.row.c[name], spec.target.c[name]).label(name) for name in spec.columns]

    def _conditions(self, spec: TableMapping) -> list[sa.ColumnElement[bool]]:
        return [condition(rule, self.dialect, self.year, self.today) for rule in spec.rules]

    async def require_valid_rules(self, spec: TableMapping, ask: Ask) -> None:
        """Raise CannotRun for the first rule of a table that the district does not understand."""
        for rule, forbidden in zip(spec.rules, self._conditions(spec), strict=True):
            await require_valid(spec.object, rule, forbidden, spec.row, ask)


def _in_district(spec: TableMapping, key: ForeignKey, dialect: str) -> sa.ColumnElement[Any]:
    """Return whether the district has the parent that a row points to; null where it has no such table."""
    try:
        parent = counterpart(key.parent, spec.source).alias("p")
    except KeyError:
        return sa.null()
    if not set(key.referred) <= set(parent.c.keys()):
        return sa.null()
    pairs = [(parent.c[theirs], spec.row.c[ours]) for ours, theirs in zip(key.columns, key.referred, strict=True)]
    if dialect == "sqlite" and len(pairs) == 1 and collation(pairs[0][0]) is None:
        return pairs[0][1].in_(sa.select(pairs[0][0]))  # looks the index up, without a subquery for each row
    return sa.exists().where(*(theirs == ours for theirs, ours in pairs))
