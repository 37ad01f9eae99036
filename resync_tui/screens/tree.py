"""The visible rows of the checklist's tree, under folds and a filter; pure."""

from collections.abc import Collection
from dataclasses import dataclass

from resync_tui.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Node:
    """A visible object: its indent level and whether it is open; `open` is None for a leaf."""

    name: str
    depth: int
    open: bool | None
    matches: bool = False
    """Whether it matches the filter; ancestors of a match are visible too."""


class Tree:
    """The objects of a catalog as the checklist's tree, in catalog order."""

    def __init__(self, catalog: Catalog) -> None:
        self.above = {each.name: catalog.shown_under(each.name) for each in catalog.objects}
        self.below: dict[str | None, list[str]] = {}
        for each in catalog.objects:
            self.below.setdefault(self.above[each.name], []).append(each.name)
        self._all = self.shown()

    def widest(self, indent: int) -> int:
        """Return the width of the widest name after its fold, in cells; `indent` is the width of a level."""
        return max((indent * (node.depth + 1) + len(node.name) for node in self._all), default=0)

    def shown(self, folded: Collection[str] = (), wanted: str = "", required: Collection[str] = ()) -> list[Node]:
        """Return the visible rows; a filter searches folded branches and opens the path to a match.

        Beside its matches it leaves the `required` objects in sight.
        """
        matches = {name for name in self.above if wanted and wanted.casefold() in name.casefold()}
        found = {*matches, *required} if matches else matches
        kept = {above for name in found for above in self._up(name)} if wanted else set(self.above)
        nodes: list[Node] = []

        def walk(name: str, depth: int) -> None:
            if name not in kept:
                return
            children = self.below.get(name, [])
            is_open = bool(wanted) or name not in folded
            nodes.append(Node(name, depth, is_open if children else None, name in matches))
            for child in children if is_open else ():
                walk(child, depth + 1)

        for top in self.below.get(None, []):
            walk(top, 0)
        return nodes

    def _up(self, name: str | None) -> list[str]:
        names = []
        while name is not None:
            names.append(name)
            name = self.above[name]
        return names
