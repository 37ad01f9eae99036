"""Reflected tables of a database: their names as it compares them, and which are beside each other."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import sqlalchemy as sa

from resync_tui.databases.names import split_name
from resync_tui.engine.keys import CATALOG_NAME, qualified
from resync_tui.errors import nearest

TABLES = "tables"
"""Info key of a reflected database's tables."""


TableKey: TypeAlias = tuple[str | None, str]
"""Schema of a table, None for the default one, and its name."""


class Names:
    """Names of the tables in the schemas of a database that were looked at, compared as it compares names."""

    def __init__(self, default_schema: str | None, fold: Callable[[str], str]) -> None:
        self._default_schema = default_schema
        self._fold = fold
        self._by_schema: dict[str | None, dict[str, str]] = {}
        self._views: set[str] = set()

    def add(self, schema: str | None, tables: Iterable[str], views: Iterable[str]) -> None:
        """Note what is in a schema; `views` are all that hold no records of their own."""
        of_schema = self._by_schema.setdefault(schema, {})
        of_schema |= {self._fold(each): each for each in (*tables, *views)}
        self._views |= {f"{schema}.{each}" if schema is not None else each for each in views}

    def has(self, schema: str | None) -> bool:
        """Whether a schema was looked at."""
        return schema in self._by_schema

    def schema_of(self, name: str) -> TableKey:
        """Return a catalog name's schema, None for the default one, and its table."""
        schema, table = split_name(name)
        return None if schema == self._default_schema else schema, table

    def find(self, name: str) -> str | None:
        """Return the one spelling of a catalog name that foreign keys have, too; None if there is no such table."""
        key = self.locate(*split_name(name))
        return None if key is None else joined(key)

    def locate(self, schema: str | None, table: str) -> TableKey | None:
        """Return the schema and name of a table as foreign keys spell them; None if there is no such table."""
        if schema == self._default_schema:
            schema = None
        found = self._by_schema.get(schema, {}).get(self._fold(table))
        return None if found is None else (schema, found)

    def tables(self) -> Iterator[str]:
        """Yield the tables of the schemas that were looked at, without views."""
        for schema, names in self._by_schema.items():
            found = (f"{schema}.{each}" if schema is not None else each for each in names.values())
            yield from (each for each in found if each not in self._views)

    def is_view(self, found: str) -> bool:
        """Whether a name that was found is a view's."""
        return found in self._views

    def nearest(self, name: str) -> str:
        """Return `; the nearest is X` for the table whose name resembles `name`, else an empty string.

        A table with a dot in its name is not named by it: the way to send it is said.
        """
        named = ((schema, table) for schema, names in self._by_schema.items() for table in names.values())
        known = [f"{schema}.{table}" if schema else table for schema, table in named]
        if name in known:
            return f"; a dot parts a schema from its table: send {name} by a view without one"
        return nearest(name, known)


class Tables(dict[str, sa.Table]):
    """Reflected tables by catalog name; one that has two names in the catalog is there by both."""

    def __init__(self, names: Names | None = None) -> None:
        super().__init__()
        self.names = names or Names(None, str)


def joined(key: TableKey) -> str:
    """Return a table's key in its metadata."""
    return ".".join(filter(None, key))


def complete(tables: Tables, metadata: sa.MetaData, spelled: dict[str, str]) -> Tables:
    """Fill in the tables of a metadata, by their catalog names; `spelled` are these, with the keys in the metadata."""
    for name, found in reversed(spelled.items()):
        metadata.tables[found].info[CATALOG_NAME] = name
    tables |= {qualified(table): table for table in metadata.tables.values()}
    tables |= {name: metadata.tables[found] for name, found in spelled.items()}
    metadata.info[TABLES] = tables
    return tables


def counterpart(table: sa.Table, of: sa.Table) -> sa.Table:
    """Return the table of the same catalog name in the database where `of` was reflected. Raises KeyError."""
    return tables_beside(of)[qualified(table)]


def tables_beside(table: sa.Table) -> Tables:
    """Return the tables that were reflected together with one."""
    tables: Tables = table.metadata.info[TABLES]
    return tables
