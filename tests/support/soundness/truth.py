"""What a green run must have made true, from the two databases and what the world knows of its records.

Nothing of the engine is asked: which record is of which year and tenant the world says, what the state holds plain
queries say, and the product's own report is asked only for what it refused, and what it counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resync_tui.outcome import Purpose
from tests.support.soundness.model import TENANT, Key, Record, Row, Rows, Table, World
from tests.support.soundness.product import Report
from tests.support.soundness.values import canonical, meant_year, written

Held = Mapping[str, list[Row]]


@dataclass(frozen=True)
class Fault:
    """Something that is wrong and of which nothing told."""

    kind: str
    table: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.table}: {self.detail}"


@dataclass
class Sent:
    """One district's resync of one year: the state before and after it, and what was said."""

    world: World
    tenant: str
    year: int
    district: Rows
    before: Held
    after: Held
    report: Report

    # --- whose and of which year ---

    def mine(self, rows: Held, table: Table) -> list[Row]:
        """Return the tenant's rows of a table of the state."""
        return [row for row in rows[table.name] if is_of(row[TENANT], self.tenant)]

    def in_scope(self, table: Table, record: Record) -> bool:
        """Whether a record is to be sent in this run."""
        return not record.excluded and (not table.school_year or record.year in (self.year, None))

    def state_year(self, rows: Held, table: Table, row: Row) -> int | None:
        """Return the school year of a row of the state by the state's own records; None: it has none."""
        if not table.links:
            return meant_year(row.get(self.world.years[1]))
        if table.way is None:
            return None
        link = table.links[table.way]
        parent = self.world.tables[link.parent]
        wanted = tuple(canonical(table.column(ours).kind, row.get(ours)) for ours in link.columns)
        for other in self.mine(rows, parent):
            if key_of(parent, other) == wanted:
                return self.state_year(rows, parent, other)
        return None

    def completed(self, table: Table) -> bool:
        """Whether the resync of a table's object completed."""
        return not self._ended_early and self.report.objects.get(self.world.object_of(table.name)) == "completed"

    def compared(self, table: Table) -> bool:
        """Whether the comparison of a table's object completed."""
        return not self._ended_early and self.report.compared.get(self.world.object_of(table.name)) == "completed"

    @property
    def _ended_early(self) -> bool:
        return bool(self.report.refused or self.report.crashes)

    def is_refused(self, table: Table, values: Row) -> bool:
        """Whether the run named a record among those that it refused."""
        return any(names(named, values) for of, named in self.report.errors if of == table.name)


def key_of(table: Table, values: Row) -> Key:
    """Return what tells a table's records apart in the district."""
    return tuple(canonical(table.column(name).kind, values.get(name)) for name in table.key)


def is_of(value: Any, tenant: str) -> bool:
    """Whether the state's tenant column says a district's id, all of it."""
    return isinstance(value, str) and value == tenant


def names(named: Mapping[str, Any], values: Row) -> bool:
    """Whether a report's key is that of a record; one that says only a record's place may be any."""
    by_name = {name.casefold(): value for name, value in values.items()}
    return all(
        written(by_name[name.casefold()]) == written(value)
        for name, value in named.items()
        if name.casefold() in by_name
    )


def faults(sent: Sent) -> Iterator[Fault]:
    """Yield what is wrong after a run and was not told."""
    yield from (Fault("crashed", "", crash) for crash in sent.report.crashes)
    for message in sent.report.messages.values():
        if "nexpected" in message:
            yield Fault("not explained", "", message)
    for table in sent.world.tables.values():
        by_key = {key_of(table, record.values): record for record in sent.district[table.name]}
        after = _by_key(sent.mine(sent.after, table), table)
        before = _by_key(sent.mine(sent.before, table), table)
        if sent.completed(table):
            yield from _must_not_complete(sent, table)
            yield from _arrived(sent, table, by_key, before, after)
        yield from _nothing_else(sent, table, by_key, before, after)
        if sent.compared(table):
            yield from _counted(sent, table, by_key, after)


def _by_key(rows: list[Row], table: Table) -> dict[Key, Row]:
    return {key_of(table, row): row for row in rows}


def _must_not_complete(sent: Sent, table: Table) -> Iterator[Fault]:
    if table.name in sent.world.must_refuse:
        yield Fault("completed", table.name, "though what the catalog says of it cannot be asked")


def _arrived(
    sent: Sent, table: Table, by_key: dict[Key, Record], before: dict[Key, Row], after: dict[Key, Row]
) -> Iterator[Fault]:
    """Every record in scope is at the state, with every compared value the same."""
    for key, record in by_key.items():
        if not sent.in_scope(table, record) or sent.is_refused(table, record.values):
            continue
        row = after.get(key)
        if row is None:
            yield Fault("missing", table.name, f"{key} of {record.year} is not at the state")
            continue
        wrong = [name for name in _compared(sent, table, key, before) if _differs(table, name, record, row)]
        for name in wrong:
            yield Fault("different", table.name, f"{key}: {name} is {row.get(name)!r}, not {record.values[name]!r}")


def _compared(sent: Sent, table: Table, key: Key, before: dict[Key, Row]) -> list[str]:
    """Return the columns that must be the same: not the state's own once it has the record, not the district's own."""
    return [
        column.name
        for column in table.columns
        if column.in_district
        and not column.computed
        and (table.name, column.name) not in sent.world.ignored
        and not (key in before and (table.name, column.name) in sent.world.owned)
    ]


def _differs(table: Table, name: str, record: Record, row: Row) -> bool:
    kind, value = table.column(name).kind, record.values[name]
    if name == TENANT and value is None:
        return False  # names nobody else
    return name not in row or canonical(kind, row[name]) != canonical(kind, value)


def _nothing_else(
    sent: Sent, table: Table, by_key: dict[Key, Record], before: dict[Key, Row], after: dict[Key, Row]
) -> Iterator[Fault]:
    """Nothing was written but records in scope, and those that have left the year."""
    for key, row in after.items():
        old = before.get(key)
        if row == old:
            continue
        record = by_key.get(key)
        if record is None:
            yield Fault("invented", table.name, f"{key} was written, and the district has no such record")
        elif not sent.in_scope(table, record) and not _has_left(sent, table, record, old):
            what = "excluded" if record.excluded else f"of {record.year}"
            yield Fault("out of scope", table.name, f"{key}, {what}, was written by a run of {sent.year}")
        elif not sent.is_refused(table, record.values):
            yield from _kept(sent, table, key, old, row)
    for key in before.keys() - after.keys():
        yield Fault("removed", table.name, f"{key} is gone")


def _has_left(sent: Sent, table: Table, record: Record, old: Row | None) -> bool:
    return old is not None and not record.excluded and sent.state_year(sent.before, table, old) == sent.year


def _kept(sent: Sent, table: Table, key: Key, old: Row | None, row: Row) -> Iterator[Fault]:
    """What is the state's own stays, and what is the district's own does not come."""
    own = {column.name for column in table.columns if not column.in_district}
    for of, name in sent.world.owned | sent.world.ignored | {(table.name, name) for name in own}:
        if of != table.name or name not in row or (old is None and (of, name) in sent.world.owned):
            continue
        expected = None if old is None else old[name]
        if row[name] != expected and table.column(name).in_state:
            yield Fault("overwritten", table.name, f"{key}: {name} was {expected!r} and is {row[name]!r}")


def _counted(sent: Sent, table: Table, by_key: dict[Key, Record], after: dict[Key, Row]) -> Iterator[Fault]:
    """Every copy of this year at the state that is no record in scope is counted; every one that is, is the same."""
    found = [(kind, named) for kind, of, named in sent.report.findings if of == table.name]
    uncounted = []
    for key, row in after.items():
        record = by_key.get(key)
        if record is not None and (sent.in_scope(table, record) or sent.is_refused(table, record.values)):
            continue
        if record is not None and record.excluded:
            continue
        if table.school_year and sent.state_year(sent.after, table, row) not in (sent.year, None):
            continue
        if not any(names(named, row) for _, named in found):
            whose = "no record" if record is None else f"a record of {record.year}"
            uncounted.append(f"{key} of the district's {whose} is in {sent.year} at the state")
    if len(uncounted) > sent.report.keyless[Purpose.RESYNC, table.name]:
        yield from (Fault("uncounted", table.name, each) for each in uncounted)


def others(world: World, before: Held, after: Held) -> Iterator[Fault]:
    """Yield the rows of nobody's that a run has written or taken away."""
    for table in world.tables.values():
        old, new = (
            [row for row in rows[table.name] if not any(is_of(row[TENANT], tenant) for tenant in world.tenants)]
            for rows in (before, after)
        )
        for row in [*(each for each in new if each not in old), *(each for each in old if each not in new)]:
            yield Fault("not its own", table.name, f"a row of {row[TENANT]!r} was written or removed")
