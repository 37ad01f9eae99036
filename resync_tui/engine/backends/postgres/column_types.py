"""Types of PostgreSQL's columns: what SQLAlchemy does not reflect, the logical type, and the type in the stage."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import postgresql

from resync_tui.engine.types import LogicalType

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


class Named(types.UserDefinedType[Any]):
    """PostgreSQL type unknown to SQLAlchemy, by its name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_kw: Any) -> str:
        """Return the name as DDL and casts write it."""
        return self.name


BPCHAR = Named("bpchar")
"""char without a length: it keeps all blanks, and compares without those at the end."""


@cache
def type_named(declared: str) -> types.TypeEngine[Any]:
    """Return the type that PostgreSQL's `format_type` writes so; `Named` for an array and for what SQLAlchemy lacks."""
    found = _DECLARED.fullmatch(declared)
    if found is None or (kind := _KINDS.get(found["name"] + (found["rest"] or ""))) is None:
        return Named(declared)
    sizes: list[Any] = [int(each) for each in found["sizes"].split(",")] if found["sizes"] else []
    options: dict[str, Any] = {}
    if issubclass(kind, types.DateTime | types.Time):
        is_zoned = found["rest"] == " with time zone"
        options, sizes = {"timezone": is_zoned, "precision": sizes[0] if sizes else None}, []
    elif issubclass(kind, postgresql.INTERVAL):
        options, sizes = {"precision": sizes[0] if sizes else None, "fields": found["fields"]}, []
    elif issubclass(kind, postgresql.BIT):
        options = {"varying": found["name"] == "bit varying"}
    made: types.TypeEngine[Any] = kind(*sizes, **options)
    return made


def type_of(kind: types.TypeEngine[Any]) -> LogicalType:
    if isinstance(kind, types.DateTime):
        return LogicalType.TIMESTAMPTZ if kind.timezone else LogicalType.TIMESTAMP
    if isinstance(kind, types.Time):
        return LogicalType.OTHER if kind.timezone else LogicalType.TIME
    return _type_of_class(type(kind))  # type: ignore[arg-type]  # mypy: TypeEngine.__hash__


@cache
def _type_of_class(kind: type[types.TypeEngine[Any]]) -> LogicalType:
    return next((found for classes, found in _BY_CLASS if issubclass(kind, classes)), LogicalType.OTHER)


_BY_CLASS: tuple[tuple[tuple[type, ...], LogicalType], ...] = (
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


def base_type(kind: types.TypeEngine[Any]) -> types.TypeEngine[Any]:
    """Return the type under a domain, over others too; any other type as it is."""
    return base_type(kind.data_type) if isinstance(kind, postgresql.DOMAIN) else kind


def format_type(kind: types.TypeEngine[Any]) -> str:
    """Return a type as PostgreSQL's own `format_type` writes it."""
    text: str = kind.compile(dialect=postgresql.dialect()).lower().replace(", ", ",")  # type: ignore[no-untyped-call]
    return _SHORT.sub(lambda found: {"varchar": "character varying", "char": "character"}[found[1]], text)


_DECLARED = re.compile(
    r"(?P<name>[a-z][a-z0-9 ]*?)( (?P<fields>(year|month|day|hour|minute|second)( to \w+)?))?"
    r"(\((?P<sizes>\d+(,-?\d+)?)\))?(?P<rest> with(out)? time zone)?"
)
_KINDS: Mapping[str, Any] = postgresql.dialect().ischema_names  # type: ignore[no-untyped-call]
"""SQLAlchemy's classes by PostgreSQL's names."""
_SHORT = re.compile(r"^(varchar|char)\b")


def is_text(kind: types.TypeEngine[Any]) -> bool:
    """Whether a PostgreSQL type is text, directly or as a domain."""
    if isinstance(kind, postgresql.DOMAIN):
        return is_text(kind.data_type)
    return type_of(kind) is LogicalType.TEXT or str(kind).rpartition(".")[2].lower() in ("citext", "null")


def stage_type(kind: LogicalType) -> types.TypeEngine[Any]:
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
