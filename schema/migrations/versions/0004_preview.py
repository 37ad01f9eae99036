"""Which comparison showed what a removal may take."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; a removal that is still queued has no preview, and takes nothing."""
    op.add_column("DISBatch", sa.Column("preview", sa.Integer()))
