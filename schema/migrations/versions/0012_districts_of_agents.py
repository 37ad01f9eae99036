"""On PostgreSQL users are told which of their districts an agent serves; the column, which names all, is agents'."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the function, and take the column from whoever may read the table."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
        bind.exec_driver_sql(_FUNCTION.format(schema=schema))
        for role in bind.scalars(sa.text(_READERS)).all():
            bind.exec_driver_sql(f'REVOKE SELECT ON "DISAgent" FROM {role}')
            bind.exec_driver_sql(f'GRANT SELECT ({_SHOWN}) ON "DISAgent" TO {role}')


_READERS = """SELECT DISTINCT quote_ident(rolname) FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) a
    JOIN pg_roles r ON r.oid = a.grantee
    WHERE pg_class.oid = '"DISAgent"'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> relowner"""

_SHOWN = '"agentID", host, kernel, pid, "startedAt", "seenAt", "leaseSeconds", "isService"'

_FUNCTION = """CREATE FUNCTION dis_served(agent varchar) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(json_agg(d.id ORDER BY d.id), '[]'::json)
    FROM {schema}."DISAgent" a CROSS JOIN LATERAL json_array_elements_text(a.districts) d (id)
    WHERE a."agentID"::text = agent::text AND EXISTS (
        SELECT FROM {schema}."DISRight" w JOIN pg_roles r ON r.rolname::text = w."roleName"::text
        WHERE w."right"::text = 'read' AND w."districtNumber"::text IN ('', d.id)
        AND pg_has_role(session_user, r.oid, 'USAGE'))
$$"""
