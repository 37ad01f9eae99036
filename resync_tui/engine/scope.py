"""Which rows of a district's table are in scope, and what the district itself must be asked about each."""

import re
from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa

from resync_tui.catalog import Rule
from resync_tui.engine.families import cast_for_stage, family
from resync_tui.engine.tables import RULE, TableSpec


def in_scope(spec: TableSpec) -> sa.Select[int]:
    """Return the query that counts a table's records in scope."""
    return sa.select(sa.func.count()).select_from(spec.row)


def excluded(spec: TableSpec, dialect: str, year: int, today: date) -> sa.ColumnElement[bool] | None:
    """Return the condition that a rule forbids a row of the district; None where the table has no rules."""
    conditions = _conditions(spec, dialect, year, today)
    return sa.or_(*conditions) if conditions else None


def reading(
    spec: TableSpec, dialect: str, year: int, today: date, staged: Collection[sa.Table]
) -> sa.Select[tuple[Any, ...]]:
    """Return the query that reads a table: the first rule that forbids a row, parents elsewhere, the columns.

    `staged` are the state's tables that this batch moves; a parent in none of them is looked for in the district.
    """
    row = spec.row
    marks: list[sa.ColumnElement[Any]] = [_first_rule(spec, dialect, year, today).label(RULE)]
    for number, key in enumerate(spec.foreign_keys):
        mark: sa.ColumnElement[Any] = sa.null()
        if key.parent not in staged:
            mark = _in_district(spec, row, number)
        marks.append(sa.cast(mark, sa.Boolean()).label(spec.absent_parent(number)))
    data: list[sa.ColumnElement[Any]] = [row.c[name] for name in spec.columns]
    if dialect == "postgresql":
        data = [cast_for_stage(row.c[name], family(spec.target.c[name])).label(name) for name in spec.columns]
    return sa.select(*marks, *data).select_from(row)


def _first_rule(spec: TableSpec, dialect: str, year: int, today: date) -> sa.ColumnElement[Any]:
    whens = [(condition, number) for number, condition in enumerate(_conditions(spec, dialect, year, today))]
    return sa.case(*whens) if whens else sa.cast(sa.null(), sa.Integer())


def _conditions(spec: TableSpec, dialect: str, year: int, today: date) -> list[sa.ColumnElement[bool]]:
    moment = today.isoformat()
    values = {"year": str(year), "today": f"'{moment}'" if dialect == "sqlite" else f"DATE '{moment}'"}

    def condition(rule: Rule) -> sa.ColumnElement[bool]:
        text = re.sub(r"(?<!:):(year|today)\b", lambda found: values[found[1]], rule.condition(dialect))
        return sa.literal_column(f"({text})", sa.Boolean())

    return [condition(rule) for rule in spec.rules]


def _in_district(spec: TableSpec, row: sa.FromClause, number: int) -> sa.ColumnElement[Any]:
    """Return whether the district has the parent that a row points to; null where it has no such table."""
    key = spec.foreign_keys[number]
    parent = next(
        (
            each
            for each in spec.source.metadata.tables.values()
            if (each.name, each.schema) == (key.parent.name, key.parent.schema)
            and set(key.referred) <= set(each.c.keys())
        ),
        None,
    )
    if parent is None:
        return sa.null()
    other = parent.alias("p")
    pairs = zip(key.columns, key.referred, strict=True)
    return sa.exists().where(*(other.c[theirs] == row.c[ours] for ours, theirs in pairs))
