"""Dialect: how one kind of database types, stages, compares and checks values. Each backend has one.

Values are *equal* if their text output is the same: 1.0 and 1.00, or interval '1 day' and '24 hours', differ. A
reflected column knows the dialect of its database (`of`): nothing else asks which kind it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.hashing import RowHashing
from resync_tui.engine.reflection import Tables
from resync_tui.engine.types import Capacity, LogicalType, collation, signed_range, text_literal
from resync_tui.engine.years import ISO_DATE, SchoolYear
from resync_tui.errors import ResyncError


class Check(NamedTuple):
    """Condition under which a column cannot hold a value, and the reason in words."""

    when: sa.ColumnElement[bool]
    reason: str
    size: sa.ColumnElement[int] | None = None
    """Characters in which the value is written, where that is what does not fit."""


Fetch: TypeAlias = Callable[[sa.Select[Any]], Awaitable[list[tuple[Any, ...]]]]
"""Runs a query at one end and returns its rows."""
Pair: TypeAlias = tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]

_WIDENING = {
    (LogicalType.INTEGER, LogicalType.NUMERIC),
    (LogicalType.ENUM, LogicalType.TEXT),
    (LogicalType.TEXT, LogicalType.ENUM),
}
_LOOSELY_TYPED = {
    (LogicalType.TEXT, LogicalType.UUID),
    (LogicalType.TEXT, LogicalType.JSON),
}

_YEARS = {
    LogicalType.INTEGER: LogicalType.INTEGER,
    LogicalType.NUMERIC: LogicalType.INTEGER,
    LogicalType.FLOAT: LogicalType.INTEGER,
    LogicalType.DATE: LogicalType.DATE,
    LogicalType.TIMESTAMP: LogicalType.DATE,
    LogicalType.TEXT: LogicalType.TEXT,
    LogicalType.ENUM: LogicalType.TEXT,
}
"""Types that may hold school years, by how these are compared.

A timestamp with time zone is another day elsewhere: at the turn of a year nobody could tell which year was meant.
"""


class Dialect(ABC):
    """One kind of database; a backend has one instance."""

    name: ClassVar[str]
    """As rules of the catalog name it (`when.<name>`), and SQLAlchemy."""
    ownership: ClassVar[sa.TableClause]
    """Table in a state that says whose copy it is: columns `one` and `district`."""
    hashing: ClassVar[RowHashing | None] = None
    """Its fingerprints; None: it cannot compute any."""
    loosely_typed: ClassVar[bool] = False
    """Whether a column may hold values of any type."""

    run_deferred: ClassVar[sa.TextClause | None] = None
    """Statement that runs the triggers and checks that are deferred to the commit; None: it has no such triggers."""

    enforces_referred_keys: ClassVar[bool] = True
    """Whether a foreign key cannot point to columns that are no key of its parent."""

    # Tables and types of columns.

    @abstractmethod
    async def reflect(self, connection: AsyncConnection, names: Iterable[str]) -> Tables:
        """Return the existing tables among catalog names, and all tables that they reference.

        A column's `info` has the dialect, and what the type lacks of the declared one.
        """

    @abstractmethod
    def logical_type(self, column: sa.Column[Any]) -> LogicalType:
        """Return the logical type of a reflected column."""

    @abstractmethod
    def can_hold(self, column: sa.Column[Any], text: str) -> bool:
        """Whether a column returns a short text as it was stored, and can be queried by it."""

    def as_compared(self, column: sa.Column[Any], text: str) -> str:
        """Return a form that texts have in common which a column takes, or may take, for one."""
        return text.rstrip(" ") if self.is_padded(column) else text

    @abstractmethod
    def integer_bounds(self, column: sa.Column[Any]) -> tuple[int, int] | None:
        """Return the bounds of an integer column; None if the database sets none below 64 bits."""

    def capacity(self, column: sa.Column[Any]) -> Capacity:
        """Return what a column takes as a target; what it refuses is found by `value_checks`."""
        kind, declared = self.logical_type(column), column.type
        labels = frozenset(declared.enums) if kind is LogicalType.ENUM and isinstance(declared, sa.Enum) else None
        precision, scale = (
            column.info.get(each, getattr(declared, each, None) if kind is LogicalType.NUMERIC else None)
            for each in ("precision", "scale")
        )
        return Capacity(
            length=column.info.get("length", getattr(declared, "length", None) if kind is LogicalType.TEXT else None),
            integers=self.integer_bounds(column),
            precision=precision,
            scale=scale or 0,
            labels=labels,
        )

    def declared_capacity(self, column: sa.Column[Any]) -> Capacity:
        """Return what a column is declared to hold as a source, whether or not its database enforces that."""
        found = self.capacity(column)
        if self.logical_type(column) is not LogicalType.INTEGER or found.integers is not None:
            return found
        return replace(found, integers=self.unbounded_integers(column))

    def unbounded_integers(self, column: sa.Column[Any]) -> tuple[int, int]:
        """Return the range of integers for which a column without `integer_bounds` is declared."""
        return signed_range(64)

    def type_name(self, column: sa.Column[Any]) -> str:
        """Return the name of a column's type in its own database."""
        return str(column.type).lower()

    def is_padded(self, column: sa.Column[Any]) -> bool:
        """Whether a column ignores trailing blanks, as char(n) does."""
        return False

    def keeps_apart(self, source: sa.Column[Any], target: sa.Column[Any]) -> bool:
        """Whether different values of a source column stay different in the target column."""
        return collation(target) is None and (is_padded(source) or not is_padded(target))

    # Names and years.

    def fold(self, name: str) -> str:
        """Return a form of a table's or column's name that is the same for all spellings of one name."""
        return name

    def reads_years(self, column: sa.Column[Any]) -> bool:
        """Whether a column's type may hold school years in a known form."""
        return self.logical_type(column) in _YEARS

    def is_year(self, value: sa.ColumnElement[Any], column: sa.Column[Any], year: SchoolYear) -> sa.ColumnElement[bool]:
        """Return the condition that a value of a column is a school year; see `years.YearStart.read`."""
        match _YEARS[self.logical_type(column)]:
            case LogicalType.INTEGER:
                return value == year.ends
            case LogicalType.DATE:
                first: sa.ColumnElement[Any] = sa.literal_column(self.date_literal(year.first))
                after: sa.ColumnElement[Any] = sa.literal_column(self.date_literal(year.after))
                return sa.and_(value >= first, value < after)
        return self.text_is_year(value, year)

    def text_is_year(self, value: sa.ColumnElement[Any], year: SchoolYear) -> sa.ColumnElement[bool]:
        """Return the condition that a value, written as text, is a school year."""
        text = self.binary(sa.func.trim(sa.cast(value, sa.Text())))
        first, after = (text_literal(day.isoformat()) for day in (year.first, year.after))
        is_date = sa.and_(sa.func.length(text) >= ISO_DATE, text >= first, text < after)
        return sa.or_(text.in_([text_literal(each) for each in year.texts]), is_date)

    def without_domain(self, column: sa.Column[Any]) -> sa.Column[Any]:
        """Return a column with the type under its domain, if it has one."""
        return column

    def is_same_type(self, source: sa.Column[Any], target: sa.Column[Any]) -> bool:
        """Whether columns of types that no logical type describes are of one type; asked of the target's dialect."""
        return str(source.type) == str(target.type)

    def takes_text(self, target: sa.Column[Any]) -> bool:
        """Whether a target column that no logical type describes holds texts as they are."""
        return self.loosely_typed

    def loss(self, source: sa.Column[Any], target: sa.Column[Any]) -> str | None:
        """Return what a target column loses of values that a source column can hold, in words; None: nothing.

        Asked of the target's dialect. Only what it would alter in silence, not what it refuses.
        """
        return None

    # Values as a source.

    def with_names(self, text: str) -> str:
        """Return the SQL of a rule with what stands in double quotes as names, and nothing else."""
        return text

    @abstractmethod
    def date_literal(self, day: date) -> str:
        """Return a date as SQL text, for rules."""

    @abstractmethod
    def is_rejected_sql(self, error: BaseException | None) -> bool:
        """Whether a driver's error concerns the SQL itself, as of a rule, and not the database's state."""

    def as_sent(self, column: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        """Return a source column in the form in which it is staged."""
        return column

    def altered_by_stage(
        self, value: sa.ColumnElement[Any], source: sa.Column[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool] | None:
        """Return the condition that the stage would hold a source value altered; None if it holds each as it is.

        Values that the stage holds as they are, but the target column would alter, are found by `value_checks`.
        """
        return None

    def parent_exists(self, pairs: Sequence[Pair], *, exact: bool) -> sa.ColumnElement[bool]:
        """Return the condition that a parent row exists; `pairs` are its columns and the child's.

        `exact`: no collation of the parent's takes different values for equal.
        """
        return sa.exists().where(*(theirs == ours for theirs, ours in pairs))

    # Values as a target: staged values and those of its tables.

    def insert(self, table: sa.Table) -> sa.Insert:
        """Return the beginning of an INSERT … SELECT that keeps all values as they come."""
        return sa.insert(table)

    @abstractmethod
    def to_stage(self, value: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        """Return a value of a target column as its stage holds it."""

    @abstractmethod
    def from_stage(self, staged: sa.ColumnElement[Any], target: sa.Column[Any]) -> sa.ColumnElement[Any]:
        """Return a staged value as its target column takes it."""

    @abstractmethod
    def differs(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool]:
        """Return the condition that the target's value `held` differs from the staged one."""

    def differs_in_place(
        self, one: sa.ColumnElement[Any], other: sa.ColumnElement[Any], source: sa.Column[Any], target: sa.Column[Any]
    ) -> sa.ColumnElement[bool]:
        """Return the condition that values of both ends differ; asked where one connection sees both."""
        raise NotImplementedError

    @abstractmethod
    def match_values(
        self, staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
    ) -> list[Pair]:
        """Return the pairs that decide equality of two values: each pair bytewise equal, or both null."""

    @abstractmethod
    def binary(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return a text with bytewise collation."""

    @abstractmethod
    def placeholder(self, column: sa.Column[Any], row_id: sa.ColumnElement[int]) -> sa.ColumnElement[Any] | None:
        """Return a value for a column that is unlikely to exist and distinct for each row id; None if there is none."""

    @abstractmethod
    def newest(self, table: sa.Table) -> sa.Select[Any]:
        """Return the query for a number that tells the rows of a table from those inserted later."""

    @abstractmethod
    def inserted_since(self, table: sa.Table, newest: int) -> sa.ColumnElement[bool]:
        """Return the condition that this transaction inserted a row since it asked for the `newest`."""

    def materialized(self, query: sa.CTE) -> sa.CTE:
        """Return a common table expression that is evaluated once."""
        return query

    def value_checks(
        self, staged: sa.ColumnElement[Any], source: sa.Column[Any], target: sa.Column[Any]
    ) -> Iterable[Check]:
        """Yield the conditions under which a target column cannot hold a staged value of a source column."""
        capacity = self.capacity(target)
        if capacity.length is not None:
            length: sa.ColumnElement[int] = sa.func.length(staged)
            yield Check(length > capacity.length, f"is longer than {capacity.length}", length)
        if (bounds := capacity.integers) is not None:
            beyond = sa.or_(staged < bounds[0], staged > bounds[1])
            yield Check(beyond, f"is out of range ({bounds[0]} to {bounds[1]})", printed_size(staged))
        if (precision := capacity.precision) is not None:
            of_domain, scale = "precision" in target.info, capacity.scale
            number = sa.cast(staged, sa.Numeric()) if of_domain else sa.type_coerce(staged, sa.Numeric())
            reason, size = f"is out of range (numeric {precision},{scale})", printed_size(staged)
            yield Check(self.too_large(number, precision, scale), reason, size)
            yield Check(self.too_precise(number, scale), f"has more than {scale} decimals", size)
        if capacity.labels is not None and isinstance(target.type, sa.Enum):
            labels = [text_literal(label) for label in target.type.enums]
            yield Check(sa.not_(staged.in_(labels)), "is not one of the state's values")

    def too_large(self, number: sa.ColumnElement[Any], precision: int, scale: int) -> sa.ColumnElement[bool]:
        """Return the condition that a number exceeds numeric(precision, scale)."""
        # A literal: no driver binds such an integer. And no abs(), which fails on the smallest integer of some.
        least, most = (sa.literal_column(f"{sign}{10 ** (precision - scale)}", sa.Numeric()) for sign in ("-", ""))
        return sa.or_(number <= least, number >= most)

    def too_precise(self, number: sa.ColumnElement[Any], scale: int) -> sa.ColumnElement[bool]:
        """Return the condition that a number has more decimals than `scale`."""
        return sa.func.round(number, scale) != number

    # What a login sees, and a server can.

    def lacks_function(self, error: BaseException) -> bool:
        """Whether a driver's error says that the server does not know a function."""
        return False

    async def missing_privileges(
        self, connection: AsyncConnection, name: str, tables: Iterable[sa.Table], *, as_state: bool
    ) -> list[ResyncError]:
        """Return what a connection's login lacks to read tables or, `as_state`, to write them by way of stages.

        `name` is the database's display name. Databases without privileges lack none.
        """
        return []

    async def partitions(self, connection: AsyncConnection) -> frozenset[str]:
        """Return the names of the tables that are partitions of others; without schema, too, where they need none."""
        return frozenset()

    async def may_write(self, connection: AsyncConnection, tables: Iterable[sa.Table]) -> bool:
        """Whether a connection's login may change records of any of these tables."""
        return False


def of(column: sa.Column[Any]) -> Dialect:
    """Return the dialect of the database in which a column was reflected."""
    found: Dialect = column.info["dialect"]
    return found


def insert_into(table: sa.Table) -> sa.Insert:
    """Return the beginning of an INSERT … SELECT into a reflected table."""
    return of(next(iter(table.c))).insert(table)


def logical_type(column: sa.Column[Any]) -> LogicalType:
    """Return the logical type of a reflected column."""
    return of(column).logical_type(column)


def type_name(column: sa.Column[Any]) -> str:
    """Return the name of a column's type in its own database."""
    return of(column).type_name(column)


def is_padded(column: sa.Column[Any]) -> bool:
    """Whether a column ignores trailing blanks, as char(n) does."""
    return of(column).is_padded(column)


def is_convertible(source: sa.Column[Any], target: sa.Column[Any]) -> bool:
    """Whether the source type converts to the target type; single values may still be refused."""
    based = of(source).without_domain(source)
    ours, theirs = pair = logical_type(based), logical_type(target)
    loose = of(source).loosely_typed
    if theirs is LogicalType.OTHER:
        return of(target).takes_text(target) if loose else of(target).is_same_type(source, target)
    if ours is LogicalType.OTHER:
        return loose and theirs is not LogicalType.INTERVAL
    return ours == theirs or pair in _WIDENING or (loose and pair in _LOOSELY_TYPED)


def loss(source: sa.Column[Any], target: sa.Column[Any]) -> str | None:
    """Return what a target column loses of values that a source column can hold, in words; None: nothing."""
    return of(target).loss(source, target)


def printed_size(staged: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Return the number of characters in which a staged value is written."""
    return sa.func.length(sa.cast(staged, sa.Text()))


def refused(source: sa.Column[Any], target: sa.Column[Any]) -> str | None:
    """Return what a target column refuses of values that a source column is declared for, in words; None: nothing."""
    return of(target).capacity(target).refused(of(source).declared_capacity(source))


def altered(what: str | None) -> str:
    """Return the reason why a record is rejected of which a column would lose something."""
    return f"would be altered: {what}"


def differs(
    staged: sa.ColumnElement[Any], held: sa.ColumnElement[Any], target: sa.Column[Any]
) -> sa.ColumnElement[bool]:
    """Return the condition that the target's value `held` differs from the staged one."""
    return of(target).differs(staged, held, target)


def find_column(tables: Mapping[str, sa.Table], name: str) -> sa.Column[Any] | None:
    """Return a column by its catalog name (`Table.column`), as its database compares names; None if it is not there."""
    table_name, _, wanted = name.rpartition(".")
    table = tables.get(table_name)
    return None if table is None else column_of(table, wanted)


def column_of(table: sa.Table, wanted: str) -> sa.Column[Any] | None:
    """Return a table's column, as its database compares names; None if it has none of that name."""
    columns: Iterable[sa.Column[Any]] = table.c
    return next((each for each in columns if of(each).fold(each.name) == of(each).fold(wanted)), None)
