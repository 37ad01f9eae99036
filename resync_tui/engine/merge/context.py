"""Context of a merge: relations between the tables of a batch, and what the state does by itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from resync_tui.engine.accounts import Moved
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.keys import qualified
from resync_tui.engine.mapping import TableMapping


@dataclass(frozen=True)
class MergeContext:
    """Relations between the tables of a batch."""

    staged: dict[sa.Table, TableMapping]
    """Target tables with a stage in this batch, and their mappings."""
    settled: Collection[sa.Table]
    """Target tables of this batch without a stage: both ends are equal."""
    owners: Mapping[str, str]
    """DIS object by catalog table name."""
    merging: bool = True
    """Whether parents are merged before their children are validated; else accepted parents count as present."""
    other_year: bool = False
    """Whether the run is for another school year than the current one."""
    moved: Mapping[TableMapping, Sequence[Moved]] = field(default_factory=dict)
    """Records that have moved to another school year."""
    triggered: Collection[str] = ()
    """Catalog names of the tables of which a write sets off triggers or rules of the state."""
    update_actions: Sequence[ReferentialAction] = ()
    """Foreign keys of the state that act (ON UPDATE) when a record of a staged table is updated."""

    doubtful: Collection[str] = ()
    """Catalog names of the tables of which the district need not show every record."""

    def advice(self, parent: sa.Table) -> str:
        """Return the object to resync so that a table's records reach the state."""
        owner = self.owners.get(qualified(parent), parent.name)
        return f"{owner} for the current year" if self.other_year else owner
