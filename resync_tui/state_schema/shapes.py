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
