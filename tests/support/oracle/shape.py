"""What a database says of its tables and rows, asked through plain drivers: nothing here is the engine's."""

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import asyncpg

from resync_tui.databases.registry import dialect_of
from resync_tui.databases.sqlite import sqlite_path

Row: TypeAlias = dict[str, Any]
"""A row as it was dumped: PostgreSQL's values as text, SQLite's as they are stored."""

_SETTINGS = "SET DateStyle = ISO; SET IntervalStyle = postgres; SET TimeZone = 'UTC'; SET extra_float_digits = 1"
_SYNONYMS = {
    "character varying": "varchar", "character": "char", "bpchar": "char", "decimal": "numeric", "int": "integer",
    "int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean", "double precision": "double",
    "float": "double", "real": "double", "timestamp without time zone": "timestamp", "datetime": "timestamp",
    "timestamp with time zone": "timestamptz", "time without time zone": "time", "time with time zone": "timetz",
    "blob": "bytea",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column; `kind` is one word whatever the database calls its type."""

    name: str
    kind: str
    ddl: str
    """Its type as the database writes it."""
    size: tuple[int, ...] = ()
    """Length, or precision and scale."""
    required: bool = False
    generated: bool = False
    default: bool = False
    labels: tuple[str, ...] = ()
    """An enum's values."""

    @property
    def length(self) -> int | None:
        """The longest text it takes."""
        return self.size[0] if self.size and self.kind in ("varchar", "char") else None


@dataclass(frozen=True)
class Foreign:
    """A foreign key."""

    columns: tuple[str, ...]
    parent: str
    referred: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table as its database describes it."""

    name: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[Foreign, ...] = ()
    checks: int = 0


@dataclass(frozen=True)
class Dump:
    """All tables of a database and all their rows at one moment."""

    dialect: str
    tables: Mapping[str, Table]
    rows: Mapping[str, list[Row]]


def quoted(name: str) -> str:
    """Return a table's name, with its schema where it has one, for use in SQL."""
    return ".".join(f'"{part}"' for part in name.split("."))


async def dump(url: str) -> Dump:
    """Return everything that a database holds, but the stages."""
    if dialect_of(url) == "sqlite":
        with closing(sqlite3.connect(sqlite_path(url))) as connection:
            return _dump_sqlite(connection)
    server = await asyncpg.connect(url)
    try:
        await server.execute(_SETTINGS)
        tables = await _postgres_tables(server)
        rows = {}
        for table in tables.values():
            listed = ", ".join(f'"{name}"::text' for name in table.columns)
            found = await server.fetch(f"SELECT {listed} FROM {quoted(table.name)}")
            rows[table.name] = [dict(zip(table.columns, row, strict=True)) for row in found]
        return Dump("postgresql", tables, rows)
    finally:
        await server.close()


async def versions(url: str) -> dict[str, Any]:
    """Return what changes with any write: of PostgreSQL each row's xmin and ctid by table, of SQLite the file."""
    if dialect_of(url) == "sqlite":
        return {"file": sqlite_path(url).read_bytes()}
    server = await asyncpg.connect(url)
    try:
        names = list(await _postgres_tables(server))
        return {
            name: [tuple(row) for row in await server.fetch(f"SELECT ctid::text, xmin::text FROM {quoted(name)}")]
            for name in names
        }
    finally:
        await server.close()


# --- SQLite ---


def _dump_sqlite(connection: sqlite3.Connection) -> Dump:
    tables = {}
    rows: dict[str, list[Row]] = {}
    connection.text_factory = _text_or_bytes
    for name, sql in connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%resync%'"
    ).fetchall():
        tables[name] = _sqlite_table(connection, name, sql)
        found = connection.execute(f"SELECT {', '.join(map(quoted, tables[name].columns))} FROM {quoted(name)}")
        rows[name] = [dict(zip(tables[name].columns, row, strict=True)) for row in found]
    return Dump("sqlite", tables, rows)


def _text_or_bytes(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _sqlite_table(connection: sqlite3.Connection, name: str, sql: str) -> Table:
    columns: dict[str, Column] = {}
    key: dict[int, str] = {}
    for _, column, declared, required, default, place, hidden in connection.execute(f"PRAGMA table_xinfo('{name}')"):
        columns[column] = replace(
            column_of(column, declared),
            required=bool(required) or bool(place),
            generated=hidden in (2, 3),
            default=default is not None,
        )
        if place:
            key[place] = column
    foreign: dict[int, list[tuple[str, str, str]]] = {}
    for number, _, parent, ours, theirs, *_ in connection.execute(f"PRAGMA foreign_key_list('{name}')"):
        foreign.setdefault(number, []).append((parent, ours, theirs))
    unique = [
        tuple(column for (column,) in connection.execute(f"SELECT name FROM pragma_index_info('{index}')"))
        for _, index, one, origin, partial in connection.execute(f"PRAGMA index_list('{name}')").fetchall()
        if one and origin != "pk" and not partial
    ]
    return Table(
        name,
        columns,
        tuple(key[place] for place in sorted(key)),
        tuple(sorted(columns for columns in unique if None not in columns)),
        tuple(
            Foreign(tuple(ours for _, ours, _ in parts), parts[0][0], tuple(theirs for _, _, theirs in parts))
            for parts in foreign.values()
        ),
        len(re.findall(r"\bCHECK\s*\(", sql)),
    )


def column_of(name: str, declared: str) -> Column:
    """Return a column of a type as it is written in DDL."""
    found = re.fullmatch(r"\s*([\w ]+?)\s*(?:\(([\d, ]+)\))?\s*((?:with|without) time zone)?", declared, re.IGNORECASE)
    if found is None:
        return Column(name, declared.lower(), declared)
    word = " ".join(part.lower() for part in (found[1], found[3]) if part)
    size = tuple(int(part) for part in found[2].split(",")) if found[2] else ()
    kind = _SYNONYMS.get(word, word)
    if kind == "char" and not size:
        size = (1,)
    return Column(name, kind, declared, size)


# --- PostgreSQL ---

_COLUMNS = """
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS owner, a.attname AS name,
       format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE a.atttypid END,
                   CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END) AS type,
       a.attnotnull AS required, a.attgenerated <> '' AS generated, a.atthasdef AS filled,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_type t ON t.oid = a.atttypid
 WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'resync_stage')
 ORDER BY 1, a.attnum
"""
_NAMES = (
    "(SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest({keys}) WITH ORDINALITY AS k (attnum, place)"
    " JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.attnum)"
)
_CONSTRAINTS = f"""
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS owner, o.contype::text AS kind,
       {_NAMES.format(keys="o.conkey", table="o.conrelid")} AS ours,
       (SELECT CASE pn.nspname WHEN 'public' THEN '' ELSE pn.nspname || '.' END || p.relname
          FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE p.oid = o.confrelid) AS parent,
       {_NAMES.format(keys="o.confkey", table="o.confrelid")} AS theirs
  FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'resync_stage') AND o.contype IN ('p', 'u', 'f', 'c')
 UNION ALL
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, 'u',
       {_NAMES.format(keys="i.indkey::int2[]", table="i.indrelid")}, NULL, NULL
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'resync_stage', 'pg_toast')
   AND NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid)
"""


async def _postgres_tables(server: "asyncpg.Connection[asyncpg.Record]") -> dict[str, Table]:
    columns: dict[str, dict[str, Column]] = {}
    for row in await server.fetch(_COLUMNS):
        column = replace(
            column_of(row["name"], row["type"]),
            required=row["required"],
            generated=row["generated"],
            default=row["filled"],
        )
        if row["labels"]:
            column = replace(column, kind="enum", labels=tuple(row["labels"]))
        columns.setdefault(row["owner"], {})[row["name"]] = column
    tables = {name: Table(name, found) for name, found in columns.items()}
    for row in await server.fetch(_CONSTRAINTS):
        table = tables[row["owner"]]
        ours = tuple(row["ours"] or ())
        match row["kind"]:
            case "p":
                table = replace(table, key=ours)
            case "u":
                table = replace(table, unique=tuple(sorted({*table.unique, ours})))
            case "f":
                key = Foreign(ours, row["parent"], tuple(row["theirs"]))
                table = replace(table, foreign=(*table.foreign, key))
            case "c":
                table = replace(table, checks=table.checks + 1)
        tables[table.name] = table
    return tables
