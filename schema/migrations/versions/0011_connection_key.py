"""A key of the agents alone, by which the names of their connections tell nobody else which district they are for."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table, with one key; no user has a privilege on it."""
    table = op.create_table(
        "DISKey",
        sa.Column("keyID", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("keyID"),
    )
    op.bulk_insert(table, [{"keyID": 1, "key": secrets.token_hex(16)}])
