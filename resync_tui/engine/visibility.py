"""Row-level security: records hidden from a login count as neither missing nor extra."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa

from resync_tui.databases.base import SHOW_ALL
from resync_tui.errors import CannotRun


@dataclass(frozen=True, slots=True)
class Policed:
    """Table with rows hidden from a login by row-level security."""

    table: str
    login: str
    policies: str
    """Names of the policies that apply; empty: none applies, so no row is visible."""

    def hidden(self, where: str) -> CannotRun:
        """Return the error for an end that must show all records."""
        by = f"policy {self.policies}" if self.policies else "no policy"
        return CannotRun(
            f"Row-level security ({by}) hides records of {self.table} from login {self.login} at {where}", SHOW_ALL
        )

    def kept(self, where: str) -> CannotRun:
        """Return the error for a removal: hidden records must not count as extra."""
        return CannotRun(
            f"{self.table} is under row-level security for login {self.login} at {where}: nothing was removed",
            "Leave that object out, or use a login that sees all: what is hidden there is not extra.",
        )

    def added_again(self, where: str) -> CannotRun:
        """Return the error for a keyless table: records already sent but hidden would be inserted again."""
        return CannotRun(
            f"Row-level security hides records of {self.table}, which has no key, from login {self.login} at {where}",
            "Give that table a primary key, or use a login that sees all: each resync would add what it does not see.",
        )


POLICED = "resync_policed"
"""Info key of a table of which row-level security hides rows from the login that reflected it: it, and the policies."""
PolicedTables: TypeAlias = Mapping[str, Policed]
"""Policed tables by catalog name."""


def policed_tables(tables: Mapping[str, sa.Table]) -> dict[str, Policed]:
    """Return those of reflected tables of which row-level security hides rows."""
    return {name: Policed(name, *table.info[POLICED]) for name, table in tables.items() if POLICED in table.info}


def require_seen(names: Iterable[str], policed: PolicedTables, where: str, *, trusted: bool, removing: bool) -> None:
    """Raise CannotRun for a table that hides rows, unless policies are trusted and nothing is removed."""
    for each in (policed[name] for name in names if name in policed):
        if not trusted:
            raise each.hidden(where)
        if removing:
            raise each.kept(where)
