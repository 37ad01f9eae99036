"""Introspection of tables, with verbatim types, so that nothing is lost on the way to the state."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy.exc import SAWarning

from resync_tui.databases.names import quote_identifier, split_name
from resync_tui.databases.registry import column_types
from resync_tui.state_schema.ddl import DdlDialect
from resync_tui.state_schema.kinds import ddl_of_connection
from resync_tui.state_schema.shapes import Column, ForeignKey, Index, TableShape


def existing(connection: Connection, names: Iterable[str]) -> set[str]:
    """Return the subset of `names` that exist as tables of this database."""
    inspector = inspect(connection)
    return {name for name in names if inspector.has_table(split_name(name)[1], schema=split_name(name)[0])}


def read_table(connection: Connection, name: str) -> TableShape:
    """Return the shape of an existing table."""
    inspector, ddl = inspect(connection), ddl_of_connection(connection)
    schema, table = split_name(name)
    with warnings.catch_warnings():  # unknown types and expression indexes: read verbatim below, or left out
        warnings.simplefilter("ignore", SAWarning)
        primary = tuple(inspector.get_pk_constraint(table, schema=schema)["constrained_columns"])
        return TableShape(
            name=name,
            columns=_columns(connection, inspector, name, primary),
            primary=primary,
            unique=tuple(sorted(ddl.unique_keys(inspector, table, schema, primary))),
            foreign=_foreign_keys(inspector, name),
            checks=tuple(str(check["sqltext"]) for check in inspector.get_check_constraints(table, schema=schema)),
            indexes=tuple(_indexes(connection, inspector, name, ddl)),
        )


def _columns(connection: Connection, inspector: Inspector, name: str, primary: tuple[str, ...]) -> tuple[Column, ...]:
    schema, table = split_name(name)
    types, collations = column_types(connection, name), ddl_of_connection(connection).collations(connection, name)
    columns = []
    for column in inspector.get_columns(table, schema=schema):
        default = column.get("default")
        computed = column.get("computed")
        columns.append(
            Column(
                name=column["name"],
                type=types[column["name"]].declared,
                required=not column["nullable"] or column["name"] in primary,
                default=default if default is not None and "(" not in default else None,
                generated=computed["sqltext"] if computed else None,
                collation=collations.get(column["name"], ""),
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


def _indexes(connection: Connection, inspector: Inspector, name: str, ddl: DdlDialect) -> Iterator[Index]:
    """Yield the indexes of a table by name, without those that a key implies."""
    schema, table = split_name(name)
    found, definitions = inspector.get_indexes(table, schema=schema), ddl.index_definitions(connection, name)
    for index in sorted(found, key=lambda each: str(each["name"])):
        columns = tuple(column for column in index["column_names"] if column is not None)
        if ddl.is_index_alone(index):
            expressions = index.get("expressions")
            yield Index(
                name=str(index["name"]),
                parts=columns if expressions is None else _parts(index["column_names"], expressions),
                unique=bool(index["unique"]),
                expressions=expressions is not None,
                definition=definitions.get(str(index["name"]), ""),
                **ddl.index_options(index.get("dialect_options", {})),
            )


def _parts(columns: Sequence[str | None], expressions: Sequence[str]) -> tuple[str, ...]:
    """Return an index's parts quoted for SQL; beside expressions SQLAlchemy leaves columns unquoted."""
    pairs = zip(columns, expressions, strict=True)
    return tuple(expression if column is None else quote_identifier(column) for column, expression in pairs)
