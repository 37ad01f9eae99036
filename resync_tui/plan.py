"""Plans and requests: what is sent, in which order (parents before children), and why each object is in it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from resync_tui.catalog import Catalog
from resync_tui.outcome import Purpose


class Marked(StrEnum):
    """The reason why an object is in a plan: selected by the user, or required by a selected one."""

    SELECTED = "selected"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object of a plan."""

    object: str
    sequence: int
    """Position in the order of syncing, from 1."""
    wave: int
    """Length of the longest dependency path to it within the plan, from 1; a wave waits for the one before."""
    marked: Marked
    required_by: tuple[str, ...]
    """Its direct children in the plan; empty where the user selected it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one resync: its objects in the order of syncing, for one school year."""

    year: int
    objects: tuple[PlannedObject, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The objects' names in the order of syncing."""
        return tuple(planned.object for planned in self.objects)


@dataclass(frozen=True, slots=True)
class Request:
    """A request: a plan for districts, its requester, reason and time; it is queued as one batch per district."""

    districts: Sequence[str]
    plan: Plan
    initiator: str
    """Requesting edition: `district` or `state`."""
    requested_by: str
    purpose: Purpose = Purpose.RESYNC
    reason: str = ""
    """A campaign.Scenario, or free text."""
    full: bool = False
    """Whether the plan has all objects of its year."""
    not_before: datetime | None = None
    """Earliest start of its batches; from then on they also wait for the window."""
    scheduled: bool = False
    """Whether a schedule is the requester."""
    campaign: bool | None = None
    """Whether an unreachable district is tried again later; None: where the request has several districts."""
    preview: int | None = None
    """For a removal: the comparison whose extra records may be removed."""

    @property
    def by_clock(self) -> bool:
        """Whether it starts by the clock, and so only within the window."""
        return self.scheduled or self.not_before is not None

    @property
    def is_campaign(self) -> bool:
        """Whether an unreachable district is tried again later."""
        return self.by_clock or (len(self.districts) > 1 if self.campaign is None else self.campaign)


Allowed: TypeAlias = Callable[[Sequence[str], Plan], None]
"""The check of a plan for districts before it is queued; raises UsageError where it is not allowed."""


def make_plan(catalog: Catalog, selected: Iterable[str], year: int, *, check_dependencies: bool = True) -> Plan:
    """Return the plan for a selection; all ancestors are added unless `check_dependencies` is off.

    Raises UsageError for a name that is not in the catalog.
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
    """Return each object's wave within `names`; a grandchild waits for its grandparent even if its parent is absent."""
    within = set(names)
    wave: dict[str, int] = {}
    for name in catalog.parents_first:
        if name in within:
            above = within & catalog.ancestors([name])
            wave[name] = 1 + max((wave[ancestor] for ancestor in above), default=0)
    return wave
