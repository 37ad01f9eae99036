"""What a resync must come to, worked out in plain Python from dumps of both ends and docs/accounting.md alone."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from resync_tui.catalog import Catalog
from tests.support.oracle.aside import set_aside
from tests.support.oracle.reasons import said, said_of_unique, said_of_year
from tests.support.oracle.shape import Dump, Foreign, Row
from tests.support.oracle.two_ends import Key, TwoEnds
from tests.support.oracle.values import Flaw, comparable, in_state, same

Refusal: TypeAlias = tuple[str, str]
"""Kind and reason."""

_BY_OTHERS = re.compile("not reach|it moved|is not in the state|names no|another record")
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
    moved_to: int | None
    """The district's school year of a record that the state has in the batch's; None for one in scope by itself."""
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


class Oracle(TwoEnds):
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
        super().__init__(catalog, objects, tenant, source, before, year)
        self.known = known
        self.accounts = Accounts()
        self.records: dict[str, list[_Record]] = {}
        self.final: dict[str, list[Row]] = dict(before.rows)
        for group in self.groups():
            for table in group:
                in_scope, years, moved = (
                    self.scope(table, source.rows),
                    self.years(table, source.rows),
                    self._moved(table),
                )
                rows = [raw for raw in source.rows[table] if in_scope(raw)]
                self.records[table] = [self._record(table, raw, place) for place, raw in enumerate(rows, 1)]
                self.records[table] += [self._record(table, raw, 0, years[id(raw)]) for raw in moved]
                self._refuse_alone(table)
            self._refuse_together(group)
            for table in group:
                (self._account if self.key_columns(table) else self._account_copies)(table)

    def of_object(self, name: str) -> Counter[str]:
        """Return what an object must come to."""
        return sum((self.accounts.counts[table] for table in self.catalog[name].tables), Counter())

    def messages(self, name: str) -> list[str]:
        """Return what is said of an object that completes: how many records moved, and to which year."""
        return [
            f"{count} record{'s'[: count - 1]} of {table} moved to {said_of_year(year)}"
            for table in self.catalog[name].tables
            for year, count in Counter(each.moved_to for each in self.records[table] if each.moved_to).items()
        ]

    def _moved(self, table: str) -> list[Row]:
        """Return the district's rows of other years, and of no record of this one, that the state has in this one."""
        keys = self.key_columns(table)
        ours, theirs = self.scope(table, self.source.rows), self.scope(table, self.before.rows)
        held = {self.values(table, row, keys) for row in self.mine(table) if keys and theirs(row)}
        held -= {self.values(table, raw, keys) for raw in self.source.rows[table] if ours(raw)}
        return [raw for raw in self.source.rows[table] if not ours(raw) and self.values(table, raw, keys) in held]

    # --- the order of docs/accounting.md ---

    def _record(self, table: str, raw: Row, place: int, moved_to: int | None = None) -> _Record:
        row: Row = {}
        forbidding = [rule for rule in self.objects[table].rule if rule.table == table]
        flaws: list[Refusal] = [
            ("excluded", rule.reason) for rule in forbidding if self.known.rules[rule.id](raw, self.source)
        ]
        held = self._held(table, raw)
        for name in self.columns(table):
            column = self.state_column(table, name)
            if held is not None and name in self.owned(table):
                row[name] = held[name]
                continue
            try:
                row[name] = in_state(raw[name], column, self.source.dialect, self.before.dialect)
            except Flaw as flaw:
                row[name] = raw[name]
                flaws.append(("rejected", said(str(flaw), column)))
        checks = self.known.checks.get(table, ())
        assert len(checks) == self.before.tables[table].checks, f"{table}: a CHECK is not known to the test"
        if not flaws and not all(check(row) for check in checks):
            flaws.append(("rejected", "breaks the state's check"))
        key = tuple(row[column] for column in self.key_columns(table)) or (place,)
        return _Record(raw, row, key, moved_to, set(flaws[:1]))

    def _held(self, table: str, raw: Row) -> Row | None:
        """Return the state's row of a record of the district; None where it has none."""
        if not self.owned(table):
            return None
        keys = self.key_columns(table)
        wanted = self.values(table, raw, keys)
        return next((row for row in self.mine(table) if self.values(table, row, keys) == wanted), None)

    def _refuse_alone(self, table: str) -> None:
        """Refuse what is wrong of a row among the district's own: a doubled key."""
        names = self.key_columns(table)
        if not names:
            return
        often = Counter(self.values(table, record.row, names) for record in self.records[table])
        for record in self.records[table]:
            if record.accepted and often[self.values(table, record.row, names)] > 1:
                record.allowed = {("rejected", "doubled key")}

    def _refuse_together(self, group: Sequence[str]) -> None:
        """Refuse by foreign and unique keys until what is left holds.

        Where rows of one table bring each other down, the first look (a parent of their own table that the district has
        may yet go in), the look that refused a row and the last one may find different foreign keys; each is right.
        """
        rows = [(table, record) for table in group for record in self.records[table]]
        look = self._look(group, hoping=group)
        first = {id(record): look[table](record) for table, record in rows}
        while True:
            before, look = self._refused(group), self._look(group)
            for table, record in rows:
                if record.accepted and (refusal := look[table](record)):
                    record.allowed = {refusal}
            if self._refused(group) == before:
                for table in group:
                    self._refuse_doubles(table)
                if self._refused(group) == before:
                    break
        for table, record in rows:
            if any(_BY_OTHERS.search(reason) for _, reason in record.allowed):
                record.allowed |= {each for each in (first[id(record)], look[table](record)) if each}
        for table in group:
            self._allow_either_holder(table)

    def _refused(self, group: Sequence[str]) -> int:
        return sum(not record.accepted for table in group for record in self.records[table])

    def _look(
        self, group: Iterable[str], hoping: Collection[str] = ()
    ) -> dict[str, Callable[[_Record], Refusal | None]]:
        """Return what is said of a row of each table whose parent will not be in the state, as things stand."""
        return {table: self._parents(table, hoping) for table in group}

    def _parents(self, table: str, hoping: Collection[str]) -> Callable[[_Record], Refusal | None]:
        keys = []
        for foreign in self.foreign(table):
            pairs = self._pairs(foreign)
            theirs = tuple(column for _, column in pairs)
            there = {
                self.values(foreign.parent, each, theirs): each for each in self.source.rows.get(foreign.parent, ())
            }
            present = self._present(foreign, theirs) | (there.keys() if foreign.parent in hoping else set())
            keys.append((foreign, pairs, present, there))

        def missing(record: _Record) -> Refusal | None:
            for foreign, pairs, present, there in keys:
                ours = self.referring(foreign.parent, pairs, record.row)
                if None not in ours and ours not in present:
                    if record.moved_to and ours in there:
                        return "blocked", f"it moved to {said_of_year(record.moved_to)}"
                    return self._said_of_parent(there.get(ours), foreign.parent, [mine for mine, _ in pairs])
            return None

        return missing

    def _pairs(self, foreign: Foreign) -> list[tuple[str, str]]:
        """Return the columns of a foreign key and theirs, without the tenant's."""
        return [pair for pair in zip(foreign.columns, foreign.referred, strict=True) if pair[0] != self.tenant_column]

    def _is_kept_out(self, table: str, row: Row) -> bool:
        """Whether a rule excludes a row of the district, or one above it."""
        rules = [rule for each in self.catalog.objects for rule in each.rule if rule.table == table]
        return any(self.known.rules[rule.id](row, self.source) for rule in rules) or any(
            self.values(foreign.parent, each, tuple(theirs for _, theirs in pairs))
            == self.referring(foreign.parent, pairs, row)
            and self._is_kept_out(foreign.parent, each)
            for foreign in self.foreign(table)
            if foreign.parent != table
            for pairs in [self._pairs(foreign)]
            for each in self.source.rows.get(foreign.parent, ())
        )

    def _said_of_parent(self, raw: Row | None, parent: str, columns: Sequence[str]) -> Refusal:
        """Return what is said of a row whose parent, `raw` in the district, is not in the state."""
        if raw is None:
            return "rejected", f"{', '.join(columns)} names no {parent} record"
        if parent in self.objects or self._is_kept_out(parent, raw):
            return "blocked", f"its {parent} record did not reach the state"
        owner = next(each.name for each in self.catalog.objects if parent in each.tables)
        return "blocked", f"its {parent} record is not in the state: resync {owner}"

    def _present(self, foreign: Foreign, referred: tuple[str, ...]) -> set[Key]:
        """Return the parents that the state will hold once that table has been merged."""
        by_tenant = self.tenant_column in self.before.tables[foreign.parent].columns
        rows = self.mine(foreign.parent) if by_tenant else iter(self.before.rows[foreign.parent])
        held = {self.values(foreign.parent, row, referred) for row in rows}
        for record in self.records.get(foreign.parent, ()):
            if record.accepted:
                held.add(self.values(foreign.parent, record.row, referred))
        return held

    def _refuse_doubles(self, table: str) -> None:
        keys = self.key_columns(table)
        for unique in sorted(self.before.tables[table].unique, key=self.without_tenant):
            own = self.without_tenant(unique)
            if not own or not set(own) <= set(self.columns(table)):
                continue
            accepted = {self.values(table, each.row, keys): each for each in self.records[table] if each.accepted}
            rows = self.mine(table) if self.tenant_column in unique else iter(self.before.rows[table])
            had: dict[Key, list[Key | None]] = {}
            by_key = {self.values(table, row, keys): row for row in self.mine(table)}
            for row in rows:
                mine = self.tenant_column is None or row[self.tenant_column] == self.tenant
                key = self.values(table, row, keys) if mine else None
                had.setdefault(self.values(table, row, own), []).append(key)

            def each_key(record: _Record, table: str = table) -> Key:
                return self.values(table, record.row, keys)

            wanted: dict[Key, list[_Record]] = {}
            for record in accepted.values():
                value = self.values(table, record.row, own)
                if None not in value:
                    wanted.setdefault(value, []).append(record)
            for value, records in wanted.items():
                holders = had.get(value, [])
                staying = (holder for holder in holders if holder not in accepted)
                kept = any(each is None or not self._set_aside(table, unique, by_key[each]) for each in staying)
                winner = None
                if not kept:
                    winner = min(records, key=lambda each: (each_key(each) not in holders, each_key(each)))
                for record in records:
                    if record is not winner:
                        record.allowed = {("rejected", said_of_unique(own, of_state=kept))}

    def _set_aside(self, table: str, unique: Sequence[str], row: Row) -> Row | None:
        return set_aside(self, self.known.rules, self.known.checks.get(table, ()), table, unique, row)

    def _given_up(self, table: str) -> dict[Key, Row]:
        """Return the extra records that give up a unique value to accepted ones, by key, as they are afterwards."""
        keys, found = self.key_columns(table), dict[Key, Row]()
        accepted = {self.values(table, each.row, keys): each for each in self.records[table] if each.accepted}
        for unique in self.before.tables[table].unique:
            own = self.without_tenant(unique)
            if not own or not set(own) <= set(self.columns(table)):
                continue
            taken = {self.values(table, each.row, own) for each in accepted.values()}
            for row in self.mine(table):
                key, value = self.values(table, row, keys), self.values(table, row, own)
                if key not in accepted and None not in value and value in taken:
                    after = self._set_aside(table, unique, row)
                    changed = {name: after[name] for name in own} if after else {}
                    found[key] = {**row, **found.get(key, {}), **changed}
        return found

    def _allow_either_holder(self, table: str) -> None:
        """A value may be another record's of the state and of the district as well; either reason is right."""
        keys = self.key_columns(table)
        accepted = {self.values(table, each.row, keys): each for each in self.records[table] if each.accepted}
        for unique in self.before.tables[table].unique:
            own = self.without_tenant(unique)
            of_state = ("rejected", said_of_unique(own, of_state=True))
            of_district = ("rejected", said_of_unique(own, of_state=False))
            refused = [each for each in self.records[table] if each.allowed & {of_state, of_district}]
            often = Counter(self.values(table, each.row, own) for each in self.records[table]) if refused else {}
            for record in refused:
                value, key = self.values(table, record.row, own), self.values(table, record.row, keys)
                rows = [row for row in self.mine(table) if self.values(table, row, own) == value]
                for holder in {self.values(table, row, keys) for row in rows} - {key}:
                    if holder not in accepted or self.values(table, accepted[holder].row, own) == value:
                        record.allowed.add(of_state)
                if often[value] > 1:
                    record.allowed.add(of_district)

    # --- the sums ---

    def _account(self, table: str) -> None:
        keys, owned = self.key_columns(table), self.owned(table)
        compared = [column for column in self.columns(table) if column not in keys and column not in owned]
        had = {self.values(table, row, keys): row for row in self.mine(table)}
        counts: Counter[str] = Counter(processed=len(self.records[table]))
        refused = []
        changed = self._given_up(table)
        for record in self.records[table]:
            key = self.values(table, record.row, keys)
            old = had.get(key)
            if not record.accepted:
                kinds = {kind for kind, _ in record.allowed}
                counts[kinds.pop() if len(kinds) == 1 else "either"] += 1
                refused.append((record.key, record.allowed))
            elif old is None:
                counts["inserted"] += 1
                changed[key] = {**({self.tenant_column: self.tenant} if self.tenant_column else {}), **record.row}
            elif any(not same(old[name], record.row[name], self.state_column(table, name)) for name in compared):
                counts["updated"] += 1
                changed[key] = {**old, **{name: record.row[name] for name in compared}}
            else:
                counts["unchanged"] += 1
        self.final[table] = self._after(table, keys, changed)
        theirs = {self.values(table, row, keys) for row in self.source.rows[table]}
        in_scope = self.scope(table, self.before.rows)
        counts["extra"] = sum(in_scope(row) for key, row in had.items() if key not in theirs)
        self.accounts.counts[table] = counts
        self.accounts.refused[table] = refused

    def _account_copies(self, table: str) -> None:
        """Account for a table without a key: equal records are told apart by their number alone."""
        names = [column for column in self.columns(table) if column not in self.owned(table)]

        def copy(row: Row) -> tuple[Any, ...]:
            return tuple(comparable(row[name], self.state_column(table, name)) for name in names)

        records, in_scope = self.records[table], self.scope(table, self.before.rows)
        counts: Counter[str] = Counter(processed=len(records))
        held = Counter(map(copy, self.mine(table)))
        self.final[table] = list(self.before.rows[table])
        for record in records:
            if not record.accepted:
                ((kind, _),) = record.allowed
                counts[kind] += 1
            elif held[copy(record.row)]:
                held[copy(record.row)] -= 1
                counts["unchanged"] += 1
            else:
                counts["inserted"] += 1
                of_tenant = {self.tenant_column: self.tenant} if self.tenant_column else {}
                self.final[table].append({**of_tenant, **record.row})
        theirs = Counter(copy(row) for row in self.mine(table) if in_scope(row))
        counts["extra"] = (theirs - Counter(copy(record.row) for record in records)).total()
        self.accounts.counts[table] = counts
        self.accounts.refused[table] = [(record.key, record.allowed) for record in records if not record.accepted]

    def _after(self, table: str, keys: Sequence[str], changed: dict[Key, Row]) -> list[Row]:
        rows = []
        for row in self.before.rows[table]:
            mine = self.tenant_column is None or row[self.tenant_column] == self.tenant
            rows.append(changed.pop(self.values(table, row, keys), row) if mine else row)
        return rows + list(changed.values())

    def listed(self, table: str, rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
        """Return rows so that they can be compared: without what the state fills by itself."""
        columns = list(self.before.tables[table].columns.values())
        if table in self.objects:
            both = {*self.columns(table), self.tenant_column}
            columns = [each for each in columns if each.name in both]
        return Counter(tuple(comparable(row[column.name], column) for column in columns) for row in rows)
