"""Batches with their history and errors, the queue, agents and alerts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables, and the one row of the gate."""
    _batches()
    _errors()
    _queue()
    _alerts()


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=options.pop("nullable", False), **options)


def _number(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, options.pop("kind", sa.Integer)(), nullable=options.pop("nullable", False), **options)


def _count(name: str) -> sa.Column[int]:
    return _number(name, kind=sa.BigInteger)


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _of_batch(ondelete: str | None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["batchID"], ["DISBatch.batchID"], ondelete=ondelete)


def _batches() -> None:
    op.create_table(
        "DISBatch",
        sa.Column("batchID", sa.Integer(), sa.Identity(), nullable=False),
        _number("requestID"),
        _text("districtNumber"),
        _number("schoolYear"),
        _text("initiator"),
        _text("requestedBy"),
        _text("reason"),
        _text("status"),
        _number("attempts"),
        _time("requestedAt", nullable=False),
        _time("startedAt"),
        _time("finishedAt"),
        _flag("cancelRequested"),
        _text("cancelledBy"),
        _text("message"),
        _text("agent"),
        _flag("stageLeft"),
        sa.PrimaryKeyConstraint("batchID"),
        sqlite_autoincrement=True,
    )
    op.create_index("DISBatch_district", "DISBatch", ["districtNumber", "batchID"])
    op.create_index("DISBatch_request", "DISBatch", ["requestID"])
    op.create_index("DISBatch_status", "DISBatch", ["status", "batchID"])
    counts = ("read", "processed", "errors", "inserted", "updated", "unchanged")
    refused = ("excluded", "rejected", "blocked", "extra")
    op.create_table(
        "DISBatchHistory",
        _number("batchID"),
        _number("sequence"),
        _text("objectName"),
        _text("districtNumber"),
        _number("schoolYear"),
        _number("wave"),
        _text("marked"),
        sa.Column("requiredBy", sa.JSON(), nullable=False),
        _text("status"),
        _text("phase"),
        _time("startedAt"),
        _time("finishedAt"),
        _number("total", kind=sa.BigInteger, nullable=True),
        *(_count(name) for name in (*counts, *refused)),
        _text("message"),
        _of_batch("CASCADE"),
        sa.PrimaryKeyConstraint("batchID", "sequence"),
    )
    op.create_index(
        "DISBatchHistory_last", "DISBatchHistory", ["districtNumber", "schoolYear", "objectName", "batchID"]
    )


def _errors() -> None:
    op.create_table(
        "DISBatchError",
        _number("batchID"),
        _number("number"),
        _text("objectName"),
        _text("tableName"),
        sa.Column("key", sa.JSON(), nullable=False),
        _text("kind"),
        _text("reason"),
        _of_batch("CASCADE"),
        sa.PrimaryKeyConstraint("batchID", "number"),
    )
    op.create_index("DISBatchError_reason", "DISBatchError", ["batchID", "objectName", "kind", "reason"])
    op.create_table(
        "DISBatchErrorCount",
        _number("batchID"),
        _text("objectName"),
        _text("tableName"),
        _text("kind"),
        _text("reason"),
        _count("records"),
        _of_batch("CASCADE"),
        sa.PrimaryKeyConstraint("batchID", "objectName", "tableName", "kind", "reason"),
    )


def _queue() -> None:
    op.create_table(
        "DISRunning",
        _text("districtNumber"),
        _number("batchID"),
        _text("owner"),
        _count("token"),
        _time("expires", nullable=False),
        _count("changes"),
        _of_batch(None),
        sa.PrimaryKeyConstraint("districtNumber"),
        sa.UniqueConstraint("batchID"),
    )
    op.create_table(
        "DISAgent",
        _text("agentID"),
        _text("host"),
        _text("kernel"),
        _number("pid"),
        _time("startedAt", nullable=False),
        _time("seenAt", nullable=False),
        sa.Column("leaseSeconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("agentID"),
    )
    gate = op.create_table(
        "DISGate",
        _number("gateID"),
        _number("lastRequest"),
        _count("lastToken"),
        _count("changes"),
        sa.PrimaryKeyConstraint("gateID"),
    )
    op.bulk_insert(gate, [{"gateID": 1, "lastRequest": 0, "lastToken": 0, "changes": 0}])


def _alerts() -> None:
    op.create_table(
        "ProcessAlert",
        sa.Column("alertID", sa.Integer(), sa.Identity(), nullable=False),
        _text("process"),
        _text("name"),
        _text("message"),
        _time("postedAt", nullable=False),
        _time("dueAt"),
        _text("audience"),
        _text("districtNumber", nullable=True),
        _text("recipient", nullable=True),
        _number("requestID", nullable=True),
        _number("batchID", nullable=True),
        _flag("isRead"),
        _flag("isDeleted"),
        _of_batch("SET NULL"),
        sa.PrimaryKeyConstraint("alertID"),
    )
    op.create_index("ProcessAlert_posted", "ProcessAlert", ["districtNumber", "audience", "postedAt"])
