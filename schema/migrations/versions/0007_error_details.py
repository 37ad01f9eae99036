"""What helps to mend a refused record: its column, the size of the value, the parent that it lacks."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; of records refused before nothing more is known."""
    op.add_column("DISBatchError", sa.Column("detail", sa.JSON()))
