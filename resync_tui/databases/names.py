"""Table names of the catalog, `Table` or `schema.table`, and their quoting for SQL."""

import re
import string

_DOTTED = re.compile(r"""(?:(?P<schema>.+)\.)?"(?P<table>(?:[^"]|"")*\.(?:[^"]|"")*)\"""")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(name: str) -> str:
    """Return a name as SQL compares those without quotes, and SQLite all: without case, of ASCII letters alone."""
    return name.translate(_LOWER)


def split_name(name: str) -> tuple[str | None, str]:
    """Return the schema (None: the default one) and the table of a catalog name, or of what `join_name` made."""
    if (dotted := _DOTTED.fullmatch(name)) is not None:
        return dotted["schema"], dotted["table"].replace('""', '"')
    schema, _, table = name.rpartition(".")
    return schema or None, table


def join_name(schema: str | None, table: str) -> str:
    """Return the name of a table with its schema, if any; a table's name that has a dot is quoted."""
    told = quote_identifier(table) if "." in table else table
    return f"{schema}.{told}" if schema else told


def quote_name(name: str) -> str:
    """Return a catalog name quoted for SQL, part by part."""
    return ".".join(quote_identifier(part) for part in split_name(name) if part is not None)


def quote_identifier(name: str) -> str:
    """Return an identifier quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'
