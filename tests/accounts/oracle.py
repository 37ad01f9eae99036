"""What a resync must come to, worked out in plain Python from dumps of both ends and docs/accounting.md alone."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import networkx as nx

from resync_tui.catalog import Catalog
from tests.accounts.shape import Column, Dump, Foreign, Row
from tests.accounts.values import Flaw, as_double, in_state, same_by_equality

Key: TypeAlias = tuple[Any, ...]
Refusal: TypeAlias = tuple[str, str]
"""Kind and reason."""

_BY_OTHERS = re.compile("not reach|is not in the state|names no|another record")
"""Reasons that other records are the cause of."""


@dataclass(frozen=True)
class Knowledge:
    """What the documents of a test say in plain Python of the rules and checks that its databases hold as SQL."""

    rules: Mapping[str, Callable[[Row, Dump], bool]] = field(default_factory=dict)
    """By the rule's id: whether it forbids a row of a district, both as they were dumped."""
    checks: Mapping[str, Sequence[Callable[[Row], bool]]] = field(default_factory=dict)
    """By table, each CHECK of the state: whether a row as the state would hold it passes."""


@dataclass
class _Record:
    """One row of the district on its way."""

    raw: Row
    row: Row
    key: Key
    allowed: set[Refusal] = field(default_factory=set)
    """Empty: it goes in. More than one only where rows of one table bring each other down."""

    @property
    def accepted(self) -> bool:
        return not self.allowed


@dataclass
class Accounts:
    """What must come out of each table: its counts and its refusals."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    refused: dict[str, list[tuple[Key, set[Refusal]]]] = field(default_factory=dict)


class Oracle:
    """The accounts of one batch of one district."""

    def __init__(
        self,
        catalog: Catalog,
        objects: Iterable[str],
        tenant: str | None,
        source: Dump,
        before: Dump,
        known: Knowledge,
        year: int = 2026,
    ) -> None:
        self.catalog = catalog
        self.objects = {table: catalog[name] for name in objects for table in catalog[name].tables}
        self.tenant = tenant
        self.tenant_column = catalog.tenant_column
        self.source = source
        self.before = before
        self.known = known
        self.year = year
        self.accounts = Accounts()
        self.records: dict[str, list[_Record]] = {}
        self.final: dict[str, list[Row]] = dict(before.rows)
        for group in self._groups():
            for table in group:
                in_scope = self._scope(table, source.rows)
                self.records[table] = [self._record(table, raw) for raw in source.rows[table] if in_scope(raw)]
                self._refuse_alone(table)
            self._refuse_together(group)
            for table in group:
                self._account(table)

    def of_object(self, name: str) -> Counter[str]:
        """Return what an object must come to."""
        return sum((self.accounts.counts[table] for table in self.catalog[name].tables), Counter())

    # --- shapes ---

    def _groups(self) -> list[list[str]]:
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.objects)
        for table in self.objects:
            parents = {foreign.parent for foreign in self.before.tables[table].foreign}
            graph.add_edges_from((parent, table) for parent in parents if parent in self.objects)
        components = nx.condensation(graph)
        return [sorted(components.nodes[node]["members"]) for node in nx.topological_sort(components)]

    def columns(self, table: str) -> list[str]:
        """Return the columns that both ends have, in the district's order."""
        ignored = _of_table(self.objects[table].ignore_columns, table)
        state = self.before.tables[table].columns
        return [
            column.name
            for column in self.source.tables[table].columns.values()
            if column.name not in ignored
            and column.name != self.tenant_column
            and not column.generated
            and not state[column.name].generated
        ]

    def owned(self, table: str) -> set[str]:
        """Return the columns that are the state's once they are set."""
        return _of_table(self.objects[table].state_owned, table)

    def key_columns(self, table: str) -> tuple[str, ...]:
        """Return the state's key without the tenant."""
        return self._without_tenant(self.before.tables[table].key)

    def _without_tenant(self, columns: Sequence[str]) -> tuple[str, ...]:
        return tuple(column for column in columns if column != self.tenant_column)

    def _state_column(self, table: str, column: str) -> Column:
        return self.before.tables[table].columns[column]

    def _values(self, table: str, row: Row, columns: Sequence[str]) -> Key:
        return tuple(same_by_equality(row[column], self._state_column(table, column)) for column in columns)

    def _mine(self, table: str) -> Iterator[Row]:
        """Yield the tenant's rows of the state."""
        for row in self.before.rows[table]:
            if self.tenant_column is None or row[self.tenant_column] == self.tenant:
                yield row

    # --- the school year ---

    def _way_to_year(self, table: str) -> list[Foreign] | None:
        """Return the foreign keys that lead to the year; None where the table is not tied to one."""
        if self.catalog.year is None or not self.objects[table].school_year:
            return None
        ways: list[tuple[str, list[Foreign]]] = [(table, [])]
        seen = {table}
        for here, way in ways:
            if here == self.catalog.year.rpartition(".")[0]:
                return way
            for foreign in self._foreign(here):
                if foreign.parent not in seen:
                    seen.add(foreign.parent)
                    ways.append((foreign.parent, [*way, foreign]))
        return None

    def _scope(self, table: str, rows: Mapping[str, list[Row]]) -> Callable[[Row], bool]:
        """Return whether a row of one end is of the current year: unless it is known to be of another."""
        way = self._way_to_year(table)
        if way is None or self.catalog.year is None:
            return lambda row: True
        year_table, _, column = self.catalog.year.rpartition(".")
        if not way:
            return lambda row: not self._other_year(row[column])
        elsewhere = {id(row) for row in rows[year_table] if self._other_year(row[column])}
        for place in reversed(range(len(way))):
            foreign, child = way[place], way[place - 1].parent if place else table
            pairs = [
                pair for pair in zip(foreign.columns, foreign.referred, strict=True) if pair[0] != self.tenant_column
            ]
            theirs = [column for _, column in pairs]
            others = {
                self._values(foreign.parent, row, theirs)
                for row in rows[foreign.parent]
                if id(row) in elsewhere and row.get(self.tenant_column or "", self.tenant) == self.tenant
            }
            elsewhere = {id(row) for row in rows[child] if self._referring(foreign.parent, pairs, row) in others}
        return lambda row: id(row) not in elsewhere

    def _other_year(self, value: Any) -> bool:
        return value is not None and str(value) != str(self.year)

    def _referring(self, parent: str, pairs: Sequence[tuple[str, str]], row: Row) -> Key:
        return tuple(same_by_equality(row[mine], self._state_column(parent, theirs)) for mine, theirs in pairs)

    def _foreign(self, table: str) -> list[Foreign]:
        return sorted(
            self.before.tables[table].foreign, key=lambda each: (self._without_tenant(each.columns), each.parent)
        )

    # --- the order of docs/accounting.md ---

    def _record(self, table: str, raw: Row) -> _Record:
        row: Row = {}
        forbidding = [rule for rule in self.objects[table].rule if rule.table == table]
        flaws: list[Refusal] = [
            ("excluded", rule.reason) for rule in forbidding if self.known.rules[rule.id](raw, self.source)
        ]
        for name in self.columns(table):
            column = self._state_column(table, name)
            try:
                row[name] = in_state(raw[name], column, self.source.dialect, self.before.dialect)
            except Flaw as flaw:
                row[name] = raw[name]
                flaws.append(("rejected", said(str(flaw), column)))
        checks = self.known.checks.get(table, ())
        assert len(checks) == self.before.tables[table].checks, f"{table}: a CHECK is not known to the test"
        if not flaws and not all(check(row) for check in checks):
            flaws.append(("rejected", "breaks the state's check"))
        key = tuple(row[column] for column in self.key_columns(table))
        return _Record(raw, row, key, set(flaws[:1]))

    def _refuse_alone(self, table: str) -> None:
        """Refuse what is wrong of a row among the district's own: a doubled key."""
        names = self.key_columns(table)
        often = Counter(self._values(table, record.row, names) for record in self.records[table])
        for record in self.records[table]:
            if record.accepted and often[self._values(table, record.row, names)] > 1:
                record.allowed = {("rejected", "doubled key")}

    def _refuse_together(self, group: Sequence[str]) -> None:
        """Refuse by foreign and unique keys until what is left holds.

        Where rows of one table bring each other down, the first look (a parent of their own table that the district has
        may yet go in), the look that refused a row and the last one may find different foreign keys; each is right.
        """
        rows = [(table, record) for table in group for record in self.records[table]]
        look = self._look(group, hoping=group)
        first = {id(record): look[table](record.row) for table, record in rows}
        while True:
            before, look = self._refused(group), self._look(group)
            for table, record in rows:
                if record.accepted and (refusal := look[table](record.row)):
                    record.allowed = {refusal}
            if self._refused(group) == before:
                for table in group:
                    self._refuse_doubles(table)
                if self._refused(group) == before:
                    break
        for table, record in rows:
            if any(
                re.search("not reach|is not in the state|names no|another record", reason)
                for _, reason in record.allowed
            ):
                record.allowed |= {each for each in (first[id(record)], look[table](record.row)) if each}
        for table in group:
            self._allow_either_holder(table)

    def _refused(self, group: Sequence[str]) -> int:
        return sum(not record.accepted for table in group for record in self.records[table])

    def _look(self, group: Iterable[str], hoping: Collection[str] = ()) -> dict[str, Callable[[Row], Refusal | None]]:
        """Return what is said of a row of each table whose parent will not be in the state, as things stand."""
        return {table: self._parents(table, hoping) for table in group}

    def _parents(self, table: str, hoping: Collection[str]) -> Callable[[Row], Refusal | None]:
        keys = []
        for foreign in self._foreign(table):
            pairs = [
                pair for pair in zip(foreign.columns, foreign.referred, strict=True) if pair[0] != self.tenant_column
            ]
            theirs = tuple(column for _, column in pairs)
            there = {self._values(foreign.parent, each, theirs) for each in self.source.rows.get(foreign.parent, ())}
            present = self._present(foreign, theirs) | (there if foreign.parent in hoping else set())
            keys.append((foreign, pairs, present, there))

        def missing(row: Row) -> Refusal | None:
            for foreign, pairs, present, there in keys:
                ours = self._referring(foreign.parent, pairs, row)
                if None not in ours and ours not in present:
                    return self._said_of_parent(ours in there, foreign.parent, [mine for mine, _ in pairs])
            return None

        return missing

    def _said_of_parent(self, in_district: bool, parent: str, columns: Sequence[str]) -> Refusal:
        if not in_district:
            return "rejected", f"{', '.join(columns)} names no {parent} record"
        if parent in self.objects:
            return "blocked", f"its {parent} record did not reach the state"
        owner = next(each.name for each in self.catalog.objects if parent in each.tables)
        return "blocked", f"its {parent} record is not in the state: resync {owner}"

    def _present(self, foreign: Foreign, referred: tuple[str, ...]) -> set[Key]:
        """Return the parents that the state will hold once that table has been merged."""
        by_tenant = self.tenant_column in foreign.columns
        rows = self._mine(foreign.parent) if by_tenant else iter(self.before.rows[foreign.parent])
        held = {self._values(foreign.parent, row, referred) for row in rows}
        for record in self.records.get(foreign.parent, ()):
            if record.accepted:
                held.add(self._values(foreign.parent, record.row, referred))
        return held

    def _refuse_doubles(self, table: str) -> None:
        keys = self.key_columns(table)
        for unique in sorted(self.before.tables[table].unique, key=self._without_tenant):
            own = self._without_tenant(unique)
            if not own or not set(own) <= set(self.columns(table)):
                continue
            accepted = {self._values(table, each.row, keys): each for each in self.records[table] if each.accepted}
            rows = self._mine(table) if self.tenant_column in unique else iter(self.before.rows[table])
            had: dict[Key, list[Key | None]] = {}
            for row in rows:
                mine = self.tenant_column is None or row[self.tenant_column] == self.tenant
                key = self._values(table, row, keys) if mine else None
                had.setdefault(self._values(table, row, own), []).append(key)

            def each_key(record: _Record, table: str = table) -> Key:
                return self._values(table, record.row, keys)

            wanted: dict[Key, list[_Record]] = {}
            for record in accepted.values():
                value = self._values(table, record.row, own)
                if None not in value:
                    wanted.setdefault(value, []).append(record)
            for value, records in wanted.items():
                holders = had.get(value, [])
                kept = any(holder not in accepted for holder in holders)
                winner = None
                if not kept:
                    winner = min(records, key=lambda each: (each_key(each) not in holders, each_key(each)))
                for record in records:
                    if record is not winner:
                        record.allowed = {("rejected", said_of_unique(own, of_state=kept))}

    def _allow_either_holder(self, table: str) -> None:
        """A value may be another record's of the state and of the district as well; either reason is right."""
        keys = self.key_columns(table)
        accepted = {self._values(table, each.row, keys): each for each in self.records[table] if each.accepted}
        for unique in self.before.tables[table].unique:
            own = self._without_tenant(unique)
            of_state = ("rejected", said_of_unique(own, of_state=True))
            of_district = ("rejected", said_of_unique(own, of_state=False))
            refused = [each for each in self.records[table] if each.allowed & {of_state, of_district}]
            often = Counter(self._values(table, each.row, own) for each in self.records[table]) if refused else {}
            for record in refused:
                value, key = self._values(table, record.row, own), self._values(table, record.row, keys)
                rows = [row for row in self._mine(table) if self._values(table, row, own) == value]
                for holder in {self._values(table, row, keys) for row in rows} - {key}:
                    if holder not in accepted or self._values(table, accepted[holder].row, own) == value:
                        record.allowed.add(of_state)
                if often[value] > 1:
                    record.allowed.add(of_district)

    # --- the sums ---

    def _account(self, table: str) -> None:
        keys, owned = self.key_columns(table), self.owned(table)
        compared = [column for column in self.columns(table) if column not in keys and column not in owned]
        had = {self._values(table, row, keys): row for row in self._mine(table)}
        counts: Counter[str] = Counter(processed=len(self.records[table]))
        refused = []
        changed: dict[Key, Row] = {}
        for record in self.records[table]:
            key = self._values(table, record.row, keys)
            old = had.get(key)
            if not record.accepted:
                kinds = {kind for kind, _ in record.allowed}
                counts[kinds.pop() if len(kinds) == 1 else "either"] += 1
                refused.append((record.key, record.allowed))
            elif old is None:
                counts["inserted"] += 1
                changed[key] = {**({self.tenant_column: self.tenant} if self.tenant_column else {}), **record.row}
            elif any(not same(old[name], record.row[name], self._state_column(table, name)) for name in compared):
                counts["updated"] += 1
                changed[key] = {**old, **{name: record.row[name] for name in compared}}
            else:
                counts["unchanged"] += 1
        self.final[table] = self._after(table, keys, changed)
        theirs = {self._values(table, row, keys) for row in self.source.rows[table]}
        in_scope = self._scope(table, self.before.rows)
        counts["extra"] = sum(in_scope(row) for key, row in had.items() if key not in theirs)
        self.accounts.counts[table] = counts
        self.accounts.refused[table] = refused

    def _after(self, table: str, keys: Sequence[str], changed: dict[Key, Row]) -> list[Row]:
        rows = []
        for row in self.before.rows[table]:
            mine = self.tenant_column is None or row[self.tenant_column] == self.tenant
            rows.append(changed.pop(self._values(table, row, keys), row) if mine else row)
        return rows + list(changed.values())

    def listed(self, table: str, rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
        """Return rows so that they can be compared: without what the state fills by itself."""
        columns = list(self.before.tables[table].columns.values())
        if table in self.objects:
            both = {*self.columns(table), self.tenant_column}
            columns = [each for each in columns if each.name in both]
        return Counter(tuple(comparable(row[column.name], column) for column in columns) for row in rows)


def _of_table(qualified: Iterable[str], table: str) -> set[str]:
    return {each.rpartition(".")[2] for each in qualified if each.rpartition(".")[0] == table}


def comparable(value: Any, column: Column) -> Any:
    """Return a dumped value so that two are equal exactly when their text output (in SQLite also their type) is."""
    if value is None:
        return None
    if column.kind == "double" and isinstance(value, str | float) and not str(value).startswith(("0x", "-0x")):
        return as_double(value)
    return value if isinstance(value, str) else (type(value).__name__, value)


def same(one: Any, other: Any, column: Column) -> bool:
    """Whether two dumped values of a column are the same."""
    return bool(comparable(one, column) == comparable(other, column))


def said(flaw: str, column: Column) -> str:
    """Return the reason for a value that does not fit."""
    decimals = (*column.size, 0)[:2][-1]
    return (
        column.name
        + {
            "missing": " is missing",
            "not valid": ": not a valid",
            "longer": f" is longer than {column.length}",
            "out of range": " is out of range",
            "more decimals": f" has more than {decimals} decimals",
            "not one of": " is not one of",
        }[flaw]
    )


def said_of_unique(columns: Sequence[str], *, of_state: bool) -> str:
    """Return the reason for a value that another record has."""
    if of_state:
        return f"another record of the state holds this {', '.join(columns)}"
    return f"another record of the district has the same {', '.join(columns)}"
