"""PostgreSQL's dialect."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.postgres import OF_TABLE, of_table
from resync_tui.databases.registry import column_types
from resync_tui.engine.backends.postgres.hashing import HASHING
from resync_tui.engine.dialect import Check, Dialect, Pair
from resync_tui.engine.keys import qualified
from resync_tui.engine.mapping import STAGE_SCHEMA
from resync_tui.engine.types import EQUAL_MEANS_SAME, LARGEST_REAL, LogicalType, collation
from resync_tui.engine.visibility import Policed

NATIVE_IN_STAGE: dict[LogicalType, str] = {
    LogicalType.INTEGER: "bigint",
    LogicalType.NUMERIC: "numeric",
    LogicalType.FLOAT: "double precision",
    LogicalType.TEXT: "text",
    LogicalType.BOOLEAN: "boolean",
    LogicalType.DATE: "date",
    LogicalType.TIME: "time",
    LogicalType.TIMESTAMP: "timestamp",
    LogicalType.TIMESTAMPTZ: "timestamptz",
    LogicalType.INTERVAL: "interval",
    LogicalType.UUID: "uuid",
    LogicalType.BYTES: "bytea",
}
"""Stage type by logical type, wider than any column; types not listed are staged as text."""

_ROUNDED_BY_TYPE = {LogicalType.TIME, LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ, LogicalType.INTERVAL}
_CAST_BY_INSERT = EQUAL_MEANS_SAME | {LogicalType.TEXT, LogicalType.FLOAT, LogicalType.NUMERIC}
SHORTEST = 6
"""Length of the shortest text column that takes placeholders."""

_DETERMINISTIC = sa.text(f"""
SELECT a.attname
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation
 WHERE l.collisdeterministic AND {OF_TABLE}
""")

_POLICED = sa.text("""
    SELECT w.name, current_user::text AS login, coalesce((
        SELECT string_agg(p.polname, ', ' ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid
        AND (0 = ANY (p.polroles) OR EXISTS (SELECT FROM unnest(p.polroles) r WHERE pg_has_role(r, 'USAGE')))
    ), '') AS policies
    FROM unnest(CAST(:names AS text[]), CAST(:schemas AS text[]), CAST(:tables AS text[])) w (name, schema, "table")
    JOIN pg_class c ON c.relname = w."table" AND c.relrowsecurity
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE CASE WHEN w.schema IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = w.schema END
        AND row_security_active(c.oid)
    ORDER BY w.name
""")


_INHERITED = sa.text("""
    SELECT n.nspname AS schema, c.relname AS name, pg_table_is_visible(c.oid) AS visible,
        string_agg(i.inhrelid::regclass::text, ', ' ORDER BY i.inhrelid::regclass::text) AS sub_tables
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'f') GROUP BY n.nspname, c.relname, c.oid
""")


class Named(types.UserDefinedType[Any]):
    """PostgreSQL type unknown to SQLAlchemy, by its name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_kw: Any) -> str:
        """Return the name as DDL and casts write it."""
        return self.name


class PostgresDialect(Dialect):
    """PostgreSQL."""

    name = "postgresql"
    hashing = HASHING
    ownership = sa.table("copy", sa.column("one"), sa.column("district", sa.Text()), schema=STAGE_SCHEMA)

    def declare(self, connection: sa.Connection, table: sa.Table) -> None:
        if any(isinstance(column.type, types.NullType | postgresql.DOMAIN) for column in table.c):
            _declare_types(connection, table)
        if any(collation(column) is not None for column in table.c):
            # Deterministic collations treat no different texts as equal.
            for name in connection.scalars(_DETERMINISTIC, of_table(qualified(table))):
                table.c[name].info["collation"] = None

    def logical_type(self, column: sa.Column[Any]) -> LogicalType:
        return _of_type(column.type)

    def is_padded(self, column: sa.Column[Any]) -> bool:
        return isinstance(column.type, types.CHAR)

    def can_hold(self, column: sa.Column[Any], text: str) -> bool:
        length = column.info.get("length", getattr(column.type, "length", None))
        fits_in = length is None or len(text) <= length
        return fits_in and _is_text(column.type) and not (self.is_padded(column) and text.endswith(" "))

    def as_compared(self, column: sa.Column[Any], text: str) -> str:
        text = super().as_compared(column, text)
        if collation(column) is None and "citext" not in str(column.type):
            return text
        # What a nondeterministic collation ignores is its own: accents, cases and widths are most of it.
        letters = (each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
        return "".join(letters).casefold()

    def integer_bounds(self, column: sa.Column[Any]) -> tuple[int, int] | None:
        if self.logical_type(column) is not LogicalType.INTEGER or isinstance(column.type, sa.BigInteger):
            return None
        bits = 15 if isinstance(column.type, sa.SmallInteger) else 31
        return -(2**bits), 2**bits - 1

    def date_literal(self, day: date) -> str:
        return f"DATE '{day.isoformat()}'"

    def is_rejected_sql(self, error: BaseException | None) -> bool:
        # SQLSTATE class 42, and 22 for constants.
        return str(getattr(error, "sqlstate", None) or "")[:2] in ("42", "22")

    def as_sent(self, column: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        return self.to_stage(column, target)

    def to_stage(self, value: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        staged = sa.cast(value, _stage_type(self.logical_type(target)))
        return sa.func.rtrim(staged, " ") if isinstance(target.type, types.CHAR) else staged

    def from_stage(self, staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        return staged if self.logical_type(target) in _CAST_BY_INSERT else sa.cast(staged, target.type)

    def differs(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool]:
        if (kind := self.logical_type(target)) in EQUAL_MEANS_SAME:
            return held.is_distinct_from(_as_target_writes(staged, target, kind))
        ((one, other),) = self.match_values(staged, held, target)
        return self.binary(other).is_distinct_from(one)

    def match_values(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> list[Pair]:
        written = _as_target_writes(staged, target, self.logical_type(target))
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

    def inserted_last(self, table: sa.Table, count: int) -> sa.ColumnElement[bool]:
        return sa.literal_column("xmin = pg_current_xact_id()::xid", types.Boolean())

    def materialized(self, query: sa.CTE) -> sa.CTE:
        return query.prefix_with("MATERIALIZED")

    def value_checks(self, staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> Iterable[Check]:
        yield from super().value_checks(staged, target)
        if isinstance(target.type, sa.REAL) and self.logical_type(target) is LogicalType.FLOAT:
            yield sa.func.abs(staged) > LARGEST_REAL, "is out of range (real)"

    def too_large(self, number: sa.ColumnElement[Any], precision: int, scale: int) -> sa.ColumnElement[bool]:
        # NaN is above all numbers, and any numeric takes it.
        beyond = super().too_large(number, precision, scale)
        return sa.and_(beyond, number != sa.literal_column("'NaN'::numeric"))

    def lacks_function(self, error: BaseException) -> bool:
        return isinstance(error, asyncpg.UndefinedFunctionError)

    def inherited(self, connection: sa.Connection, tables: Iterable[sa.Table]) -> Mapping[sa.Table, str]:
        named: dict[tuple[str | None, str], str] = {}
        for row in connection.execute(_INHERITED):
            named[row.schema, row.name] = row.sub_tables
            if row.visible:
                named[None, row.name] = row.sub_tables
        return {table: named[table.schema, table.name] for table in tables if (table.schema, table.name) in named}

    async def policed_tables(self, connection: AsyncConnection, tables: Mapping[str, sa.Table]) -> dict[str, Policed]:
        asked = {
            "names": list(tables),
            "schemas": [table.schema for table in tables.values()],
            "tables": [table.name for table in tables.values()],
        }
        rows = await connection.execute(_POLICED, asked)
        return {row.name: Policed(row.name, row.login, row.policies) for row in rows}


DIALECT = PostgresDialect()


def _declare_types(connection: sa.Connection, table: sa.Table) -> None:
    for name, found in column_types(connection, qualified(table)).items():
        column = table.c[name]
        if isinstance(column.type, types.NullType):
            column.type = Named(found.declared)
        if found.length is not None:
            column.info["length"] = found.length
        if found.precision is not None:
            column.info["precision"], column.info["scale"] = found.precision, found.scale


def _of_type(kind: types.TypeEngine[Any]) -> LogicalType:
    by_class: tuple[tuple[tuple[type, ...], LogicalType], ...] = (
        ((postgresql.DOMAIN, types.ARRAY), LogicalType.OTHER),
        ((types.Enum,), LogicalType.ENUM),
        ((types.JSON,), LogicalType.JSON),
        ((types.Uuid,), LogicalType.UUID),
        ((types.Boolean,), LogicalType.BOOLEAN),
        ((types.Integer,), LogicalType.INTEGER),
        ((types.Float, types.REAL, types.DOUBLE), LogicalType.FLOAT),
        ((types.Numeric,), LogicalType.NUMERIC),
        ((postgresql.INTERVAL, types.Interval), LogicalType.INTERVAL),
        ((types.Date,), LogicalType.DATE),
        ((types.LargeBinary,), LogicalType.BYTES),
        ((types.VARCHAR, types.CHAR, types.TEXT), LogicalType.TEXT),
    )
    for classes, found in by_class:
        if isinstance(kind, classes):
            return found
    if isinstance(kind, types.DateTime):
        return LogicalType.TIMESTAMPTZ if kind.timezone else LogicalType.TIMESTAMP
    if isinstance(kind, types.Time):
        return LogicalType.OTHER if kind.timezone else LogicalType.TIME
    return LogicalType.OTHER


def _is_text(kind: types.TypeEngine[Any]) -> bool:
    """Whether a PostgreSQL type is text, directly or as a domain."""
    if isinstance(kind, postgresql.DOMAIN):
        return _is_text(kind.data_type)
    return _of_type(kind) is LogicalType.TEXT or str(kind).rpartition(".")[2].lower() in ("citext", "null")


def _stage_type(kind: LogicalType) -> types.TypeEngine[Any]:
    match kind:
        case LogicalType.INTEGER:
            return types.BigInteger()
        case LogicalType.NUMERIC:
            return types.Numeric()
        case LogicalType.FLOAT:
            return types.Double()
        case LogicalType.BOOLEAN:
            return types.Boolean()
        case LogicalType.DATE:
            return types.Date()
        case LogicalType.TIME:
            return types.Time()
        case LogicalType.TIMESTAMP:
            return types.DateTime()
        case LogicalType.TIMESTAMPTZ:
            return types.DateTime(timezone=True)
        case LogicalType.INTERVAL:
            return postgresql.INTERVAL()
        case LogicalType.UUID:
            return types.Uuid()
        case LogicalType.BYTES:
            return types.LargeBinary()
    return types.Text()


def _as_target_writes(
    staged: sa.ColumnElement[Any], target: sa.Column[Any], kind: LogicalType
) -> sa.ColumnElement[Any]:
    """Return a staged value as its target column would store it; the SQL never fails, whatever was staged."""
    if isinstance(target.type, types.CHAR) or kind in _ROUNDED_BY_TYPE | {LogicalType.JSON}:
        return sa.cast(staged, target.type)
    scale = getattr(target.type, "scale", None)
    if kind is LogicalType.NUMERIC and scale is not None:
        return sa.func.round(sa.cast(staged, types.Numeric()), scale)
    if kind is LogicalType.FLOAT and isinstance(target.type, types.REAL):
        return sa.case((sa.func.abs(staged) <= LARGEST_REAL, sa.cast(staged, target.type)))
    return staged
