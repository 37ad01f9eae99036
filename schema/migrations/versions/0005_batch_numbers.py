"""On PostgreSQL batches are numbered from the gate's row: a sequence skips numbers at a rollback and at a crash.

SQLite's AUTOINCREMENT is part of the transaction already. A number that is given, as by a restore, is kept.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the newest number; on PostgreSQL a trigger counts on from what the sequence has given."""
    op.add_column("DISGate", sa.Column("lastBatch", sa.Integer(), nullable=False, server_default="0"))
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
        for statement in _numbers(f"SET search_path = pg_catalog, {schema}, pg_temp"):
            bind.exec_driver_sql(statement)


def _numbers(path: str) -> tuple[str, ...]:
    """Return the statements; the trigger runs as the owner, as users may not write the number."""
    return (
        """UPDATE "DISGate" SET "lastBatch" = (
            SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "DISBatch_batchID_seq"
        )""",
        'ALTER TABLE "DISBatch" ALTER "batchID" DROP IDENTITY',
        f"""CREATE FUNCTION dis_number_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {path} AS $$
        BEGIN
            UPDATE "DISGate" SET "lastBatch" = "lastBatch" + 1 RETURNING "lastBatch" INTO NEW."batchID";
            RETURN NEW;
        END
        $$""",
        """CREATE TRIGGER dis_number BEFORE INSERT ON "DISBatch" FOR EACH ROW
        WHEN (NEW."batchID" IS NULL) EXECUTE FUNCTION dis_number_batch()""",
    )
