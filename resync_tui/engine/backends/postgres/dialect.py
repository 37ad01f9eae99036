"""PostgreSQL's dialect."""

import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.backends.postgres.alteration import as_target_writes, is_altered, is_jsonb, is_real, loss
from resync_tui.engine.backends.postgres.catalog import read_tables
from resync_tui.engine.backends.postgres.column_types import (
    BPCHAR,
    base_type,
    format_type,
    is_text,
    stage_type,
    type_of,
)
from resync_tui.engine.backends.postgres.hashing import HASHING
from resync_tui.engine.backends.postgres.insert import OverridingInsert
from resync_tui.engine.backends.postgres.privileges import lacking, may_write
from resync_tui.engine.dialect import Check, Dialect, Pair, altered, printed_size
from resync_tui.engine.mapping import STAGE_SCHEMA
from resync_tui.engine.reflection import Tables
from resync_tui.engine.types import EQUAL_MEANS_SAME, Capacity, LogicalType, collation, signed_range
from resync_tui.errors import ResyncError

_CAST_BY_INSERT = EQUAL_MEANS_SAME | {LogicalType.TEXT, LogicalType.FLOAT, LogicalType.NUMERIC}
SHORTEST = 6
"""Length of the shortest text column that takes placeholders."""

_PARTITIONS = sa.text("""
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relispartition
    UNION SELECT relname FROM pg_class c WHERE relispartition AND pg_table_is_visible(c.oid)
""")


class PostgresDialect(Dialect):
    """PostgreSQL."""

    name = "postgresql"
    hashing = HASHING
    run_deferred = sa.text("SET CONSTRAINTS ALL IMMEDIATE")
    ownership = sa.table("copy", sa.column("one"), sa.column("district", sa.Text()), schema=STAGE_SCHEMA)

    async def reflect(self, connection: AsyncConnection, names: Iterable[str]) -> Tables:
        return await read_tables(connection, names, self)

    def logical_type(self, column: sa.Column[Any]) -> LogicalType:
        return type_of(column.type)

    def type_name(self, column: sa.Column[Any]) -> str:
        declared: str | None = column.info.get("declared")
        return declared or column.type.compile(dialect=postgresql.dialect()).lower()  # type: ignore[no-untyped-call]

    def is_padded(self, column: sa.Column[Any]) -> bool:
        return isinstance(column.type, types.CHAR)

    def without_domain(self, column: sa.Column[Any]) -> sa.Column[Any]:
        kind = base_type(column.type)
        return column if kind is column.type else sa.Column(column.name, kind, info=column.info)

    def is_same_type(self, source: sa.Column[Any], target: sa.Column[Any]) -> bool:
        if source.type is target.type and not {"base"} & (source.info.keys() | target.info.keys()):
            return True  # as nearly all are, and soonest said
        ours, theirs = (column.info.get("base") or format_type(column.type) for column in (source, target))
        return ours == theirs or _sized(ours) == _sized(theirs) is not None

    def declared_capacity(self, column: sa.Column[Any]) -> Capacity:
        return super().declared_capacity(self.without_domain(column))

    def insert(self, table: sa.Table) -> sa.Insert:
        numbers_itself = any(column.identity is not None and column.identity.always for column in table.c)
        return OverridingInsert(table) if numbers_itself else super().insert(table)

    def takes_text(self, target: sa.Column[Any]) -> bool:
        return is_text(target.type)

    def loss(self, source: sa.Column[Any], target: sa.Column[Any]) -> str | None:
        return loss(source, target, self.logical_type(target))

    def can_hold(self, column: sa.Column[Any], text: str) -> bool:
        length = column.info.get("length", getattr(column.type, "length", None))
        fits_in = length is None or len(text) <= length
        return fits_in and is_text(column.type) and not (self.is_padded(column) and text.endswith(" "))

    def as_compared(self, column: sa.Column[Any], text: str) -> str:
        text = super().as_compared(column, text)
        if collation(column) is None and "citext" not in f"{column.type} {column.info.get('base', '')}":
            return text
        # What a nondeterministic collation ignores is its own: accents, cases and widths are most of it.
        letters = (each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
        return "".join(letters).casefold()

    def integer_bounds(self, column: sa.Column[Any]) -> tuple[int, int] | None:
        if self.logical_type(column) is not LogicalType.INTEGER or isinstance(column.type, sa.BigInteger):
            return None
        return signed_range(16 if isinstance(column.type, sa.SmallInteger) else 32)

    def date_literal(self, day: date) -> str:
        return f"DATE '{day.isoformat()}'"

    def is_rejected_sql(self, error: BaseException | None) -> bool:
        # SQLSTATE class 42, and 22 for constants.
        return str(getattr(error, "sqlstate", None) or "")[:2] in ("42", "22")

    def as_sent(self, column: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        if self.is_padded(target) and not isinstance(column.type, types.CHAR):
            return sa.cast(column, BPCHAR)
        return self.to_stage(column, target)

    def to_stage(self, value: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        staged = sa.cast(value, stage_type(self.logical_type(target)))
        return sa.cast(sa.func.rtrim(staged, " "), BPCHAR) if self.is_padded(target) else staged

    def from_stage(self, staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        return staged if self.logical_type(target) in _CAST_BY_INSERT else sa.cast(staged, target.type)

    def differs(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool]:
        if (kind := self.logical_type(target)) in EQUAL_MEANS_SAME:
            return held.is_distinct_from(as_target_writes(staged, target, kind))
        ((one, other),) = self.match_values(staged, held, target)
        return self.binary(other).is_distinct_from(one)

    def match_values(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> list[Pair]:
        written = as_target_writes(staged, target, self.logical_type(target))
        return [(sa.cast(written, types.Text()), sa.cast(held, types.Text()))]

    def binary(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.collate(sa.type_coerce(value, types.Text()), "C")

    def placeholder(self, column: sa.Column[Any], row_id: sa.ColumnElement[int]) -> sa.ColumnElement[Any] | None:
        text = sa.literal("~", sa.Text()) + sa.cast(row_id, sa.Text())
        kind, length = self.logical_type(column), getattr(column.type, "length", None)
        if kind is LogicalType.TEXT:
            return text if length is None or length >= SHORTEST else None
        if kind is LogicalType.INTEGER:
            bounds = self.integer_bounds(column)
            return sa.literal_column(str(bounds[0] // 2 if bounds else -(2**30))) - row_id
        if kind in (LogicalType.NUMERIC, LogicalType.FLOAT):
            return -row_id
        if kind is LogicalType.DATE:
            return sa.literal_column("DATE '0001-01-01'").op("+")(sa.cast(row_id, sa.Integer()))
        if kind in (LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ):
            return sa.literal_column("TIMESTAMP '0001-01-01'").op("+")(
                row_id.op("*")(sa.literal_column("INTERVAL '1 s'"))
            )
        return sa.cast(sa.func.md5(text), sa.Uuid()) if kind is LogicalType.UUID else None

    def newest(self, table: sa.Table) -> sa.Select[Any]:
        return sa.select(sa.literal_column("0"))

    def inserted_since(self, table: sa.Table, newest: int) -> sa.ColumnElement[bool]:
        return sa.literal_column("xmin = pg_current_xact_id()::xid", types.Boolean())

    def materialized(self, query: sa.CTE) -> sa.CTE:
        return query.prefix_with("MATERIALIZED")

    def value_checks(
        self, staged: sa.ColumnElement[Any], source: sa.Column[Any], target: sa.Column[Any]
    ) -> Iterable[Check]:
        yield from super().value_checks(staged, source, target)
        if self.logical_type(target) is LogicalType.FLOAT and isinstance(target.type, types.REAL):
            yield Check(sa.not_(is_real(staged)), "is out of range (real)", printed_size(staged))
        if isinstance(target.type, postgresql.JSONB):
            yield Check(sa.not_(is_jsonb(staged)), "is not a valid jsonb")
        if (what := self.loss(source, target)) is not None:
            yield Check(is_altered(staged, target, self.logical_type(target)), altered(what))

    def too_large(self, number: sa.ColumnElement[Any], precision: int, scale: int) -> sa.ColumnElement[bool]:
        # NaN is above all numbers, and any numeric takes it.
        beyond = super().too_large(number, precision, scale)
        return sa.and_(beyond, number != sa.literal_column("'NaN'::numeric"))

    def lacks_function(self, error: BaseException) -> bool:
        return isinstance(error, asyncpg.UndefinedFunctionError)

    async def missing_privileges(
        self, connection: AsyncConnection, name: str, tables: Iterable[sa.Table], *, as_state: bool
    ) -> list[ResyncError]:
        return await lacking(connection, name, tables, as_state=as_state)

    async def partitions(self, connection: AsyncConnection) -> frozenset[str]:
        return frozenset(await connection.scalars(_PARTITIONS))

    async def may_write(self, connection: AsyncConnection, tables: Iterable[sa.Table]) -> bool:
        return await may_write(connection, tables)


DIALECT = PostgresDialect()


def _sized(base: str) -> str | None:
    """Return a base type without its size if every size of it is checked; else None."""
    name, _, _ = base.partition("(")
    return name if name in ("character varying", "character", "numeric") else None
