"""Shapes of tables: columns with their types verbatim, keys, checks and indexes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """Column, with its type verbatim and a literal default."""

    name: str
    type: str
    required: bool = False
    default: str | None = None
    generated: str | None = None
    """Expression of a generated column."""
    collation: str = ""
    """Collation quoted for SQL; empty: its type's own."""


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
    definition: str = ""
    """What follows the table's name in its own database's DDL; empty: it is made of the other fields."""


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
class UserType:
    """PostgreSQL enum, domain, composite or range that columns are of, or their types are made of."""

    name: str
    """Name quoted for SQL, with its schema unless that is the default one."""
    statement: str
    """DDL statement."""
    used_by: tuple[str, ...]
    """Types of columns for which it is needed, without their length."""
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Lack:
    """What the state lacks: a schema, type, table, column, key or index."""

    what: str
    """Display name, with the table."""
    statement: str
    """DDL statement; empty: it cannot be created there."""
    why: str = ""
    """Why it cannot be created, or how existing rows violate it."""
    table: str = ""
    """Table that it is, or belongs to; empty: none."""
    parent: str = ""
    """Table to which a foreign key points."""

    @property
    def is_table(self) -> bool:
        """Whether it is a table itself."""
        return self.what == named_table(self.table)


def named_table(table: str) -> str:
    """Return the display name of a table that the state lacks."""
    return f"Table {table}"
