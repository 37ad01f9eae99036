"""DDL dialect: how one kind of database is read as a district, and written as a state. Standard SQL by default."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.databases.names import quote_identifier, quote_name, split_name
from resync_tui.databases.registry import column_types
from resync_tui.state_schema.shapes import Column, ForeignKey, Index, Lack, TableShape, UserType, named_table


class DdlDialect:
    """One kind of database."""

    reflects_many: ClassVar[bool] = False
    """Whether SQLAlchemy reflects many tables in one statement."""
    adds_no_key: ClassVar[str] = ""
    """Why an existing table takes no primary and no foreign key; empty: it does."""

    def fold(self, name: str) -> str:
        """Return a form of a name that is the same for all spellings of it."""
        return name

    # Reading.

    def existing(self, connection: Connection, names: Sequence[str]) -> set[str]:
        """Return the names that are of tables."""
        inspector = inspect(connection)
        return {name for name in names if inspector.has_table(split_name(name)[1], schema=split_name(name)[0])}

    def unique_keys(
        self, inspector: Inspector, name: str, primary: tuple[str, ...], reflected: Sequence[Mapping[str, Any]]
    ) -> Iterable[tuple[str, ...]]:
        """Return the columns of a table's unique constraints, from what SQLAlchemy reflects of them."""
        return (tuple(each["column_names"]) for each in reflected)

    def index_options(self, reflected: Mapping[str, Any]) -> dict[str, Any]:
        """Return `method` and `where` of an index, from what SQLAlchemy reflects of this kind alone."""
        return {}

    def is_index_alone(self, reflected: Mapping[str, Any]) -> bool:
        """Whether a reflected index is more than what a unique constraint makes."""
        return not reflected.get("duplicates_constraint")

    def index_definitions(self, connection: Connection, names: Sequence[str]) -> Mapping[tuple[str, str], str]:
        """Return the definitions of indexes by table and name, where they say more than an `Index` does."""
        return {}

    def declared(self, connection: Connection, names: Sequence[str]) -> Mapping[tuple[str, str], str]:
        """Return the declared types by table and column."""
        found = {name: column_types(connection, name) for name in names}
        return {(name, column): found[name][column].declared for name in names for column in found[name]}

    def collations(self, connection: Connection, names: Sequence[str]) -> Mapping[tuple[str, str], str]:
        """Return the collations, by table and column, that are not those of the columns' types."""
        return {}

    def types(self, connection: Connection, names: Iterable[str]) -> tuple[UserType, ...]:
        """Return the types of these tables' columns that somebody has made, what they are made of first."""
        return ()

    def left_behind(self, connection: Connection, names: Iterable[str]) -> Iterable[tuple[str, str]]:
        """Return what tables of a district have that the state is not given, in words, by their names."""
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

    async def execute(self, connection: AsyncConnection, statements: Sequence[str]) -> None:
        """Execute DDL statements in order."""
        for statement in statements:
            await connection.exec_driver_sql(statement)

    async def begin(self, connection: AsyncConnection) -> None:
        """Begin a transaction that changes tables: limit how long it waits for locks, where that can be said."""

    def require_names(self, tables: Iterable[TableShape]) -> None:
        """Raise CannotRun for a name that a database of this kind would alter."""

    # Statements.

    def adapted(self, table: TableShape) -> TableShape:
        """Return a table as this kind takes it, from whichever kind it comes."""
        return table

    def lacking_types(self, connection: Connection, types: Iterable[UserType]) -> tuple[UserType, ...]:
        """Return the types that a state does not have."""
        return ()

    def lacks(self, tables: Sequence[TableShape]) -> list[Lack]:
        """Return tables with their indexes as lacking; foreign keys last, as they may form cycles."""
        made = [lack for table in tables for lack in (_lacking(table, self.create_table(table)), *_indexes(table))]
        return made + [
            Lack(named_foreign_key(table, key), self.add_foreign_key(table, key), "", table.name, key.parent)
            for table in tables
            for key in table.foreign
        ]

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


def named_foreign_key(table: TableShape, key: ForeignKey) -> str:
    """Return the display name of a foreign key."""
    return f"Foreign key ({', '.join(key.columns)}) of {table.name}"


def named_index(table: TableShape, index: Index) -> str:
    """Return the display name of an index."""
    return f"Index {index.name} of {table.name}"


def _lacking(table: TableShape, statement: str) -> Lack:
    return Lack(named_table(table.name), statement, "", table.name)


def _indexes(table: TableShape) -> list[Lack]:
    return [Lack(named_index(table, each), create_index(table, each), "", table.name) for each in table.indexes]


def create_table(table: TableShape, foreign: Iterable[ForeignKey] = ()) -> str:
    """Return CREATE TABLE with its keys and checks, and these foreign keys."""
    lines = [_column(column) for column in table.columns]
    if table.primary:
        lines.append(f"PRIMARY KEY ({_list(table.primary)})")
    lines += [f"UNIQUE ({_list(columns)})" for columns in table.unique]
    lines += [f"CHECK ({check})" for check in table.checks]
    lines += map(foreign_key, foreign)
    return f"CREATE TABLE {quote_name(table.name)} (\n    " + ",\n    ".join(lines) + "\n)"


def create_index(table: TableShape, index: Index) -> str:
    """Return CREATE INDEX, in the table's schema."""
    unique = "UNIQUE " if index.unique else ""
    start = f"CREATE {unique}INDEX {quote_identifier(index.name)} ON {quote_name(table.name)}"
    if index.definition:
        return f"{start} {index.definition}"
    parts = ", ".join(index.parts) if index.expressions else _list(index.parts)
    method = f" USING {index.method}" if index.method else ""
    where = f" WHERE {index.where}" if index.where else ""
    return f"{start}{method} ({parts}){where}"


def foreign_key(key: ForeignKey) -> str:
    """Return a FOREIGN KEY constraint."""
    text = f"FOREIGN KEY ({_list(key.columns)}) REFERENCES {quote_name(key.parent)} ({_list(key.parent_columns)})"
    return f"{text} {key.deferrable}".rstrip()


def add_column(table: TableShape, column: Column) -> str:
    """Return ALTER TABLE that adds a column."""
    return f"ALTER TABLE {quote_name(table.name)} ADD COLUMN {_column(column)}"


def _column(column: Column) -> str:
    line = f"{quote_identifier(column.name)} {column.type}".rstrip()
    if column.collation:
        line += f" COLLATE {column.collation}"
    if column.generated is not None:
        line += f" GENERATED ALWAYS AS ({column.generated}) STORED"
    elif column.default is not None:
        line += f" DEFAULT {column.default}"
    return f"{line} NOT NULL" if column.required else line


def _list(names: Sequence[str]) -> str:
    return ", ".join(quote_identifier(name) for name in names)
