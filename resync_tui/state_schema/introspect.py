"""Introspection of tables, with verbatim types, so that nothing is lost on the way to the state."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.exc import SAWarning

from resync_tui.databases.names import quote_identifier, quote_name, split_name
from resync_tui.databases.registry import column_types


@dataclass(frozen=True, slots=True)
class Column:
    """Column, with its type verbatim and a literal default."""

    name: str
    type: str
    required: bool = False
    default: str | None = None
    generated: str | None = None
    """Expression of a generated column."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Foreign key to a parent table."""

    columns: tuple[str, ...]
    parent: str
    """Catalog name: `Table` or `schema.table`."""
    parent_columns: tuple[str, ...]
    deferrable: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """Index not implied by a key; `parts` are column names or, quoted for SQL, expressions."""

    name: str
    parts: tuple[str, ...]
    unique: bool = False
    expressions: bool = False
    method: str = ""
    """PostgreSQL access method; empty: btree."""
    where: str | None = None


@dataclass(frozen=True, slots=True)
class TableShape:
    """Shape of a table: columns, keys, checks and indexes."""

    name: str
    """Catalog name: `Table` or `schema.table`."""
    columns: tuple[Column, ...]
    primary: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[ForeignKey, ...] = ()
    checks: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class EnumType:
    """PostgreSQL enum used by columns."""

    name: str
    """Name quoted for SQL, with its schema unless that is the default one."""
    labels: tuple[str, ...]
    schema: str | None = None


def existing(connection: Connection, names: Iterable[str]) -> set[str]:
    """Return the subset of `names` that exist as tables of this database."""
    inspector = inspect(connection)
    return {name for name in names if inspector.has_table(split_name(name)[1], schema=split_name(name)[0])}


def read_table(connection: Connection, name: str) -> TableShape:
    """Return the shape of an existing table."""
    inspector = inspect(connection)
    schema, table = split_name(name)
    with warnings.catch_warnings():  # unknown types and expression indexes: read verbatim below, or left out
        warnings.simplefilter("ignore", SAWarning)
        primary = tuple(inspector.get_pk_constraint(table, schema=schema)["constrained_columns"])
        unique, indexes = _keys_and_indexes(inspector, name, primary)
        return TableShape(
            name=name,
            columns=_columns(connection, inspector, name, primary),
            primary=primary,
            unique=unique,
            foreign=_foreign_keys(inspector, name),
            checks=tuple(str(check["sqltext"]) for check in inspector.get_check_constraints(table, schema=schema)),
            indexes=indexes,
        )


def read_enums(connection: Connection, names: Iterable[str]) -> tuple[EnumType, ...]:
    """Return the enums used by columns of these PostgreSQL tables, also in arrays."""
    rows = connection.execute(text(_ENUMS), {"tables": [quote_name(name) for name in names]})
    return tuple(EnumType(row.name, tuple(row.labels), row.schema) for row in rows)


def _columns(connection: Connection, inspector: Inspector, name: str, primary: tuple[str, ...]) -> tuple[Column, ...]:
    schema, table = split_name(name)
    types = column_types(connection, name)
    columns = []
    for column in inspector.get_columns(table, schema=schema):
        default = column.get("default")
        computed = column.get("computed")
        columns.append(
            Column(
                name=column["name"],
                type=types[column["name"]].base,  # a domain becomes its base type: its checks stay in the district
                required=not column["nullable"] or column["name"] in primary,
                default=default if default is not None and "(" not in default else None,
                generated=computed["sqltext"] if computed else None,
            )
        )
    return tuple(columns)


def _foreign_keys(inspector: Inspector, name: str) -> tuple[ForeignKey, ...]:
    schema, table = split_name(name)
    found = []
    for key in inspector.get_foreign_keys(table, schema=schema):
        options: dict[str, Any] = dict(key.get("options") or {})
        deferrable = ""
        if options.get("deferrable"):
            deferrable = f"DEFERRABLE INITIALLY {options.get('initially') or 'IMMEDIATE'}"
        parent_schema = key.get("referred_schema")
        parent = f"{parent_schema}.{key['referred_table']}" if parent_schema else key["referred_table"]
        found.append(ForeignKey(tuple(key["constrained_columns"]), parent, tuple(key["referred_columns"]), deferrable))
    return tuple(sorted(found, key=lambda key: (key.columns, key.parent)))


def _keys_and_indexes(
    inspector: Inspector, name: str, primary: tuple[str, ...]
) -> tuple[tuple[tuple[str, ...], ...], tuple[Index, ...]]:
    schema, table = split_name(name)
    sqlite = inspector.dialect.name == "sqlite"
    unique: list[tuple[str, ...]] = []
    indexes: list[Index] = []
    found = inspector.get_indexes(table, schema=schema, **({"include_auto_indexes": True} if sqlite else {}))
    for index in found:
        columns = tuple(column for column in index["column_names"] if column is not None)
        options = index.get("dialect_options", {})
        if str(index["name"]).startswith("sqlite_autoindex_") and sqlite:
            if columns != primary:
                unique.append(columns)
        elif not index.get("duplicates_constraint"):
            where = options.get("postgresql_where") or options.get("sqlite_where")
            indexes.append(
                Index(
                    name=str(index["name"]),
                    parts=_parts(index["column_names"], index["expressions"]) if "expressions" in index else columns,
                    unique=bool(index["unique"]),
                    expressions="expressions" in index,
                    method=options.get("postgresql_using", "") or "",
                    where=None if where is None else str(where),
                )
            )
    if not sqlite:
        unique = [tuple(each["column_names"]) for each in inspector.get_unique_constraints(table, schema=schema)]
    return tuple(sorted(unique)), tuple(sorted(indexes, key=lambda index: index.name))


def _parts(columns: Sequence[str | None], expressions: Sequence[str]) -> tuple[str, ...]:
    """Return an index's parts quoted for SQL; beside expressions SQLAlchemy leaves columns unquoted."""
    pairs = zip(columns, expressions, strict=True)
    return tuple(expression if column is None else quote_identifier(column) for column, expression in pairs)


_ENUMS = """
SELECT format_type(e.oid, NULL) AS name, CASE WHEN NOT pg_type_is_visible(e.oid) THEN n.nspname END AS schema,
       (SELECT array_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = e.oid) AS labels
FROM pg_type e JOIN pg_namespace n ON n.oid = e.typnamespace
WHERE e.typtype = 'e' AND e.oid IN (
    SELECT coalesce(nullif(b.typelem, 0), b.oid)
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
    WHERE a.attrelid = ANY (CAST(CAST(:tables AS text[]) AS regclass[])) AND a.attnum > 0 AND NOT a.attisdropped
)
ORDER BY 1
"""
