"""Which agents run as a service: those are started again where they run, not by a console."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; agents of before are taken for such as end by themselves."""
    op.add_column("DISAgent", sa.Column("isService", sa.Boolean(), nullable=False, server_default=sa.false()))
