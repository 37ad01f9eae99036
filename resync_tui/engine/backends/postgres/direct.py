"""Direct load between two PostgreSQL servers: COPY into memory, and from there into the state's table."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.registry import explained
from resync_tui.engine.backends.base import DirectLoad, HeldRows, Source, Target, connected
from resync_tui.engine.backends.postgres.actions import TRIGGERED
from resync_tui.engine.backends.postgres.copy import ending_with
from resync_tui.engine.backends.postgres.session import as_sql, driver_of, of_named
from resync_tui.engine.backends.postgres.source import PostgresSource
from resync_tui.engine.mapping import TableMapping

_NOT_AS_SENT = f"""{TRIGGERED}
    UNION SELECT name FROM named WHERE oid IS NULL OR row_security_active(oid)
        OR current_setting('session_replication_role') <> 'origin'
        OR EXISTS (SELECT FROM pg_constraint k
            LEFT JOIN pg_trigger g ON g.tgconstraint = k.oid AND g.tgrelid = k.conrelid
            WHERE k.conrelid = named.oid AND (to_jsonb(k) ->> 'conenforced' = 'false'
                OR k.contype = 'f' AND coalesce(g.tgenabled NOT IN ('O', 'A'), true)))
"""
"""Query for the tables with triggers, rules or policies, or with a constraint that the server does not enforce."""


class _TooLarge(Exception):
    """Rows take more memory than they may."""


class PostgresDirectLoad(DirectLoad):
    """Direct load by COPY, in text form: a type's output is what the same type takes in."""

    async def as_sent(self, target: Target, tables: Mapping[str, sa.Table]) -> frozenset[str]:
        async with connected(target.engine) as connection:
            found = await of_named(connection, _NOT_AS_SENT, tables)
        return frozenset(tables) - {row[0] for row in found}

    async def read(self, source: Source, query: sa.Select[Any], most: int) -> HeldRows | None:
        assert isinstance(source, PostgresSource)
        data = bytearray()

        async def keep(part: bytes) -> None:
            if len(data) + len(part) > most:
                raise _TooLarge
            data.extend(part)

        try:
            async with source.reader() as reader:
                with explained(source.end.name, source.end.url), ending_with({reader: source.end}):
                    done: str = await reader.copy_from_query(as_sql(query), output=keep, format="text")
        except _TooLarge:
            return None
        return HeldRows(tuple(query.selected_columns.keys()), bytes(data), _count(done))

    async def insert(self, target: Target, connection: AsyncConnection, table: sa.Table, rows: HeldRows) -> int:
        return await _copy(target, connection, table, rows.columns, rows.data)

    async def stage(self, target: Target, mapping: TableMapping, rows: HeldRows) -> None:
        data, columns = rows.data, rows.columns
        if columns[0] == mapping.tenant_column:
            data = b"\n".join(line.partition(b"\t")[2] for line in data.split(b"\n"))
            columns = columns[1:]
        async with target.staging() as connection:
            await _copy(target, connection, mapping.stage, columns, data)


async def _copy(
    target: Target, connection: AsyncConnection, table: sa.Table, columns: Sequence[str], data: bytes
) -> int:
    """Copy rows from memory into a table of the state; return their number."""
    driver = await driver_of(connection)
    with ending_with({driver: target.end}):
        done: str = await driver.copy_to_table(
            table.name, schema_name=table.schema, source=BytesIO(data), columns=columns, format="text"
        )
    return _count(done)


def _count(done: str) -> int:
    """Return the number of rows that a command's tag says."""
    return int(done.rpartition(" ")[2])
