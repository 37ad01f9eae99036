"""DDL dialect of PostgreSQL."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from resync_tui.databases.names import quote_name
from resync_tui.state_schema.ddl import DdlDialect
from resync_tui.state_schema.shapes import Column, EnumType, TableShape


class PostgresDdl(DdlDialect):
    """PostgreSQL as a district and as a state."""

    def index_options(self, reflected: Mapping[str, Any]) -> dict[str, Any]:
        return {"method": reflected.get("postgresql_using") or "", "where": reflected.get("postgresql_where")}

    def enums(self, connection: Connection, names: Iterable[str]) -> tuple[EnumType, ...]:
        rows = connection.execute(text(_ENUMS), {"tables": [quote_name(name) for name in names]})
        return tuple(EnumType(row.name, tuple(row.labels), row.schema) for row in rows)

    def lacking_enums(self, connection: Connection, enums: Iterable[EnumType]) -> tuple[EnumType, ...]:
        known = text("SELECT to_regtype(:name) IS NOT NULL")
        return tuple(each for each in enums if not connection.scalar(known, {"name": each.name}))

    def adapted(self, table: TableShape) -> TableShape:
        """Return a table with the types that SQLite knows by other names as PostgreSQL's."""

        def translated(column: Column) -> Column:
            kind, default = postgres_type(column.type), column.default
            if kind.upper().startswith("BOOL"):
                default = {"0": "FALSE", "1": "TRUE"}.get(default or "", default)
            return replace(column, type=kind, default=default)

        return replace(table, columns=tuple(map(translated, table.columns)))


def postgres_type(declared: str) -> str:
    """Return the PostgreSQL type of a type declared in SQLite; an unknown one is kept as declared."""
    word, arguments = _DECLARED.fullmatch(" ".join(declared.split())).groups()  # type: ignore[union-attr]
    known = _FROM_SQLITE.get(word.strip().upper())
    if known is None:
        return declared
    return known + (arguments or "") if known in _WITH_ARGUMENTS else known


_DECLARED = re.compile(r"([^(]*)(\(.*\))?.*")
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
