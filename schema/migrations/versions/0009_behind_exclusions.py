"""Which refused records are blocked only as a rule excludes what they need."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; of batches before it is not known, so they count as failures."""
    op.add_column(
        "DISBatchErrorCount",
        sa.Column("behindExclusion", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
