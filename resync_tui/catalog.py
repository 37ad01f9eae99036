"""The catalog of DIS objects: their dependency graph, and the tables of their records.

The catalog is data (`schema/objects.toml`, or the user's own file); no code here knows Campus. Objects keep the order
of the file, which is the order on screen; names match without case.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from pathlib import Path

from resync_tui.errors import ConfigError, UsageError, nearest
from resync_tui.files import own
from resync_tui.files.toml import CLOSED, parse
from resync_tui.state_names import state_code


def table_of(name: str) -> str:
    """Return the table in a column's catalog name (`Table.column`)."""
    return name.rpartition(".")[0]


@dataclass(frozen=True)
class Rule:
    """An exclusion rule: the condition under which a record of `table` may not sync to the state."""

    __pydantic_config__ = CLOSED

    id: str
    table: str
    when: str | dict[str, str]
    """SQL over the source row `t`, with `:year` and `:today`; or one such text per dialect name."""
    reason: str

    def condition(self, dialect: str) -> str:
        """Return the SQL for a dialect. Raises ConfigError where the rule has none for it."""
        if isinstance(self.when, str):
            return self.when
        if dialect not in self.when:
            raise ConfigError(f"Rule {self.id} has no condition for {dialect}", f"Add when.{dialect} to the catalog.")
        return self.when[dialect]


@dataclass(frozen=True)
class DisObject:
    """A DIS object: a node of the checklist, its dependencies and its tables."""

    __pydantic_config__ = CLOSED

    name: str
    tables: tuple[str, ...]
    """The tables of its records, parents before children."""
    parents: tuple[str, ...] = ()
    under: str | None = None
    """The object under which the checklist shows it; None: under its first parent."""
    school_year: bool = False
    states: tuple[str, ...] = ()
    """The only states in which it exists; empty: all."""
    not_states: tuple[str, ...] = ()
    when_subscribed: bool = False
    """Whether it exists only where the subscription names it."""
    state_owned: tuple[str, ...] = ()
    """Columns (`Table.column`) that belong to the state once they are set."""
    ignore_columns: tuple[str, ...] = ()
    """Columns (`Table.column`) that only the district has."""
    key: tuple[str, ...] = ()
    """Columns (`Table.column`) by which records are told apart, where a table has several keys."""
    hint: str = ""
    note: str = ""
    """Words about its dependencies, as where documents contradict each other on them."""
    rule: tuple[Rule, ...] = ()

    def exists_in(self, state: str, subscription: Collection[str] | None) -> bool:
        """Whether this object exists for a state and its subscription (None: everything)."""
        code = state_code(state)
        if (self.states and code not in map(state_code, self.states)) or code in map(state_code, self.not_states):
            return False
        if subscription is None:
            return not self.when_subscribed
        return self.name.casefold() in {name.casefold() for name in subscription}


@dataclass(frozen=True)
class Catalog:
    """All DIS objects and their dependency graph."""

    __pydantic_config__ = CLOSED

    name: str
    object: tuple[DisObject, ...]
    tenant_column: str | None = None
    identity: str | None = None
    """The column (`Table.column`) of a source that holds its district's identity."""
    year: str | None = None
    """The column (`Table.column`) of a school year, in any of the forms of `engine/years.py`."""
    year_path: tuple[str, ...] = ()
    """Columns (`Table.column`) of the foreign keys that lead to the year, for tables from which several ways do."""

    @property
    def objects(self) -> tuple[DisObject, ...]:
        """The objects in screen order."""
        return self.object

    @cached_property
    def _by_name(self) -> dict[str, DisObject]:
        return {dis_object.name.casefold(): dis_object for dis_object in self.object}

    @cached_property
    def owners(self) -> dict[str, str]:
        """The object of each table."""
        return {table: each.name for each in self.object for table in each.tables}

    @cached_property
    def position(self) -> dict[str, int]:
        """Each object's position in screen order, from 0."""
        return {dis_object.name: place for place, dis_object in enumerate(self.object)}

    def sorter(self) -> "TopologicalSorter[str]":
        """Return a topological sorter of the objects, parents before children."""
        return TopologicalSorter({each.name: each.parents for each in self.object})

    @cached_property
    def _above(self) -> dict[str, frozenset[str]]:
        """Each object's ancestors; keys in topological order, parents before children."""
        above: dict[str, frozenset[str]] = {}
        for name in self.sorter().static_order():
            parents = self[name].parents
            above[name] = frozenset(parents).union(*(above[parent] for parent in parents))
        return above

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        below: dict[str, list[str]] = {each.name: [] for each in self.object}
        for each in self.object:
            for parent in dict.fromkeys(each.parents):
                below[parent].append(each.name)
        return {name: tuple(children) for name, children in below.items()}

    @property
    def parents_first(self) -> tuple[str, ...]:
        """All objects in topological order, parents before children."""
        return tuple(self._above)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._by_name

    def __getitem__(self, name: str) -> DisObject:
        """Return an object by its name, without case. Raises UsageError with the nearest name."""
        found = self._by_name.get(name.casefold())
        if found is None:
            names = (dis_object.name for dis_object in self.object)
            raise UsageError(f"There is no DIS object {name}{nearest(name, names)}", "See: resync-tui objects")
        return found

    def parents(self, name: str) -> tuple[str, ...]:
        """Return the direct parents, in catalog order."""
        return tuple(sorted(set(self[name].parents), key=self.position.__getitem__))

    def children(self, name: str) -> tuple[str, ...]:
        """Return the direct children, in catalog order."""
        return self._children[self[name].name]

    def ancestors(self, names: Iterable[str]) -> frozenset[str]:
        """Return all ancestors of `names`, direct and indirect, without `names` themselves."""
        chosen = {self[name].name for name in names}
        return frozenset[str]().union(*(self._above[name] for name in chosen)) - chosen

    def descendants(self, name: str) -> frozenset[str]:
        """Return all descendants of an object, direct and indirect."""
        wanted = self[name].name
        return frozenset(each for each, above in self._above.items() if wanted in above)

    def hints(self, names: Iterable[str]) -> dict[str, str]:
        """Return the hints of those of these objects that have one."""
        return {name: self[name].hint for name in names if self[name].hint}

    def paths(self, name: str, ancestor: str) -> list[str]:
        """Return a shortest dependency path from `name` up to `ancestor`, both included."""
        start, wanted = self[name].name, self[ancestor].name
        assert wanted in self._above[start] | {start}
        chains = {start: [start]}
        while wanted not in chains:
            longer: dict[str, list[str]] = {}
            for child, chain in chains.items():
                for parent in self.parents(child):
                    longer.setdefault(parent, [*chain, parent])
            chains = longer
        return chains[wanted]

    def shown_under(self, name: str) -> str | None:
        """Return the object under which the checklist shows this one; None at the top level."""
        dis_object = self[name]
        if dis_object.under is not None:
            return dis_object.under
        return dis_object.parents[0] if dis_object.parents else None

    def depth(self, name: str) -> int:
        """Return an object's indent level in the checklist, 0 at the top."""
        above = self.shown_under(name)
        return 0 if above is None else 1 + self.depth(above)

    def for_state(self, state: str, subscription: Collection[str] | None = None) -> "Catalog":
        """Return the catalog of the objects that exist for a state; children of the others inherit their parents.

        Raises UsageError for a subscription to an object that the catalog does not have.
        """
        for name in subscription or ():
            self[name]
        gone = {each.name: each for each in self.object if not each.exists_in(state, subscription)}

        def mended(names: Iterable[str]) -> tuple[str, ...]:
            kept: dict[str, None] = {}
            for name in names:
                kept.update(dict.fromkeys(mended(gone[name].parents)) if name in gone else {name: None})
            return tuple(kept)

        def above(name: str | None) -> str | None:
            while name is not None and name in gone:
                name = self.shown_under(name)
            return name

        kept = tuple(
            replace(each, parents=mended(each.parents), under=above(self.shown_under(each.name)))
            for each in self.object
            if each.name not in gone
        )
        return replace(self, object=kept)


def load(path: Path | None = None) -> Catalog:
    """Return the catalog in a file, by default the built-in one. Raises ConfigError."""
    if path is None:
        return _built_in()
    return parse_catalog(own.read_text(path), str(path))


@cache
def _built_in() -> Catalog:
    """Return the built-in catalog, which is parsed once: an agent asks for it with each batch and schedule."""
    text = files("resync_tui.schema").joinpath("objects.toml").read_text("utf-8")
    return parse_catalog(text, "the built-in catalog")


@lru_cache(maxsize=4)
def parse_catalog(text: str, origin: str) -> Catalog:
    """Return a catalog from TOML, the same for the same text: an agent reads its file with each batch.

    Raises ConfigError for a cycle, an unknown parent or a duplicate name.
    """
    catalog = parse(Catalog, text, origin)
    seen: dict[str, str] = {}
    for each in catalog.object:
        if each.name.casefold() in seen:
            raise ConfigError(f"{origin}: DIS object {each.name} stands there twice", "Remove or rename one of them.")
        seen[each.name.casefold()] = each.name
    names = seen.values()
    tables: dict[str, str] = {}
    for each in catalog.object:
        for parent in (*each.parents, *((each.under,) if each.under else ())):
            if parent not in names:
                raise ConfigError(
                    f"{origin}: {each.name} names an unknown parent {parent}{nearest(parent, names)}", "Mend that name."
                )
        _check_tables(each, tables, origin)
    try:
        catalog.sorter().prepare()
    except CycleError as error:
        raise ConfigError(
            f"{origin}: DIS objects depend on each other in a circle: {' > '.join(error.args[1])}",
            "Remove one of these parents.",
        ) from None
    return catalog


def _check_tables(dis_object: DisObject, seen: dict[str, str], origin: str) -> None:
    if not dis_object.tables:
        raise ConfigError(f"{origin}: {dis_object.name} has no table", "Name its tables, parents first.")
    for table in dis_object.tables:
        if table in seen:
            raise ConfigError(
                f"{origin}: table {table} belongs to both {seen[table]} and {dis_object.name}",
                "Leave it with one of them.",
            )
        seen[table] = dis_object.name
    named = [*dis_object.state_owned, *dis_object.ignore_columns, *(f"{rule.table}.*" for rule in dis_object.rule)]
    for column in named:
        table = column.rpartition(".")[0]
        if table not in dis_object.tables:
            raise ConfigError(
                f"{origin}: {dis_object.name} names {column} but has no {table}{nearest(table, dis_object.tables)}",
                "Write Table.column, with one of its own tables.",
            )
