"""Maps a source table to its target table: shared columns, record key, foreign and unique keys, checks, stages."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from resync_tui.catalog import Catalog, DisObject, Rule
from resync_tui.engine.dialect import differs, of
from resync_tui.engine.keys import (
    DANGLING,
    ForeignKey,
    IncompatibleTable,
    UniqueKey,
    foreign_keys,
    is_unique,
    record_key,
    unique_keys,
    wider_key,
)
from resync_tui.engine.proof.fit import (
    columns_of,
    is_filled,
    require_no_subtables,
    require_referred_keys,
    require_table,
    require_to_hold,
    require_updatable,
    shared_columns,
)
from resync_tui.engine.proof.proof import INIT, Proof, YearPath
from resync_tui.outcome import Kind

RESERVED = "_resync_"
"""Prefix of the program's own columns and aliases where they meet those of a table; no table has one that begins so."""
ROW_ID = f"{RESERVED}n"
EXCLUDED_BY = f"{RESERVED}rule"
VALUE_ERROR = f"{RESERVED}flaw"
SET_ASIDE = f"{RESERVED}aside"
ABSENT, PRESENT, KEPT_OUT = range(3)
"""Marks of a row's parent: not in the district, in it, in it but excluded by a rule or below a record that is."""
DOUBLED_KEY = "its key occurs more than once in the district"
STAGE_SCHEMA = "resync_stage"
"""Schema of the stages.

Not `resync`: a role of that name would search it first for every unqualified table name.
"""


@dataclass(frozen=True, eq=False)
class TableMapping:
    """Mapping of a source table to its target table; `columns` are those of both ends."""

    object: str
    name: str
    stage_name: str
    """Suffix of its stage tables' names; unique among batches."""
    source: sa.Table
    target: sa.Table
    tenant_column: str | None
    tenant: str | None
    key: tuple[str, ...]
    """Record key, without the tenant column; empty for a keyless table, compared by all columns."""
    columns: tuple[str, ...]
    says_tenant: bool
    """Whether the district's table has the tenant column too, not ignored: it may name another tenant."""
    owned: frozenset[str]
    rules: tuple[Rule, ...]
    foreign_keys: tuple[ForeignKey, ...]
    unique_keys: tuple[UniqueKey, ...]
    checks: tuple[tuple[str, str], ...]
    """Names and SQL expressions of the target's CHECK constraints."""
    year: YearPath | None
    """Way to the school year; None for a table that is not tied to one."""
    unfed: tuple[str, ...]
    """Columns of the target that nobody fills: the source has none of that name, and they are not the state's own."""

    def _beside(self, kind: str, *columns: sa.Column[Any]) -> sa.Table:
        """Return a table of this mapping in the stages' schema."""
        return sa.Table(f"{kind}{self.stage_name}", sa.MetaData(schema=STAGE_SCHEMA), *columns)

    @cached_property
    def stage(self) -> sa.Table:
        """Stage of the district's rows, numbered as they were read, with the marks of what keeps them out."""
        return self._beside(
            "s",
            sa.Column(ROW_ID, sa.BigInteger),
            sa.Column(EXCLUDED_BY, sa.Integer),
            sa.Column(VALUE_ERROR, sa.Text),
            *(sa.Column(self.parent_mark(n), sa.Integer) for n in range(len(self.foreign_keys))),
            *(sa.Column(name, sa.types.NullType()) for name in self.columns),
        )

    @cached_property
    def refused(self) -> sa.Table:
        """Stage of the refusals: row ids with what refuses them."""
        return self._beside(
            "r",
            sa.Column("n", sa.BigInteger),
            sa.Column("kind", sa.Text),
            sa.Column("reason", sa.Text),
            sa.Column("columns", sa.Text),
            sa.Column("size", sa.BigInteger),
            sa.Column("foreign_key", sa.Integer),
            sa.Column("unique_key", sa.Integer),
            sa.Column("behind_exclusion", sa.Boolean),
        )

    @cached_property
    def changes(self) -> sa.Table:
        """Stage of the row ids to write."""
        return self._beside(
            "t",
            sa.Column("n", sa.BigInteger),
            sa.Column("new", sa.Boolean),
            sa.Column("swaps", sa.Boolean),
            sa.Column("sent", sa.Text),
        )

    @cached_property
    def extra(self) -> sa.Table:
        """Stage of the keys of records that only the state has."""
        return self._beside(
            "x",
            sa.Column(ROW_ID, sa.BigInteger),
            sa.Column(SET_ASIDE, sa.Text),
            *(sa.Column(name, sa.types.NullType()) for name in self.key),
        )

    @cached_property
    def row(self) -> sa.FromClause:
        """Source table under the alias `t`, as rules refer to it."""
        return self.source.alias("t")

    @staticmethod
    def parent_mark(foreign_key: int) -> str:
        """Return the stage column of the mark of a parent out of the batch."""
        return f"{RESERVED}fk{foreign_key}"

    @property
    def number(self) -> sa.Column[int]:
        """Row id of the stage, ascending in read order."""
        return self.stage.c[ROW_ID]

    @property
    def extra_number(self) -> sa.Column[int]:
        """Row id of the extra records."""
        return self.extra.c[ROW_ID]

    @property
    def updatable(self) -> tuple[str, ...]:
        """Columns that a resync updates: neither key nor state-owned."""
        return tuple(name for name in self.columns if name not in self.key and name not in self.owned)

    def of_tenant(self, table: sa.FromClause | None = None) -> sa.ColumnElement[bool]:
        """Return the condition that a target row is this tenant's."""
        table = self.target if table is None else table
        if self.tenant_column is None:
            return sa.true()
        return table.c[self.tenant_column] == sa.literal(self.tenant, sa.Text())

    def points_at(self, key: ForeignKey, staged: sa.FromClause, parent: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that a staged row references another; the tenant of both is the mapping's."""
        return [
            staged.c[ours] == (sa.literal(self.tenant, sa.Text()) if theirs == self.tenant_column else parent.c[theirs])
            for ours, theirs in zip(key.columns, key.referred, strict=True)
        ]

    def same_key(self, target: sa.FromClause, staged: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition that a target and a staged row are one record: by key or, if keyless, by values."""
        if not self.key:
            columns = ((staged.c[name], target.c[name], self.target.c[name]) for name in self.updatable)
            return sa.and_(self.of_tenant(target), *(sa.not_(differs(*column)) for column in columns))
        return sa.and_(self.of_tenant(target), *(target.c[name] == staged.c[name] for name in self.key))

    @property
    def may_double_keys(self) -> bool:
        """Whether rows of two school years may have the same key: no constraint of the district prevents it."""
        return self.year is not None and bool(self.key) and not is_unique(self.source, self.key, self.tenant_column)

    @property
    def refusals(self) -> tuple[tuple[Kind, str], ...]:
        """Kinds and reasons for which the district's rows are refused as they are read, in order of precedence."""
        found = [(Kind.EXCLUDED, rule.reason) for rule in self.rules]
        if self.says_tenant:
            found.append((Kind.REJECTED, f"{self.tenant_column} names another district"))
        if self.may_double_keys:
            found.append((Kind.REJECTED, DOUBLED_KEY))
        return tuple(found)

    @property
    def key_mapping(self) -> "TableMapping":
        """The same mapping reduced to the key columns, to be staged separately."""
        return replace(
            self,
            stage_name=f"k{self.stage_name}",
            columns=self.key,
            says_tenant=False,
            rules=(),
            foreign_keys=(),
            unique_keys=(),
            checks=(),
        )

    @property
    def keys_comparable(self) -> bool:
        """Whether a key exists, and distinct source keys stay distinct in the target."""
        return bool(self.key) and all(
            of(self.target.c[name]).keeps_apart(self.source.c[name], self.target.c[name]) for name in self.key
        )

    @property
    def same_primary_key(self) -> bool:
        """Whether the source's primary key is the same, so that no key occurs twice in the district."""
        same_columns = {column.name for column in self.source.primary_key.columns} == set(self.key)
        return same_columns and self.keys_comparable


def describe(
    dis_object: DisObject,
    name: str,
    stage_name: str,
    proof: Proof,
    tenant: str | None,
) -> TableMapping:
    """Map a table between both ends of a proof, once it has found no fault of the object. Raises IncompatibleTable."""
    catalog, source = proof.catalog, proof.source[name]
    target = proof.target.get(name) if proof.target is not None else None
    if target is None:
        raise IncompatibleTable(f"The state has no table {name}", INIT)
    for end, table in (("district", source), ("state", target)):
        if DANGLING in table.info:
            raise IncompatibleTable(f"The {end}'s table {name} points to a table that is not there", "Create it there.")
        require_no_subtables(end, table)
        _require_names_of_theirs(end, name, table)
    tenant_column = catalog.tenant_column
    if tenant_column is not None and tenant_column not in target.c:
        raise IncompatibleTable(f"The state's table {name} has no column {tenant_column}", INIT)
    require_table(target)
    require_referred_keys(target)
    require_to_hold(target, tenant_column, tenant)
    columns = shared_columns(dis_object, name, source, target, tenant_column)
    owned = columns_of(dis_object.state_owned, name, source)
    named = (*dis_object.state_owned, *dis_object.ignore_columns)
    own = columns_of(named, name, target) | {tenant_column}
    year = proof.year_path(name) if dis_object.school_year and catalog.year is not None else None
    for end, way in (("district", year.source), ("state", year.target)) if year else ():
        for step in way:
            require_no_subtables(end, step.parent)
    key = record_key(
        target,
        tenant_column,
        columns,
        named=sorted(columns_of(dis_object.key, name, target)),
        district=[column.name for column in source.primary_key.columns if column.name != tenant_column],
    )
    if (wider := wider_key(source, key, tenant_column)) is not None:
        raise IncompatibleTable(
            f"The key of the state's table {name} ({', '.join(key)}) cannot tell apart what the district's key does",
            f"Give it the columns of the district's key there: {', '.join(wider)}.",
        )
    require_updatable(target, (each for each in columns if each not in key and each not in owned))
    return TableMapping(
        object=dis_object.name,
        name=name,
        stage_name=stage_name,
        source=source,
        target=target,
        tenant_column=tenant_column,
        tenant=tenant,
        key=key,
        columns=columns,
        says_tenant=tenant_column in set(source.c.keys()) - columns_of(dis_object.ignore_columns, name, source),
        owned=owned,
        unfed=tuple(column.name for column in target.c if not is_filled(column, source, own)),
        rules=tuple(rule for rule in dis_object.rule if rule.table == name),
        foreign_keys=foreign_keys(target, tenant_column, columns),
        unique_keys=tuple(unique for unique in unique_keys(target, tenant_column, columns) if unique.columns != key),
        checks=tuple(
            (str(check.name or ""), str(check.sqltext))
            for check in sorted(target.constraints, key=lambda each: str(each.name))
            if isinstance(check, sa.CheckConstraint)
        ),
        year=year,
    )


def described(
    proof: Proof, tenant: str | None, dis_object: DisObject
) -> tuple[list[TableMapping], list[IncompatibleTable]]:
    """Return the tables of an object that fit between both ends of a proof, and what keeps the object from being sent.

    A batch, `doctor` and `state init` go by it alike. Without a state only the district is looked at.
    """
    found, mappings = list(proof.faults(dis_object)), list[TableMapping]()
    for table in dis_object.tables if not found and proof.target is not None else ():
        try:
            mappings.append(describe(dis_object, table, "", proof, tenant))
        except IncompatibleTable as error:
            found.append(error)
    return mappings, found


def _require_names_of_theirs(end: str, name: str, table: sa.Table) -> None:
    """Raise IncompatibleTable if a name of a table could be taken for one of the program's own."""
    for each in (table.name, *(column.name for column in table.c)):
        if each.casefold().startswith(RESERVED):
            raise IncompatibleTable(
                f"{name} has the name {each} in the {end}: names that begin with {RESERVED} are this program's own",
                "Rename it there.",
            )


def ignored_columns(catalog: Catalog, name: str, source: sa.Table) -> frozenset[str]:
    """Return the columns of a district's table, under its catalog name, that the catalog ignores."""
    return columns_of((column for each in catalog.objects for column in each.ignore_columns), name, source)


def in_attached(table: sa.Table, schema: str) -> sa.TableClause:
    """Return a table for a connection to which its database is attached under `schema` (ATTACH)."""
    return sa.table(table.name, *(sa.column(column.name, column.type) for column in table.c), schema=schema)
