"""Narrowing: columns of the state that do not hold all that the district's are declared to hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.dialect import loss, refused, type_name
from resync_tui.engine.mapping import TableMapping


@dataclass(frozen=True, eq=False)
class Narrowing:
    """A column that is narrower at the state than at the district."""

    name: str
    """By its catalog name, `Table.column`."""
    source: sa.Column[Any]
    target: sa.Column[Any]
    loss: str | None
    """What the state's column would alter in silence, in words."""
    refused: str | None
    """What it refuses, in words."""

    def told(self, district: str) -> str:
        """Return the types of both ends and what does not pass, in words; `district` is its name."""
        narrower = self.loss or f"{self.refused} are rejected"
        types = f"{type_name(self.source)} in {district} but {type_name(self.target)} in the state"
        return f"{self.name} is {types}: {narrower}"


def narrowings(mapping: TableMapping) -> Iterator[Narrowing]:
    """Yield the narrowings of a table; records that do not pass are rejected by name, all others go."""
    for name in mapping.columns:
        source, target = mapping.source.c[name], mapping.target.c[name]
        if source.type is target.type and source.info == target.info:
            continue  # as nearly all are, and soonest said
        found = Narrowing(f"{mapping.name}.{name}", source, target, loss(source, target), refused(source, target))
        if found.loss is not None or found.refused is not None:
            yield found
