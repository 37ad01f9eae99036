"""COPY into a PostgreSQL stage: a stream from another server, or the rows of a SQLite district."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import anyio

from resync_tui.databases.registry import explained, place
from resync_tui.engine.backends.base import End, Meter
from resync_tui.engine.backends.postgres.values import InvalidValue, converter
from resync_tui.engine.mapping import EXCLUDED_BY, STAGE_SCHEMA, VALUE_ERROR, TableMapping
from resync_tui.errors import ConnectionLost


@contextmanager
def ending_with(connections: Mapping[Any, End]) -> Iterator[anyio.CancelScope]:
    """Cancel the block when a server ends one of these connections: asyncpg's COPY would wait forever.

    Raises ConnectionLost.
    """
    with anyio.CancelScope() as scope:
        lost: list[End] = []

        def ended(connection: Any) -> None:
            lost.append(connections[connection])
            scope.cancel()

        for connection in connections:
            connection.add_termination_listener(ended)
        try:
            yield scope
        finally:
            for connection in connections:
                connection.remove_termination_listener(ended)
    if lost:
        where = f"{lost[0].name} ({place(lost[0].url)})"
        raise ConnectionLost(f"The connection broke: {where}", "The batch starts again by itself; else resend.")


async def pipe(
    ends: Mapping[Any, End], mapping: TableMapping, query: str, columns: Sequence[str], meter: Meter
) -> None:
    """Stream COPY from the first of two connections to the second; a full buffer makes the first's server wait."""
    reader, writer = ends
    send, receive = anyio.create_memory_object_stream[bytes](16)

    async def passing_on(data: bytes) -> None:
        await meter(data.count(b"\n"))
        await send.send(data)

    async def read() -> None:
        async with send:
            with explained(ends[reader].name, ends[reader].url):
                await reader.copy_from_query(query, output=passing_on, format="text")

    with ending_with(ends):
        async with anyio.create_task_group() as tasks, receive:
            tasks.start_soon(read)
            await writer.copy_to_table(
                mapping.stage.name, source=receive, format="text", columns=columns, schema_name=STAGE_SCHEMA
            )


async def load_rows(
    writer: Any, mapping: TableMapping, rows: AsyncIterator[list[tuple[Any, ...]]], meter: Meter
) -> None:
    """Stage the rows of a SQLite district by COPY; an invalid value is staged as null, with a value error."""
    parents = [mapping.parent_mark(number) for number in range(len(mapping.foreign_keys))]
    marks = 1 + len(parents)
    convert = [converter(mapping.source.c[name], mapping.target.c[name]) for name in mapping.columns]
    columns = [EXCLUDED_BY, *parents, VALUE_ERROR, *mapping.columns]
    async for chunk in rows:
        await meter(len(chunk))
        records = [_record(row, marks, convert, mapping) for row in chunk]
        await writer.copy_records_to_table(
            mapping.stage.name, records=records, columns=columns, schema_name=STAGE_SCHEMA
        )


def _record(
    row: tuple[Any, ...], marks: int, convert: Sequence[Callable[[Any], Any]], mapping: TableMapping
) -> tuple[Any, ...]:
    value_error = owned_error = None
    values = []
    for name, to_column, value in zip(mapping.columns, convert, row[marks:], strict=True):
        try:
            values.append(to_column(value))
        except InvalidValue as error:
            values.append(None)
            if name in mapping.owned:
                owned_error = owned_error or f"{name}: {error}"
            else:
                value_error = value_error or f"{name}: {error}"
    return (*row[:marks], value_error or owned_error, *values)
