"""Scope of a batch: the district rows of its school year, the rules, and the queries that apply both."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from resync_tui.catalog import Catalog, DisObject, Rule
from resync_tui.databases.registry import driver_errors, driver_message
from resync_tui.engine.dialect import Dialect, altered, logical_type, loss, of
from resync_tui.engine.keys import ForeignKey
from resync_tui.engine.mapping import (
    ABSENT,
    EXCLUDED_BY,
    KEPT_OUT,
    PRESENT,
    RESERVED,
    VALUE_ERROR,
    TableMapping,
    in_attached,
)
from resync_tui.engine.proof.exclusions import Exclusions
from resync_tui.engine.proof.ways import Way
from resync_tui.engine.reflection import counterpart
from resync_tui.engine.types import LogicalType, collation, text_literal
from resync_tui.engine.years import FROM_JULY, YearStart
from resync_tui.errors import CannotRun, ResyncError

Ask: TypeAlias = Callable[[sa.Select[Any]], Awaitable[object]]
"""Runs a query in the district, as a statement of its own."""
AtState: TypeAlias = Callable[[sa.Table], sa.FromClause]
"""Gives a table of the state as a connection sees it."""


def condition(rule: Rule, dialect: Dialect, year: int, today: date) -> sa.ColumnElement[bool]:
    """Return a rule's condition over a district row `t`. Raises ConfigError if the rule lacks the dialect."""
    values = {"year": str(year), "today": dialect.date_literal(today)}
    text = re.sub(r"(?<!:):(year|today)\b", lambda found: values[found[1]], rule.condition(dialect.name))
    text = dialect.with_names(text)
    return sa.literal_column(f"({text})", sa.Boolean())


async def require_valid(
    owner: str, rule: Rule, forbidden: sa.ColumnElement[bool], row: sa.FromClause, dialect: Dialect, ask: Ask
) -> None:
    """Check a rule's SQL by a query without result rows; `row` is the rule's table under the alias `t`.

    Raises CannotRun, with the name of the DIS object `owner`, if the database rejects the SQL.
    """
    try:
        await ask(sa.select(sa.case((forbidden, 1))).select_from(row).limit(0))
    except driver_errors() as error:
        if not dialect.is_rejected_sql(error.orig if isinstance(error, DBAPIError) else error):
            raise
        raise CannotRun(
            f"Rule {rule.id} of {owner} is not valid SQL: {driver_message(error)}", "Mend its `when` in the catalog."
        ) from None


async def judge(
    objects: Iterable[DisObject], tables: Mapping[str, sa.Table], dialect: Dialect, year: int, today: date, ask: Ask
) -> AsyncIterator[tuple[Rule, sa.ColumnElement[bool] | ResyncError]]:
    """Yield the rules of objects in a district with these `tables`, by catalog name: the condition, or its fault."""
    for each in objects:
        for rule in each.rule:
            if rule.table in tables:
                try:
                    forbidden = condition(rule, dialect, year, today)
                    await require_valid(each.name, rule, forbidden, tables[rule.table].alias("t"), dialect, ask)
                except ResyncError as error:
                    yield rule, error
                else:
                    yield rule, forbidden


async def faults(
    catalog: Catalog, tables: Mapping[str, sa.Table], dialect: Dialect, year: int, today: date, ask: Ask
) -> list[ResyncError]:
    """Return the errors of a catalog's rules in a district with these `tables`, keyed by catalog name."""
    judged = judge(catalog.objects, tables, dialect, year, today, ask)
    return [each async for _, each in judged if isinstance(each, ResyncError)]


@dataclass(frozen=True, slots=True)
class Scope:
    """School year of a run, and the conditions and queries that apply it.

    The current year includes every record not known to belong to another: a record with a missing calendar is refused,
    not dropped silently. The previous and the next year include only records known to belong to them.
    """

    year: int
    current: bool
    today: date
    dialect: Dialect
    """The district's."""
    year_start: YearStart = FROM_JULY
    exclusions: Exclusions = field(default_factory=Exclusions)
    """What rules of other objects keep out of the state."""

    def of_source(self, mapping: TableMapping) -> sa.ColumnElement[bool]:
        """Return the condition that a row of the district is in scope."""
        return self._of_year(mapping, mapping.row)

    def of_target(self, mapping: TableMapping) -> sa.ColumnElement[bool]:
        """Return the condition that a row of the state is this tenant's and in scope."""
        return sa.and_(mapping.of_tenant(), self._of_year(mapping, mapping.target, at_state=lambda table: table))

    def of_attached(self, mapping: TableMapping, row: sa.FromClause, schema: str) -> sa.ColumnElement[bool]:
        """Return the condition of `of_target` for the state's tables attached under `schema` (ATTACH)."""
        of_year = self._of_year(mapping, row, at_state=lambda table: in_attached(table, schema))
        return sa.and_(mapping.of_tenant(row), of_year)

    def without_year(self, mapping: TableMapping) -> sa.ColumnElement[bool] | None:
        """Return the condition that a district row has no school year, by a null on the way; None if none can be."""
        if mapping.year is None or not mapping.year.optional:
            return None
        return _lacks_year(mapping.row, mapping.year.source, mapping.year.source_column.name)

    def _of_year(
        self, mapping: TableMapping, row: sa.FromClause, at_state: AtState | None = None
    ) -> sa.ColumnElement[bool]:
        """Return the condition that a row is of the year; `at_state` gives the state's tables if it is a row of it."""
        if mapping.year is None:
            return sa.true()
        year, school_year = mapping.year, self.year_start.school_year(self.year)
        way, column = (year.source, year.source_column) if at_state is None else (year.target, year.target_column)

        def found(row: sa.FromClause) -> sa.ColumnElement[bool]:
            is_year = of(column).is_year(row.c[column.name], column, school_year)
            return sa.not_(is_year) if self.current else is_year

        reached = _reached(row, way, found, mapping, at_state)
        return reached.is_not(sa.true()) if self.current else reached

    def forbidden(self, mapping: TableMapping) -> sa.ColumnElement[bool] | None:
        """Return the condition that a district row is refused as it is read; None if none can be."""
        conditions = self._conditions(mapping)
        return sa.or_(*conditions) if conditions else None

    def reading(self, mapping: TableMapping, whole: Collection[sa.Table]) -> sa.Select[tuple[Any, ...]]:
        """Return the query that reads a table: number of the first condition that refuses it, parent marks, columns.

        `whole` are the target tables that this batch reads completely; parents in others are looked up in the district.
        """
        by_number = [(condition, number) for number, condition in enumerate(self._conditions(mapping))]
        first_rule: sa.ColumnElement[Any] = sa.case(*by_number) if by_number else sa.cast(sa.null(), sa.Integer())
        marks: list[sa.ColumnElement[Any]] = [first_rule.label(EXCLUDED_BY), *self._value_errors(mapping)]
        for number, key in enumerate(mapping.foreign_keys):
            mark = sa.null() if key.parent in whole else self._parent(mapping, key)
            marks.append(sa.cast(mark, sa.Integer()).label(mapping.parent_mark(number)))
        return sa.select(*marks, *self._as_sent(mapping)).select_from(mapping.row).where(self.of_source(mapping))

    def sending(self, mapping: TableMapping) -> sa.Select[tuple[Any, ...]]:
        """Return the query for the rows of a table as the state is to hold them, the tenant first."""
        name = mapping.tenant_column
        sent = self._as_sent(mapping)
        if name is not None:
            sent.insert(0, text_literal(mapping.tenant or "").label(name))
        return sa.select(*sent).select_from(mapping.row).where(self.of_source(mapping))

    def _parent(self, mapping: TableMapping, key: ForeignKey) -> sa.ColumnElement[Any]:
        """Return the mark of a row's parent; NULL if the district lacks that table or column."""
        in_district = _in_district(mapping, key, self.dialect)
        if in_district is None:
            return sa.null()
        excluded = self.exclusions.of_parent(mapping.row, key, mapping.source, mapping.tenant_column)
        by_rule = [] if excluded is None else [(excluded, KEPT_OUT)]
        return sa.case(*by_rule, (in_district, PRESENT), else_=ABSENT)

    def has_left(self, mapping: TableMapping, schema: str) -> sa.ColumnElement[bool]:
        """Return the condition that a district row is out of scope, but its copy in the attached state is not."""
        held = in_attached(mapping.target, schema).alias(f"{RESERVED}held")
        twin = mapping.source.alias(f"{RESERVED}twin")
        of_year = self._of_year(mapping, twin)
        return sa.and_(
            self.of_source(mapping).is_not(sa.true()),
            sa.exists().where(mapping.same_key(held, mapping.row), self.of_attached(mapping, held, schema)),
            sa.not_(sa.exists().where(*(twin.c[name] == mapping.row.c[name] for name in mapping.key), of_year)),
        )

    def elsewhere(self, keyed: TableMapping) -> sa.Select[tuple[Any, ...]]:
        """Return the query for the keys, as sent, of district rows out of scope."""
        rule: sa.ColumnElement[Any] = sa.cast(sa.null(), sa.Integer()).label(EXCLUDED_BY)
        keys = sa.select(rule, *self._as_sent(keyed)).select_from(keyed.row)
        return keys.where(self.of_source(keyed).is_not(sa.true()))

    def _as_sent(self, mapping: TableMapping) -> list[sa.ColumnElement[Any]]:
        """Return the source columns cast to their stage types."""
        as_sent = self.dialect.as_sent
        return [as_sent(mapping.row.c[name], mapping.target.c[name]).label(name) for name in mapping.columns]

    def _value_errors(self, mapping: TableMapping) -> list[sa.ColumnElement[Any]]:
        """Return the mark of rows of which the stage would alter a value, if it alters any; last the state's own."""
        reasons = []
        for name in sorted(mapping.columns, key=mapping.owned.__contains__):
            source, target = mapping.source.c[name], mapping.target.c[name]
            if (when := self.dialect.altered_by_stage(mapping.row.c[name], source, target)) is not None:
                reasons.append((when, text_literal(f"{name}: {altered(loss(source, target))}")))
        return [sa.case(*reasons).label(VALUE_ERROR)] if reasons else []

    def _conditions(self, mapping: TableMapping) -> list[sa.ColumnElement[bool]]:
        """Return the conditions under which a row is refused as it is read, in the order of `TableMapping.refusals`."""
        found = self._rules(mapping)
        if mapping.says_tenant:
            found.append(_names_other_tenant(mapping))
        if mapping.may_double_keys:
            found.append(_shares_key(mapping))
        return found

    def _rules(self, mapping: TableMapping) -> list[sa.ColumnElement[bool]]:
        return [condition(rule, self.dialect, self.year, self.today) for rule in mapping.rules]

    async def require_valid_rules(self, mapping: TableMapping, ask: Ask) -> None:
        """Raise CannotRun for a table's first rule that is not valid SQL in the district."""
        for rule, forbidden in zip(mapping.rules, self._rules(mapping), strict=True):
            await require_valid(mapping.object, rule, forbidden, mapping.row, self.dialect, ask)


def _names_other_tenant(mapping: TableMapping) -> sa.ColumnElement[bool]:
    """Return the condition that the district's own column of the tenant column's name names another tenant.

    None and blank name no tenant; a number is compared as a number, trailing blanks do not count.
    """
    tenant, name = mapping.tenant or "", mapping.tenant_column or ""
    column = mapping.row.c[name]
    if logical_type(mapping.source.c[name]) in _NUMBERS and tenant.isascii() and tenant.isdigit():
        return column != sa.literal_column(str(int(tenant)))
    return sa.func.rtrim(sa.cast(column, sa.Text())).not_in([text_literal(""), text_literal(tenant.rstrip(" "))])


def _shares_key(mapping: TableMapping) -> sa.ColumnElement[bool]:
    """Return the condition that the key of a district row is another one's too, of whatever year."""
    every = mapping.source.alias(f"{RESERVED}every")
    key = [every.c[name] for name in mapping.key]
    return sa.tuple_(*(mapping.row.c[name] for name in mapping.key)).in_(
        sa.select(*key).group_by(*key).having(sa.func.count() > 1)
    )


_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMERIC)


def _reached(
    row: sa.FromClause,
    way: Way,
    found: Callable[[sa.FromClause], sa.ColumnElement[bool]],
    mapping: TableMapping,
    at_state: AtState | None,
) -> sa.ColumnElement[bool]:
    """Return the condition that foreign keys lead from a row to one that is `found`."""
    if not way:
        return found(row)
    key = way[0]
    parent = (key.parent if at_state is None else at_state(key.parent)).alias(f"{RESERVED}year_{len(way)}")
    of_tenant = (mapping.of_tenant(parent),) if at_state is not None and key.by_tenant else ()
    return sa.exists().where(
        *(parent.c[theirs] == row.c[ours] for ours, theirs in zip(key.columns, key.referred, strict=True)),
        *of_tenant,
        _reached(parent, way[1:], found, mapping, at_state),
    )


def _lacks_year(row: sa.FromClause, way: Way, year: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column of a row, or of those to which its foreign keys lead, is null on the way."""
    if not way:
        return row.c[year].is_(None)
    key = way[0]
    parent = key.parent.alias(f"{RESERVED}year_{len(way)}")
    pairs = [(parent.c[theirs], row.c[ours]) for ours, theirs in zip(key.columns, key.referred, strict=True)]
    above = sa.exists().where(*(theirs == ours for theirs, ours in pairs), _lacks_year(parent, way[1:], year))
    return sa.or_(*(ours.is_(None) for _, ours in pairs), above)


def _in_district(mapping: TableMapping, key: ForeignKey, dialect: Dialect) -> sa.ColumnElement[bool] | None:
    """Return the condition that a row's parent exists in the district; None if that table or column is absent."""
    try:
        table = counterpart(key.parent, mapping.source)
    except KeyError:
        return None
    if not set(key.referred) <= set(table.c.keys()):
        return None
    parent = table.alias(f"{RESERVED}parent")
    pairs = [(parent.c[theirs], mapping.row.c[ours]) for ours, theirs in zip(key.columns, key.referred, strict=True)]
    return dialect.parent_exists(pairs, exact=all(collation(table.c[name]) is None for name in key.referred))
