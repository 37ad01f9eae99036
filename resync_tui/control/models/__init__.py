"""The tables of the control database; column names are part of the contract with scripts that read them.

A change of a table needs a revision in `schema/migrations/versions`; a test holds the two together.
"""

from typing import ClassVar

from sqlalchemy import MetaData, Table

from resync_tui.control.models.access import DISEdition, DISKey, DISRight
from resync_tui.control.models.alerts import ProcessAlert, ProcessAlertUser
from resync_tui.control.models.batches import DISBatch, DISBatchHistory
from resync_tui.control.models.columns import ControlTable
from resync_tui.control.models.queue import DISAgent, DISGate, DISRunning, DISScheduleFiring
from resync_tui.control.models.records import DISBatchError, DISBatchErrorCount, DISBatchFinding, DISBatchFindingCount

__all__ = [
    "METADATA",
    "DISAgent",
    "DISBatch",
    "DISBatchError",
    "DISBatchErrorCount",
    "DISBatchFinding",
    "DISBatchFindingCount",
    "DISBatchHistory",
    "DISEdition",
    "DISGate",
    "DISKey",
    "DISRight",
    "DISRunning",
    "DISScheduleFiring",
    "ProcessAlert",
    "ProcessAlertUser",
    "Tables",
]

METADATA: MetaData = ControlTable.metadata


class Tables:
    """The same tables for SQLAlchemy statements."""

    batch: ClassVar[Table] = METADATA.tables["DISBatch"]
    history: ClassVar[Table] = METADATA.tables["DISBatchHistory"]
    error: ClassVar[Table] = METADATA.tables["DISBatchError"]
    error_count: ClassVar[Table] = METADATA.tables["DISBatchErrorCount"]
    finding: ClassVar[Table] = METADATA.tables["DISBatchFinding"]
    finding_count: ClassVar[Table] = METADATA.tables["DISBatchFindingCount"]
    firing: ClassVar[Table] = METADATA.tables["DISScheduleFiring"]
    running: ClassVar[Table] = METADATA.tables["DISRunning"]
    agent: ClassVar[Table] = METADATA.tables["DISAgent"]
    gate: ClassVar[Table] = METADATA.tables["DISGate"]
    alert: ClassVar[Table] = METADATA.tables["ProcessAlert"]
    alert_user: ClassVar[Table] = METADATA.tables["ProcessAlertUser"]
    key: ClassVar[Table] = METADATA.tables["DISKey"]
    right: ClassVar[Table] = METADATA.tables["DISRight"]
    edition: ClassVar[Table] = METADATA.tables["DISEdition"]
