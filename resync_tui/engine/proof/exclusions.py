"""Exclusions above a table: records of the district that a rule of another object keeps out, and what is below them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.keys import ForeignKey, links, qualified
from resync_tui.engine.reflection import counterpart


@dataclass(frozen=True)
class Exclusions:
    """The rules of objects that a batch does not send, each valid SQL in the district."""

    conditions: Mapping[str, Sequence[sa.ColumnElement[bool]]] = field(default_factory=dict)
    """Conditions of a row `t`, by the catalog name of its table."""

    def of_parent(
        self,
        row: sa.FromClause,
        key: ForeignKey,
        source: sa.Table,
        tenant_column: str | None,
        below: Collection[sa.Table] = (),
    ) -> sa.ColumnElement[bool] | None:
        """Return the condition that a rule excludes the parent of a row, or one above it; None if none can.

        `row` is of the district's table `source`, `key` the state's. The excluded records are found once a statement,
        and only if it has rows to judge. `below`: the state's tables that led here.
        """
        try:
            table = counterpart(key.parent, source)
        except KeyError:
            return None
        if key.parent in below or not set(key.referred) <= set(table.c.keys()):
            return None
        parent = table.alias("t")
        excluded = list(self.conditions.get(qualified(table), ()))
        for above in links(key.parent, tenant_column):
            if set(above.columns) <= set(table.c.keys()):
                behind = self.of_parent(parent, above, table, tenant_column, (*below, key.parent))
                excluded += [] if behind is None else [behind]
        if not excluded:
            return None
        keys = sa.select(*(parent.c[name] for name in key.referred)).where(sa.or_(*excluded))
        return _value(row, key.columns).in_(keys)


def _value(row: sa.FromClause, columns: Sequence[str]) -> sa.ColumnElement[Any]:
    return row.c[columns[0]] if len(columns) == 1 else sa.tuple_(*(row.c[name] for name in columns))
