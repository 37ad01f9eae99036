"""Records of a batch: refused ones, differing ones, and how many."""

from typing import Any

from sqlalchemy import JSON, Column, Index, Integer
from sqlmodel import Field

from resync_tui.control.models.columns import ControlTable, batch_key, counter
from resync_tui.outcome import KeyValue

# ruff: noqa: N815  (the columns' names are the contract's)


class DISBatchError(ControlTable, table=True):
    """A record that did not reach the state; up to the configured number, key columns only."""

    __tablename__ = "DISBatchError"
    __table_args__ = (Index("DISBatchError_reason", "batchID", "objectName", "kind", "reason"),)

    batchID: int = Field(sa_column=batch_key(primary_key=True))
    number: int = Field(sa_column=Column("number", Integer, primary_key=True, autoincrement=False))
    """From 1 within a batch, so that a repeated write adds nothing twice."""
    objectName: str
    tableName: str
    key: dict[str, KeyValue] = Field(sa_column=Column("key", JSON, nullable=False))
    kind: str
    reason: str
    detail: dict[str, Any] | None = Field(default=None, sa_column=Column("detail", JSON(none_as_null=True)))
    """What helps to mend it: `column`, `size`, `parent` with `table` and `key`; only what is known."""


class DISBatchErrorCount(ControlTable, table=True):
    """The number of records refused for one reason, exact even where fewer are kept."""

    __tablename__ = "DISBatchErrorCount"

    batchID: int = Field(sa_column=batch_key(primary_key=True))
    objectName: str = Field(primary_key=True)
    tableName: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    behindExclusion: bool = False
    """Whether they are blocked as a rule excludes their parent records, or ones above them."""
    records: int = counter()


class DISBatchFinding(ControlTable, table=True):
    """A record that differs between district and state; up to the configured number, key columns only."""

    __tablename__ = "DISBatchFinding"
    __table_args__ = (Index("DISBatchFinding_finding", "batchID", "objectName", "finding"),)

    batchID: int = Field(sa_column=batch_key(primary_key=True))
    number: int = Field(sa_column=Column("number", Integer, primary_key=True, autoincrement=False))
    objectName: str
    tableName: str
    finding: str
    """`missing`, `different` or `extra`."""
    key: dict[str, KeyValue] = Field(sa_column=Column("key", JSON, nullable=False))


class DISBatchFindingCount(ControlTable, table=True):
    """The number of records per finding, exact even where fewer are kept."""

    __tablename__ = "DISBatchFindingCount"

    batchID: int = Field(sa_column=batch_key(primary_key=True))
    objectName: str = Field(primary_key=True)
    tableName: str = Field(primary_key=True)
    finding: str = Field(primary_key=True)
    records: int = counter()
