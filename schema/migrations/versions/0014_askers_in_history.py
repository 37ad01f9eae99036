"""Each row of DISBatchHistory tells its batch's purpose and who asked, to whoever queries that table alone.

Triggers copy both from the batch: no login chooses them, and privileges that were granted by hand stay enough.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns, fill them for the batches that are there, and add the trigger."""
    for name in ("purpose", "initiator", "requestedBy"):
        op.add_column("DISBatchHistory", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.execute(_COPY)
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
        bind.exec_driver_sql(_FUNCTION.format(schema=schema))
        bind.exec_driver_sql(_TRIGGER)
    else:
        bind.exec_driver_sql(_SQLITE_TRIGGER)


_COPY = """UPDATE "DISBatchHistory" SET (purpose, initiator, "requestedBy") = (
    SELECT b.purpose, b.initiator, b."requestedBy" FROM "DISBatch" b
    WHERE b."batchID" = "DISBatchHistory"."batchID")"""

# A batch that is not there, or that the login may not see, is refused by the foreign key or the policy, not here.
_FUNCTION = """CREATE FUNCTION dis_copy_asker() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT b.purpose, b.initiator, b."requestedBy" INTO NEW.purpose, NEW.initiator, NEW."requestedBy"
        FROM {schema}."DISBatch" b WHERE b."batchID" = NEW."batchID";
    NEW.purpose := coalesce(NEW.purpose, '');
    NEW.initiator := coalesce(NEW.initiator, '');
    NEW."requestedBy" := coalesce(NEW."requestedBy", '');
    RETURN NEW;
END
$$"""

_TRIGGER = """CREATE TRIGGER dis_asker BEFORE INSERT ON "DISBatchHistory" FOR EACH ROW
    EXECUTE FUNCTION dis_copy_asker()"""

_SQLITE_TRIGGER = f"""CREATE TRIGGER dis_asker AFTER INSERT ON "DISBatchHistory" FOR EACH ROW BEGIN
    {_COPY} WHERE "batchID" = NEW."batchID" AND sequence = NEW.sequence;
END"""
