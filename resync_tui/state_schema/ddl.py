"""DDL dialect: how one kind of database is read as a district, and written as a state. Standard SQL by default."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, Inspector
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.databases.names import quote_identifier, quote_name
from resync_tui.state_schema.shapes import Column, EnumType, ForeignKey, Index, TableShape


class DdlDialect:
    """One kind of database."""

    adds_no_key: ClassVar[str] = ""
    """Why an existing table takes no primary and no foreign key; empty: it does."""

    # Reading.

    def unique_keys(
        self, inspector: Inspector, table: str, schema: str | None, primary: tuple[str, ...]
    ) -> Iterable[tuple[str, ...]]:
        """Return the columns of a table's unique constraints."""
        return (tuple(each["column_names"]) for each in inspector.get_unique_constraints(table, schema=schema))

    def index_options(self, reflected: Mapping[str, Any]) -> dict[str, Any]:
        """Return `method` and `where` of an index, from what SQLAlchemy reflects of this kind alone."""
        return {}

    def enums(self, connection: Connection, names: Iterable[str]) -> tuple[EnumType, ...]:
        """Return the enums used by columns of these tables, also in arrays."""
        return ()

    # The state as a database.

    def is_missing(self, url: str) -> bool:
        """Whether a state's database is not there yet, and `state init` makes it."""
        return False

    def writing(self, engine: AsyncEngine) -> AsyncEngine:
        """Return an engine whose transactions write from their beginning."""
        return engine

    async def prepare(self, connection: AsyncConnection) -> None:
        """Prepare a database just made, outside a transaction."""

    # Statements.

    def adapted(self, table: TableShape) -> TableShape:
        """Return a table as this kind takes it, from whichever kind it comes."""
        return table

    def lacking_enums(self, connection: Connection, enums: Iterable[EnumType]) -> tuple[EnumType, ...]:
        """Return the enums that a state does not have."""
        return ()

    def statements(self, enums: Iterable[EnumType], tables: Sequence[TableShape]) -> list[str]:
        """Return the DDL of enums and tables with their indexes; foreign keys last, as they may form cycles."""
        created = [statement for table in tables for statement in (self.create_table(table), *create_indexes(table))]
        keys = [self.add_foreign_key(table, key) for table in tables for key in table.foreign]
        return [*map(create_enum, enums), *created, *keys]

    def create_table(self, table: TableShape) -> str:
        """Return CREATE TABLE with its keys and checks, but no foreign keys."""
        return create_table(table)

    def add_foreign_key(self, table: TableShape, key: ForeignKey) -> str:
        """Return ALTER TABLE that adds a foreign key."""
        return f"ALTER TABLE {quote_name(table.name)} ADD {foreign_key(key)}"

    def add_primary_key(self, table: TableShape) -> str:
        """Return ALTER TABLE that adds a primary key."""
        return f"ALTER TABLE {quote_name(table.name)} ADD PRIMARY KEY ({_list(table.primary)})"

    def add_unique(self, table: TableShape, columns: tuple[str, ...]) -> str:
        """Return the DDL that adds a unique key to an existing table."""
        return f"ALTER TABLE {quote_name(table.name)} ADD UNIQUE ({_list(columns)})"


def create_enum(enum: EnumType) -> str:
    """Return CREATE TYPE for an enum."""
    labels = ", ".join("'" + label.replace("'", "''") + "'" for label in enum.labels)
    return f"CREATE TYPE {enum.name} AS ENUM ({labels})"


def create_table(table: TableShape, foreign: Iterable[ForeignKey] = ()) -> str:
    """Return CREATE TABLE with its keys and checks, and these foreign keys."""
    lines = [_column(column) for column in table.columns]
    if table.primary:
        lines.append(f"PRIMARY KEY ({_list(table.primary)})")
    lines += [f"UNIQUE ({_list(columns)})" for columns in table.unique]
    lines += [f"CHECK ({check})" for check in table.checks]
    lines += map(foreign_key, foreign)
    return f"CREATE TABLE {quote_name(table.name)} (\n    " + ",\n    ".join(lines) + "\n)"


def create_indexes(table: TableShape) -> list[str]:
    """Return CREATE INDEX for each index of a table."""
    return [create_index(table, index) for index in table.indexes]


def create_index(table: TableShape, index: Index) -> str:
    """Return CREATE INDEX, in the table's schema."""
    parts = ", ".join(index.parts) if index.expressions else _list(index.parts)
    method = f" USING {index.method}" if index.method else ""
    where = f" WHERE {index.where}" if index.where else ""
    unique = "UNIQUE " if index.unique else ""
    return f"CREATE {unique}INDEX {quote_identifier(index.name)} ON {quote_name(table.name)}{method} ({parts}){where}"


def foreign_key(key: ForeignKey) -> str:
    """Return a FOREIGN KEY constraint."""
    text = f"FOREIGN KEY ({_list(key.columns)}) REFERENCES {quote_name(key.parent)} ({_list(key.parent_columns)})"
    return f"{text} {key.deferrable}".rstrip()


def _column(column: Column) -> str:
    line = f"{quote_identifier(column.name)} {column.type}".rstrip()
    if column.generated is not None:
        line += f" GENERATED ALWAYS AS ({column.generated}) STORED"
    elif column.default is not None:
        line += f" DEFAULT {column.default}"
    return f"{line} NOT NULL" if column.required else line


def _list(names: Sequence[str]) -> str:
    return ", ".join(quote_identifier(name) for name in names)
