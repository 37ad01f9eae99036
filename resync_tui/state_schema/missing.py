"""Missing columns, keys and indexes of existing tables; nothing that these have is changed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from resync_tui.state_schema.ddl import DdlDialect, add_column, create_index, named_foreign_key, named_index
from resync_tui.state_schema.shapes import Column, ForeignKey, Lack, TableShape

Tell: TypeAlias = Callable[[str], None]
"""Called with one line for each thing that could not be created, with the reason."""


def lacks(pairs: Sequence[tuple[TableShape, TableShape]], ddl: DdlDialect) -> tuple[tuple[Lack, ...], tuple[Lack, ...]]:
    """Return missing columns and keys, then indexes and foreign keys; `pairs` are each table as derived and as is."""
    found = [(wanted, _with(there, added_columns(wanted, there, ddl))) for wanted, there in pairs]
    keys = [lack for wanted, there in pairs for lack in _columns(wanted, there, ddl)]
    keys += [lack for wanted, there in found for lack in _keys(wanted, there, ddl)]
    rest = [lack for wanted, there in found for lack in _indexes(wanted, there)]
    rest += [lack for wanted, there in found for lack in _foreign_keys(wanted, there, ddl)]
    return tuple(keys), tuple(rest)


def added_columns(wanted: TableShape, there: TableShape, ddl: DdlDialect) -> list[Column]:
    """Return the columns that an existing table is given: nullable ones without a default."""
    return [each for each in _missing_columns(wanted, there, ddl) if _is_plain(each)]


def _missing_columns(wanted: TableShape, there: TableShape, ddl: DdlDialect) -> list[Column]:
    """Return the columns that a table lacks; none of a table without the columns of its key, which is another one."""
    known = {ddl.fold(column.name) for column in there.columns}
    if not {ddl.fold(name) for name in wanted.primary} <= known:
        return []
    return [each for each in wanted.columns if ddl.fold(each.name) not in known]


def _is_plain(column: Column) -> bool:
    return not column.required and column.default is None and column.generated is None


def _columns(wanted: TableShape, there: TableShape, ddl: DdlDialect) -> Iterator[Lack]:
    for column in _missing_columns(wanted, there, ddl):
        what = f"Column {column.name} of {wanted.name}"
        if _is_plain(column):
            yield Lack(what, add_column(wanted, column), "", wanted.name)
        elif column.generated is None:
            yield Lack(what, "", "only a nullable column without a default is added to a table that exists")


def _with(there: TableShape, columns: Iterable[Column]) -> TableShape:
    return replace(there, columns=(*there.columns, *columns))


def _keys(wanted: TableShape, there: TableShape, ddl: DdlDialect) -> Iterator[Lack]:
    if wanted.primary and not there.primary:
        why = "some of its records have the same values, or none"
        what = f"Primary key of {wanted.name}"
        yield _lack(what, ddl.add_primary_key(wanted), why, wanted.primary, there, ddl.adds_no_key)
    for columns in wanted.unique:
        if not _is_unique(columns, there):
            what = f"Unique key ({', '.join(columns)}) of {wanted.name}"
            why = "some of its records have the same values"
            yield _lack(what, ddl.add_unique(wanted, columns), why, columns, there)


def _indexes(wanted: TableShape, there: TableShape) -> Iterator[Lack]:
    names = {index.name for index in there.indexes}
    parts = {(index.parts, index.where) for index in there.indexes if not index.unique}
    keys = {there.primary, *there.unique}
    for index in wanted.indexes:
        same = not index.unique and ((index.parts, index.where) in parts or (not index.where and index.parts in keys))
        if index.name not in names and not same and not (index.unique and _is_unique(index.parts, there)):
            columns = () if index.expressions else index.parts
            why = "some of its records have the same values"
            yield _lack(named_index(wanted, index), create_index(wanted, index), why, columns, there)


def _foreign_keys(wanted: TableShape, there: TableShape, ddl: DdlDialect) -> Iterator[Lack]:
    held = {_pairs(key) for key in there.foreign}
    for key in wanted.foreign:
        if _pairs(key) not in held:
            why = f"some of its records name no {key.parent} record"
            statement = ddl.add_foreign_key(wanted, key)
            lack = _lack(named_foreign_key(wanted, key), statement, why, key.columns, there, ddl.adds_no_key)
            yield replace(lack, parent=key.parent)


def _lack(what: str, statement: str, why: str, columns: Iterable[str], there: TableShape, cannot: str = "") -> Lack:
    known = {column.name for column in there.columns}
    missing = [name for name in columns if name not in known]
    if missing:
        return Lack(what, "", f"the table has no column {missing[0]}")
    return Lack(what, "", cannot) if cannot else Lack(what, statement, why, there.name)


def _is_unique(columns: Iterable[str], there: TableShape) -> bool:
    """Whether a key or unique index of a table covers exactly these columns, in any order."""
    keys = [there.primary, *there.unique]
    keys += [index.parts for index in there.indexes if index.unique and not index.where and not index.expressions]
    return set(columns) in map(set, keys)


def _pairs(key: ForeignKey) -> tuple[str, frozenset[tuple[str, str]]]:
    return key.parent, frozenset(zip(key.columns, key.parent_columns, strict=True))


def statements_of(found: Iterable[Lack]) -> list[str]:
    """Return the statements of what can be created."""
    return [lack.statement for lack in found if lack.statement]


def tell_what_cannot_be(found: Iterable[Lack], tell: Tell) -> None:
    """Report what cannot be created regardless of the records, in one line a reason."""
    by_reason: dict[str, list[str]] = {}
    for lack in found:
        if not lack.statement:
            by_reason.setdefault(lack.why, []).append(lack.what)
    for why, what in by_reason.items():
        more = f" and {len(what) - 1} more" if len(what) > 1 else ""
        tell(f"{what[0]}{more} could not be made: {why}")
