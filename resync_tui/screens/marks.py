"""Marks: the selected DIS objects and those that they require, with the reason; pure."""

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from resync_tui.catalog import Catalog
from resync_tui.plan import Plan, make_plan, waves


class Mark(Enum):
    """The mark of an object's checkbox."""

    NONE = "[ ]"
    CHOSEN = "[x]"
    REQUIRED = "[+]"


@dataclass(frozen=True)
class Marks:
    """The objects selected by the user; required ones are derived and never stored."""

    catalog: Catalog
    chosen: frozenset[str] = frozenset()
    check_dependencies: bool = True

    @cached_property
    def required(self) -> frozenset[str]:
        """The ancestors of the selected objects, without these; empty with Check dependencies off."""
        return self.catalog.ancestors(self.chosen) if self.check_dependencies else frozenset()

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """The ancestors left out of a partial resync without Check dependencies, in catalog order."""
        missing = frozenset() if self.check_dependencies else self.catalog.ancestors(self.chosen)
        return tuple(sorted(missing, key=self.catalog.position.__getitem__))

    @property
    def full(self) -> bool:
        """Whether every object is selected: a full resync."""
        return len(self.chosen) == len(self.catalog.objects)

    def __getitem__(self, name: str) -> Mark:
        if name in self.chosen:
            return Mark.CHOSEN
        return Mark.REQUIRED if name in self.required else Mark.NONE

    def toggled(self, name: str) -> "Marks":
        """Select an object, or deselect it; if a selected descendant needs it, it stays required."""
        return replace(self, chosen=self.chosen ^ {self.catalog[name].name})

    def all(self) -> "Marks":
        """Select every object."""
        return replace(self, chosen=frozenset(each.name for each in self.catalog.objects))

    def none(self) -> "Marks":
        """Deselect every object."""
        return replace(self, chosen=frozenset())

    def with_check(self, check_dependencies: bool) -> "Marks":
        """Set Check dependencies; the selection stays."""
        return replace(self, check_dependencies=check_dependencies)

    def within(self, catalog: Catalog) -> "Marks":
        """Keep the marks of objects that another catalog, such as another school year's, has too."""
        return replace(self, catalog=catalog, chosen=frozenset(name for name in self.chosen if name in catalog))

    def plan(self, year: int) -> Plan:
        """Return the plan of the selection."""
        return make_plan(self.catalog, self.chosen, year, check_dependencies=self.check_dependencies)

    def why(self, name: str) -> str:
        """Return why an object is required, else what it needs itself, in one line."""
        if self[name] is Mark.REQUIRED:
            return self._required_because(name)
        ancestors = self.catalog.ancestors([name])
        if not ancestors:
            count = len(self.catalog.descendants(name))
            return f"{name} needs no other object. {_depend(count)} on it."
        return f"{name} needs {_chain(self.catalog, ancestors)}"

    def _required_because(self, name: str) -> str:
        by = sorted(self.chosen & self.catalog.descendants(name), key=self.catalog.position.__getitem__)
        chain: list[str] = min((self.catalog.paths(child, name) for child in by), key=len)
        others = f" (and by {len(by) - 1} more)" if len(by) > 1 else ""
        return f"{name} is required by {' > '.join(chain[:-1])}{others}"


def _depend(count: int) -> str:
    return {0: "None depends", 1: "One object depends"}.get(count, f"{count} objects depend")


def _chain(catalog: Catalog, ancestors: frozenset[str]) -> str:
    """Format ancestors nearest first; those independent of each other stand beside each other."""
    wave = waves(catalog, ancestors)
    levels = sorted(set(wave.values()), reverse=True)
    beside = (sorted((n for n in wave if wave[n] == level), key=catalog.position.__getitem__) for level in levels)
    return " > ".join(", ".join(names) for names in beside)
