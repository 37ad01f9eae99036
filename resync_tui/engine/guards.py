"""What keeps extra records from being removed: ends that do not show every record, and what hangs on a record."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from resync_tui.engine.mapping import TableMapping

Fetch: TypeAlias = Callable[[sa.Select[Any]], Awaitable[list[tuple[Any, ...]]]]
"""Asks the state."""


@dataclass(frozen=True, slots=True)
class DeleteAction:
    """A foreign key of the state that changes other records when one is deleted, whatever table it is of."""

    table: str
    """The table that refers, as its database writes it."""
    schema: str | None
    columns: tuple[str, ...]
    parent: str
    """The table that is referred to, as the catalog writes it."""
    referred: tuple[str, ...]
    action: str
    """`CASCADE`, `SET NULL` or `SET DEFAULT`."""
    seen: bool = True
    """Whether this login sees all records of the table that refers."""

    def hangs_on(self, row: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition that a record refers to a row of the parent, whosever that record is."""
        child = self._child()
        pairs = zip(self.columns, self.referred, strict=True)
        return sa.exists().where(*(child.c[ours] == row.c[theirs] for ours, theirs in pairs))

    def hanging(self, spec: TableMapping) -> sa.Select[Any]:
        """Return the question how many records hang on a table's extra ones."""
        child, extra = self._child(), spec.extra
        pairs = zip(self.columns, self.referred, strict=True)
        return sa.select(sa.func.count()).where(
            *(child.c[ours] == spec.target.c[theirs] for ours, theirs in pairs), spec.same_key(spec.target, extra)
        )

    def _child(self) -> sa.FromClause:
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in self.columns]
        return sa.table(self.table, *columns, schema=self.schema).alias("hanging")

    @property
    def told(self) -> str:
        """Name the key for people."""
        return f"{self.table} ({', '.join(self.columns)}) ON DELETE {self.action}"


@dataclass(frozen=True, slots=True)
class Guard:
    """What is known of one table before anything is removed from it."""

    reason: str = ""
    """Why none of its extra records may go; empty: they may."""
    actions: tuple[DeleteAction, ...] = ()

    async def told(self, fetch: Fetch, spec: TableMapping) -> list[str]:
        """Return, a line each, what keeps extra records of a table in the state."""
        lines = [f"{spec.name}: {self.reason}"] if self.reason else []
        for action in self.actions if spec.key and not spec.lacks_year_path else ():
            ((count,),) = await fetch(action.hanging(spec))
            if count:
                lines.append(f"{count} of {action.told} hang on extra records of {spec.name}, which stay")
        return lines


def guards_of(
    specs: Iterable[TableMapping],
    doubts: Sequence[Mapping[str, str]],
    actions: Iterable[DeleteAction],
) -> Iterator[tuple[TableMapping, Guard]]:
    """Yield each table with its guard; `doubts` are reasons by the table's name, the first one counts."""
    known = tuple(actions)
    for spec in specs:
        own = tuple(each for each in known if each.parent == spec.name)
        reasons = [each[spec.name] for each in doubts if spec.name in each]
        reasons += [f"this login need not see all that hangs on it by {each.told}" for each in own if not each.seen]
        if spec.lacks_year_path:
            reasons.append("it has no way to its school year, so no record is known to be extra")
        yield spec, Guard(reasons[0] if reasons else "", tuple(each for each in own if each.seen))
