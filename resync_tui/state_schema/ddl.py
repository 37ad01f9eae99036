"""DDL: a table's shape as CREATE statements for SQLite or PostgreSQL."""

import re
from collections.abc import Sequence

from resync_tui.databases.names import quote_identifier, quote_name
from resync_tui.state_schema.introspect import Column, EnumType, ForeignKey, Index, TableShape


def create_enum(enum: EnumType) -> str:
    """Return CREATE TYPE for a PostgreSQL enum."""
    labels = ", ".join("'" + label.replace("'", "''") + "'" for label in enum.labels)
    return f"CREATE TYPE {enum.name} AS ENUM ({labels})"


def create_table(table: TableShape, dialect: str) -> str:
    """Return CREATE TABLE with its keys and checks; on PostgreSQL without foreign keys, see `add_foreign_key`."""
    lines = [_column(column, dialect) for column in table.columns]
    if table.primary:
        lines.append(f"PRIMARY KEY ({_list(table.primary)})")
    lines += [f"UNIQUE ({_list(columns)})" for columns in table.unique]
    lines += [f"CHECK ({check})" for check in table.checks]
    if dialect == "sqlite":
        lines += [_foreign_key(key) for key in table.foreign]
    return f"CREATE TABLE {quote_name(table.name)} (\n    " + ",\n    ".join(lines) + "\n)"


def create_index(table: TableShape, index: Index) -> str:
    """Return CREATE INDEX, in the table's schema."""
    parts = ", ".join(index.parts) if index.expressions else _list(index.parts)
    method = f" USING {index.method}" if index.method else ""
    where = f" WHERE {index.where}" if index.where else ""
    unique = "UNIQUE " if index.unique else ""
    return f"CREATE {unique}INDEX {quote_identifier(index.name)} ON {quote_name(table.name)}{method} ({parts}){where}"


def add_foreign_key(table: TableShape, key: ForeignKey) -> str:
    """Return ALTER TABLE that adds a foreign key on PostgreSQL, after all tables: they may form cycles."""
    return f"ALTER TABLE {quote_name(table.name)} ADD {_foreign_key(key)}"


def add_primary_key(table: TableShape) -> str:
    """Return ALTER TABLE that adds a primary key on PostgreSQL."""
    return f"ALTER TABLE {quote_name(table.name)} ADD PRIMARY KEY ({_list(table.primary)})"


def add_unique(table: TableShape, columns: tuple[str, ...], dialect: str) -> str:
    """Return the DDL of a unique key; on SQLite an index, as an existing table takes no constraint there."""
    if dialect == "sqlite":
        name = "_".join((*table.name.split("."), *columns, "key"))
        return create_index(table, Index(name, columns, unique=True))
    return f"ALTER TABLE {quote_name(table.name)} ADD UNIQUE ({_list(columns)})"


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


def _column(column: Column, dialect: str) -> str:
    line = f"{quote_identifier(column.name)} {column.type}".rstrip()
    if column.generated is not None:
        line += f" GENERATED ALWAYS AS ({column.generated}) STORED"
    elif column.default is not None:
        line += f" DEFAULT {column.default}"
    return f"{line} NOT NULL" if column.required else line


def _foreign_key(key: ForeignKey) -> str:
    text = f"FOREIGN KEY ({_list(key.columns)}) REFERENCES {quote_name(key.parent)} ({_list(key.parent_columns)})"
    return f"{text} {key.deferrable}".rstrip()


def _list(names: Sequence[str]) -> str:
    return ", ".join(quote_identifier(name) for name in names)
