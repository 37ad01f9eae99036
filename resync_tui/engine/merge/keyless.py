"""Tables without a key are compared as multisets: equal rows are matched by count."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types

from resync_tui.engine.dialect import of
from resync_tui.engine.mapping import VALUE_ERROR, TableMapping
from resync_tui.engine.merge.refused import not_refused


def classify(mapping: TableMapping) -> sa.Select[Any]:
    """Select (row id, is_new) of accepted staged rows; is_new marks copies in excess of the target's."""
    placed = _placed(*_both(mapping, [not_refused(mapping, mapping.stage)], mapping.of_tenant()))
    is_new = sa.case((placed.c.place > placed.c.held, sa.true()))
    return sa.select(placed.c.n, is_new.label("new")).where(placed.c.n.is_not(None))


def count_extra(mapping: TableMapping, of_state: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the query for the number of target rows in excess of the district's equal rows, refused or not."""
    rows, values = _both(
        mapping, [mapping.stage.c[VALUE_ERROR].is_(None)], of_state
    )  # an invalid value is staged as null
    more = sa.func.count() - 2 * sa.func.count(rows.c.n)
    groups = sa.select(more.label("more")).select_from(rows).group_by(*values).having(more > 0).subquery("groups")
    return sa.select(sa.func.coalesce(sa.func.sum(groups.c.more), 0))


def unmatched(mapping: TableMapping, of_stage: Iterable[sa.ColumnElement[bool]], newest: int) -> sa.Select[Any]:
    """Select the row ids of staged rows that are not among those inserted since the `newest` of the state.

    Null stands for an inserted row that is none of the staged.
    """
    of_state = of(next(iter(mapping.target.c))).inserted_since(mapping.target, newest)
    placed = _placed(*_both(mapping, of_stage, of_state))
    twins = sa.case((placed.c.n.is_(None), 2 * placed.c.staged), else_=placed.c.held)
    return sa.select(placed.c.n).where(placed.c.place > twins)


def _placed(rows: sa.Subquery, values: list[sa.ColumnElement[Any]]) -> sa.Subquery:
    """Return rows of both ends with their place among equal ones, staged rows first, and how many each end has."""
    staged = sa.func.count(rows.c.n).over(partition_by=values)
    held = sa.func.count().over(partition_by=values) - staged
    place = sa.func.row_number().over(partition_by=values, order_by=rows.c.n.nulls_last())
    return sa.select(rows.c.n, place.label("place"), held.label("held"), staged.label("staged")).subquery("placed")


def _both(
    mapping: TableMapping, of_stage: Iterable[sa.ColumnElement[bool]], of_state: sa.ColumnElement[bool]
) -> tuple[sa.Subquery, list[sa.ColumnElement[Any]]]:
    """Return the union of staged rows (with row ids) and target rows (without), and its columns of comparison."""
    columns = [(mapping.stage.c[name], mapping.target.c[name]) for name in mapping.updatable]
    pairs = [(pair, held) for staged, held in columns for pair in of(held).match_values(staged, held, held)]
    ours = [one.label(f"v{place}") for place, ((one, _), _) in enumerate(pairs)]
    theirs = [other.label(f"v{place}") for place, ((_, other), _) in enumerate(pairs)]
    rows = sa.union_all(
        sa.select(mapping.number.label("n"), *ours).where(*of_stage),
        sa.select(sa.cast(sa.null(), types.BigInteger()).label("n"), *theirs)
        .select_from(mapping.target)
        .where(of_state),
    ).subquery("rows")
    return rows, [of(held).binary(rows.c[f"v{place}"]) for place, (_, held) in enumerate(pairs)]
