"""On PostgreSQL no user floods others with alerts, uses numbers up, asks for batches that are hidden, or stops NOTIFY.

Requests and alerts get numbers of 64 bits: one is counted up without a request, the other one's sequence without an
alert, as fast as a login can. A batch's number is taken with its row alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ALERTS = 100
"""Alerts that a district's user may post within an hour."""
NOTIFY_USED = 0.5
"""Share of the server's NOTIFY queue from which on nobody is woken, and polls alone tell."""


def upgrade() -> None:
    """Widen the numbers, and add the triggers."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
        for statement in (*_WIDE, *_functions(schema), *_TRIGGERS):
            bind.exec_driver_sql(statement)


_MARK_OF_OWN = """CREATE POLICY users_insert ON "ProcessAlertUser" FOR INSERT WITH CHECK ("userName" = dis_caller()
    AND EXISTS (SELECT FROM "ProcessAlert" a WHERE a."alertID" = "ProcessAlertUser"."alertID"))"""

_WIDE = (
    'DROP POLICY users_insert ON "ProcessAlertUser"',
    *(
        f'ALTER TABLE "{table}" ALTER "{column}" TYPE bigint'
        for table, column in (
            ("DISGate", "lastRequest"),
            ("DISBatch", "requestID"),
            ("DISScheduleFiring", "requestID"),
            ("ProcessAlert", "requestID"),
            ("ProcessAlert", "alertID"),
            ("ProcessAlertUser", "alertID"),
        )
    ),
    _MARK_OF_OWN,
)


def _functions(schema: str) -> list[str]:
    return [
        f"""CREATE OR REPLACE FUNCTION {head} SET search_path = pg_catalog, pg_temp
        AS $$ BEGIN {body.replace("SCHEMA", schema)} END $$"""
        for head, body in _BODIES.items()
    ]


_BODIES = {
    # What is too much is left out, as whatever it is about, such as a cancellation, must go through. Writing the gate's
    # row lets transactions pass one after another.
    "dis_limit_alerts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER": f"""
        IF (SELECT count(*) FROM (
            SELECT FROM SCHEMA."ProcessAlert" a WHERE a."districtNumber"::text = NEW."districtNumber"::text
            AND a.audience::text = 'district' AND a."postedAt" > clock_timestamp() - interval '1 hour'
            AND a."postedBy"::text = NEW."postedBy"::text LIMIT {ALERTS}) p) >= {ALERTS} THEN
            RETURN NULL;
        END IF;
        UPDATE SCHEMA."DISGate" SET changes = changes;
        RETURN NEW;""",
    # What row-level security hides from the user is not there.
    "dis_guard_preview() RETURNS trigger LANGUAGE plpgsql": """
        IF NOT SCHEMA.dis_agent() AND NOT EXISTS (
            SELECT FROM SCHEMA."DISBatch" b WHERE b."batchID" = NEW.preview AND b.purpose::text = 'verify'
            AND b.initiator::text = NEW.initiator::text AND b."schoolYear" = NEW."schoolYear"
            AND b."districtNumber"::text = NEW."districtNumber"::text) THEN
            RAISE EXCEPTION 'the comparison that it goes by is not there' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;""",
    # The queue is all databases', and anybody who may connect to one can fill it.
    "dis_wake() RETURNS trigger LANGUAGE plpgsql": f"""
        IF pg_notification_queue_usage() < {NOTIFY_USED} THEN
            PERFORM pg_notify('dis_wake', '');
        END IF;
        RETURN NULL;""",
}

_TRIGGERS = (
    """CREATE TRIGGER dis_limit BEFORE INSERT ON "ProcessAlert" FOR EACH ROW
    WHEN (NEW."postedBy" <> '') EXECUTE FUNCTION dis_limit_alerts()""",
    """CREATE TRIGGER dis_preview BEFORE INSERT ON "DISBatch" FOR EACH ROW
    WHEN (NEW.preview IS NOT NULL) EXECUTE FUNCTION dis_guard_preview()""",
)
