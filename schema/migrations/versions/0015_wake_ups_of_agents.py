"""What wakes agents and consoles, told apart: a batch that waits or has ended, and what begins or ends within one.

On PostgreSQL an agent listens to the first alone, so that four agents do not each look at the queue for whatever
object one of them begins.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

NOTIFY_USED = 0.5
"""Share of the server's NOTIFY queue from which on nobody is woken, and polls alone tell."""


def upgrade() -> None:
    """Make the triggers anew."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        for statement in _TRIGGERS:
            bind.exec_driver_sql(statement)


_TRIGGERS = (
    'DROP TRIGGER dis_wake ON "DISGate"',
    'DROP TRIGGER dis_wake ON "DISRunning"',
    # The queue of NOTIFY is all databases', and anybody who may connect to one can fill it.
    f"""CREATE OR REPLACE FUNCTION dis_wake() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN
        IF pg_notification_queue_usage() < {NOTIFY_USED} THEN
            PERFORM pg_notify(TG_ARGV[0], '');
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER dis_wake AFTER UPDATE ON "DISGate" FOR EACH ROW
    WHEN (NEW.changes <> OLD.changes) EXECUTE FUNCTION dis_wake('dis_queue')""",
    """CREATE TRIGGER dis_wake AFTER UPDATE ON "DISRunning" FOR EACH ROW
    WHEN (NEW.transitions <> OLD.transitions) EXECUTE FUNCTION dis_wake('dis_progress')""",
    """CREATE TRIGGER dis_wake_begun AFTER INSERT ON "DISRunning" FOR EACH ROW
    EXECUTE FUNCTION dis_wake('dis_progress')""",
)
