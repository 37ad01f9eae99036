"""Who may look and send; which edition a file is of; what each user did with alerts; row-level security on PostgreSQL.

Whoever owns the tables, and whoever is a member of that role, is an agent and passes every policy. All others have
what DISRight gives their roles, and the column privileges that `resync_tui.control.access` grants them. Functions
run as their caller, but for one that only tells whether a number is taken; each has a search_path of its own, so that
no temporary table of a user's stands in for a real one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables, then on PostgreSQL functions, policies and guards."""
    _tables()
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
        for statement in (*_functions(f"SET search_path = pg_catalog, {schema}, pg_temp"), *_policies(), *_GUARDS):
            bind.exec_driver_sql(statement)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _tables() -> None:
    op.create_table(
        "DISRight",
        _text("roleName"),
        _text("edition"),
        _text("districtNumber"),
        _text("right"),
        sa.PrimaryKeyConstraint("roleName", "edition", "districtNumber", "right"),
        sa.CheckConstraint("\"right\" IN ('read', 'write')", name="DISRight_right"),
        sa.CheckConstraint(
            "edition = 'state' AND \"districtNumber\" = '' OR edition = 'district' AND \"districtNumber\" <> ''",
            name="DISRight_edition",
        ),
    )
    op.create_table(
        "DISEdition",
        sa.Column("editionID", sa.Integer(), nullable=False, autoincrement=False),
        _text("edition"),
        _text("districtNumber"),
        sa.PrimaryKeyConstraint("editionID"),
    )
    op.create_table(
        "ProcessAlertUser",
        sa.Column("alertID", sa.Integer(), nullable=False),
        _text("userName"),
        _flag("isRead"),
        _flag("isDeleted"),
        sa.ForeignKeyConstraint(["alertID"], ["ProcessAlert.alertID"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("alertID", "userName"),
    )
    with op.batch_alter_table("ProcessAlert") as alert:
        alert.drop_column("isRead")
        alert.drop_column("isDeleted")


def _functions(path: str) -> tuple[str, ...]:
    """Return what the policies ask; `dis_reads` and `dis_writes` give districts, and '' for the state."""
    held = """SELECT FROM pg_roles r WHERE r.rolname = w."roleName" AND pg_has_role(current_user, r.oid, 'USAGE')"""
    read = f"""SELECT w."districtNumber" FROM "DISRight" w WHERE w."right" = 'read' AND EXISTS ({held})"""
    both = f"""{read} INTERSECT {read.replace("'read'", "'write'")}"""
    return (
        f"""CREATE FUNCTION dis_agent() RETURNS boolean LANGUAGE sql STABLE {path} AS $$
            SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = '"DISBatch"'::regclass
        $$""",
        f"""CREATE FUNCTION dis_caller() RETURNS text LANGUAGE sql STABLE {path} AS $$
            SELECT CASE WHEN pg_has_role(session_user, relowner, 'USAGE') THEN current_user ELSE session_user END::text
            FROM pg_class WHERE oid = '"DISBatch"'::regclass
        $$""",
        f"CREATE FUNCTION dis_reads() RETURNS text[] LANGUAGE sql STABLE {path} AS $$ SELECT ARRAY({read}) $$",
        f"CREATE FUNCTION dis_writes() RETURNS text[] LANGUAGE sql STABLE {path} AS $$ SELECT ARRAY({both}) $$",
        f"""CREATE FUNCTION dis_request_free(request integer, caller text) RETURNS boolean
        LANGUAGE sql STABLE SECURITY DEFINER {path} AS $$
            SELECT NOT EXISTS (SELECT FROM "DISBatch" WHERE "requestID" = request AND "requestedBy" <> caller)
        $$""",
        "REVOKE ALL ON FUNCTION dis_request_free(integer, text) FROM PUBLIC",
        f"CREATE FUNCTION dis_guard_batch() RETURNS trigger LANGUAGE plpgsql {path} AS $${_BATCH}$$",
        f"CREATE FUNCTION dis_guard_history() RETURNS trigger LANGUAGE plpgsql {path} AS $${_HISTORY}$$",
        f"CREATE FUNCTION dis_guard_gate() RETURNS trigger LANGUAGE plpgsql {path} AS $${_GATE}$$",
        f"CREATE FUNCTION dis_guard_alert() RETURNS trigger LANGUAGE plpgsql {path} AS $${_ALERT}$$",
    )


_BATCH = """
BEGIN
    IF dis_agent() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW."requestedBy" := dis_caller();
        NEW."requestedAt" := clock_timestamp();
        NEW.status := 'queued';
        NEW.attempts := 0;
        NEW."putOff" := 0;
        NEW."startedAt" := NULL;
        NEW."finishedAt" := NULL;
        NEW."cancelRequested" := false;
        NEW."cancelledBy" := '';
        NEW.message := '';
        NEW.agent := '';
        NEW."stageLeft" := false;
        NEW.color := '';
        NEW.processed := 0;
        NEW.errors := 0;
        NEW.inserted := 0;
        NEW.updated := 0;
        NEW.unchanged := 0;
        NEW.excluded := 0;
        NEW.rejected := 0;
        NEW.blocked := 0;
        NEW.extra := 0;
        NEW.removed := 0;
        IF NOT dis_request_free(NEW."requestID", NEW."requestedBy") THEN
            RAISE EXCEPTION 'request % is another user''s', NEW."requestID" USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    NEW."cancelledBy" := dis_caller();
    IF OLD.status NOT IN ('queued', 'running') OR NOT NEW."cancelRequested" OR NEW.status <> OLD.status
       AND NOT (OLD.status = 'queued' AND NEW.status = 'cancelled' AND NOT OLD."stageLeft")
       OR NEW."notBefore" IS NOT NULL AND NEW."notBefore" IS DISTINCT FROM OLD."notBefore" THEN
        RAISE EXCEPTION 'batch % may only be cancelled', OLD."batchID" USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW."finishedAt" := CASE WHEN NEW.status = 'cancelled' THEN clock_timestamp() ELSE OLD."finishedAt" END;
    RETURN NEW;
END
"""

_HISTORY = """
BEGIN
    IF dis_agent() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.status := 'queued';
        NEW.phase := '';
        NEW."startedAt" := NULL;
        NEW."finishedAt" := NULL;
        NEW.total := NULL;
        NEW.read := 0;
        NEW.processed := 0;
        NEW.errors := 0;
        NEW.inserted := 0;
        NEW.updated := 0;
        NEW.unchanged := 0;
        NEW.excluded := 0;
        NEW.rejected := 0;
        NEW.blocked := 0;
        NEW.extra := 0;
        NEW.removed := 0;
        NEW.message := '';
        RETURN NEW;
    END IF;
    IF OLD.status <> 'queued' OR NEW.status <> 'cancelled' OR NOT EXISTS (
        SELECT FROM "DISBatch" b WHERE b."batchID" = OLD."batchID" AND b.status = 'cancelled'
    ) THEN
        RAISE EXCEPTION 'batch % may only be cancelled', OLD."batchID" USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
"""

_GATE = """
BEGIN
    IF NOT dis_agent() AND NOT (
        NEW.changes - OLD.changes IN (0, 1) AND NEW."lastRequest" - OLD."lastRequest" IN (0, 1)
    ) THEN
        RAISE EXCEPTION 'the gate only counts' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
"""

_ALERT = """
BEGIN
    IF NOT dis_agent() THEN
        NEW."postedAt" := clock_timestamp();
    END IF;
    RETURN NEW;
END
"""

_GUARDS = tuple(
    f'CREATE TRIGGER dis_guard BEFORE {events} ON "{table}" FOR EACH ROW EXECUTE FUNCTION dis_guard_{name}()'
    for table, name, events in (
        ("DISBatch", "batch", "INSERT OR UPDATE"),
        ("DISBatchHistory", "history", "INSERT OR UPDATE"),
        ("DISGate", "gate", "UPDATE"),
        ("ProcessAlert", "alert", "INSERT"),
    )
)

_READS = '"districtNumber" = ANY ((SELECT dis_reads())::text[])'
_WRITES = '"districtNumber" = ANY ((SELECT dis_writes())::text[])'
_STATE_READS = "'' = ANY ((SELECT dis_reads())::text[])"
_STATE_WRITES = "'' = ANY ((SELECT dis_writes())::text[])"
_OF_BATCH = ("DISBatchHistory", "DISBatchError", "DISBatchErrorCount", "DISBatchFinding", "DISBatchFindingCount",
             "DISRunning")  # fmt: skip


def _policies() -> list[str]:
    """Return the policies: a district's roles never meet what the state asked for."""
    own_batch = 'EXISTS (SELECT FROM "DISBatch" b WHERE b."batchID" = {table}."batchID"{more})'
    mine = f" AND b.\"requestedBy\" = dis_caller() AND b.status = 'queued' AND b.attempts = 0 AND {_same('b')}"
    sends = f"initiator = 'state' AND {_STATE_WRITES} OR initiator = 'district' AND {_WRITES}"
    cancels = f"{_STATE_WRITES} OR initiator = 'district' AND {_WRITES}"
    alert = f"(audience = 'state' AND {_STATE_READS} OR audience = 'district' AND {_READS})"
    seen_alert = 'EXISTS (SELECT FROM "ProcessAlert" a WHERE a."alertID" = "ProcessAlertUser"."alertID")'
    own_mark = '"userName" = dis_caller()'
    made = [
        _policy("DISBatch", "SELECT", f"{_STATE_READS} OR initiator = 'district' AND {_READS}"),
        _policy("DISBatch", "INSERT", sends),
        _policy("DISBatch", "UPDATE", cancels),
        *(_policy(table, "SELECT", own_batch.format(table=f'"{table}"', more="")) for table in _OF_BATCH),
        _policy("DISBatchHistory", "INSERT", own_batch.format(table='"DISBatchHistory"', more=mine)),
        _policy("DISBatchHistory", "UPDATE", own_batch.format(table='"DISBatchHistory"', more=f" AND ({cancels})")),
        _policy("DISGate", "SELECT", "true"),
        _policy("DISGate", "UPDATE", "cardinality((SELECT dis_writes())::text[]) > 0"),
        _policy("DISScheduleFiring", "SELECT", f"{_STATE_READS} OR owner = ANY ((SELECT dis_reads())::text[])"),
        _policy("DISRight", "SELECT", "EXISTS (SELECT FROM pg_roles r WHERE r.rolname = \"roleName\" "
                                      "AND pg_has_role(current_user, r.oid, 'USAGE'))"),
        _policy("ProcessAlert", "SELECT", f"{alert} AND coalesce(recipient = dis_caller(), true)"),
        _policy("ProcessAlert", "INSERT", f"{_STATE_WRITES} OR audience = 'district' AND {_WRITES} "
                                          "AND name <> 'State Resync Requested'"),
        _policy("ProcessAlertUser", "SELECT", own_mark),
        _policy("ProcessAlertUser", "INSERT", f"{own_mark} AND {seen_alert}"),
        _policy("ProcessAlertUser", "UPDATE", own_mark),
    ]  # fmt: skip
    tables = ("DISBatch", *_OF_BATCH, "DISGate", "DISScheduleFiring", "DISRight", "ProcessAlert", "ProcessAlertUser")
    for table in tables:
        made += [
            f'CREATE POLICY agents ON "{table}" USING ((SELECT dis_agent())) WITH CHECK ((SELECT dis_agent()))',
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        ]
    return made


def _same(batch: str) -> str:
    return " AND ".join(f'{batch}."{name}" = "DISBatchHistory"."{name}"' for name in ("districtNumber", "schoolYear"))


def _policy(table: str, event: str, condition: str) -> str:
    clause = "WITH CHECK" if event == "INSERT" else "USING"
    return f'CREATE POLICY users_{event.lower()} ON "{table}" FOR {event} {clause} ({condition})'
