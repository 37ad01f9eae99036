"""Synchronization Field Settings: what a catalog says of the columns and rules of an object's tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from resync_tui.catalog import Catalog, DisObject, table_of

LOCKED = "Which fields are locked at the district is not known here: this program reads districts and writes to none."


class FieldUse(StrEnum):
    """What becomes of columns, or of whole records."""

    KEY = "key"
    OWNED = "state's own"
    IGNORED = "ignored"
    SENT = "sent"
    YEAR = "year"
    RULE = "kept back"


@dataclass(frozen=True, slots=True)
class FieldSetting:
    """The columns of a table that have one use, or the words of a rule."""

    use: FieldUse
    said: str


def field_settings(catalog: Catalog, dis_object: DisObject) -> Iterator[tuple[str, list[FieldSetting]]]:
    """Yield each table of an object with its settings; what the catalog does not name is sent."""
    for table in dis_object.tables:
        yield table, list(_of_table(catalog, dis_object, table))


def columns_in(columns: Sequence[str], table: str) -> list[str]:
    """Return the columns, among catalog names (`Table.column`), of a table."""
    return [column.rpartition(".")[2] for column in columns if table_of(column) == table]


def rules_of(dis_object: DisObject, table: str) -> list[FieldSetting]:
    """Return the rules that keep records of a table back, in their words."""
    return [
        FieldSetting(FieldUse.RULE, f"{rule.reason} ({rule.id})") for rule in dis_object.rule if rule.table == table
    ]


def _of_table(catalog: Catalog, dis_object: DisObject, table: str) -> Iterator[FieldSetting]:
    named = {
        FieldUse.KEY: columns_in(dis_object.key, table),
        FieldUse.OWNED: columns_in(dis_object.state_owned, table),
        FieldUse.IGNORED: columns_in(dis_object.ignore_columns, table),
    }
    for use, columns in named.items():
        if columns:
            yield FieldSetting(use, ", ".join(columns))
    held = named[FieldUse.OWNED] or named[FieldUse.IGNORED]
    yield FieldSetting(FieldUse.SENT, "all other columns" if held else "all columns")
    if dis_object.school_year and catalog.year is not None:
        yield FieldSetting(FieldUse.YEAR, ", ".join(columns_in(catalog.year_path, table)) or "by its foreign keys")
    yield from rules_of(dis_object, table)
