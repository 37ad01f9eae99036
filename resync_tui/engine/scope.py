"""Which rows of a table are in scope, and what the district itself must be asked about each."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from resync_tui.engine import rules
from resync_tui.engine.declared import collation
from resync_tui.engine.families import cast_for_stage
from resync_tui.engine.keys import ForeignKey
from resync_tui.engine.tables import RULE, TableSpec, shown_in, twin


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

    def of_source(self, spec: TableSpec) -> sa.ColumnElement[bool]:
        """Return the condition that a row of the district is in scope."""
        return self._of_year(spec, spec.row, lambda table: twin(table, spec.source), by_tenant=False)

    def of_target(self, spec: TableSpec) -> sa.ColumnElement[bool]:
        """Return the condition that a row of the state is this tenant's and in scope."""
        return sa.and_(spec.of_tenant(), self._of_year(spec, spec.target, lambda table: table, by_tenant=True))

    def of_shown(self, spec: TableSpec, row: sa.FromClause, schema: str) -> sa.ColumnElement[bool]:
        """Return the same where the district's connection shows the state's tables under `schema`."""
        of_year = self._of_year(spec, row, lambda table: shown_in(table, schema), by_tenant=True)
        return sa.and_(spec.of_tenant(row), of_year)

    def _of_year(
        self, spec: TableSpec, row: sa.FromClause, at_end: Callable[[sa.Table], sa.TableClause], *, by_tenant: bool
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

    def forbidden(self, spec: TableSpec) -> sa.ColumnElement[bool] | None:
        """Return the condition that a rule forbids a row of the district; None where the table has no rules."""
        conditions = self._conditions(spec)
        return sa.or_(*conditions) if conditions else None

    def reading(self, spec: TableSpec, whole: Collection[sa.Table]) -> sa.Select[tuple[Any, ...]]:
        """Return the query that reads a table: the first rule that forbids a row, parents elsewhere, the columns.

        `whole` are the state's tables that this batch moves whole; parents in others are looked for in the district.
        """
        by_number = [(condition, number) for number, condition in enumerate(self._conditions(spec))]
        first_rule: sa.ColumnElement[Any] = sa.case(*by_number) if by_number else sa.cast(sa.null(), sa.Integer())
        marks: list[sa.ColumnElement[Any]] = [first_rule.label(RULE)]
        for number, key in enumerate(spec.foreign_keys):
            mark = sa.null() if key.parent in whole else _in_district(spec, key, self.dialect)
            marks.append(sa.cast(mark, sa.Boolean()).label(spec.absent_parent(number)))
        return sa.select(*marks, *self._as_sent(spec)).select_from(spec.row).where(self.of_source(spec))

    def elsewhere(self, keyed: TableSpec) -> sa.Select[tuple[Any, ...]]:
        """Return the query that reads the keys of the district's rows that are not in scope, as they would be sent."""
        rule: sa.ColumnElement[Any] = sa.cast(sa.null(), sa.Integer()).label(RULE)
        keys = sa.select(rule, *self._as_sent(keyed)).select_from(keyed.row)
        return keys.where(self.of_source(keyed).is_not(sa.true()))

    def _as_sent(self, spec: TableSpec) -> list[sa.ColumnElement[Any]]:
        """Return the district's columns as the stage takes them."""
        if self.dialect != "postgresql":
            return [spec.row.c[name] for name in spec.columns]
        return [cast_for_stage(spec.row.c[name], spec.target.c[name]).label(name) for name in spec.columns]

    def _conditions(self, spec: TableSpec) -> list[sa.ColumnElement[bool]]:
        return [rules.condition(rule, self.dialect, self.year, self.today) for rule in spec.rules]

    async def require_valid_rules(self, spec: TableSpec, ask: rules.Ask) -> None:
        """Raise CannotRun for the first rule of a table that the district does not understand."""
        for rule, forbidden in zip(spec.rules, self._conditions(spec), strict=True):
            await rules.require_valid(spec.object, rule, forbidden, spec.row, ask)


def _in_district(spec: TableSpec, key: ForeignKey, dialect: str) -> sa.ColumnElement[Any]:
    """Return whether the district has the parent that a row points to; null where it has no such table."""
    try:
        parent = twin(key.parent, spec.source).alias("p")
    except KeyError:
        return sa.null()
    if not set(key.referred) <= set(parent.c.keys()):
        return sa.null()
    pairs = [(parent.c[theirs], spec.row.c[ours]) for ours, theirs in zip(key.columns, key.referred, strict=True)]
    if dialect == "sqlite" and len(pairs) == 1 and collation(pairs[0][0]) is None:
        return pairs[0][1].in_(sa.select(pairs[0][0]))  # looks the index up, without a subquery for each row
    return sa.exists().where(*(theirs == ours for theirs, ours in pairs))
