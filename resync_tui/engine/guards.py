"""Removal guards: hidden records and ON DELETE actions that block the removal of extra records."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.dialect import Fetch
from resync_tui.engine.mapping import RESERVED, TableMapping


@dataclass(frozen=True, slots=True)
class ReferentialAction:
    """Foreign key of any table in the state with an action on the child's records when the parent's change."""

    table: str
    """Referencing table, as named in its database."""
    schema: str | None
    columns: tuple[str, ...]
    parent: str
    """Referenced table, as named in the catalog."""
    referred: tuple[str, ...]
    action: str
    """`CASCADE`, `SET NULL`, `SET DEFAULT`; of mere references also `NO ACTION`, `RESTRICT`."""
    event: str = "DELETE"
    """What of the parent's record sets it off: `DELETE` or `UPDATE`."""
    seen: bool = True
    """Whether this login sees all records of the referencing table."""

    def hangs_on(self, row: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition that a record of any tenant references a row of the parent."""
        child = self._child()
        pairs = zip(self.columns, self.referred, strict=True)
        return sa.exists().where(*(child.c[ours] == row.c[theirs] for ours, theirs in pairs))

    def hanging(self, mapping: TableMapping) -> sa.Select[Any]:
        """Return the query for the number of records that reference a table's extra records."""
        child, extra = self._child(), mapping.extra
        pairs = zip(self.columns, self.referred, strict=True)
        return sa.select(sa.func.count()).where(
            *(child.c[ours] == mapping.target.c[theirs] for ours, theirs in pairs),
            mapping.same_key(mapping.target, extra),
        )

    def _child(self) -> sa.FromClause:
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in self.columns]
        return sa.table(self.table, *columns, schema=self.schema).alias(f"{RESERVED}child")

    @property
    def told(self) -> str:
        """Display name of the foreign key."""
        return f"{self.table} ({', '.join(self.columns)}) ON {self.event} {self.action}"


@dataclass(frozen=True, slots=True)
class Guard:
    """Removal guard of one table."""

    reason: str = ""
    """Reason that blocks the removal of its extra records; empty: not blocked."""
    actions: tuple[ReferentialAction, ...] = ()

    async def told(self, fetch: Fetch, mapping: TableMapping) -> list[str]:
        """Return one line for each reason why extra records of a table stay in the state."""
        lines = [f"{mapping.name}: {self.reason}"] if self.reason else []
        for action in self.actions if mapping.key else ():
            ((count,),) = await fetch(action.hanging(mapping))
            if count:
                lines.append(f"{count} of {action.told} hang on extra records of {mapping.name}, which stay")
        return lines


def guards_of(
    mappings: Iterable[TableMapping],
    doubts: Mapping[str, str],
    actions: Iterable[ReferentialAction],
) -> Iterator[tuple[TableMapping, Guard]]:
    """Yield each table with its guard; `doubts` are the district's reasons by table name; the first one counts."""
    known = tuple(actions)
    for mapping in mappings:
        own = tuple(each for each in known if each.parent == mapping.name)
        reasons = [doubts[mapping.name]] if mapping.name in doubts else []
        reasons += [f"this login need not see all that hangs on it by {each.told}" for each in own if not each.seen]
        yield mapping, Guard(reasons[0] if reasons else "", tuple(each for each in own if each.seen))
