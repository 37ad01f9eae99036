"""Missing privileges of a login in a PostgreSQL district or state, and the GRANTs that give them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.errors import CannotRun, ResyncError

_SOURCE = ("SELECT",)
_TARGET = ("SELECT", "INSERT", "UPDATE")
"""Privileges of a resync in the state; only `remove-extra` needs DELETE."""

_LACKING = sa.text("""
    SELECT quote_ident(current_user) AS login, p.name AS privilege, t.name AS table, c.closed, c.every
    FROM unnest(CAST(:tables AS text[])) WITH ORDINALITY t (name, place),
        unnest(CAST(:privileges AS text[])) WITH ORDINALITY p (name, place),
        LATERAL (SELECT array_agg(quote_ident(attname)::text ORDER BY attnum) FILTER (WHERE NOT open) AS closed,
            bool_and(NOT open) AS every
            FROM (SELECT attname, attnum, has_column_privilege(attrelid, attnum, p.name) AS open FROM pg_attribute
                WHERE attrelid = CAST(t.name AS regclass) AND attnum > 0 AND NOT attisdropped) a) c
    WHERE c.closed IS NOT NULL ORDER BY t.place, p.place
""")
_STAGE = sa.text("""
    SELECT quote_ident(current_user) AS login, quote_ident(current_database()) AS database, n.oid IS NOT NULL AS made,
        coalesce(pg_get_userbyid(n.nspowner), '') AS owner,
        CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
        ELSE has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
            AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
            AND has_table_privilege(c.oid, 'UPDATE') AND coalesce(
                has_table_privilege(o.oid, 'SELECT') AND has_table_privilege(o.oid, 'INSERT'), true) END AS fine,
        o.oid IS NOT NULL AS remembers
    FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = 'resync_stage'
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'fence'
    LEFT JOIN pg_class o ON o.relnamespace = n.oid AND o.relname = 'copy'
""")


_OPEN = sa.text("""
SELECT quote_ident(nspname) FROM pg_namespace
WHERE nspname = ANY (current_schemas(false)) AND has_schema_privilege('public', oid, 'CREATE') ORDER BY 1
""")
"""Query for the schemas in which names are looked up and every role may create."""


_WRITABLE = sa.text("""
    SELECT coalesce(bool_or(has_table_privilege(CAST(t.name AS regclass), 'INSERT, UPDATE, DELETE, TRUNCATE')), false)
    FROM unnest(CAST(:tables AS text[])) t (name)
""")


async def may_write(connection: AsyncConnection, tables: Iterable[sa.Table]) -> bool:
    """Whether this login may write to any of these tables, with any of the privileges that do so."""
    quote = connection.dialect.identifier_preparer.format_table
    return bool(await connection.scalar(_WRITABLE, {"tables": [quote(each) for each in tables]}))


async def lacking(
    connection: AsyncConnection, name: str, tables: Iterable[sa.Table], *, as_state: bool
) -> list[ResyncError]:
    """Return the missing privileges of this login on tables and, `as_state`, on stages; see `Dialect`.

    And where everybody may create: an operator made there may match better than PostgreSQL's own.
    """
    quote = connection.dialect.identifier_preparer.format_table
    asked = {"tables": [quote(each) for each in tables], "privileges": list(_TARGET if as_state else _SOURCE)}
    found: list[ResyncError] = list(_told(name, (await connection.execute(_LACKING, asked)).all()))
    found += [
        CannotRun(
            f"Everybody may create in schema {schema} of {name}: what they make there would run as the agent",
            f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        )
        for schema in await connection.scalars(_OPEN)
    ]
    return found + await _stage_lacking(connection, name) if as_state else found


def _told(name: str, rows: Sequence[Any]) -> Iterator[ResyncError]:
    """Return one error for each set of missing privileges; where some columns are open, the closed ones are named."""
    by_table: dict[str, list[str]] = {}
    for row in rows:
        columns = "" if row.every else f" ({', '.join(row.closed)})"
        by_table.setdefault(row.table, []).append(f"{row.privilege}{columns}")
    alike: dict[str, list[str]] = {}
    for table, missing in by_table.items():
        alike.setdefault(", ".join(missing), []).append(table)
    for what, tables in alike.items():
        which = tables[0] if len(tables) == 1 else f"{len(tables)} tables"
        yield CannotRun(
            f"{rows[0].login} lacks {what} on {which} of {name}",
            f"GRANT {what} ON {', '.join(tables)} TO {rows[0].login}",
        )


async def _stage_lacking(connection: AsyncConnection, name: str) -> list[ResyncError]:
    """Return the errors that block this login from staging records in the state."""
    found = (await connection.execute(_STAGE)).one()
    if found.fine:
        return []
    if not found.made:
        what, do = "make its stage in", f"GRANT CREATE ON DATABASE {found.database} TO {found.login}"
    else:
        what = f"use the stage, which is {found.owner}'s, of"
        tables = "resync_stage.fence" + ", resync_stage.copy" * found.remembers
        do = (
            f"GRANT USAGE, CREATE ON SCHEMA resync_stage TO {found.login}; "
            f"GRANT SELECT, INSERT, UPDATE ON {tables} TO {found.login}"
        )
    return [CannotRun(f"{found.login} may not {what} {name}", do)]
