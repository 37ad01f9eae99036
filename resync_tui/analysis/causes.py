"""Causes of refused records: the chain of parents up to the root cause, and the SQL that finds a record; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from resync_tui.outcome import PLACE, KeyValue, Kind, key_text
from resync_tui.results import ErrorGroup, ErrorRecord


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A parent record on the way to the root cause."""

    table: str
    key: Mapping[str, KeyValue]
    exists: bool
    """Whether the district has it."""
    refused: ErrorRecord | None
    """Its own refusal in the same batch; None if it was not refused there, or its key was not kept."""


class Causes:
    """The refused records of a batch, by table and key."""

    def __init__(self, records: Iterable[ErrorRecord]) -> None:
        self._by_key = {(each.table, key_text(each.key)): each for each in records}

    def chain(self, record: ErrorRecord) -> list[Ancestor]:
        """Return the parents that a record lacks, the nearest first, the root cause last; empty if it lacks none."""
        found: list[Ancestor] = []
        seen = {(record.table, key_text(record.key))}
        current: ErrorRecord | None = record
        while current is not None and current.detail.parent_table:
            parent = current.detail.parent_table, key_text(current.detail.parent_key)
            if parent in seen:
                break
            seen.add(parent)
            refused = self._by_key.get(parent)
            exists = current.kind is Kind.BLOCKED
            found.append(Ancestor(current.detail.parent_table, current.detail.parent_key, exists, refused))
            current = refused
        return found


@dataclass(frozen=True, slots=True)
class Filter:
    """Which refused records are wanted: of an object, of a kind, with a text in table, reason or key."""

    object: str | None = None
    kind: Kind | None = None
    part: str = ""

    def admits(self, record: ErrorRecord) -> bool:
        """Whether a record is wanted."""
        return self._fits(record) and (self._names(record) or self.part.casefold() in key_words(record.key).casefold())

    def groups(self, groups: Iterable[ErrorGroup], shown: Iterable[ErrorRecord]) -> list[ErrorGroup]:
        """Return the reasons that are wanted, or that a shown record has."""
        of_shown = {(each.object, each.table, each.kind, each.reason) for each in shown}
        return [
            each
            for each in groups
            if (self._fits(each) and self._names(each)) or (each.object, each.table, each.kind, each.reason) in of_shown
        ]

    def _fits(self, each: ErrorGroup | ErrorRecord) -> bool:
        return self.object in (None, each.object) and self.kind in (None, each.kind)

    def _names(self, each: ErrorGroup | ErrorRecord) -> bool:
        return self.part.casefold() in f"{each.object} {each.table} {each.reason}".casefold()


def reason_of(record: ErrorRecord) -> str:
    """Return the reason of a refusal, with the size of the value where that is what does not fit."""
    size = record.detail.size
    return record.reason if size is None else f"{record.reason} (this one has {size:,} characters)"


def named(table: str, key: Mapping[str, KeyValue]) -> str:
    """Format a record by table and key: Person personID 12, endYear 2026."""
    return f"{table} {key_words(key)}"


def key_words(key: Mapping[str, KeyValue]) -> str:
    """Format a key: personID 12, endYear 2026."""
    return ", ".join(f"{column} {'NULL' if value is None else value}" for column, value in key.items())


def holder_text(record: ErrorRecord) -> str:
    """Format the record that holds the unique value which a refused one wants; empty if none is known."""
    key = record.detail.holder_key
    return f"held by {named(record.table, key)}" if key else ""


def ancestor_text(ancestor: Ancestor) -> str:
    """Format a parent with what became of it."""
    name = named(ancestor.table, ancestor.key)
    if not ancestor.exists:
        return f"{name}: there is no such record"
    if ancestor.refused is None:
        return f"{name}: the district has it, the state does not"
    return f"{name}: {ancestor.refused.kind}, {reason_of(ancestor.refused)}"


def query_of(table: str, key: Mapping[str, KeyValue]) -> str:
    """Return the SELECT that finds a record in the district; empty for a record of a table without a key."""
    if set(key) <= {PLACE}:
        return ""
    name = ".".join(_quoted(part) for part in table.split("."))
    return f"SELECT * FROM {name} WHERE {' AND '.join(_condition(*each) for each in key.items())};"


def _condition(column: str, value: KeyValue) -> str:
    return f"{_quoted(column)} IS NULL" if value is None else f"{_quoted(column)} = {_literal(value)}"


def _literal(value: KeyValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
