"""GRANTs: the privileges of a PostgreSQL role on the control database, which roles get them, what others may do."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Row, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.control.models import METADATA, DISRight, Tables
from resync_tui.control.rows import insert_row
from resync_tui.databases.names import quote_identifier
from resync_tui.databases.registry import dialect_of, place
from resync_tui.errors import CannotRun, ConfigError, NoRight
from resync_tui.rights import Edition

if TYPE_CHECKING:
    from resync_tui.control.connection import ControlDatabase


_LOCK = text('LOCK TABLE "DISRight" IN EXCLUSIVE MODE')
"""Lets one agent apply GRANTs at a time: a lock that only the owner can take."""

LOOK = (
    "DISBatch", "DISBatchHistory", "DISBatchError", "DISBatchErrorCount", "DISBatchFinding", "DISBatchFindingCount",
    "DISRunning", "DISGate", "DISScheduleFiring", "DISRight", "DISEdition", "DISVersion", "ProcessAlert",
    "ProcessAlertUser",
)  # fmt: skip
"""Tables readable with Read; in most of them row-level security shows a district its own rows only."""

COPIED = ("purpose", "initiator", "requestedBy")
"""Columns of DISBatchHistory that a trigger copies from the batch."""


def grants(role: str, *, write: bool) -> list[str]:
    """Return the GRANTs of a role, beside its rows of DISRight; columns set by agents alone are left out."""
    name = quote_identifier(role)
    privileges = [
        f"SELECT ON {', '.join(_quoted(LOOK))}",
        f'SELECT ({_columns("DISAgent", "districts")}) ON "DISAgent"',
        f'INSERT, UPDATE ({", ".join(_quoted(("isRead", "isDeleted")))}) ON "ProcessAlertUser"',
    ]
    if write:
        cancel = _quoted(("status", "cancelRequested", "cancelledBy", "notBefore", "finishedAt"))
        privileges += [
            f'INSERT ({_columns("DISBatch", "batchID")}), UPDATE ({", ".join(cancel)}) ON "DISBatch"',
            f'INSERT ({_columns("DISBatchHistory", *COPIED)}), UPDATE (status) ON "DISBatchHistory"',
            f'INSERT ({_columns("ProcessAlert", "alertID", "postedBy")}) ON "ProcessAlert"',
            f'UPDATE ({", ".join(_quoted(("changes", "lastRequest")))}) ON "DISGate"',
        ]
    return [f"GRANT {each} TO {name}" for each in privileges]


def _columns(table: str, *left_out: str) -> str:
    """Return a table's columns, listed: a table privilege would also allow to lock the table, or to choose a number."""
    return ", ".join(_quoted(each.name for each in METADATA.tables[table].c if each.name not in left_out))


def _quoted(names: Iterable[str]) -> list[str]:
    return [quote_identifier(each) for each in names]


async def enforce(database: "ControlDatabase", read: Sequence[str], write: Sequence[str]) -> list[str]:
    """Apply the GRANTs for the roles under [rights], as an agent starts; return lines about roles that get nothing.

    Without roles there, DISRight stays as the owner has written it. Raises NoRight if this login is no agent's, and
    CannotRun where others may create what would run as this agent.
    """
    if not database.rights.serve:
        raise NoRight(
            f"{database.rights.user} does not own the control database ({place(database.url)}), as an agent must",
            f"Start the agent under the role that owns its tables, or: GRANT that role TO {database.rights.user}",
        )
    if dialect_of(database.url) == "sqlite":
        return []
    async with database.read() as connection:
        for each in await creators(connection, place(database.url)):
            raise each
    if database.edition is None or not (read or write):
        return []
    async with database.write() as connection:
        return await _apply_rights(connection, database.edition, read=read, write=write)


async def _apply_rights(
    connection: AsyncConnection, edition: Edition, *, read: Sequence[str], write: Sequence[str]
) -> list[str]:
    """Set an edition's rows of DISRight to the roles under [rights], with their GRANTs.

    Privileges of a role without rows stay, but show it nothing any more.
    """
    # PostgreSQL fails the second of two concurrent GRANTs on one table.
    await connection.execute(_LOCK)
    known = set(await connection.scalars(text("SELECT rolname FROM pg_roles")))
    table, where = Tables.right, {"edition": edition.kind, "districtNumber": edition.district}
    rows = {(role, right) for right, roles in (("read", read), ("write", write)) for role in roles if role in known}
    ours = [table.c[name] == value for name, value in where.items()]
    found = {(row.roleName, row.right) for row in await connection.execute(select(table).where(*ours))}
    for role, right in sorted(found - rows):
        await connection.execute(delete(table).where(*ours, table.c.roleName == role, table.c.right == right))
    for role, right in sorted(rows - found):
        await connection.execute(insert_row(DISRight(roleName=role, right=right, **where)))
    for role in sorted({role for role, _ in rows}):
        for statement in grants(role, write=(role, "write") in rows):
            await connection.exec_driver_sql(statement)
    return [each.what for each in await check_grants(connection, read=read, write=write)]


async def check_grants(connection: AsyncConnection, *, read: Iterable[str], write: Iterable[str]) -> list[ConfigError]:
    """Return the errors of [rights]: roles unknown to PostgreSQL, and Write without Read."""
    known = set(await connection.scalars(text("SELECT rolname FROM pg_roles")))
    unknown = [
        ConfigError(f"[rights] names {role}, a role that does not exist", f"Create it, or mend that name: {role}")
        for role in sorted({*read, *write} - known)
    ]
    covered = text("SELECT bool_or(pg_has_role(:role, r, 'USAGE')) FROM unnest(CAST(:readers AS name[])) r")
    readers, writers = sorted(known & set(read)), sorted(known & set(write))
    return unknown + [
        ConfigError(
            f"[rights] gives {role} write without read, which counts for nothing",
            f"Name {role} under read too, or make it a member of a role that is named there.",
        )
        for role in writers
        if not await connection.scalar(covered, {"role": role, "readers": readers})
    ]


_OTHERS = text("""
WITH owner AS (SELECT relowner, relnamespace FROM pg_class WHERE oid = '"DISBatch"'::regclass), place AS (
    SELECT 'SCHEMA ' || quote_ident(nspname) AS name, nspowner AS held,
        coalesce(nspacl, acldefault('n', nspowner)) AS acl
    FROM pg_namespace, owner WHERE oid = relnamespace OR nspname = ANY (current_schemas(false))
    UNION ALL SELECT 'DATABASE ' || quote_ident(datname), datdba, coalesce(datacl, acldefault('d', datdba))
    FROM pg_database WHERE datname = current_database())
SELECT name, privilege_type AS privilege, coalesce(quote_ident(rolname), 'PUBLIC') AS role
FROM place CROSS JOIN owner CROSS JOIN LATERAL aclexplode(acl) LEFT JOIN pg_roles r ON r.oid = grantee
WHERE CASE grantee WHEN 0 THEN privilege_type IN ('CREATE', 'CONNECT')
    ELSE privilege_type = 'CREATE' AND grantee <> held AND NOT pg_has_role(grantee, relowner, 'MEMBER') END
ORDER BY name DESC, privilege, role
""")
"""Query for privileges of others than the owners: members of the tables' owner are agents."""


async def creators(connection: AsyncConnection, where: str) -> list[CannotRun]:
    """Return an error for each role that may create operators and functions that would run as an agent."""
    return [
        CannotRun(
            f"{_who(row)} may create in {row.name} of {where}: what they make there would run as the agent",
            f"REVOKE CREATE ON {row.name} FROM {row.role}",
        )
        for row in await connection.execute(_OTHERS)
        if row.privilege == "CREATE"
    ]


async def guests(connection: AsyncConnection, where: str) -> list[CannotRun]:
    """Return an error if every role of the server may connect."""
    return [
        CannotRun(
            f"{_who(row)} may connect to {where}",
            f"REVOKE CONNECT ON {row.name} FROM {row.role}; then GRANT it to the roles under [rights]",
        )
        for row in await connection.execute(_OTHERS)
        if row.privilege == "CONNECT"
    ]


def _who(row: Row[tuple[str, str, str]]) -> str:
    return "Everybody" if row.role == "PUBLIC" else str(row.role)
