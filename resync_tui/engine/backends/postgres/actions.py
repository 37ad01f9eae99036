"""What PostgreSQL does by itself when records are written: triggers, rules, and actions of foreign keys."""

from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.engine.backends.postgres.session import NAMED, of_named
from resync_tui.engine.guards import ReferentialAction

TRIGGERED = f"""
    WITH named AS ({NAMED}), part AS (
        SELECT name, oid FROM named UNION SELECT n.name, t.relid FROM named n, pg_partition_tree(n.oid) t
    )
    SELECT name FROM part WHERE EXISTS (SELECT FROM pg_trigger WHERE tgrelid = part.oid AND NOT tgisinternal
            AND tgenabled IN ('O', 'A') AND tgtype & 20 <> 0)
        OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = part.oid
            AND ev_enabled IN ('O', 'A') AND ev_type IN ('2', '3'))
"""
"""Query for the tables of which an insert (bit 4 of tgtype, ev_type 3) or an update (16, 2) sets something off."""
_BEFORE = f"""
    WITH named AS ({NAMED}), part AS (
        SELECT name, oid FROM named UNION SELECT n.name, t.relid FROM named n, pg_partition_tree(n.oid) t
    )
    SELECT DISTINCT name, tgname::text FROM part JOIN pg_trigger ON tgrelid = part.oid
    WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 3 = 3 AND tgtype & 20 <> 0 ORDER BY 1, 2
"""
"""Query for the triggers that run before (bit 2 of tgtype) each row (1) that is inserted or updated."""
_ACTIONS = {"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_NO_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT"}
_COLUMNS = {"DELETE": "confdeltype", "UPDATE": "confupdtype"}


async def triggered(connection: AsyncConnection, tables: Mapping[str, sa.Table]) -> frozenset[str]:
    """Return the names of the tables with triggers or rules that an insert or an update sets off."""
    return frozenset(row[0] for row in await of_named(connection, TRIGGERED, tables))


async def before_triggers(connection: AsyncConnection, tables: Mapping[str, sa.Table]) -> list[tuple[str, str]]:
    """Return the triggers that run before a row of these tables is written, by the name of the table."""
    return [(row[0], row[1]) for row in await of_named(connection, _BEFORE, tables)]


async def referential_actions(
    connection: AsyncConnection, tables: Mapping[str, sa.Table], event: Literal["DELETE", "UPDATE"]
) -> list[ReferentialAction]:
    """Return the foreign keys of any table that act when a record of these tables is deleted or updated."""
    return [each for each in await _pointing_to(connection, tables, event) if each.action in _ACTIONS.values()]


async def references(connection: AsyncConnection, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
    """Return the foreign keys of any table that point to these tables, with what they do at a removal."""
    return await _pointing_to(connection, tables, "DELETE")


async def _pointing_to(
    connection: AsyncConnection, tables: Mapping[str, sa.Table], event: Literal["DELETE", "UPDATE"]
) -> list[ReferentialAction]:
    actions = _ACTIONS | _NO_ACTIONS
    return [
        ReferentialAction(
            table, None if visible else schema, tuple(columns), parent, tuple(referred), actions[action], event, seen
        )
        for table, schema, visible, parent, action, seen, columns, referred in await of_named(
            connection, _pointing(_COLUMNS[event]), tables
        )
    ]


def _pointing(column: str) -> str:
    """Return the query for the foreign keys of any table with their actions, in a column of pg_constraint."""
    return f"""
    WITH named AS ({NAMED})
    SELECT c.relname, s.nspname, pg_table_is_visible(c.oid), n.name, k.{column}::text,
        has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid),
        ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY place),
        ARRAY(SELECT attname::text FROM unnest(k.confkey) WITH ORDINALITY u (number, place)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY place)
    FROM named n JOIN pg_constraint k ON k.confrelid = n.oid JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY 2, 1, k.conname
"""
