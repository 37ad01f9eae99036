"""On PostgreSQL values of users are of the known lists and spans, and numbers of requests are given, not taken.

What older releases let in and no reader can take is kept, failed, and told in the batch's message. Functions find
operators and functions in pg_catalog alone, as whoever may create others there would have them run as the agent.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

OPEN_BATCHES = 100
"""Open batches that a user may have of one district."""
PLACES = 2000
"""Objects of a batch."""
TEXT = 500
"""Characters of a text."""


def upgrade() -> None:
    """Add the columns; on PostgreSQL mend values that cannot be read, then check them, and replace functions."""
    # An agent that is still at work during the upgrade knows neither column.
    op.add_column("DISGate", sa.Column("requestTransaction", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("ProcessAlert", sa.Column("postedBy", sa.String(), nullable=False, server_default=""))
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
        for statement in (*_MENDED, *_checks(), _COUNTED_ON, *_functions(schema), *_policies(schema)):
            bind.exec_driver_sql(statement)


_PURPOSES = "purpose IN ('resync', 'verify', 'remove-extra')"
_MARKS = "marked IN ('selected', 'required')"
_NEEDS = "json_typeof(\"requiredBy\") = 'array'"


def _in_span(column: str) -> str:
    return f"\"{column}\" >= '1970-01-01Z' AND \"{column}\" < '9999-01-01Z'"


def _failed(what: str, more: str, batches: str) -> str:
    return f"""UPDATE "DISBatch" b SET {more} message = left({what}, {TEXT}),
        status = CASE WHEN b.status = 'queued' THEN 'failed' ELSE b.status END,
        color = CASE WHEN b.status = 'queued' THEN 'red' ELSE b.color END,
        "finishedAt" = coalesce(b."finishedAt", clock_timestamp()) {batches}"""


_MENDED = (
    _failed("'It was not run: its purpose was ' || purpose", "purpose = 'resync',", f"WHERE NOT {_PURPOSES}"),
    _failed(
        "'It was not run: its earliest start was ' || \"notBefore\"",
        '"notBefore" = NULL,',
        f"WHERE NOT ({_in_span('notBefore')})",
    ),
    _failed(
        "'It was not run: ' || h.\"objectName\" || ' was marked ' || h.marked || ', required by ' || h.\"requiredBy\"",
        "",
        f"""FROM "DISBatchHistory" h WHERE h."batchID" = b."batchID" AND NOT (h.{_MARKS} AND
            {_NEEDS.replace('"requiredBy"', 'h."requiredBy"')})""",
    ),
    f"""UPDATE "DISBatchHistory" SET marked = CASE WHEN {_MARKS} THEN marked ELSE 'selected' END,
        "requiredBy" = CASE WHEN {_NEEDS} THEN "requiredBy" ELSE '[]' END WHERE NOT ({_MARKS} AND {_NEEDS})""",
    """UPDATE "DISBatchHistory" h SET status = 'skipped' FROM "DISBatch" b
        WHERE b."batchID" = h."batchID" AND h.status = 'queued' AND b.status = 'failed'""",
    f"""UPDATE "ProcessAlert" SET "dueAt" = NULL, message = left(message || ' It was due ' || "dueAt", {TEXT})
        WHERE NOT ({_in_span("dueAt")})""",
)
_COUNTED_ON = """UPDATE "DISGate" SET "lastRequest" = greatest("lastRequest", (
    SELECT max("requestID") FROM "DISBatch" WHERE "requestID" < 1000000000))"""


def _checks() -> list[str]:
    """Return the checks of what users write and no reader could take."""
    checks = (
        ("DISBatch", "purpose", _PURPOSES),
        ("DISBatch", "notBefore", _in_span("notBefore")),
        ("DISBatchHistory", "marked", _MARKS),
        ("DISBatchHistory", "requiredBy", _NEEDS),
        ("ProcessAlert", "dueAt", _in_span("dueAt")),
    )
    return [
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{name}_known" CHECK ({condition})'
        for table, name, condition in checks
    ]


def _functions(schema: str) -> list[str]:
    held = """SELECT FROM pg_roles r WHERE r.rolname::text = w."roleName"::text
        AND pg_has_role(current_user, r.oid, 'USAGE')"""
    read = f"""SELECT w."districtNumber"::text FROM {schema}."DISRight" w
        WHERE w."right"::text = 'read' AND EXISTS ({held})"""
    both = f"""{read} INTERSECT {read.replace("'read'", "'write'")}"""
    owner = f"""SELECT relowner FROM pg_class WHERE oid = '{schema.replace("'", "''")}."DISBatch"'::regclass"""
    sql = {
        "dis_agent() RETURNS boolean": f"SELECT pg_has_role(current_user, ({owner}), 'USAGE')",
        "dis_caller() RETURNS text": f"""SELECT CASE WHEN pg_has_role(session_user, ({owner}), 'USAGE')
            THEN current_user ELSE session_user END::text""",
        "dis_reads() RETURNS text[]": f"SELECT ARRAY({read})",
        "dis_writes() RETURNS text[]": f"SELECT ARRAY({both})",
    }
    guards = {"batch": _BATCH, "history": _HISTORY, "gate": _GATE, "alert": _ALERT}
    path = "SET search_path = pg_catalog, pg_temp"
    return [
        *(f"CREATE OR REPLACE FUNCTION {name} LANGUAGE sql STABLE {path} AS $${body}$$" for name, body in sql.items()),
        *(
            f"CREATE OR REPLACE FUNCTION dis_guard_{name}() RETURNS trigger LANGUAGE plpgsql {path} AS "
            f"$${body.replace('dis_', f'{schema}.dis_').replace('SCHEMA', schema)}$$"
            for name, body in guards.items()
        ),
        f"""CREATE OR REPLACE FUNCTION dis_number_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {path} AS $$
        BEGIN
            UPDATE {schema}."DISGate" SET "lastBatch" = "lastBatch" + 1 RETURNING "lastBatch" INTO NEW."batchID";
            RETURN NEW;
        END
        $$""",
        "DROP FUNCTION dis_request_free(integer, text)",
    ]


_REFUSED = "USING ERRCODE = 'check_violation'"

_COUNTED = (
    "processed", "errors", "inserted", "updated", "unchanged", "excluded", "rejected", "blocked", "extra", "removed",
)  # fmt: skip
_NOTHING_COUNTED = "\n".join(f"        NEW.{name} := 0;" for name in _COUNTED)

_BATCH = f"""
BEGIN
    IF dis_agent() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW."requestedBy" := dis_caller();
        NEW."requestedAt" := clock_timestamp();
        NEW.reason := left(NEW.reason, {TEXT});
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
{_NOTHING_COUNTED}
        IF NOT (NEW."schoolYear" BETWEEN 1900 AND 2999 AND length(NEW."districtNumber") BETWEEN 1 AND {TEXT}) THEN
            RAISE EXCEPTION 'no such school year or district' {_REFUSED};
        END IF;
        IF NEW.initiator::text = 'district' AND (SELECT count(*) FROM (
            SELECT FROM SCHEMA."DISBatch" b WHERE b.status::text IN ('queued', 'running')
            AND b.initiator::text = 'district' AND b."districtNumber"::text = NEW."districtNumber"::text
            AND b."requestedBy"::text = NEW."requestedBy"::text LIMIT {OPEN_BATCHES}) o) >= {OPEN_BATCHES} THEN
            RAISE EXCEPTION '{OPEN_BATCHES} batches of this login are open' USING ERRCODE = 'program_limit_exceeded';
        END IF;
        SELECT g."lastRequest" INTO NEW."requestID" FROM SCHEMA."DISGate" g
            WHERE g."requestTransaction" = pg_current_xact_id()::text::bigint;
        IF NOT FOUND THEN
            UPDATE SCHEMA."DISGate" SET "lastRequest" = "lastRequest" + 1 RETURNING "lastRequest" INTO NEW."requestID";
        END IF;
        RETURN NEW;
    END IF;
    NEW."cancelledBy" := dis_caller();
    IF OLD.status::text NOT IN ('queued', 'running') OR NOT NEW."cancelRequested"
       OR NEW.status::text <> OLD.status::text
       AND NOT (OLD.status::text = 'queued' AND NEW.status::text = 'cancelled' AND NOT OLD."stageLeft")
       OR NEW."notBefore" IS NOT NULL AND NEW."notBefore" IS DISTINCT FROM OLD."notBefore" THEN
        RAISE EXCEPTION 'batch % may only be cancelled', OLD."batchID" USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW."finishedAt" := CASE WHEN NEW.status::text = 'cancelled' THEN clock_timestamp() ELSE OLD."finishedAt" END;
    RETURN NEW;
END
"""

_HISTORY = f"""
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
{_NOTHING_COUNTED}
        NEW.message := '';
        IF NOT (NEW.sequence BETWEEN 1 AND {PLACES} AND NEW.wave BETWEEN 1 AND {PLACES}
                AND length(NEW."objectName") BETWEEN 1 AND {TEXT}) THEN
            RAISE EXCEPTION 'no such place or name of an object' {_REFUSED};
        END IF;
        IF length(NEW."requiredBy"::text) > 100 * {TEXT} OR json_typeof(NEW."requiredBy") <> 'array'
           OR jsonb_path_exists(NEW."requiredBy"::jsonb, 'strict $[*] ? (@.type() != "string")') THEN
            RAISE EXCEPTION 'what requires an object is a list of names' {_REFUSED};
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status::text <> 'queued' OR NEW.status::text <> 'cancelled' OR NOT EXISTS (
        SELECT FROM SCHEMA."DISBatch" b WHERE b."batchID" = OLD."batchID" AND b.status::text = 'cancelled'
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
    IF NEW."lastRequest" <> OLD."lastRequest" THEN
        NEW."requestTransaction" := pg_current_xact_id()::text::bigint;
    END IF;
    RETURN NEW;
END
"""

_ALERT = f"""
DECLARE
    ends CONSTANT text := '^(Resync|Verification|Removal of Extra Records) (Cancelled|Ended)$';
BEGIN
    NEW."postedBy" := '';
    IF dis_agent() THEN
        RETURN NEW;
    END IF;
    NEW."postedAt" := clock_timestamp();
    NEW.process := 'Vertical Interoperability';
    NEW.name := left(NEW.name, {TEXT});
    NEW.message := left(NEW.message, {TEXT});
    IF '' = ANY (dis_writes()) THEN
        RETURN NEW;
    END IF;
    NEW."postedBy" := dis_caller();
    NEW."dueAt" := NULL;
    IF NOT EXISTS (
        SELECT FROM SCHEMA."DISBatch" b
        WHERE b."requestID" = NEW."requestID" AND b."batchID" = coalesce(NEW."batchID", b."batchID")
        AND b.initiator::text = 'district' AND b."districtNumber"::text = NEW."districtNumber"::text AND (
            NEW.name::text ~ ends AND b.status::text = 'cancelled'
            AND b."requestedBy"::text = coalesce(NEW.recipient, b."requestedBy")::text
            OR NEW.name::text = 'Resync Not Started' AND b.status::text = 'queued' AND NEW.recipient IS NULL
        )
    ) THEN
        RAISE EXCEPTION 'no such alert about a request of this district' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
"""


def _policies(schema: str) -> list[str]:
    """Return policies: a district's roles meet its own agents and schedules; no district is the state by its name."""
    reads = f"(SELECT {schema}.dis_reads())::text[]"
    serves = f"EXISTS (SELECT FROM json_array_elements_text(districts) d (id) WHERE d.id = ANY ({reads}))"
    agents = f"(SELECT {schema}.dis_agent())"
    own = f"'' = ANY ({reads}) OR owner <> 'state' AND owner = ANY ({reads})"
    return [
        f"CREATE POLICY users_select ON \"DISAgent\" FOR SELECT USING ('' = ANY ({reads}) OR {serves})",
        f'CREATE POLICY agents ON "DISAgent" USING ({agents}) WITH CHECK ({agents})',
        'ALTER TABLE "DISAgent" ENABLE ROW LEVEL SECURITY',
        'ALTER TABLE "DISAgent" FORCE ROW LEVEL SECURITY',
        f'ALTER POLICY users_select ON "DISScheduleFiring" USING ({own})',
    ]
