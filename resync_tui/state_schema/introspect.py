"""Introspection of tables, with verbatim types, so that nothing is lost on the way to the state."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope
from sqlalchemy.exc import SAWarning

from resync_tui.databases.names import quote_identifier, split_name
from resync_tui.state_schema.ddl import DdlDialect
from resync_tui.state_schema.kinds import ddl_of_connection
from resync_tui.state_schema.shapes import Column, ForeignKey, Index, TableShape


def read_table(connection: Connection, name: str) -> TableShape:
    """Return the shape of an existing table."""
    return read_tables(connection, [name])[name]


def read_tables(connection: Connection, names: Sequence[str]) -> dict[str, TableShape]:
    """Return the shapes of existing tables by name, in a few statements where their kind of database has such."""
    inspector, ddl = inspect(connection), ddl_of_connection(connection)
    with warnings.catch_warnings():  # unknown types and expression indexes: read verbatim below, or left out
        warnings.simplefilter("ignore", SAWarning)
        primary, columns, unique, foreign, checks, indexes = (_reflected(inspector, ddl, names, of) for of in _PARTS)
    declared, collations = ddl.declared(connection, names), ddl.collations(connection, names)
    definitions = ddl.index_definitions(connection, names)
    found = {}
    for name in names:
        key = tuple(primary[name]["constrained_columns"])
        found[name] = TableShape(
            name=name,
            columns=tuple(
                _column(each, key, declared[name, each["name"]], collations.get((name, each["name"]), ""))
                for each in columns[name]
            ),
            primary=key,
            unique=tuple(sorted(ddl.unique_keys(inspector, name, key, unique[name]))),
            foreign=_foreign_keys(foreign[name]),
            checks=tuple(str(check["sqltext"]) for check in checks[name]),
            indexes=tuple(_indexes(indexes[name], name, definitions, ddl)),
        )
    return found


_PARTS = ("pk_constraint", "columns", "unique_constraints", "foreign_keys", "check_constraints", "indexes")
"""What SQLAlchemy reflects of tables, as its inspector calls it."""


def _reflected(inspector: Inspector, ddl: DdlDialect, names: Sequence[str], what: str) -> dict[str, Any]:
    """Return what SQLAlchemy reflects of tables, by their names."""
    if not ddl.reflects_many:
        one = getattr(inspector, f"get_{what}")
        return {name: one(split_name(name)[1], schema=split_name(name)[0]) for name in names}
    found: dict[tuple[str | None, str], Any] = {}
    places = {name: split_name(name) for name in names}
    for schema in {schema for schema, _ in places.values()}:
        tables = [table for of_schema, table in places.values() if of_schema == schema]
        many = getattr(inspector, f"get_multi_{what}")
        found |= many(schema=schema, filter_names=tables, kind=ObjectKind.ANY, scope=ObjectScope.ANY)
    return {name: found[place] for name, place in places.items()}


def _column(reflected: Mapping[str, Any], primary: tuple[str, ...], declared: str, collation: str) -> Column:
    default, computed = reflected.get("default"), reflected.get("computed")
    return Column(
        name=reflected["name"],
        type=declared,
        required=not reflected["nullable"] or reflected["name"] in primary,
        default=default if default is not None and "(" not in default else None,
        generated=computed["sqltext"] if computed else None,
        collation=collation,
    )


def _foreign_keys(reflected: Iterable[Mapping[str, Any]]) -> tuple[ForeignKey, ...]:
    found = []
    for key in reflected:
        options: dict[str, Any] = dict(key.get("options") or {})
        deferrable = ""
        if options.get("deferrable"):
            deferrable = f"DEFERRABLE INITIALLY {options.get('initially') or 'IMMEDIATE'}"
        parent_schema = key.get("referred_schema")
        parent = f"{parent_schema}.{key['referred_table']}" if parent_schema else key["referred_table"]
        found.append(ForeignKey(tuple(key["constrained_columns"]), parent, tuple(key["referred_columns"]), deferrable))
    return tuple(sorted(found, key=lambda key: (key.columns, key.parent)))


def _indexes(
    reflected: Iterable[Mapping[str, Any]], table: str, definitions: Mapping[tuple[str, str], str], ddl: DdlDialect
) -> Iterator[Index]:
    """Yield the indexes of a table by name, without those that a key implies."""
    for index in sorted(reflected, key=lambda each: str(each["name"])):
        columns = tuple(column for column in index["column_names"] if column is not None)
        if ddl.is_index_alone(index):
            expressions = index.get("expressions")
            yield Index(
                name=str(index["name"]),
                parts=columns if expressions is None else _parts(index["column_names"], expressions),
                unique=bool(index["unique"]),
                expressions=expressions is not None,
                definition=definitions.get((table, str(index["name"])), ""),
                **ddl.index_options(index.get("dialect_options", {})),
            )


def _parts(columns: Sequence[str | None], expressions: Sequence[str]) -> tuple[str, ...]:
    """Return an index's parts quoted for SQL; beside expressions SQLAlchemy leaves columns unquoted."""
    pairs = zip(columns, expressions, strict=True)
    return tuple(expression if column is None else quote_identifier(column) for column, expression in pairs)
