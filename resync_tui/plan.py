"""A selection of DIS objects becomes a plan: what is sent, in which order, and why each object is in it.

Documents: "Partial Resync", "Check Dependencies"; parents go before children.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from resync_tui.catalog import Catalog
from resync_tui.outcome import Purpose


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


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of which districts, by whom, why and when; it is queued as a batch a district."""

    districts: Sequence[str]
    plan: Plan
    initiator: str
    """`district` or `state`."""
    requested_by: str
    purpose: Purpose = Purpose.RESYNC
    reason: str = ""
    """One of campaign.Scenario, or free text."""
    full: bool = False
    """Whether the plan is of all objects of its year."""
    not_before: datetime | None = None
    """Its batches wait until then, and for the window."""
    scheduled: bool = False
    """Whether a schedule asks."""
    campaign: bool | None = None
    """Whether a district that cannot be reached is tried again later; None: where there are several."""
    preview: int | None = None
    """Of a removal: the comparison whose extra records may go."""

    @property
    def by_clock(self) -> bool:
        """Whether it starts by the clock, and so within the window only."""
        return self.scheduled or self.not_before is not None

    @property
    def is_campaign(self) -> bool:
        """Whether a district that cannot be reached is tried again later."""
        return self.by_clock or (len(self.districts) > 1 if self.campaign is None else self.campaign)


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
