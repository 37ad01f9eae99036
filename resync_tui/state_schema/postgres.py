"""DDL dialect of PostgreSQL."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Inspector, text
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import quote_name, split_name
from resync_tui.engine.backends.sqlite.dialect import declared_type
from resync_tui.engine.types import LogicalType
from resync_tui.errors import CannotRun
from resync_tui.state_schema.ddl import DdlDialect
from resync_tui.state_schema.shapes import Column, TableShape, UserType

LONGEST_NAME = 63
"""Bytes of a name that PostgreSQL keeps; it cuts longer ones in silence."""
LOCK_TIMEOUT = "10s"
"""How long a change of a table waits for others who read or write it."""


class PostgresDdl(DdlDialect):
    """PostgreSQL as a district and as a state."""

    reflects_many = True

    def index_options(self, reflected: Mapping[str, Any]) -> dict[str, Any]:
        return {"method": reflected.get("postgresql_using") or "", "where": reflected.get("postgresql_where")}

    def unique_keys(
        self, inspector: Inspector, name: str, primary: tuple[str, ...], reflected: Sequence[Mapping[str, Any]]
    ) -> Iterable[tuple[str, ...]]:
        """Return the columns of a table's unique constraints; one of equal nulls is made as an index."""
        for each in reflected:
            if not each.get("dialect_options", {}).get("postgresql_nulls_not_distinct"):
                yield tuple(each["column_names"])

    def is_index_alone(self, reflected: Mapping[str, Any]) -> bool:
        options = reflected.get("dialect_options", {})
        if options.get("postgresql_invalid"):
            return False
        return super().is_index_alone(reflected) or bool(options.get("postgresql_nulls_not_distinct"))

    def existing(self, connection: Connection, names: Sequence[str]) -> set[str]:
        return {row.name for row in connection.execute(_EXISTING, _named(names))}

    def index_definitions(self, connection: Connection, names: Sequence[str]) -> Mapping[tuple[str, str], str]:
        return {(row.of, row.name): row.definition for row in connection.execute(_INDEXES, _named(names))}

    def declared(self, connection: Connection, names: Sequence[str]) -> Mapping[tuple[str, str], str]:
        return {(row.of, row.name): row.declared for row in connection.execute(_DECLARED_TYPES, _named(names))}

    def collations(self, connection: Connection, names: Sequence[str]) -> Mapping[tuple[str, str], str]:
        return {(row.of, row.name): row.collation for row in connection.execute(_COLLATIONS, _named(names))}

    def types(self, connection: Connection, names: Iterable[str]) -> tuple[UserType, ...]:
        rows = connection.execute(_TYPES, {"tables": [quote_name(name) for name in names]})
        return tuple(UserType(row.name, row.statement, tuple(row.used_by), row.schema) for row in rows)

    def left_behind(self, connection: Connection, names: Iterable[str]) -> Iterable[tuple[str, str]]:
        return ((row.of, row.what) for row in connection.execute(_LEFT_BEHIND, _named(list(names))))

    async def execute(self, connection: AsyncConnection, statements: Sequence[str]) -> None:
        """Execute DDL statements in order, in one round trip, within the transaction that has begun."""
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute(";\n".join(statements))

    async def begin(self, connection: AsyncConnection) -> None:
        await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")

    def require_names(self, tables: Iterable[TableShape]) -> None:
        for table in tables:
            schema, name = split_name(table.name)
            columns, indexes = (each.name for each in table.columns), (each.name for each in table.indexes)
            for each in (schema or "", name, *columns, *indexes):
                if (size := len(each.encode())) > LONGEST_NAME:
                    of_table = "" if each == name else f" of {table.name}"
                    raise CannotRun(
                        f"The name {each}{of_table} has {size} bytes: PostgreSQL cuts names at {LONGEST_NAME}",
                        "Nothing is made: give it a shorter name in the district, or leave it out of the catalog.",
                    )

    def lacking_types(self, connection: Connection, types: Iterable[UserType]) -> tuple[UserType, ...]:
        known = text("SELECT to_regtype(:name) IS NOT NULL")
        return tuple(each for each in types if not connection.scalar(known, {"name": each.name}))

    def adapted(self, table: TableShape) -> TableShape:
        """Return a table with the types that SQLite knows by other names as PostgreSQL's."""

        def translated(column: Column) -> Column:
            kind, default = postgres_type(column.type), column.default
            if kind.upper().startswith("BOOL"):
                default = {"0": "FALSE", "1": "TRUE"}.get(default or "", default)
            return replace(column, type=kind, default=default)

        return replace(table, columns=tuple(map(translated, table.columns)))


def postgres_type(declared: str) -> str:
    """Return the PostgreSQL type of a type declared in SQLite, of which that takes any words; text of unknown ones."""
    word, arguments = _DECLARED.fullmatch(" ".join(declared.split())).groups()  # type: ignore[union-attr]
    known = _FROM_SQLITE.get(word.strip().upper())
    if known is None:
        return declared if word.strip().upper() in _OWN else _BY_LOGICAL_TYPE.get(declared_type(declared), "TEXT")
    return known + (arguments or "") if known in _WITH_ARGUMENTS else known


_DECLARED = re.compile(r"([^(]*)(\(.*\))?.*")
_OWN = {
    "BIGINT", "BIT", "BIT VARYING", "BOOL", "BOOLEAN", "BPCHAR", "BYTEA", "CIDR", "DATE", "DOUBLE PRECISION", "FLOAT4",
    "FLOAT8", "INET", "INT2", "INT4", "INT8", "INTEGER", "INTERVAL", "JSON", "JSONB", "MACADDR", "MONEY", "SMALLINT",
    "TEXT", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TIMETZ", "UUID", "VARBIT", "XML",
    *(f"{kind} {zone} TIME ZONE" for kind in ("TIME", "TIMESTAMP") for zone in ("WITH", "WITHOUT")),
}  # fmt: skip
"""Types that are called the same in PostgreSQL."""
_BY_LOGICAL_TYPE = {
    LogicalType.BOOLEAN: "BOOLEAN",
    LogicalType.BYTES: "BYTEA",
    LogicalType.DATE: "DATE",
    LogicalType.FLOAT: "DOUBLE PRECISION",
    LogicalType.INTEGER: "BIGINT",
    LogicalType.JSON: "JSON",
    LogicalType.NUMERIC: "NUMERIC",
    LogicalType.TIME: "TIME",
    LogicalType.TIMESTAMP: "TIMESTAMP",
    LogicalType.TIMESTAMPTZ: "TIMESTAMPTZ",
    LogicalType.UUID: "UUID",
}
_WITH_ARGUMENTS = ("VARCHAR", "CHAR", "NUMERIC")
_FROM_SQLITE = {
    "": "TEXT",
    "CLOB": "TEXT",
    "INT": "INTEGER",
    "MEDIUMINT": "INTEGER",
    "TINYINT": "SMALLINT",
    "VARCHAR": "VARCHAR",
    "NVARCHAR": "VARCHAR",
    "CHARACTER VARYING": "VARCHAR",
    "CHAR": "CHAR",
    "NCHAR": "CHAR",
    "CHARACTER": "CHAR",
    "NUMERIC": "NUMERIC",
    "DECIMAL": "NUMERIC",
    "REAL": "DOUBLE PRECISION",
    "FLOAT": "DOUBLE PRECISION",
    "DOUBLE": "DOUBLE PRECISION",
    "DATETIME": "TIMESTAMP",
    "BLOB": "BYTEA",
}


_TYPES = text("""
WITH RECURSIVE used (root, type, depth) AS (
    SELECT DISTINCT atttypid, atttypid, 0 FROM pg_attribute
     WHERE attrelid = ANY (CAST(CAST(:tables AS text[]) AS regclass[])) AND attnum > 0 AND NOT attisdropped
    UNION SELECT u.root, part.type, u.depth + 1 FROM used u JOIN pg_type t ON t.oid = u.type, LATERAL (
        SELECT t.typelem WHERE t.typcategory = 'A'
        UNION ALL SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid
        UNION ALL SELECT atttypid FROM pg_attribute WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0
            AND NOT attisdropped) part (type)
)
SELECT format_type(t.oid, NULL) AS name, CASE WHEN NOT pg_type_is_visible(t.oid) THEN n.nspname END AS schema,
    array_agg(DISTINCT regexp_replace(format_type(u.root, NULL), '\\[\\]$', '')) AS used_by,
    CASE t.typtype
    WHEN 'e' THEN format('CREATE TYPE %s AS ENUM (%s)', format_type(t.oid, NULL),
        (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
    WHEN 'c' THEN format('CREATE TYPE %s AS (%s)', format_type(t.oid, NULL),
        (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped))
    WHEN 'r' THEN format('CREATE TYPE %s AS RANGE (SUBTYPE = %s)', format_type(t.oid, NULL),
        (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid))
    ELSE concat('CREATE DOMAIN ', format_type(t.oid, NULL), ' AS ', format_type(t.typbasetype, t.typtypmod),
        (SELECT format(' COLLATE %I.%I', s.nspname, l.collname) FROM pg_collation l
            JOIN pg_namespace s ON s.oid = l.collnamespace JOIN pg_type b ON b.oid = t.typbasetype
            WHERE l.oid = t.typcollation AND t.typcollation <> b.typcollation),
        CASE WHEN t.typdefault IS NOT NULL AND strpos(t.typdefault, '(') = 0 THEN ' DEFAULT ' || t.typdefault END,
        CASE WHEN t.typnotnull THEN ' NOT NULL' END,
        (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), '' ORDER BY conname)
            FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')) END AS statement
FROM used u JOIN pg_type t ON t.oid = u.type JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typtype IN ('e', 'c', 'd', 'r') AND coalesce(c.relkind, 'c') = 'c'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e')
GROUP BY t.oid, n.nspname ORDER BY max(u.depth) DESC, 1
""")
"""Query for the types that somebody has made, with their DDL; those of an extension come with it."""

_NAMED = """unnest(CAST(:names AS text[]), CAST(CAST(:tables AS text[]) AS regclass[])) WITH ORDINALITY
    AS named (of, oid, place)"""
"""Tables by catalog name."""

_EXISTING = text("""
SELECT name FROM unnest(CAST(:names AS text[]), CAST(:tables AS text[])) AS named (name, quoted)
WHERE to_regclass(quoted) IS NOT NULL
""")

_DECLARED_TYPES = text(f"""
SELECT named.of, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS declared
FROM {_NAMED} JOIN pg_attribute a ON a.attrelid = named.oid AND a.attnum > 0 AND NOT a.attisdropped
""")

_INDEXES = text(f"""
SELECT named.of, i.relname AS name, substr(pg_get_indexdef(x.indexrelid), length(format('CREATE %sINDEX %I ON %s%I.%I',
    CASE WHEN x.indisunique THEN 'UNIQUE ' END, i.relname, CASE WHEN c.relkind = 'p' THEN 'ONLY ' END,
    n.nspname, c.relname)) + 2) AS definition
FROM {_NAMED} JOIN pg_index x ON x.indrelid = named.oid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
""")

_COLLATIONS = text(f"""
SELECT named.of, a.attname AS name, format('%I.%I', s.nspname, l.collname) AS collation
FROM {_NAMED} JOIN pg_attribute a ON a.attrelid = named.oid JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_collation l ON l.oid = a.attcollation JOIN pg_namespace s ON s.oid = l.collnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attcollation <> t.typcollation
""")

_LEFT_BEHIND = text(f"""
WITH it AS (SELECT named.of, named.place, c.oid, c.relkind FROM {_NAMED} JOIN pg_class c ON c.oid = named.oid)
SELECT of, place, 'its partitions' AS what FROM it WHERE relkind = 'p'
UNION ALL SELECT of, place, 'identity of ' || attname FROM it JOIN pg_attribute ON attrelid = oid
    WHERE attidentity <> '' AND NOT attisdropped
UNION ALL SELECT of, place, format('default of %s (%s)', attname, pg_get_expr(adbin, adrelid)) FROM it
    JOIN pg_attrdef d ON d.adrelid = it.oid JOIN pg_attribute a ON a.attrelid = it.oid AND a.attnum = d.adnum
    WHERE a.attgenerated = '' AND strpos(pg_get_expr(adbin, adrelid), '(') > 0
UNION ALL SELECT of, place, 'trigger ' || tgname FROM it JOIN pg_trigger ON tgrelid = it.oid AND NOT tgisinternal
UNION ALL SELECT of, place, 'constraint ' || conname FROM it JOIN pg_constraint ON conrelid = it.oid AND contype = 'x'
UNION ALL SELECT of, place, 'policy ' || polname FROM it JOIN pg_policy ON polrelid = it.oid
UNION ALL SELECT of, place, 'rule ' || rulename FROM it JOIN pg_rewrite ON ev_class = it.oid AND rulename <> '_RETURN'
ORDER BY 2, 3
""")


def _named(names: Sequence[str]) -> dict[str, list[str]]:
    return {"names": list(names), "tables": [quote_name(name) for name in names]}
