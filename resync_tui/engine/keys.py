"""Record keys, unique keys and foreign keys of reflected tables."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from resync_tui.databases.names import join_name
from resync_tui.errors import CannotRun

CATALOG_NAME = "resync_name"
"""Info key of a table: its name in the catalog."""
DANGLING = "resync_dangling"
"""Info key of a table reflected without columns: a foreign key of it references a missing table."""


VIEW = "resync_view"
"""Info key of a view, a materialised one or a foreign table, reflected as a table."""
SUBTABLES = "resync_subtables"
"""Info key of a table whose queries return the records of sub-tables too (INHERITS): their names."""


@dataclass(frozen=True, eq=False)
class ForeignKey:
    """Foreign key of a table, without the tenant column."""

    columns: tuple[str, ...]
    parent: sa.Table
    """Referenced table."""
    referred: tuple[str, ...]
    by_tenant: bool
    """Whether parent and child must be of the same tenant."""
    enforces_tenant: bool
    """Whether the constraint itself demands that; else a record of another tenant would satisfy it."""


@dataclass(frozen=True)
class UniqueKey:
    """Unique key of a target table, without the tenant column."""

    columns: tuple[str, ...]
    by_tenant: bool
    """Whether unique per tenant; else in the whole state."""
    nulls_distinct: bool = True
    """Whether any number of rows may be without a value."""

    def same_value(self, held: sa.FromClause, staged: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that a target row has the value of a staged one."""
        return [held.c[name] == staged.c[name] for name in self.columns]


class IncompatibleTable(CannotRun):
    """Table with incompatible ends; its object run fails and the descendants are skipped."""


def record_key(
    target: sa.Table,
    tenant_column: str | None,
    columns: tuple[str, ...],
    *,
    named: Collection[str] = (),
    district: Collection[str] = (),
) -> tuple[str, ...]:
    """Return the record key: the one `named`, else the primary key, else a unique key without nullable columns.

    Of several unique keys it is the one of the `district`'s primary key, else the one to which most foreign keys point,
    else that of the fewest columns, the first by name. Empty for a keyless table: its records are identified by all
    their values. Raises IncompatibleTable if the primary key lacks the tenant column, or `named` is no such key.
    """
    primary = tuple(column.name for column in target.primary_key.columns)
    own = tuple(name for name in primary if name != tenant_column)
    is_filled, of_tenant = bool(own) and set(own) <= set(columns), tenant_column in (None, *primary)
    told_apart = _filled_keys(target, tenant_column, columns)
    if is_filled and of_tenant:
        told_apart.insert(0, own)
    if named:
        if (found := next((key for key in told_apart if set(key) == set(named)), None)) is not None:
            return found
        raise IncompatibleTable(
            f"The catalog's key of {qualified(target)} ({', '.join(named)}) is not unique and NOT NULL in the state",
            f"Make it so there{f', with {tenant_column} first' if tenant_column else ''}, or name another.",
        )
    if is_filled and of_tenant:
        return own
    if told_apart:
        return min(told_apart, key=lambda key: (set(key) != set(district), -_pointing(target, key), len(key), key))
    if is_filled:
        raise IncompatibleTable(
            f"The primary key of the state's table {qualified(target)} lacks {tenant_column}",
            "Put that column first in it.",
        )
    return ()


def shortest_key(target: sa.Table, tenant_column: str | None, columns: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the unique key of the fewest columns that may tell records apart, the first by name.

    None where the primary key tells them apart, or nothing does.
    """
    primary = {column.name for column in target.primary_key.columns}
    if tenant_column in (None, *primary) and set() < primary - {tenant_column} <= set(columns):
        return None
    return min(_filled_keys(target, tenant_column, columns), key=lambda key: (len(key), key), default=None)


def _filled_keys(target: sa.Table, tenant_column: str | None, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the unique keys, per tenant where there are tenants, without nullable columns."""
    return [
        unique.columns
        for unique in unique_keys(target, tenant_column, columns)
        if unique.by_tenant == (tenant_column is not None)
        and not any(target.c[name].nullable for name in unique.columns)
    ]


def _pointing(target: sa.Table, key: Collection[str]) -> int:
    """Return how many foreign keys of the state point to a key, whatever further columns tell the tenant."""
    return sum(
        referred_table(constraint) is target and set(key) <= set(map(referred_column, constraint.elements))
        for table in target.metadata.tables.values()
        for constraint in table.foreign_key_constraints
    )


def links(table: sa.Table, tenant_column: str | None) -> tuple[ForeignKey, ...]:
    """Return a table's foreign keys, by their columns; without those to tables that are not there."""
    return tuple(
        sorted(
            (
                _foreign_key(constraint, parent, tenant_column)
                for constraint in table.foreign_key_constraints
                if (parent := referred_table(constraint)) is not None and _own_pairs(constraint, tenant_column)
            ),
            key=lambda key: (key.columns, key.parent.name),
        )
    )


def referred_key(element: sa.ForeignKey) -> tuple[str | None, str]:
    """Return the schema (None: the default one) and the name of the table to which a foreign key points."""
    schema, table, _ = element.target_tokens
    return schema, table


def referred_name(constraint: sa.ForeignKeyConstraint) -> str:
    """Return the display name of the table to which a foreign key points."""
    return join_name(*referred_key(constraint.elements[0]))


def referred_column(element: sa.ForeignKey) -> str:
    """Return the column to which a column of a foreign key points."""
    return str(element.target_tokens.column_name)


def referred_table(constraint: sa.ForeignKeyConstraint) -> sa.Table | None:
    """Return the table to which a reflected foreign key points; None if it is not there."""
    schema, name = referred_key(constraint.elements[0])
    # A dot in a table's name may make another's of what its schema and name make together.
    parent = constraint.table.metadata.tables.get(f"{schema}.{name}" if schema else name)
    is_there = parent is not None and (parent.schema, parent.name) == (schema, name) and DANGLING not in parent.info
    return parent if is_there else None


def _own_pairs(constraint: sa.ForeignKeyConstraint, tenant_column: str | None) -> list[tuple[str, str]]:
    pairs = [(each.parent.name, referred_column(each)) for each in constraint.elements]
    return [(ours, theirs) for ours, theirs in pairs if ours != tenant_column]


def _foreign_key(constraint: sa.ForeignKeyConstraint, parent: sa.Table, tenant_column: str | None) -> ForeignKey:
    own = _own_pairs(constraint, tenant_column)
    referred = tuple(theirs for _, theirs in own)
    return ForeignKey(
        columns=tuple(ours for ours, _ in own),
        parent=parent,
        referred=referred,
        # Parents without that column are no tenant's; a key that refers to it says which tenant's.
        by_tenant=tenant_column is not None and tenant_column in {*parent.c.keys()} - {*referred},
        enforces_tenant=len(own) < len(constraint.elements),
    )


def foreign_keys(target: sa.Table, tenant_column: str | None, columns: tuple[str, ...]) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of a target table over the shared `columns`.

    Raises IncompatibleTable for one that points to a table that is not there.
    """
    for constraint in target.foreign_key_constraints:
        own = _own_pairs(constraint, tenant_column)
        if own and {ours for ours, _ in own} <= set(columns) and referred_table(constraint) is None:
            parent = referred_name(constraint)
            raise IncompatibleTable(
                f"The state's table {qualified(target)} points to {parent}, which is broken or not there",
                "Create it with: resync-tui state init -d ID",
            )
    return tuple(key for key in links(target, tenant_column) if set(key.columns) <= set(columns))


def qualified(table: sa.Table) -> str:
    """Return a table's catalog name; of one that the catalog does not name, its own with its schema."""
    if (name := table.info.get(CATALOG_NAME)) is not None:
        return str(name)
    return join_name(table.schema, table.name)


def is_key(table: sa.Table, columns: Collection[str]) -> bool:
    """Whether columns are the primary key, or a unique key, of a table."""
    keys = (unique.columns for unique in unique_keys(table, None, tuple(table.c.keys())))
    return set(columns) in [{column.name for column in table.primary_key.columns}, *map(set, keys)]


def unique_keys(target: sa.Table, tenant_column: str | None, columns: tuple[str, ...]) -> tuple[UniqueKey, ...]:
    sets: list[tuple[tuple[str, ...], bool]] = [
        (tuple(column.name for column in constraint.columns), _nulls_distinct(constraint))
        for constraint in target.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    sets += [
        (tuple(column.name for column in index.columns), _nulls_distinct(index))
        for index in target.indexes
        if index.unique and not _partial(index) and _is_valid(index) and len(index.columns) == len(index.expressions)
    ]
    found = set()
    for names, nulls_distinct in sets:
        own = tuple(name for name in names if name != tenant_column)
        if own and all(name in columns for name in own):
            found.add(UniqueKey(own, len(own) < len(names), nulls_distinct))
    return tuple(sorted(found, key=lambda key: key.columns))


def is_unique(table: sa.Table, key: tuple[str, ...], tenant_column: str | None) -> bool:
    """Whether constraints of a table keep rows of one tenant from having the same `key`."""
    return any(set(each) <= set(key) for each in _told_apart_by(table, tenant_column))


def wider_key(table: sa.Table, key: tuple[str, ...], tenant_column: str | None) -> tuple[str, ...] | None:
    """Return a key of a table of which `key` is but a part, and so is not unique there; None if there is none."""
    known = [] if is_unique(table, key, tenant_column) else _told_apart_by(table, tenant_column)
    return next((each for each in known if set(key) < set(each)), None) if key else None


def _told_apart_by(table: sa.Table, tenant_column: str | None) -> list[tuple[str, ...]]:
    primary = tuple(column.name for column in table.primary_key.columns if column.name != tenant_column)
    unique = [each.columns for each in unique_keys(table, tenant_column, tuple(table.c.keys()))]
    return [primary, *unique] if primary else unique


def _is_valid(index: sa.Index) -> bool:
    """Whether an index holds all rows: a build that failed leaves one that its server does not rely on."""
    return not any(seen.get("invalid") for seen in index.reflect_only_elements.values())


def _nulls_distinct(unique: sa.UniqueConstraint | sa.Index) -> bool:
    return not any(
        str(option).endswith("_nulls_not_distinct") and value for option, value in unique.dialect_kwargs.items()
    )


def _partial(index: sa.Index) -> bool:
    return any(str(option).endswith("_where") and value is not None for option, value in index.dialect_kwargs.items())
