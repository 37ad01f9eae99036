"""A selection of DIS objects becomes a plan: what is sent, in which order, and why each object is in it.

Documents: "Partial Resync", "Check Dependencies"; parents go before children.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from resync_tui.catalog import Catalog


class Marked(StrEnum):
    """Why an object is in a plan: chosen by the user, or needed by one that is."""

    SELECTED = "selected"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object of a plan."""

    object: str
    sequence: int
    """Its place in the order of syncing, from 1."""
    wave: int
    """The longest path of dependencies that leads to it within the plan, from 1; a wave waits for the one before."""
    marked: Marked
    required_by: tuple[str, ...]
    """Its direct children in the plan; empty where the user selected it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one resync sends, in order, for one school year."""

    year: int
    objects: tuple[PlannedObject, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The objects' names in the order of syncing."""
        return tuple(planned.object for planned in self.objects)


Allowed: TypeAlias = Callable[[Sequence[str], Plan], None]
"""Whether districts may be asked for a plan; raises UsageError where not."""


def make_plan(catalog: Catalog, selected: Iterable[str], year: int, *, check_dependencies: bool = True) -> Plan:
    """Return the plan for a selection; every ancestor is added unless `check_dependencies` is off.

    Raises UsageError for a name that the catalog does not have.
    """
    chosen = {catalog[name].name for name in selected}
    needed = catalog.ancestors(chosen) if check_dependencies else frozenset()
    wave = waves(catalog, chosen | needed)
    order = sorted(wave, key=lambda name: (wave[name], catalog.position[name]))
    objects = tuple(
        PlannedObject(
            object=name,
            sequence=sequence,
            wave=wave[name],
            marked=Marked.SELECTED if name in chosen else Marked.REQUIRED,
            required_by=() if name in chosen else tuple(c for c in catalog.children(name) if c in wave),
        )
        for sequence, name in enumerate(order, 1)
    )
    return Plan(year, objects)


def waves(catalog: Catalog, names: Iterable[str]) -> dict[str, int]:
    """Return each object's wave within `names`; a grandchild waits for its grandparent though its parent is absent."""
    within = set(names)
    wave: dict[str, int] = {}
    for name in catalog.parents_first:
        if name in within:
            above = within & catalog.ancestors([name])
            wave[name] = 1 + max((wave[ancestor] for ancestor in above), default=0)
    return wave
