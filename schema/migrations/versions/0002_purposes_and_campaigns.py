"""What a batch is for, when it may start, its sums; findings; the firings of schedules; whom an agent serves."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COUNTS = ("processed", "errors", "inserted", "updated", "unchanged", "excluded", "rejected", "blocked", "extra")


def upgrade() -> None:
    """Add columns and tables; batches that have ended get the sums of their objects."""
    _batches()
    _sums()
    _findings()
    _firings()
    # An agent that is still at work during the upgrade registers without it.
    op.add_column("DISAgent", sa.Column("districts", sa.JSON(), nullable=False, server_default="[]"))


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, **options)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _of_batch() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["batchID"], ["DISBatch.batchID"], ondelete="CASCADE")


def _batches() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        _text("purpose", server_default="resync"),
        _flag("isFull"),
        _flag("isScheduled"),
        _flag("isCampaign"),
        sa.Column("notBefore", sa.DateTime(timezone=True)),
        sa.Column("putOff", sa.Integer(), nullable=False, server_default="0"),
        _text("color", server_default=""),
        *(_count(name) for name in (*_COUNTS, "removed")),
    )
    for column in columns:
        op.add_column("DISBatch", column)
    op.add_column("DISBatchHistory", _count("removed"))
    op.create_index(
        "DISBatch_board", "DISBatch", ["schoolYear", "purpose", "districtNumber", "status", "isFull", "batchID"]
    )


def _sums() -> None:
    objects = 'FROM "DISBatchHistory" h WHERE h."batchID" = "DISBatch"."batchID"'
    summed = ", ".join(f"{name} = (SELECT coalesce(sum(h.{name}), 0) {objects})" for name in _COUNTS)
    # The dot of an object, as outcome.color decides it, from the best to the worst.
    badness = """CASE WHEN h.status = 'failed' THEN 3 WHEN h.status <> 'completed' THEN 0
        WHEN h.processed <> h.inserted + h.updated + h.unchanged + h.errors THEN 3
        WHEN h.errors = 0 THEN 1 WHEN h.errors * 100 <= h.processed THEN 2 ELSE 3 END"""
    worst = f"(SELECT max({badness}) {objects})"
    color = f"""CASE WHEN status = 'failed' THEN 'red' ELSE
        CASE {worst} WHEN 3 THEN 'red' WHEN 2 THEN 'yellow' WHEN 1 THEN 'green' ELSE '' END END"""
    op.execute(f"""UPDATE "DISBatch" SET color = {color}, {summed} WHERE status NOT IN ('queued', 'running')""")


def _findings() -> None:
    op.create_table(
        "DISBatchFinding",
        sa.Column("batchID", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("objectName"),
        _text("tableName"),
        _text("finding"),
        sa.Column("key", sa.JSON(), nullable=False),
        _of_batch(),
        sa.PrimaryKeyConstraint("batchID", "number"),
    )
    op.create_index("DISBatchFinding_finding", "DISBatchFinding", ["batchID", "objectName", "finding"])
    op.create_table(
        "DISBatchFindingCount",
        sa.Column("batchID", sa.Integer(), nullable=False),
        _text("objectName"),
        _text("tableName"),
        _text("finding"),
        _count("records"),
        _of_batch(),
        sa.PrimaryKeyConstraint("batchID", "objectName", "tableName", "finding"),
    )


def _firings() -> None:
    op.create_table(
        "DISScheduleFiring",
        _text("owner"),
        _text("schedule"),
        _text("localTime"),
        _text("cron"),
        _text("timezone"),
        sa.Column("firedAt", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requestID", sa.Integer()),
        sa.PrimaryKeyConstraint("owner", "schedule", "localTime"),
    )
