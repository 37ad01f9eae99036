"""What wakes agents and consoles: changes of the queue and of an object's status; on PostgreSQL by an empty NOTIFY."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the count of transitions, and on PostgreSQL the triggers."""
    op.add_column("DISRunning", sa.Column("transitions", sa.BigInteger(), nullable=False, server_default="0"))
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        for statement in _TRIGGERS:
            bind.exec_driver_sql(statement)


_TRIGGERS = (
    """CREATE FUNCTION dis_wake() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM pg_notify('dis_wake', '');
        RETURN NULL;
    END
    $$""",
    """CREATE TRIGGER dis_wake AFTER UPDATE ON "DISGate" FOR EACH ROW
    WHEN (NEW.changes <> OLD.changes) EXECUTE FUNCTION dis_wake()""",
    """CREATE TRIGGER dis_wake AFTER UPDATE ON "DISRunning" FOR EACH ROW
    WHEN (NEW.transitions <> OLD.transitions) EXECUTE FUNCTION dis_wake()""",
)
