"""Access to the control database: the batches that an edition sees, and the rights of a role.

On PostgreSQL row-level security enforces the same against `psql` too (revision 0003 of the migrations); it is checked
here as well, so that a refusal is one line before anything is tried.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, Table, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.models import DISEdition, Tables
from resync_tui.control.rows import insert_row
from resync_tui.errors import CannotRun
from resync_tui.processes import user_name
from resync_tui.rights import Edition, Rights

SCHEDULE = "schedule "
"""Prefix of a requester's name that stands for a schedule, not for a person."""
_IS_ROLE = text("SELECT true FROM pg_roles WHERE rolname = :user")


async def rights_of(connection: AsyncConnection, edition: Edition | None) -> Rights:
    """Return the rights of this session in an edition; None: in any edition that it has."""
    if connection.dialect.name == "sqlite":
        return Rights(read=True, write=True, user=user_name(), serve=True)
    asked = "SELECT dis_agent() AS agent, dis_caller() AS caller, dis_reads() AS reads, dis_writes() AS writes"
    row = (await connection.execute(text(asked))).one()
    if row.agent:
        return Rights(read=True, write=True, user=row.caller, serve=True)
    if edition is None:
        return Rights(read=bool(row.reads), write=bool(row.writes), user=row.caller)
    return Rights(read=edition.district in row.reads, write=edition.district in row.writes, user=row.caller)


async def may_send(connection: AsyncConnection, user: str, initiator: str, district: str) -> bool:
    """Whether the requester of a batch has the right to it; an agent checks this before it runs one.

    A schedule's own requests are an agent's: on PostgreSQL nobody else can write a name that is not their own.
    """
    if connection.dialect.name == "sqlite":
        # The file is its owner's alone, and the agent is the owner.
        return user == user_name() or user.startswith(SCHEDULE)
    held = """SELECT FROM "DISRight" w JOIN pg_roles g ON g.rolname = w."roleName"
        WHERE w.edition = :edition AND w."districtNumber" = :district AND pg_has_role(r.oid, g.oid, 'USAGE')"""
    asked = f"""SELECT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = :user AND (
        pg_has_role(r.oid, (SELECT relowner FROM pg_class WHERE oid = '"DISBatch"'::regclass), 'USAGE')
        OR EXISTS ({held} AND w."right" = 'read') AND EXISTS ({held} AND w."right" = 'write')))"""
    if user.startswith(SCHEDULE) and not await connection.scalar(_IS_ROLE, {"user": user}):
        return True
    scope = {"edition": initiator, "district": "" if initiator == "state" else district}
    return bool(await connection.scalar(text(asked), {"user": user, **scope}))


async def served_edition(connection: AsyncConnection) -> Edition | None:
    """Return the edition that a SQLite control database serves; None until it has served one."""
    # Not by its class: each opening asks this, and most processes that look need no other instance.
    row = (await connection.execute(select(Tables.edition))).one_or_none()
    return None if row is None else Edition(row.edition, row.districtNumber)


async def serve_edition(connection: AsyncConnection, edition: Edition) -> Edition:
    """Record which edition a SQLite control database serves, unless one is recorded; return the recorded one."""
    served = await served_edition(connection)
    if served is None:
        new = DISEdition(editionID=1, edition=edition.kind, districtNumber=edition.district)
        await connection.execute(insert_row(new))
    return served or edition


def visible_batches(edition: Edition | None) -> ColumnElement[bool]:
    """Return the condition on DISBatch for the batches visible to an edition: a district's own requests, or all."""
    if edition is None or not edition.own_only:
        return true()
    batch = Tables.batch
    return (batch.c.initiator == "district") & (batch.c.districtNumber == edition.district)


def visible_rows(edition: Edition | None, table: Table) -> ColumnElement[bool]:
    """Return the condition on a table with batchID for the rows of batches visible to an edition."""
    if edition is None or not edition.own_only:
        return true()
    batches: Select[Any] = select(Tables.batch.c.batchID).where(visible_batches(edition))
    return table.c.batchID.in_(batches)


_OF_OTHERS = text("""
WITH here AS (
    SELECT n.oid, n.nspname, n.nspowner, d.datdba, coalesce(
        (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('"DISBatch"')),
        (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)) AS owner
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
    WHERE n.nspname = ANY (pg_catalog.current_schemas(false))
), made AS (
    SELECT 'OPERATOR' AS kind, o.oid::pg_catalog.regoperator::pg_catalog.text AS name, o.oprowner AS maker,
        o.oprnamespace AS space FROM pg_catalog.pg_operator o
    UNION ALL SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::pg_catalog.text, p.proowner, p.pronamespace
    FROM pg_catalog.pg_proc p
)
SELECT m.kind, m.name, r.rolname AS role, h.nspname AS space
FROM made m JOIN here h ON h.oid = m.space JOIN pg_catalog.pg_roles r ON r.oid = m.maker
WHERE NOT (r.rolsuper OR m.maker IN (h.owner, h.nspowner, h.datdba)
    OR pg_catalog.pg_has_role(m.maker, h.owner, 'MEMBER'))
ORDER BY m.kind, m.name LIMIT 1
""")
"""Query for an operator or a routine in the searched schemas that another role than the tables' owner has made.

Only comparisons that pg_catalog has for exactly these types: others would find what it looks for.
"""


async def require_nothing_of_others(connection: AsyncConnection, where: str) -> None:
    """Require that other roles have made nothing that statements of this session would run. Raises CannotRun."""
    if (found := (await connection.execute(_OF_OTHERS)).first()) is not None:
        made = f"{found.kind} {found.name} in schema {found.space}"
        raise CannotRun(
            f"{found.role} has made {made} of {where}: it would run as others",
            f"As a superuser: DROP {found.kind} {found.name} CASCADE; let nobody else create in that schema.",
        )
