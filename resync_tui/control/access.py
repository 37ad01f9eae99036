"""Who may see and do what in the control database: an edition's view, a role's rights, the privileges it needs.

On PostgreSQL row-level security holds all of this against `psql` as well (revision 0003 of the migrations); here it
is asked for, so that it can be told in one line before anything is tried.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Column, ColumnElement, Integer, Select, Table, delete, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field

from resync_tui.control.columns import ControlTable
from resync_tui.control.models import METADATA, Tables
from resync_tui.database import dialect_of, place
from resync_tui.errors import ConfigError, NoRight
from resync_tui.rights import Rights, Viewpoint, user_name

if TYPE_CHECKING:
    from resync_tui.control.connection import ControlDatabase


class DISRight(ControlTable, table=True):
    """A right that a role of PostgreSQL has, and all its members with it; on SQLite the file's owner has all."""

    __tablename__ = "DISRight"
    __table_args__ = (
        CheckConstraint("\"right\" IN ('read', 'write')", name="DISRight_right"),
        CheckConstraint(
            "edition = 'state' AND \"districtNumber\" = '' OR edition = 'district' AND \"districtNumber\" <> ''",
            name="DISRight_edition",
        ),
    )

    roleName: str = Field(primary_key=True)  # noqa: N815
    edition: str = Field(primary_key=True)
    """`state` or `district`."""
    districtNumber: str = Field(primary_key=True)  # noqa: N815
    """Empty for the state."""
    right: str = Field(primary_key=True)
    """`read` or `write`; write counts with read only."""


class DISEdition(ControlTable, table=True):
    """The one edition that a SQLite control database serves: whoever can read the file can read all of it."""

    __tablename__ = "DISEdition"

    editionID: int = Field(sa_column=Column("editionID", Integer, primary_key=True, autoincrement=False))  # noqa: N815
    edition: str
    districtNumber: str  # noqa: N815


SCHEDULE = "schedule "
"""What the name of a requester begins with that is no person."""
_LOCK = 0x7269_6768_7473
"""PostgreSQL's advisory lock of agents that let roles in."""
_IS_ROLE = text("SELECT true FROM pg_roles WHERE rolname = :user")
_right, _edition = METADATA.tables["DISRight"], METADATA.tables["DISEdition"]

LOOK = (
    "DISBatch", "DISBatchHistory", "DISBatchError", "DISBatchErrorCount", "DISBatchFinding", "DISBatchFindingCount",
    "DISRunning", "DISAgent", "DISGate", "DISScheduleFiring", "DISRight", "DISEdition", "DISVersion", "ProcessAlert",
    "ProcessAlertUser",
)  # fmt: skip
"""What whoever may look reads; of most tables row-level security shows a district its own rows only."""


def grants(role: str, *, write: bool) -> list[str]:
    """Return the GRANTs that a role needs beside its rows of DISRight; columns that only an agent sets are left out."""
    name = '"' + role.replace('"', '""') + '"'
    privileges = [
        f"SELECT ON {', '.join(_quoted(LOOK))}",
        f'INSERT, UPDATE ({", ".join(_quoted(("isRead", "isDeleted")))}) ON "ProcessAlertUser"',
    ]
    if write:
        cancel = _quoted(("status", "cancelRequested", "cancelledBy", "notBefore", "finishedAt"))
        privileges += [
            f'INSERT ({_columns("DISBatch", "batchID")}), UPDATE ({", ".join(cancel)}) ON "DISBatch"',
            f'INSERT ({_columns("DISBatchHistory")}), UPDATE (status) ON "DISBatchHistory"',
            f'INSERT ({_columns("ProcessAlert", "alertID")}) ON "ProcessAlert"',
            f'UPDATE ({", ".join(_quoted(("changes", "lastRequest")))}) ON "DISGate"',
            "EXECUTE ON FUNCTION dis_request_free(integer, text)",
        ]
    return [f"GRANT {each} TO {name}" for each in privileges]


def _columns(table: str, *left_out: str) -> str:
    """Name columns one by one: a privilege on the whole table would also allow to lock it, or to choose a number."""
    return ", ".join(_quoted(each.name for each in METADATA.tables[table].c if each.name not in left_out))


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{each}"' for each in names]


async def enforce(database: "ControlDatabase", read: Sequence[str], write: Sequence[str]) -> list[str]:
    """Let those roles in that resync.toml names, as an agent starts; return lines about those that get nothing.

    Where it names none, what the owner has written into DISRight by hand stays. Raises NoRight where this login is no
    agent's.
    """
    if not database.rights.serve:
        raise NoRight(
            f"{database.rights.user} does not own the control database ({place(database.url)}), as an agent must",
            f"Start the agent under the role that owns its tables, or: GRANT that role TO {database.rights.user}",
        )
    if dialect_of(database.url) == "sqlite" or database.viewpoint is None or not (read or write):
        return []
    async with database.write() as connection:
        return await _apply_rights(connection, database.viewpoint, read=read, write=write)


async def _apply_rights(
    connection: AsyncConnection, viewpoint: Viewpoint, *, read: Sequence[str], write: Sequence[str]
) -> list[str]:
    """Make an edition's rows of DISRight what resync.toml says, with the GRANTs.

    Privileges of a role that has lost its rows stay, and show it nothing any more.
    """
    # PostgreSQL fails the second of two GRANTs at once on one table.
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    known = set(await connection.scalars(text("SELECT rolname FROM pg_roles")))
    where = {"edition": viewpoint.edition, "districtNumber": viewpoint.district}
    rows = {(role, right) for right, roles in (("read", read), ("write", write)) for role in roles if role in known}
    ours = [_right.c[name] == value for name, value in where.items()]
    found = {(row.roleName, row.right) for row in await connection.execute(select(_right).where(*ours))}
    for role, right in sorted(found - rows):
        await connection.execute(delete(_right).where(*ours, _right.c.roleName == role, _right.c.right == right))
    for role, right in sorted(rows - found):
        await connection.execute(_right.insert().values(roleName=role, right=right, **where))
    for role in sorted({role for role, _ in rows}):
        for statement in grants(role, write=(role, "write") in rows):
            await connection.exec_driver_sql(statement)
    return [each.what for each in await doubts(connection, read=read, write=write)]


async def doubts(connection: AsyncConnection, *, read: Iterable[str], write: Iterable[str]) -> list[ConfigError]:
    """Return what [rights] cannot mean: roles that PostgreSQL does not know, and Write without Read."""
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


async def rights_of(connection: AsyncConnection, viewpoint: Viewpoint | None) -> Rights:
    """Return what this session may do from a viewpoint; None: from any that it has."""
    if connection.dialect.name == "sqlite":
        return Rights(read=True, write=True, user=user_name(), serve=True)
    asked = "SELECT dis_agent() AS agent, dis_caller() AS caller, dis_reads() AS reads, dis_writes() AS writes"
    row = (await connection.execute(text(asked))).one()
    if row.agent:
        return Rights(read=True, write=True, user=row.caller, serve=True)
    if viewpoint is None:
        return Rights(read=bool(row.reads), write=bool(row.writes), user=row.caller)
    return Rights(read=viewpoint.district in row.reads, write=viewpoint.district in row.writes, user=row.caller)


async def may_send(connection: AsyncConnection, user: str, initiator: str, district: str) -> bool:
    """Whether whoever is said to have asked for a batch has the right to: what an agent asks before it runs one.

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


async def served_edition(connection: AsyncConnection) -> Viewpoint | None:
    """Return the edition that a SQLite control database serves, None where it has met none yet."""
    row = (await connection.execute(select(_edition))).one_or_none()
    return None if row is None else Viewpoint(row.edition, row.districtNumber)


async def serve_edition(connection: AsyncConnection, viewpoint: Viewpoint) -> Viewpoint:
    """Write down which edition a SQLite control database serves, and return it: whoever came first."""
    served = await served_edition(connection)
    if served is None:
        values = {"edition": viewpoint.edition, "districtNumber": viewpoint.district}
        await connection.execute(_edition.insert().values(editionID=1, **values))
    return served or viewpoint


def seen(viewpoint: Viewpoint | None) -> ColumnElement[bool]:
    """Return the condition on DISBatch for what is there from a viewpoint: a district's own requests, or all."""
    if viewpoint is None or not viewpoint.own_only:
        return true()
    batch = Tables.batch
    return (batch.c.initiator == "district") & (batch.c.districtNumber == viewpoint.district)


def of_seen(viewpoint: Viewpoint | None, table: Table) -> ColumnElement[bool]:
    """Return the condition on a table with batchID for rows of batches that are there from a viewpoint."""
    if viewpoint is None or not viewpoint.own_only:
        return true()
    batches: Select[Any] = select(Tables.batch.c.batchID).where(seen(viewpoint))
    return table.c.batchID.in_(batches)
