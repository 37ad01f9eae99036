"""Small catalogs and plans, and how to ask for them."""

from resync_tui.catalog import Catalog, DisObject
from resync_tui.control.protocol import Store
from resync_tui.plan import Marked, Plan, PlannedObject, Request


def of(*objects: tuple[str, str]) -> Catalog:
    """Return a catalog of objects and their parents."""
    return Catalog("Test", tuple(DisObject(name, (name,), tuple(parents.split())) for name, parents in objects))


FAMILY = of(("Root", ""), ("Left", "Root"), ("Right", "Root"), ("Leaf", "Left Right"), ("Alone", ""))


def make_plan(*names: str, year: int = 2026) -> Plan:
    """A chain of objects, the last of them chosen."""
    last = len(names)
    return Plan(
        year,
        tuple(
            PlannedObject(name, place, place, Marked.SELECTED, ())
            if place == last
            else PlannedObject(name, place, place, Marked.REQUIRED, (names[place],))
            for place, name in enumerate(names, 1)
        ),
    )


async def send(store: Store, plan: Plan, *districts: str) -> list[int]:
    """Queue a request and give its batches' numbers."""
    return [each.batch for each in await store.submit(Request(districts, plan, initiator="state", requested_by="jdoe"))]
